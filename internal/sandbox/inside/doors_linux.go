package inside

import (
	"fmt"
	"strconv"

	"golang.org/x/sys/unix"
)

// openDoors listens on the loopback of this world and hands the listeners over: a socket stays in the network that it
// was made in, whoever accepts from it. Then nothing of them is left here.
func (w *world) openDoors() error {
	if w.order.Build {
		if err := unix.Sethostname([]byte(w.order.Host)); err != nil {
			return &refusedError{err}
		}
		if err := loopbackUp(); err != nil {
			return &refusedError{fmt.Errorf("loopback: %w", err)}
		}
	}
	for _, d := range w.order.Doors {
		fd, err := listen(d)
		if err == nil {
			err = tell(MsgDoor, []byte(strconv.Itoa(d)), fd)
			unix.Close(fd)
		}
		if err != nil {
			return fmt.Errorf("door %d: %w", d, err)
		}
	}
	return nil
}

func listen(port int) (int, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return -1, err
	}
	if err = unix.Bind(fd, &unix.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}}); err == nil {
		err = unix.Listen(fd, 128)
	}
	if err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

func loopbackUp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	req, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	req.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, req)
}
