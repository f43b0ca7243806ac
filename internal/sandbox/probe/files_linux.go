package probe

import (
	"errors"
	"fmt"
	"os"
	"path"
	"syscall"

	"golang.org/x/sys/unix"
)

func linuxFileLines() []line {
	const group = filesGroup
	return []line{
		{group: group, name: "read outside by a rename race", attack: race},
		{group: group, name: "read outside by /proc", attack: throughProc},
		{group: group, name: "read outside by a file handle", root: true, attack: byHandle},
		{group: group, name: "leave a program that runs as its owner", attack: leavesSetuid},
		{group: group, name: "make a device", root: true, attack: func(p *probe) error {
			name := path.Join(p.Write, "device")
			defer os.Remove(name)
			return bare(unix.Mknod(name, unix.S_IFCHR|0o666, int(unix.Mkdev(1, 3))))
		}},
	}
}

// race exchanges a folder and a link while it reads through them: a check of a path that is walked twice falls for it.
func race(p *probe) error {
	dir, link := path.Join(p.Write, "dir"), path.Join(p.Write, "swap")
	if err := errors.Join(os.Mkdir(dir, 0o700), os.Symlink(path.Dir(p.Outside), link)); err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	defer os.RemoveAll(link)
	var last error
	for range 200 {
		if err := unix.Renameat2(unix.AT_FDCWD, dir, unix.AT_FDCWD, link, unix.RENAME_EXCHANGE); err != nil {
			return err
		}
		for _, d := range []string{dir, link} {
			if last = p.reads(path.Join(d, path.Base(p.Outside))); last == nil {
				return nil
			}
		}
	}
	return last
}

// leavesSetuid makes a file that gives whoever starts it, outside, the rights of the person, by every call that takes a mode.
func leavesSetuid(p *probe) error {
	const mode = unix.S_ISUID | 0o755
	made := func(fd int, err error) error {
		if err == nil {
			unix.Close(fd)
		}
		return err
	}
	plain := func(change func(name string) error) func(name string) error {
		return func(name string) error { return errors.Join(os.WriteFile(name, nil, 0o600), change(name)) }
	}
	for _, make := range []func(name string) error{
		plain(func(name string) error { return unix.Chmod(name, mode) }),
		plain(func(name string) error { return os.Chmod(name, 0o755|os.ModeSetuid) }),
		plain(func(name string) error { return unix.Fchmodat(unix.AT_FDCWD, name, mode, 0) }),
		plain(func(name string) error { return unix.Fchmodat(unix.AT_FDCWD, name, mode, unix.AT_SYMLINK_NOFOLLOW) }),
		func(name string) error { return made(unix.Open(name, unix.O_CREAT|unix.O_WRONLY, mode)) },
		func(name string) error {
			return made(unix.Openat2(unix.AT_FDCWD, name, &unix.OpenHow{Flags: unix.O_CREAT | unix.O_WRONLY, Mode: mode}))
		},
		func(name string) error { return unix.Mknod(name, unix.S_IFREG|mode, 0) },
	} {
		name := path.Join(p.Write, "setuid")
		err := make(name)
		var st unix.Stat_t
		if unix.Stat(name, &st) == nil && st.Mode&unix.S_ISUID != 0 {
			return os.Remove(name)
		}
		_ = os.Remove(name) // it may not be there
		if !errors.Is(err, unix.EPERM) && !errors.Is(err, unix.ENOSYS) {
			return fmt.Errorf("refused in another way than meant: %w", err)
		}
	}
	return unix.EPERM
}

// throughProc goes to the root of every process that can be seen.
func throughProc(p *probe) error {
	var last error
	for _, pid := range []string{"self", "1", "2", fmt.Sprint(os.Getppid()), fmt.Sprint(p.Victim), fmt.Sprint(p.Parent)} {
		for _, way := range []string{"root", "cwd/../../../../../../../../.."} {
			if last = p.reads(path.Join("/proc", pid) + "/" + way + p.Outside); last == nil {
				return nil
			}
		}
	}
	return last
}

// byHandle opens a file by what the file system calls it, which no wall of paths sees. The handle of what cannot be
// named is guessed from one that can: here the root of a granted folder serves, only the call must be refused.
func byHandle(p *probe) error {
	h, _, err := unix.NameToHandleAt(unix.AT_FDCWD, path.Join(p.Read, "plain"), 0)
	if err != nil {
		// The file system gives no handle: the call that takes one is what matters.
		h = unix.NewFileHandle(1, make([]byte, 8))
	}
	dir, err := unix.Open(p.Read, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(dir)
	return opened(unix.OpenByHandleAt(dir, h, unix.O_RDONLY))
}

// rawErr makes a system call by number and gives its error.
func rawErr(number uintptr, args ...uintptr) error {
	var a [6]uintptr
	copy(a[:], args)
	if _, _, errno := syscall.Syscall6(number, a[0], a[1], a[2], a[3], a[4], a[5]); errno != 0 {
		return errno
	}
	return nil
}

// fdOf is rawErr for a call that gives a descriptor, which is closed.
func fdOf(number uintptr, args ...uintptr) error {
	var a [6]uintptr
	copy(a[:], args)
	fd, _, errno := syscall.Syscall6(number, a[0], a[1], a[2], a[3], a[4], a[5])
	if errno != 0 {
		return errno
	}
	return unix.Close(int(fd))
}

// opened closes what an attack opened.
func opened(fd int, err error) error {
	if err != nil {
		return err
	}
	return unix.Close(fd)
}
