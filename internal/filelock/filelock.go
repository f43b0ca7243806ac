// Package filelock locks files between processes. Use it where several of them change the same place: a lock ends with its
// process, however that ends.
package filelock

import "errors"

// ErrBusy says that another process holds a lock that was not to be waited for.
var ErrBusy = errors.New("in use by another process")

// Lock takes an exclusive lock on a file, which is made. With wait it waits for others, else it gives [ErrBusy].
func Lock(path string, wait bool) (unlock func(), err error) { return lock(path, true, wait) }

// Share takes a shared lock on a file, which is made, waiting for an exclusive one to end.
func Share(path string) (unlock func(), err error) { return lock(path, false, true) }

// Remove removes a lock's file and ends the lock: who waits for it finds that it locks nothing any more, and makes it anew.
func Remove(path string, unlock func()) { remove(path, unlock) }
