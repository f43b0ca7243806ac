//go:build unix

package devloop

import (
	"net"
	"os"
)

// sockets tells whether this system has sockets that only one user can reach.
const sockets = true

// listen opens a socket that is its owner's alone from the first moment: its folder is.
func listen(path string) (net.Listener, error) {
	short, done, err := shortPath(path)
	if err != nil {
		return nil, err
	}
	defer done()
	l, err := net.Listen("unix", short)
	if err != nil {
		return nil, err
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false) // under the short name it would be another file
	return l, os.Chmod(path, 0o600)
}

func dial(path string) (net.Conn, error) {
	short, done, err := shortPath(path)
	if err != nil {
		return nil, err
	}
	defer done()
	return net.Dial("unix", short)
}
