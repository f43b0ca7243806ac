package inside

import (
	"errors"
	"fmt"
	"os"
	"path"
	"strings"

	"golang.org/x/sys/unix"
)

// Where overlays are made, beside the old root and the new one.
const (
	overlayLower = "/lower"
	overlayUpper = "/upper"
)

// overlay shows a folder of the machine whose changes stay in memory. What is hidden is not there, whatever the machine
// has in its place, now or later. A kernel that cannot do it has refused the mode.
func (s Step) overlay(to string) error {
	if err := upperMemory(s.Size); err != nil {
		return &refusedError{fmt.Errorf("memory for changes: %w", err)}
	}
	upper, work, err := s.layers()
	if err != nil {
		return err
	}
	from := oldRoot + s.From
	for _, dir := range []string{overlayLower, to} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	// A path of ours stands for the folder's: the kernel reads commas and colons in it.
	if err := place(from, overlayLower, unix.MOUNT_ATTR_RDONLY|unix.MOUNT_ATTR_NOSUID|unix.MOUNT_ATTR_NODEV, s.same); err != nil {
		return err
	}
	defer unix.Unmount(overlayLower, unix.MNT_DETACH)
	for _, h := range s.Hide {
		if err := hideIn(upper, overlayLower, h); err != nil {
			return fmt.Errorf("hide %s: %w", h, err)
		}
	}
	if err := copyMode(overlayLower, upper); err != nil {
		return err
	}
	options := "userxattr,lowerdir=" + overlayLower + ",upperdir=" + upper + ",workdir=" + work
	if err := unix.Mount("overlay", to, "overlay", unix.MS_NOSUID|unix.MS_NODEV, options); err != nil {
		return &refusedError{fmt.Errorf("overlay: %w", err)}
	}
	return nil
}

// upperMemory is the memory for the changes of all overlays.
func upperMemory(size int64) error {
	err := os.Mkdir(overlayUpper, 0o755)
	if errors.Is(err, unix.EEXIST) {
		return nil
	}
	if err != nil {
		return err
	}
	return unix.Mount("changes", overlayUpper, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, fmt.Sprintf("size=%d,nr_inodes=64k,mode=0755", size))
}

// layers makes the folders for the changes of one overlay.
func (s Step) layers() (upper, work string, err error) {
	base, err := os.MkdirTemp(overlayUpper, "")
	if err != nil {
		return "", "", err
	}
	upper, work = base+"/upper", base+"/work"
	return upper, work, errors.Join(os.Mkdir(upper, 0o755), os.Mkdir(work, 0o755))
}

// hideIn makes a path of the lower folder look as if it were not there: by the mark of a removed file at it, or at the first
// folder on the way that is missing. A file or a link on the way has nothing below it under this name.
func hideIn(upper, lower, name string) error {
	parts := strings.Split(name, "/")
	for i, part := range parts {
		upper, lower = path.Join(upper, part), path.Join(lower, part)
		var up, low unix.Stat_t
		if unix.Lstat(upper, &up) == nil && up.Mode&unix.S_IFMT == unix.S_IFCHR {
			return nil // what it is in is hidden
		}
		err := unix.Lstat(lower, &low)
		switch {
		case i == len(parts)-1 || err != nil:
			return errors.Join(os.RemoveAll(upper), unix.Mknod(upper, unix.S_IFCHR, 0))
		case low.Mode&unix.S_IFMT != unix.S_IFDIR:
			return nil
		}
		if err := os.Mkdir(upper, 0o755); err != nil && !errors.Is(err, unix.EEXIST) {
			return err
		}
		if err := copyMode(lower, upper); err != nil {
			return err
		}
	}
	return nil
}

// copyMode gives a folder of the changes what its folder of the machine has: it is the one that is seen.
func copyMode(from, to string) error {
	var st unix.Stat_t
	if err := unix.Stat(from, &st); err != nil {
		return err
	}
	return unix.Chmod(to, st.Mode&0o777|0o700)
}
