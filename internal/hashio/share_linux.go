package hashio

import (
	"os"

	"golang.org/x/sys/unix"
)

// shareBytes makes dst a file of the same bytes as src, where the file system can (btrfs, XFS): ioctl_ficlone(2).
func shareBytes(dst, src *os.File) error {
	return unix.IoctlFileClone(int(dst.Fd()), int(src.Fd()))
}

// copyBytes copies at most n bytes at an offset without bringing them into this process, and gives how many it copied: 0
// at the end of src. See copy_file_range(2).
func copyBytes(dst, src *os.File, off, n int64) (int64, error) {
	to, from := off, off
	copied, err := unix.CopyFileRange(int(src.Fd()), &from, int(dst.Fd()), &to, int(n), 0)
	return int64(copied), err
}
