package notify

import (
	"errors"
	"fmt"
	"path"

	"golang.org/x/sys/unix"
)

// A World is the files that the programs of a sandbox see.
type World struct{ root int }

// Open looks into the world of a program. ErrHidden says that it keeps everybody out. Close it.
func Open(pid int) (*World, error) {
	root, err := unix.Open(fmt.Sprintf("/proc/%d/root", pid), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if errors.Is(err, unix.EACCES) || errors.Is(err, unix.EPERM) {
		return nil, ErrHidden
	}
	if err != nil {
		return nil, err
	}
	return &World{root}, nil
}

// Machine is the world of the programs outside.
func Machine() (*World, error) {
	root, err := unix.Open("/", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	return &World{root}, nil
}

// Close lets go of the world.
func (w *World) Close() { unix.Close(w.root) }

// A Place is where a path leads to.
type Place struct {
	Path   string // without links; for one that is not there, that of its folder with its name
	Exists bool
	Folder bool // it exists and is a folder
}

// Find follows a path in the world. The error is the system's: not even its folder is there.
func (w *World) Find(name string, follow bool) (Place, error) {
	flags := uint64(unix.O_PATH | unix.O_CLOEXEC)
	if !follow {
		flags |= unix.O_NOFOLLOW
	}
	p, err := w.look(name, flags)
	if !errors.Is(err, unix.ENOENT) || name == "/" {
		return p, err
	}
	p, err = w.look(path.Dir(name), unix.O_PATH|unix.O_CLOEXEC|unix.O_DIRECTORY)
	if err != nil {
		return Place{}, err
	}
	return Place{Path: path.Join(p.Path, path.Base(name))}, nil
}

func (w *World) look(name string, flags uint64) (Place, error) {
	fd, err := unix.Openat2(w.root, name, &unix.OpenHow{Flags: flags, Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS})
	if err != nil {
		return Place{}, err
	}
	defer unix.Close(fd)
	real, err := readlink(fmt.Sprintf("/proc/self/fd/%d", fd))
	if err != nil {
		return Place{}, err
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return Place{}, err
	}
	return Place{Path: real, Exists: true, Folder: st.Mode&unix.S_IFMT == unix.S_IFDIR}, nil
}
