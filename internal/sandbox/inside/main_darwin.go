package inside

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// Main takes the program over when it was started as the shim: it never returns then. Otherwise it does nothing.
func Main() {
	if len(os.Args) == 0 || os.Args[0] != ShimName {
		return
	}
	fmt.Fprintln(os.Stderr, ShimName+":", become(os.Args))
	os.Exit(2)
}

// become sets the limits and becomes the program. It returns only with an error.
func become(args []string) error {
	o, err := shimOrder(args)
	if err != nil {
		return err
	}
	limits := map[int]uint64{syscall.RLIMIT_CORE: 0, syscall.RLIMIT_NOFILE: o.Files}
	if o.CPU > 0 {
		limits[syscall.RLIMIT_CPU] = o.CPU
	}
	for which, value := range limits {
		var now syscall.Rlimit
		if err := syscall.Getrlimit(which, &now); err != nil {
			return fmt.Errorf("limit %d: %w", which, err)
		}
		value = min(value, now.Max)
		// Not by package unix: package syscall would set back at exec what it did not set itself.
		if err := syscall.Setrlimit(which, &syscall.Rlimit{Cur: value, Max: value}); err != nil {
			return fmt.Errorf("limit %d: %w", which, err)
		}
	}
	if err := onlyStreams(); err != nil {
		return err
	}
	return fmt.Errorf("start %s: %w", o.Argv[0], syscall.Exec(o.Argv[0], o.Argv, os.Environ()))
}

// onlyStreams lets no other descriptor reach the server: a careless parent of ours may have left some open.
func onlyStreams() error {
	names, err := os.ReadDir("/dev/fd")
	if err != nil && len(names) == 0 {
		return err
	}
	for _, name := range names {
		fd, err := strconv.Atoi(name.Name())
		if err != nil || fd <= 2 {
			continue
		}
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_SETFD, unix.FD_CLOEXEC); err != nil && !errors.Is(err, unix.EBADF) {
			return err // EBADF: the one that the folder was read with
		}
	}
	return nil
}
