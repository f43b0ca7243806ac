package grant

import "golang.org/x/sys/unix"

// lastingInodes tells whether the file system of a path keeps a file's inode for ever: Apple's own do.
func lastingInodes(path string) bool {
	var st unix.Statfs_t
	if unix.Statfs(path, &st) != nil {
		return false
	}
	name := unix.ByteSliceToString(st.Fstypename[:])
	return name == "apfs" || name == "hfs"
}
