package notify

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"path"
	"strings"

	"golang.org/x/sys/unix"
)

// What is read of a caller's memory at most.
const (
	mostArgs    = 16
	longestPath = unix.PathMax
	longestArg  = 256
)

// ErrHidden says that the caller keeps its memory from everybody.
var ErrHidden = errors.New("the program hides its memory")

// Asked is a call that waits. It is of use only inside the function that it was given to.
type Asked struct {
	PID  int // the thread, as numbered here
	args [6]uint64
	form form
}

// A Touch is what a call does with one path.
type Touch struct {
	Kind   Kind
	PID    int
	Path   string   // as the caller wrote it, absolute and clean, in its own world
	Create bool     // it need not be there: it is made then, also where Kind is Read
	Follow bool     // a link at the end of Path is followed
	Entry  bool     // its folder is what is changed: it is made, removed or renamed
	Argv   []string // Run: the first 16 arguments, each at most 256 bytes
}

// Runs tells whether the call starts a program.
func (a *Asked) Runs() bool { return len(a.form.subjects) > 0 && a.form.subjects[0].kind == Run }

// Touches reads what the call would do. ErrHidden says that it cannot be read; other errors, that the call would fail.
// The texts are the caller's, any bytes.
func (a *Asked) Touches() ([]Touch, error) {
	var touches []Touch
	for i, s := range a.form.subjects {
		t := Touch{Kind: s.kind, PID: a.PID, Create: s.create, Follow: s.follow, Entry: s.entry}
		name, err := a.text(a.args[s.path], longestPath)
		if err != nil {
			return nil, err
		}
		if t.Path, err = a.absolute(s, name); err != nil {
			return nil, err
		}
		if i == 0 && a.form.flags != none {
			flags := a.args[a.form.flags] & 0xffffffff
			if flags&unix.O_PATH != 0 {
				return nil, nil // it opens nothing
			}
			t.open(flags)
		}
		if s.kind == Run {
			t.Argv = a.argv()
		}
		touches = append(touches, t)
	}
	return touches, nil
}

// open takes the flags of open into account.
func (t *Touch) open(flags uint64) {
	if flags&unix.O_ACCMODE != unix.O_RDONLY || flags&unix.O_TRUNC != 0 {
		t.Kind = Write
	}
	t.Create = flags&unix.O_CREAT != 0
	t.Follow = flags&unix.O_NOFOLLOW == 0 && flags&(unix.O_CREAT|unix.O_EXCL) != unix.O_CREAT|unix.O_EXCL
}

// absolute makes a path absolute, in the caller's world.
func (a *Asked) absolute(s subject, name string) (string, error) {
	if name == "" {
		return "", unix.ENOENT // it means the open file, if anything
	}
	link := fmt.Sprintf("/proc/%d/cwd", a.PID)
	if path.IsAbs(name) {
		return a.openFile(path.Clean(name)), nil
	}
	if s.dir != none && int32(a.args[s.dir]) != unix.AT_FDCWD {
		link = fmt.Sprintf("/proc/%d/fd/%d", a.PID, int32(a.args[s.dir]))
	}
	dir, err := readlink(link)
	if err != nil {
		return "", err
	}
	if !path.IsAbs(dir) {
		return "", unix.ENOTDIR
	}
	return path.Join(dir, name), nil
}

// Cut gives as much of a program's arguments as an event has.
func Cut(argv []string) (cut []string) {
	for _, a := range argv[:min(len(argv), mostArgs)] {
		cut = append(cut, a[:min(len(a), longestArg)])
	}
	return cut
}

// openFile gives what a name of an open file leads to, as /proc/self/fd/3: which is how libraries run a file that they
// opened. Other names stay.
func (a *Asked) openFile(name string) string {
	for _, dir := range []string{"/proc/self/fd/", "/proc/thread-self/fd/", "/dev/fd/"} {
		if number, ok := strings.CutPrefix(name, dir); ok && number != "" && strings.Trim(number, "0123456789") == "" {
			if to, err := readlink(fmt.Sprintf("/proc/%d/fd/%s", a.PID, number)); err == nil && path.IsAbs(to) {
				return to
			}
		}
	}
	return name
}

func readlink(name string) (string, error) {
	b := make([]byte, longestPath+1)
	n, err := unix.Readlink(name, b)
	switch {
	case errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM):
		return "", ErrHidden
	case err != nil:
		return "", err
	}
	return string(b[:n]), nil
}

// argv gives as much of the arguments as can be read.
func (a *Asked) argv() (args []string) {
	for i := range uint64(mostArgs) {
		var pointer [8]byte
		if a.read(a.args[1]+8*i, pointer[:]) != nil {
			break
		}
		at := binary.NativeEndian.Uint64(pointer[:])
		if at == 0 {
			break
		}
		arg, err := a.text(at, longestArg)
		if err != nil && !errors.Is(err, unix.ENAMETOOLONG) {
			break
		}
		args = append(args, arg)
	}
	return args
}

// text reads a text that ends in a zero byte. One that is longer is cut, with the error ENAMETOOLONG.
func (a *Asked) text(at uint64, longest int) (string, error) {
	var got []byte
	for len(got) < longest {
		const page = 4096 // or a part of one: reads that stay in it fail as a whole or not at all
		part := make([]byte, min(longest-len(got), int(page-at%page)))
		if err := a.read(at, part); err != nil {
			return "", err
		}
		if end := bytes.IndexByte(part, 0); end >= 0 {
			return string(append(got, part[:end]...)), nil
		}
		got = append(got, part...)
		at += uint64(len(part))
	}
	return string(got), unix.ENAMETOOLONG
}

// read fills b from the caller's memory.
func (a *Asked) read(at uint64, b []byte) error {
	local := []unix.Iovec{{Base: &b[0]}}
	local[0].SetLen(len(b))
	n, err := unix.ProcessVMReadv(a.PID, local, []unix.RemoteIovec{{Base: uintptr(at), Len: len(b)}}, 0)
	switch {
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES), errors.Is(err, unix.ENOSYS):
		return ErrHidden
	case err != nil:
		return err
	case n != len(b):
		return unix.EFAULT
	}
	return nil
}
