package notify

import (
	"path"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// Outside follows a path of this machine that a program in a sandbox named, and touches nothing on the way: no folder is
// mounted because somebody asked for it. A name below such a folder is taken for missing: it could be a host's, and
// looking there would tell that host.
func Outside(name string, follow bool) (Place, bool) {
	w := walk{rest: split(name), at: "/"}
	fd, err := unix.Open("/", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return Place{}, false
	}
	w.fd = fd
	defer func() { unix.Close(w.fd) }()
	for len(w.rest) > 0 {
		if !w.step(follow) {
			return Place{}, false
		}
	}
	return Place{Path: w.at, Exists: true, Folder: w.mode == unix.S_IFDIR || w.at == "/"}, true
}

// A walk goes from folder to folder.
type walk struct {
	fd   int    // of where it is
	at   string // its path, without links
	mode uint32 // its type
	rest []string
	hops int
}

func split(name string) []string {
	return slices.DeleteFunc(strings.Split(name, "/"), func(s string) bool { return s == "" || s == "." })
}

// step goes one name further. It tells whether that is there.
func (w *walk) step(follow bool) bool {
	const autofs, mostHops = 0x187, 40
	name := w.rest[0]
	w.rest = w.rest[1:]
	if name == ".." {
		return w.enter(unix.AT_FDCWD, path.Dir(w.at), path.Dir(w.at))
	}
	var fs unix.Statfs_t
	if unix.Fstatfs(w.fd, &fs) != nil || fs.Type == autofs {
		return false
	}
	before, at := w.fd, w.at
	if !w.enter(before, name, path.Join(at, name)) {
		return false
	}
	if w.mode != unix.S_IFLNK || (len(w.rest) == 0 && !follow) {
		return true
	}
	to, err := readlinkAt(w.fd)
	if w.hops++; err != nil || w.hops > mostHops {
		return false
	}
	w.rest = append(split(to), w.rest...)
	if path.IsAbs(to) {
		at = "/"
	}
	return w.enter(unix.AT_FDCWD, at, at)
}

// enter makes a name of a folder the place where the walk is.
func (w *walk) enter(dir int, name, at string) bool {
	fd, err := unix.Openat(dir, name, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return false
	}
	unix.Close(w.fd)
	w.fd, w.at = fd, at
	var st unix.Stat_t
	if unix.Fstat(fd, &st) != nil {
		return false
	}
	w.mode = st.Mode & unix.S_IFMT
	return true
}

func readlinkAt(fd int) (string, error) {
	b := make([]byte, longestPath+1)
	n, err := unix.Readlinkat(fd, "", b)
	if err != nil {
		return "", err
	}
	return string(b[:n]), nil
}
