package sandbox

import (
	"golang.org/x/sys/unix"
)

// What init tells the host over the control socket: one byte, then what belongs to it. One message is one packet.
const (
	msgDoor    = 'D' // the door's number in decimal; a listener comes with it
	msgStarted = 'S' // the server runs
	msgFailed  = 'F' // what failed
)

// tell sends a message, with a descriptor unless fd is negative. A full or closed socket is an error, never a wait.
func tell(kind byte, text []byte, fd int) error {
	var rights []byte
	if fd >= 0 {
		rights = unix.UnixRights(fd)
	}
	return unix.Sendmsg(controlFD, append([]byte{kind}, text...), rights, nil, unix.MSG_NOSIGNAL|unix.MSG_DONTWAIT)
}
