//go:build unix

package mcpb

import (
	"os"

	"golang.org/x/sys/unix"
)

// A stamp tells whether a file was written to: its size, and the times of its content and of its inode. Nobody who may
// only write can set the last one back.
type stamp struct{ size, content, contentNano, inode, inodeNano int64 }

func stampOf(f *os.File) (s stamp, err error) {
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return s, &os.PathError{Op: "stat", Path: f.Name(), Err: err}
	}
	s.size = st.Size
	s.content, s.contentNano = st.Mtim.Unix()
	s.inode, s.inodeNano = st.Ctim.Unix()
	return s, nil
}
