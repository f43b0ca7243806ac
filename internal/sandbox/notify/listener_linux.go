package notify

import (
	"errors"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A Listener gets the kernel's questions about the programs under one filter.
type Listener struct {
	file  *os.File // the filter's
	stop  *os.File // ends when nobody wants answers any more
	ended *os.File // its other end
	calls map[uint32]form
}

// New makes a Listener of a filter's descriptor, which it takes over. The numbers are those of the calls that the filter
// asks about. The error is the system's.
func New(f *os.File, numbers map[string]uint32) (*Listener, error) {
	ended, stop, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	l := &Listener{file: f, stop: stop, ended: ended, calls: map[uint32]form{}}
	for name, form := range forms() {
		if n, ok := numbers[name]; ok {
			l.calls[n] = form
		}
	}
	// A caller that waits is then woken on the processor that answered it: a third of the time (Linux 6.6; older ones
	// refuse, and that is all).
	_, _, _ = unix.Syscall(unix.SYS_IOCTL, f.Fd(), unix.SECCOMP_IOCTL_NOTIF_SET_FLAGS, unix.SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP)
	return l, nil
}

// question is struct seccomp_notif.
type question struct {
	id    uint64
	pid   uint32
	flags uint32
	call  int32
	arch  uint32
	ip    uint64
	args  [6]uint64
}

// answer is struct seccomp_notif_resp.
type answer struct {
	id    uint64
	value int64
	errno int32
	flags uint32
}

// Serve answers every question with: go on. It returns when no program is left under the filter, or after [Listener.Stop].
// While a caller waits, look is called with what it asks for, from this goroutine; what look gives back is called as soon
// as the caller goes on, unless it is nil or the caller was gone before look had seen it.
func (l *Listener) Serve(look func(*Asked) (then func())) {
	defer l.close()
	for l.wait() {
		var q question
		switch err := l.ioctl(unix.SECCOMP_IOCTL_NOTIF_RECV, unsafe.Pointer(&q)); {
		case errors.Is(err, unix.EINTR), errors.Is(err, unix.ENOENT):
			continue // who asked was killed meanwhile; wait tells whether others are left
		case err != nil:
			return
		}
		then := look(&Asked{PID: int(q.pid), args: q.args, form: l.calls[uint32(q.call)]})
		// What was read belongs to the caller only if it still waits: else its number may be another program's by now.
		if err := l.ioctl(unix.SECCOMP_IOCTL_NOTIF_ID_VALID, unsafe.Pointer(&q.id)); err != nil {
			continue
		}
		a := answer{id: q.id, flags: unix.SECCOMP_USER_NOTIF_FLAG_CONTINUE}
		_ = l.ioctl(unix.SECCOMP_IOCTL_NOTIF_SEND, unsafe.Pointer(&a)) // it may have been killed just now
		if then != nil {
			then()
		}
	}
}

// wait waits for a question. It tells whether there can be one.
func (l *Listener) wait() bool {
	fds := []unix.PollFd{{Fd: int32(l.file.Fd()), Events: unix.POLLIN}, {Fd: int32(l.ended.Fd())}}
	for {
		_, err := unix.Poll(fds, -1)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return false
		case fds[0].Revents&unix.POLLIN != 0:
			return true
		case fds[0].Revents|fds[1].Revents != 0:
			return false
		}
	}
}

func (l *Listener) ioctl(request uint, arg unsafe.Pointer) error {
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, l.file.Fd(), uintptr(request), uintptr(arg)); errno != 0 {
		return errno
	}
	return nil
}

// Stop makes Serve return. What is asked afterwards fails: the programs must have ended, or be about to.
func (l *Listener) Stop() { l.stop.Close() }

func (l *Listener) close() {
	l.file.Close()
	l.ended.Close()
	l.stop.Close()
}
