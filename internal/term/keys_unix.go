//go:build linux || darwin

package term

import (
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// SingleKeys makes a terminal give each key at once, without showing it; Ctrl-C still interrupts. Call restore at the
// end. Where r is no terminal nothing changes.
func SingleKeys(r io.Reader) (restore func()) {
	f, ok := r.(*os.File)
	if !ok {
		return func() {}
	}
	before, err := unix.IoctlGetTermios(int(f.Fd()), getTermios)
	if err != nil {
		return func() {}
	}
	keys := *before
	keys.Lflag &^= unix.ICANON | unix.ECHO
	keys.Cc[unix.VMIN], keys.Cc[unix.VTIME] = 1, 0
	_ = unix.IoctlSetTermios(int(f.Fd()), setTermios, &keys) // then keys come with Enter
	return func() { _ = unix.IoctlSetTermios(int(f.Fd()), setTermios, before) }
}
