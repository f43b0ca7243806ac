//go:build !windows

package paths

import (
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

func mine(info fs.FileInfo) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(st.Uid) == os.Geteuid()
}

// notOurs says why a folder is not one of the caller's that nobody else has a right of mask to; "" when it is.
func notOurs(info fs.FileInfo, mask fs.FileMode) string {
	switch {
	case !mine(info):
		return "belongs to another user"
	case info.Mode().Perm()&mask != 0:
		return fmt.Sprintf("is open to other users (mode %s)", octal(info))
	}
	return ""
}

// exchangeable says why another user could exchange what is in a folder; "" when none could.
func exchangeable(info fs.FileInfo) string {
	// In a user namespace the owners outside it, root too, are all shown as nobody.
	const nobody = 65534
	st, ok := info.Sys().(*syscall.Stat_t)
	mode := info.Mode()
	switch {
	case !ok, !mine(info) && st.Uid != 0 && st.Uid != nobody:
		return "belongs to another user"
	case mode&fs.ModeSticky != 0:
		return "" // each may exchange only what is theirs
	case mode.Perm()&0o002 != 0:
		return fmt.Sprintf("every user can write to it (mode %s)", octal(info))
	case mode.Perm()&0o020 != 0 && !privateGroup(st.Gid):
		return fmt.Sprintf("its group can write to it (mode %s)", octal(info))
	}
	return ""
}

// privateGroup tells whether a group is root's or the caller's own, which has the same name and id as its one member.
func privateGroup(gid uint32) bool {
	if gid == 0 {
		return true
	}
	id := strconv.FormatUint(uint64(gid), 10)
	u, err1 := user.LookupId(strconv.Itoa(os.Geteuid()))
	g, err2 := user.LookupGroupId(id)
	return err1 == nil && err2 == nil && u.Gid == id && g.Name == u.Username
}

// octal writes a mode as chmod takes it.
func octal(info fs.FileInfo) string {
	mode := uint32(info.Mode().Perm())
	if info.Mode()&fs.ModeSticky != 0 {
		mode |= 0o1000
	}
	return fmt.Sprintf("%04o", mode)
}
