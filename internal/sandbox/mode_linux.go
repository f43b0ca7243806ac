package sandbox

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// errMode is why a mode cannot be had on this machine. The next one is tried.
type errMode struct {
	mode Mode
	err  error
}

// Error implements error.
func (e *errMode) Error() string { return fmt.Sprintf("%s: %v", e.mode, e.err) }

// Unwrap gives the cause.
func (e *errMode) Unwrap() error { return e.err }

// refusedByKernel tells whether an error of a start means that namespaces are not to be had: a limit of zero (ENOSPC,
// EUSERS), a switch or a container's filter (EPERM, EACCES), a kernel without (EINVAL, ENOSYS).
func refusedByKernel(err error) bool {
	for _, e := range []error{unix.ENOSPC, unix.EUSERS, unix.EPERM, unix.EACCES, unix.EINVAL, unix.ENOSYS} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}
