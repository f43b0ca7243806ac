package inside

import (
	"errors"

	"golang.org/x/sys/unix"
)

// What init tells the host over the control socket: one byte, then what belongs to it. One message is one packet.
const (
	MsgDoor    = 'D' // the door's number in decimal; a listener comes with it
	MsgReady   = 'W' // the world is there; who sends it starts the server when told to
	MsgWatch   = 'N' // the filter's descriptor comes with it: its questions must be answered before the server can start
	MsgBlind   = 'B' // why there is none; the server starts without
	MsgStarted = 'S' // the server runs
	MsgFailed  = 'F' // what failed
	MsgRefused = 'R' // what of this mode the machine does not let us have
)

// MsgGo is what the host tells init, once: the server may be started.
const MsgGo = 'G'

// tell sends a message, with a descriptor unless fd is negative. A full or closed socket is an error, never a wait.
func tell(kind byte, text []byte, fd int) error {
	var rights []byte
	if fd >= 0 {
		rights = unix.UnixRights(fd)
	}
	return unix.Sendmsg(controlFD, append([]byte{kind}, text...), rights, nil, unix.MSG_NOSIGNAL|unix.MSG_DONTWAIT)
}

// await tells the host that everything waits for its word, and waits for it. An end of the socket is an error: the host is
// gone.
func await() error {
	if err := tell(MsgReady, nil, -1); err != nil {
		return err
	}
	var b [1]byte
	for {
		n, err := unix.Read(controlFD, b[:])
		switch {
		case err == unix.EINTR:
		case err != nil:
			return err
		case n != 1 || b[0] != MsgGo:
			return errors.New("the host is gone")
		default:
			return nil
		}
	}
}
