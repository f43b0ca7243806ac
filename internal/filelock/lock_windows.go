package filelock

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// lock locks the first byte of the file. Nobody has run this yet: it compiles and vets.
func lock(path string, exclusive, wait bool) (func(), error) {
	var flags uint32
	if exclusive {
		flags |= windows.LOCKFILE_EXCLUSIVE_LOCK
	}
	if !wait {
		flags |= windows.LOCKFILE_FAIL_IMMEDIATELY
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := windows.LockFileEx(windows.Handle(f.Fd()), flags, 0, 1, 0, new(windows.Overlapped)); err != nil {
		f.Close()
		if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
			return nil, ErrBusy
		}
		return nil, err
	}
	return func() { f.Close() }, nil
}

// remove removes a lock after it was held: an open file cannot be removed on Windows. That fails when another
// process has opened it meanwhile, as it should.
func remove(path string, unlock func()) {
	unlock()
	_ = os.Remove(path)
}
