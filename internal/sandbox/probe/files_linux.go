package probe

import (
	"errors"
	"fmt"
	"os"
	"path"
	"syscall"

	"golang.org/x/sys/unix"
)

func fileLines() []line {
	const group = "files"
	return []line{
		{group: group, name: "read a file outside", attack: func(p *probe) error { return p.reads(p.Outside) }},
		{group: group, name: "list a folder outside", attack: func(p *probe) error { return lists(path.Dir(p.Outside)) }},
		{group: group, name: "write outside", attack: func(p *probe) error { return writes(path.Join(path.Dir(p.Outside), "new")) }},
		{group: group, name: "stat a file outside", attack: func(p *probe) error { _, err := os.Stat(p.Outside); return bare(err) }},
		{group: group, name: "read outside by ..", attack: func(p *probe) error {
			return p.reads(p.Read + "/../../../../../../../../../.." + p.Outside)
		}},
		{group: group, name: "read outside by a symlink", attack: throughLink},
		{group: group, name: "read outside by a hard link", attack: func(p *probe) error { return p.hardLink(p.Outside) }},
		{group: group, name: "read outside by a rename race", attack: race},
		{group: group, name: "read outside by /proc", attack: throughProc},
		{group: group, name: "read outside by a file handle", root: true, attack: byHandle},
		{group: group, name: "write where only reading is granted", attack: func(p *probe) error { return changes(p.Read) }},
		{group: group, name: "create where only reading is granted", attack: func(p *probe) error { return writes(path.Join(p.Read, "new")) }},
		{group: group, name: "chmod where only reading is granted", attack: func(p *probe) error { return bare(os.Chmod(path.Join(p.Read, "plain"), 0o600)) }},
		{group: group, name: "touch where only reading is granted", attack: func(p *probe) error {
			return bare(unix.Utimes(path.Join(p.Read, "plain"), []unix.Timeval{{Sec: 1}, {Sec: 1}}))
		}},
		{group: group, name: "hard link from what is only read to what is written", attack: func(p *probe) error { return p.hardLink(path.Join(p.Read, "plain")) }},
		{group: group, name: "change the extension's own files", attack: func(p *probe) error { return changes(p.Bundle) }},
		{group: group, name: "make a device", root: true, attack: func(p *probe) error {
			name := path.Join(p.Write, "device")
			defer os.Remove(name)
			return bare(unix.Mknod(name, unix.S_IFCHR|0o666, int(unix.Mkdev(1, 3))))
		}},
	}
}

func protectedLines() []line {
	const group = "protected paths"
	secret := func(p *probe) string { return path.Join(p.Protected, "secret") }
	return []line{
		{group: group, name: "read a protected file below a granted folder", attack: func(p *probe) error { return p.reads(secret(p)) }},
		{group: group, name: "list a protected folder", attack: func(p *probe) error { return lists(p.Protected) }},
		{group: group, name: "read it after a program replaced it", attack: func(p *probe) error {
			return errors.Join(p.ask(ReplaceProtected), p.reads(secret(p)))
		}},
		{group: group, name: "read it after its folder was made anew", attack: func(p *probe) error {
			return errors.Join(p.ask(RemakeProtected), p.reads(secret(p)))
		}},
		{group: group, name: "read one that was made later", attack: func(p *probe) error {
			return errors.Join(p.ask(MakeLate), p.reads(path.Join(p.Late, "secret")))
		}},
		{group: group, name: "list one that was made later", attack: func(p *probe) error {
			return errors.Join(p.ask(MakeLate), lists(p.Late))
		}},
		{group: group, name: "write a git hook", attack: func(p *probe) error { return writes(path.Join(p.Write, ".git/hooks/post-commit")) }},
		{group: group, name: "put another folder in place of the hooks", attack: func(p *probe) error { return p.exchange(path.Join(p.Write, ".git/hooks")) }},
		{group: group, name: "put another folder in place of the repository", attack: func(p *probe) error { return p.exchange(path.Join(p.Write, ".git")) }},
	}
}

// exchange moves a folder away, and puts it back so that the next line has it.
func (p *probe) exchange(dir string) error {
	away := path.Join(p.Write, "away")
	if err := os.Rename(dir, away); err != nil {
		return bare(err)
	}
	return os.Rename(away, dir)
}

func lists(dir string) error {
	entries, err := os.ReadDir(dir)
	if err == nil && len(entries) == 0 {
		return errors.New("it is empty")
	}
	return bare(err)
}

func writes(name string) error {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return bare(err)
	}
	return errors.Join(f.Close(), os.Remove(name))
}

func changes(dir string) error {
	f, err := os.OpenFile(path.Join(dir, "plain"), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return bare(err)
	}
	return f.Close()
}

func throughLink(p *probe) error {
	name := path.Join(p.Write, "link")
	if err := os.Symlink(p.Outside, name); err != nil {
		return bare(err)
	}
	defer os.Remove(name)
	return p.reads(name)
}

func (p *probe) hardLink(file string) error {
	name := path.Join(p.Write, "hard")
	defer os.Remove(name)
	return bare(os.Link(file, name))
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
