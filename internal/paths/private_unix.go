//go:build !windows

package paths

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// notPrivate says why a folder is not the caller's alone; "" when it is.
func notPrivate(info fs.FileInfo) string {
	st, ok := info.Sys().(*syscall.Stat_t)
	switch {
	case !ok || int(st.Uid) != os.Geteuid():
		return "belongs to another user"
	case info.Mode().Perm()&0o077 != 0:
		return fmt.Sprintf("is open to other users (mode %04o)", info.Mode().Perm())
	}
	return ""
}
