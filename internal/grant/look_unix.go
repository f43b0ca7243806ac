//go:build unix

package grant

import (
	"io/fs"
	"os"
	"syscall"
)

// identity tells a file from another one at the same path.
func identity(info fs.FileInfo) (dev, ino uint64) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, 0
	}
	return uint64(st.Dev), st.Ino
}

// foreign tells whether a file belongs to another user. In a user namespace the owners outside it, root too, are all
// shown as nobody.
func foreign(info fs.FileInfo) bool {
	const nobody = 65534
	st, ok := info.Sys().(*syscall.Stat_t)
	return !ok || int(st.Uid) != os.Geteuid() && st.Uid != 0 && st.Uid != nobody
}
