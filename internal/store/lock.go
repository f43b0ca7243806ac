package store

import "errors"

// errBusy says that another process holds a lock that was not to be waited for.
var errBusy = errors.New("in use by another process")

// lockFile takes an exclusive lock on a file, which is made. With wait it waits for others, else it gives errBusy. A lock
// ends with its process, however that ends.
func lockFile(path string, wait bool) (unlock func(), err error) { return lock(path, true, wait) }

// shareFile takes a shared lock, waiting for an exclusive one to end.
func shareFile(path string) (unlock func(), err error) { return lock(path, false, true) }
