package inside

import (
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// leastLandlock is the version of Landlock below which a sandbox is refused: it brought the last right over files that
// matters here (truncate). Newer versions add rights that are used where they are.
const leastLandlock = 3

// What Landlock can forbid, by the version that brought it (landlock(7)).
const (
	accessRead    = unix.LANDLOCK_ACCESS_FS_READ_FILE
	accessList    = unix.LANDLOCK_ACCESS_FS_READ_DIR
	accessExecute = unix.LANDLOCK_ACCESS_FS_EXECUTE
	accessChange  = unix.LANDLOCK_ACCESS_FS_WRITE_FILE | unix.LANDLOCK_ACCESS_FS_TRUNCATE
	accessMake    = unix.LANDLOCK_ACCESS_FS_MAKE_DIR | unix.LANDLOCK_ACCESS_FS_MAKE_REG | unix.LANDLOCK_ACCESS_FS_MAKE_SYM |
		unix.LANDLOCK_ACCESS_FS_MAKE_FIFO | unix.LANDLOCK_ACCESS_FS_REMOVE_DIR | unix.LANDLOCK_ACCESS_FS_REMOVE_FILE | unix.LANDLOCK_ACCESS_FS_REFER
	accessNever = unix.LANDLOCK_ACCESS_FS_MAKE_CHAR | unix.LANDLOCK_ACCESS_FS_MAKE_BLOCK | unix.LANDLOCK_ACCESS_FS_MAKE_SOCK

	accessFile  = accessRead | accessExecute | accessChange | unix.LANDLOCK_ACCESS_FS_IOCTL_DEV // what a rule for a file may name
	accessAll   = accessFile | accessList | accessMake | accessNever
	accessNet   = unix.LANDLOCK_ACCESS_NET_BIND_TCP | unix.LANDLOCK_ACCESS_NET_CONNECT_TCP
	scopeAll    = 0x3 // abstract unix sockets, signals
	abiNet      = 4
	abiIoctl    = 5
	abiScope    = 6
	versionFlag = 1 // LANDLOCK_CREATE_RULESET_VERSION
	ruleNetPort = 2 // LANDLOCK_RULE_NET_PORT
)

// landlockABI gives the version of Landlock that the kernel has; zero is none.
func landlockABI() int {
	v, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, versionFlag)
	if errno != 0 {
		return 0
	}
	return int(v)
}

// rulesetAttr is struct landlock_ruleset_attr.
type rulesetAttr struct{ files, net, scope uint64 }

// wallIn restricts this program and what it starts to the rules, and takes its capabilities. It is an error when the
// kernel cannot enforce all of them.
func (w *world) wallIn() error {
	if err := dropCapabilities(); err != nil {
		return fmt.Errorf("capabilities: %w", err)
	}
	attr, size, err := w.order.ruleset(landlockABI())
	if err != nil {
		return err
	}
	fd, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&attr)), size, 0)
	if errno != 0 {
		return errno
	}
	defer unix.Close(int(fd))
	for _, r := range w.order.Rules {
		if err := r.add(int(fd), attr.files); err != nil {
			return fmt.Errorf("%s: %w", r.Path, err)
		}
	}
	for _, port := range w.order.Connect {
		attr := netPort{unix.LANDLOCK_ACCESS_NET_CONNECT_TCP, uint64(port)}
		if _, _, errno := unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, fd, ruleNetPort, uintptr(unsafe.Pointer(&attr)), 0, 0, 0); errno != 0 {
			return fmt.Errorf("port %d: %w", port, errno)
		}
	}
	return everyThread(unix.SYS_LANDLOCK_RESTRICT_SELF, fd, 0, 0)
}

// ruleset says what a version of Landlock can hold of an order. It is an error when that is less than it must.
func (o *Order) ruleset(abi int) (attr rulesetAttr, size uintptr, err error) {
	least := leastLandlock
	if len(o.Connect) > 0 {
		least = abiNet
	}
	if abi < least {
		return attr, 0, &refusedError{fmt.Errorf("the kernel has version %d of Landlock, %d is needed", abi, least)}
	}
	attr.files = accessAll
	size = unsafe.Sizeof(attr)
	if abi < abiIoctl {
		attr.files &^= unix.LANDLOCK_ACCESS_FS_IOCTL_DEV
	}
	switch {
	case abi < abiNet:
		size = 8
	case abi < abiScope:
		size = 16
	default:
		attr.scope = scopeAll
	}
	if abi >= abiNet && !o.Net {
		attr.net = accessNet
	}
	return attr, size, nil
}

// netPort is struct landlock_net_port_attr.
type netPort struct{ access, port uint64 }

// pathBeneath is struct landlock_path_beneath_attr, which is packed: 12 bytes.
type pathBeneath struct {
	access uint64
	parent int32
}

func (r Rule) add(ruleset int, handled uint64) error {
	flags := unix.O_PATH | unix.O_NOFOLLOW | unix.O_CLOEXEC
	if r.Here {
		flags &^= unix.O_NOFOLLOW
	}
	fd, err := unix.Open(r.Path, flags, 0)
	if errors.Is(err, unix.ENOENT) && r.Maybe {
		return nil
	}
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return err
	}
	access := r.access() & handled
	if st.Mode&unix.S_IFMT != unix.S_IFDIR {
		access &= accessFile
	}
	if access == 0 {
		return nil
	}
	attr := pathBeneath{access, int32(fd)}
	if _, _, errno := unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, uintptr(ruleset), unix.LANDLOCK_RULE_PATH_BENEATH, uintptr(unsafe.Pointer(&attr)), 0, 0, 0); errno != 0 {
		return errno
	}
	return nil
}

func (r Rule) access() uint64 {
	if r.List {
		return accessList
	}
	access := uint64(accessRead | accessList)
	if r.Write {
		access |= accessChange | accessMake | unix.LANDLOCK_ACCESS_FS_IOCTL_DEV
	}
	if r.Execute {
		access |= accessExecute
	}
	return access
}
