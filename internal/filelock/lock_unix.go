//go:build !windows

package filelock

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

func lock(path string, exclusive, wait bool) (func(), error) {
	how := unix.LOCK_SH
	if exclusive {
		how = unix.LOCK_EX
	}
	if !wait {
		how |= unix.LOCK_NB
	}
	for {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			return nil, err
		}
		err = unix.Flock(int(f.Fd()), how)
		for errors.Is(err, unix.EINTR) {
			err = unix.Flock(int(f.Fd()), how)
		}
		if err != nil {
			f.Close()
			if errors.Is(err, unix.EWOULDBLOCK) {
				return nil, ErrBusy
			}
			return nil, err
		}
		if sameFile(f, path) {
			return func() {
				_ = unix.Flock(int(f.Fd()), unix.LOCK_UN) // a process that is being forked may share f for a moment yet
				f.Close()
			}, nil
		}
		f.Close() // its last holder removed it: what we hold locks nothing
	}
}

func sameFile(f *os.File, path string) bool {
	held, err1 := f.Stat()
	there, err2 := os.Stat(path)
	return err1 == nil && err2 == nil && os.SameFile(held, there)
}

// remove removes a lock while it is held, so that whoever waits for it finds that it locks nothing.
func remove(path string, unlock func()) {
	_ = os.Remove(path) // a mark that stays is tidied another time
	unlock()
}
