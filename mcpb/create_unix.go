//go:build !windows

package mcpb

import (
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// An outFolder is a folder, opened through os.Root, in which files are created.
type outFolder struct{ *os.File }

func openFolder(root *os.Root, name string) (*outFolder, error) {
	f, err := root.OpenFile(name, os.O_RDONLY|unix.O_DIRECTORY, 0)
	return &outFolder{f}, err
}

// create creates a file anew; base has no separator. It is what os.Root does, without the five system calls that look
// whether the file can be polled: a regular file cannot, and there are thousands of them.
func (d *outFolder) create(base string, mode fs.FileMode) (*os.File, error) {
	for {
		fd, err := unix.Openat(int(d.Fd()), base, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, uint32(mode.Perm()))
		switch err {
		case nil:
			return os.NewFile(uintptr(fd), base), nil
		case unix.EINTR:
		default:
			return nil, &fs.PathError{Op: "openat", Path: base, Err: err}
		}
	}
}
