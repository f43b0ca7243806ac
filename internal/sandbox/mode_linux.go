package sandbox

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// A Mode is how a server is held.
type Mode string

// The modes, the strongest first. A Launcher takes the first that the machine lets it.
const (
	Namespaces Mode = "namespaces" // a world of its own, made by us
	Bubblewrap Mode = "bubblewrap" // the same, made by the system's bwrap, where we may make none
	Landlock   Mode = "landlock"   // the machine's own root and processes, with walls around the server: limited
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
