package grant

import "golang.org/x/sys/unix"

// lastingInodes tells whether the file system of a path keeps a file's inode for ever. Those that make numbers up as they
// go would make a stick that is plugged in again another folder.
func lastingInodes(path string) bool {
	const exfat, ntfs3, fuse = 0x2011bab0, 0x7366746e, 0x65735546
	var st unix.Statfs_t
	if unix.Statfs(path, &st) != nil {
		return false
	}
	switch int64(st.Type) {
	case unix.MSDOS_SUPER_MAGIC, exfat, ntfs3, fuse, unix.V9FS_MAGIC, unix.SMB_SUPER_MAGIC, unix.CIFS_SUPER_MAGIC, unix.SMB2_SUPER_MAGIC:
		return false
	}
	return true
}
