//go:build !windows

package mcpb

import (
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// An outFolder is an open folder in which files are made. The first is opened through os.Root and the others through
// the one above, so no link is followed and nothing is made elsewhere. Names have no separator. What os.Root would add
// is system calls that look whether a file can be polled, and those that walk down from the top for every folder: half
// of all, and there are thousands of files.
type outFolder struct{ fd int }

// openTop opens the folder of root.
func openTop(root *os.Root) (*outFolder, error) {
	f, err := root.Open(".")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	return &outFolder{fd}, os.NewSyscallError("fcntl", err)
}

// mkdir makes a folder and opens it.
func (d *outFolder) mkdir(base string) (*outFolder, error) {
	if _, err := retry("mkdirat", base, func() (int, error) { return 0, unix.Mkdirat(d.fd, base, 0o755) }); err != nil {
		return nil, err
	}
	return d.enter(base)
}

// enter opens a folder that is there; a link is none.
func (d *outFolder) enter(base string) (*outFolder, error) {
	fd, err := retry("openat", base, func() (int, error) {
		return unix.Openat(d.fd, base, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	})
	return &outFolder{fd}, err
}

// open opens a file that is there for reading; a link is none. It does not wait for a pipe.
func (d *outFolder) open(base string) (*os.File, error) {
	fd, err := retry("openat", base, func() (int, error) {
		return unix.Openat(d.fd, base, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	})
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), base), nil
}

// create creates a file anew.
func (d *outFolder) create(base string, mode fs.FileMode) (outFile, error) {
	fd, err := retry("openat", base, func() (int, error) {
		return unix.Openat(d.fd, base, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, uint32(mode.Perm()))
	})
	return outFile(fd), err
}

func (d *outFolder) close() error { return unix.Close(d.fd) }

// An outFile is the descriptor of a file that is being written.
type outFile int

// Write implements [io.Writer].
func (f outFile) Write(p []byte) (written int, err error) {
	for written < len(p) && err == nil {
		var n int
		n, err = retry("write", "", func() (int, error) { return unix.Write(int(f), p[written:]) })
		written += max(n, 0)
	}
	return written, err
}

// mode gives the permission bits that the file has.
func (f outFile) mode() (fs.FileMode, error) {
	var st unix.Stat_t
	_, err := retry("fstat", "", func() (int, error) { return 0, unix.Fstat(int(f), &st) })
	return fs.FileMode(st.Mode) & fs.ModePerm, err
}

func (f outFile) chmod(mode fs.FileMode) error {
	_, err := retry("fchmod", "", func() (int, error) { return 0, unix.Fchmod(int(f), uint32(mode.Perm())) })
	return err
}

func (f outFile) sync() error {
	_, err := retry("fsync", "", func() (int, error) { return 0, unix.Fsync(int(f)) })
	return err
}

func (f outFile) close() error { return unix.Close(int(f)) }

// retry makes a system call again when a signal interrupted it.
func retry(op, base string, call func() (int, error)) (int, error) {
	for {
		n, err := call()
		switch err {
		case nil:
			return n, nil
		case unix.EINTR:
		default:
			return n, &fs.PathError{Op: op, Path: base, Err: err}
		}
	}
}
