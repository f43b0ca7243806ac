package inside

import (
	"errors"
	"fmt"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"satchel/internal/sandbox/seccomp"
)

// boundCapabilities keeps every program of this world from ever getting capabilities back.
func (w *world) boundCapabilities() error {
	for c := range 64 {
		has, err := unix.PrctlRetInt(unix.PR_CAPBSET_READ, uintptr(c), 0, 0, 0)
		if errors.Is(err, unix.EINVAL) {
			break // the kernel knows no more
		}
		if err == nil && has == 1 {
			err = unix.Prctl(unix.PR_CAPBSET_DROP, uintptr(c), 0, 0, 0)
		}
		if err != nil {
			return err
		}
	}
	if !w.order.Build {
		return nil // there are no capabilities left to set the rest with, nor to be had
	}
	// Being root gives nothing, and that cannot be changed (capabilities(7), securebits).
	const noRoot, noRootLocked, noFixup, noFixupLocked = 1 << 0, 1 << 1, 1 << 2, 1 << 3
	return unix.Prctl(unix.PR_SET_SECUREBITS, noRoot|noRootLocked|noFixup|noFixupLocked, 0, 0, 0)
}

// dropCapabilities gives up all capabilities and any way to more, for all threads.
func dropCapabilities() error {
	if err := everyThread(unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1, 0); err != nil {
		return err
	}
	if err := everyThread(unix.SYS_PRCTL, unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0); err != nil {
		return err
	}
	header, none := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}, [2]unix.CapUserData{}
	return everyThread(unix.SYS_CAPSET, uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&none)), 0)
}

// everyThread makes a system call on every thread of the program. A program that was built with cgo cannot do that: then
// it is made on this thread, which the server inherits from, and the rest of init has only the filter around it.
func everyThread(call, a, b, c uintptr) error {
	_, _, errno := syscall.AllThreadsSyscall6(call, a, b, c, 0, 0, 0)
	if errno == syscall.ENOTSUP {
		_, _, errno = syscall.RawSyscall6(call, a, b, c, 0, 0, 0)
	}
	if errno != 0 {
		return errno
	}
	return nil
}

func (w *world) limit() error {
	for _, l := range w.order.Limits {
		if err := unix.Setrlimit(l.Resource, &unix.Rlimit{Cur: l.Value, Max: l.Value}); err != nil {
			return fmt.Errorf("limit %d: %w", l.Resource, err)
		}
	}
	return nil
}

// filter installs the filter of system calls on all threads. One that asks the host about calls hands its descriptor over
// before anything is asked, and keeps none: when the host is gone, nobody is left to wait for.
func (w *world) filter() error {
	if !w.order.Watch {
		_, err := install(w.order.Filter, unix.SECCOMP_FILTER_FLAG_TSYNC)
		return err
	}
	fd, err := install(w.order.Filter, unix.SECCOMP_FILTER_FLAG_TSYNC|unix.SECCOMP_FILTER_FLAG_TSYNC_ESRCH|
		unix.SECCOMP_FILTER_FLAG_NEW_LISTENER|unix.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV)
	if err == nil {
		return errors.Join(tell(MsgWatch, nil, fd), unix.Close(fd))
	}
	// A program above us that watches already is the only one (EBUSY).
	if err := tell(MsgBlind, []byte(err.Error()), -1); err != nil {
		return err
	}
	_, err = install(seccomp.Unasked(w.order.Filter), unix.SECCOMP_FILTER_FLAG_TSYNC)
	return err
}

func install(f []seccomp.Instruction, flags uintptr) (int, error) {
	if len(f) == 0 {
		return -1, errors.New("the order has none")
	}
	prog := struct {
		n    uint16
		code unsafe.Pointer
	}{uint16(len(f)), unsafe.Pointer(&f[0])}
	fd, _, errno := syscall.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, flags, uintptr(unsafe.Pointer(&prog)))
	if errno != 0 {
		return -1, errno
	}
	return int(fd), nil
}
