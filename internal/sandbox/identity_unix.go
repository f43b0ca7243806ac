//go:build unix

package sandbox

import (
	"io/fs"
	"syscall"
)

// identity is what a file is, wherever it is named.
func identity(info fs.FileInfo) (dev, ino uint64, ok bool) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, 0, false
	}
	return uint64(st.Dev), uint64(st.Ino), true
}
