package inside

import (
	"errors"
	"fmt"
	"os"
	"path"

	"golang.org/x/sys/unix"
)

// Where the old root and the new one are while the world is built.
const (
	oldRoot = "/old"
	newRoot = "/new"
)

// build makes the root of this world and leaves the machine's. Nothing of the machine's is reachable afterwards but what
// a step bound.
func (w *world) build() error {
	if !w.order.Build {
		return takeStream() // bwrap has built it
	}
	if err := stage(); err != nil {
		return &refusedError{fmt.Errorf("mount: %w", err)}
	}
	for _, s := range w.order.Root {
		if err := s.make(); err != nil {
			return fmt.Errorf("%s: %w", s.Path, err)
		}
	}
	return enter()
}

// takeStream takes the server's error stream in place of the one that bwrap said its own errors to.
func takeStream() error {
	return errors.Join(unix.Dup3(streamFD, 2, 0), unix.Close(streamFD))
}

// stage puts memory in place of the root, with the old root and the place for the new one in it.
func stage() error {
	const mounted = "/tmp" // any folder that every machine has
	if err := unix.Mount("", "/", "", unix.MS_SLAVE|unix.MS_REC, ""); err != nil {
		return err
	}
	if err := unix.Mount("stage", mounted, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "size=1m,mode=0755"); err != nil {
		return err
	}
	if err := os.Mkdir(mounted+oldRoot, 0o755); err != nil {
		return err
	}
	if err := unix.PivotRoot(mounted, mounted+oldRoot); err != nil {
		return err
	}
	if err := unix.Chdir("/"); err != nil {
		return err
	}
	if err := os.Mkdir(newRoot, 0o755); err != nil {
		return err
	}
	return unix.Mount("root", newRoot, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "size=16m,nr_inodes=8k,mode=0755")
}

// enter makes the new root the root, drops everything else, and makes the root's own files unchangeable.
func enter() error {
	if err := unix.Chdir(newRoot); err != nil {
		return err
	}
	if err := unix.PivotRoot(".", "."); err != nil {
		return err
	}
	if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
		return err
	}
	if err := unix.Chdir("/"); err != nil {
		return err
	}
	return unix.MountSetattr(-1, "/", 0, &unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY | unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NODEV})
}

// make makes one place.
func (s Step) make() error {
	to := newRoot + s.Path
	if s.Kind != StepMask && s.Kind != StepPin && s.Kind != StepSeal {
		if err := os.MkdirAll(path.Dir(to), 0o755); err != nil {
			return err
		}
	}
	switch s.Kind {
	case StepDir:
		return os.MkdirAll(to, 0o755)
	case StepLink:
		return os.Symlink(s.From, to)
	case StepText:
		return os.WriteFile(to, []byte(s.From), 0o644)
	case StepTemp:
		return temp(to, s.Size)
	case StepProc:
		return proc(to)
	case StepMask:
		return mask(to)
	case StepDev:
		return s.bind(to, unix.MOUNT_ATTR_NOSUID|unix.MOUNT_ATTR_NOEXEC)
	case StepPin:
		return s.pin(to)
	case StepOver:
		return s.overlay(to)
	case StepShelf:
		return shelf(to)
	case StepSeal:
		return unix.MountSetattr(-1, to, 0, &unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY})
	case StepBind:
		attrs := uint64(unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NODEV)
		if !s.Write {
			attrs |= unix.MOUNT_ATTR_RDONLY
		}
		return s.bind(to, attrs)
	}
	return fmt.Errorf("no such step: %q", s.Kind)
}

func temp(to string, size int64) error {
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	return unix.Mount("temp", to, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, fmt.Sprintf("size=%d,nr_inodes=64k,mode=1777", size))
}

// shelf is a folder of its own to put places on; it can be sealed.
func shelf(to string) error {
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	return unix.Mount("shelf", to, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "size=16m,mode=0755")
}

// proc shows the processes of this world but for init, which nobody may look into. It cannot be written to: the machine's root may write to parts of it by
// ownership alone, and the user of a sandbox that root starts is that to the kernel.
func proc(to string) error {
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	if err := unix.Mount("proc", to, "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC|unix.MS_RDONLY, "hidepid=ptraceable"); err != nil {
		return &refusedError{err} // a container that hides parts of its own refuses it
	}
	return nil
}

// mask puts something empty over what is there; what is not there needs none.
func mask(to string) error {
	var st unix.Stat_t
	err := unix.Lstat(to, &st)
	switch {
	case errors.Is(err, unix.ENOENT):
		return nil
	case err != nil:
		return err
	case st.Mode&unix.S_IFMT == unix.S_IFDIR:
		return unix.Mount("mask", to, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC|unix.MS_RDONLY, "size=4k,nr_inodes=1,mode=0555")
	}
	const empty = "/empty"
	if _, err := os.Lstat(empty); err != nil {
		if err := os.WriteFile(empty, nil, 0o444); err != nil {
			return err
		}
	}
	return place(empty, to, unix.MOUNT_ATTR_RDONLY|unix.MOUNT_ATTR_NOSUID|unix.MOUNT_ATTR_NODEV|unix.MOUNT_ATTR_NOEXEC, nil)
}

// bind shows a file or folder of the machine with everything mounted below it.
func (s Step) bind(to string, attrs uint64) error {
	var st unix.Stat_t
	from := oldRoot + s.From
	err := unix.Lstat(from, &st)
	if errors.Is(err, unix.ENOENT) && s.Maybe {
		return nil
	}
	if err != nil {
		return err
	}
	if st.Mode&unix.S_IFMT == unix.S_IFDIR {
		err = os.MkdirAll(to, 0o755)
	} else {
		err = touch(to)
	}
	if err != nil {
		return err
	}
	return place(from, to, attrs, s.same)
}

// same is an error when a file is not the one that was agreed to.
func (s Step) same(now *unix.Stat_t) error {
	if s.Ino != 0 && (now.Ino != s.Ino || now.Dev != s.Dev) {
		return fmt.Errorf("it is not the one that was agreed to: %w", unix.ESTALE)
	}
	return nil
}

// pin mounts a folder of this world onto itself: what is a mount can be neither renamed nor removed.
func (s Step) pin(to string) error {
	attrs := uint64(unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NODEV)
	if !s.Write {
		attrs |= unix.MOUNT_ATTR_RDONLY
	}
	if _, err := os.Lstat(to); errors.Is(err, unix.ENOENT) {
		return nil
	}
	return place(to, to, attrs, nil)
}

// touch makes a file to mount on; what is there will do, also a socket.
func touch(to string) error {
	if _, err := os.Lstat(to); err == nil {
		return nil
	}
	f, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	return f.Close()
}

// place mounts from at to. The path from is walked once, through no link: what is checked is what is mounted.
func place(from, to string, attrs uint64, check func(*unix.Stat_t) error) error {
	fd, err := openExactly(from)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return err
	}
	if check != nil {
		if err := check(&st); err != nil {
			return err
		}
	}
	tree, err := unix.OpenTree(fd, "", unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC|unix.AT_EMPTY_PATH|unix.AT_RECURSIVE)
	if err != nil {
		return fmt.Errorf("open_tree: %w", err)
	}
	defer unix.Close(tree)
	if err := unix.MountSetattr(tree, "", unix.AT_EMPTY_PATH|unix.AT_RECURSIVE, &unix.MountAttr{Attr_set: attrs, Propagation: unix.MS_PRIVATE}); err != nil {
		return fmt.Errorf("mount_setattr: %w", err)
	}
	if err := unix.MoveMount(tree, "", unix.AT_FDCWD, to, unix.MOVE_MOUNT_F_EMPTY_PATH); err != nil {
		return fmt.Errorf("move_mount: %w", err)
	}
	return nil
}

// openExactly opens a path that must hold no link anywhere.
func openExactly(name string) (int, error) {
	return unix.Openat2(unix.AT_FDCWD, name, &unix.OpenHow{
		Flags:   unix.O_PATH | unix.O_CLOEXEC, // with O_NOFOLLOW it would open a link at the end, as that
		Resolve: unix.RESOLVE_NO_SYMLINKS | unix.RESOLVE_NO_MAGICLINKS,
	})
}
