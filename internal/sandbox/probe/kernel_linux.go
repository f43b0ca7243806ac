package probe

import (
	"errors"
	"fmt"
	"os"
	"path"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

func kernelLines() []line {
	const group = "kernel"
	open := func(name string, flags int) func(*probe) error {
		return func(*probe) error {
			return opened(unix.Open(name, flags|unix.O_CLOEXEC|unix.O_NONBLOCK|unix.O_NOCTTY, 0))
		}
	}
	lines := []line{
		{group: group, name: "a user namespace by unshare", attack: inFork(unix.SYS_UNSHARE, unix.CLONE_NEWUSER)},
		{group: group, name: "a user namespace by clone", attack: func(*probe) error { return clones(unix.CLONE_NEWUSER) }},
		{group: group, name: "a user namespace by clone3", attack: clone3},
		{group: group, name: "a mount namespace by clone", root: true, attack: func(*probe) error { return clones(unix.CLONE_NEWNS) }},
		{group: group, name: "join a namespace", root: true, attack: joins},
		{group: group, name: "mount", root: true, attack: func(p *probe) error { return p.mounts() }},
		{group: group, name: "mount by open_tree", root: true, attack: func(p *probe) error {
			return opened(unix.OpenTree(unix.AT_FDCWD, p.Write, unix.OPEN_TREE_CLONE))
		}},
		{group: group, name: "mount by fsopen", root: true, attack: func(*probe) error { return opened(unix.Fsopen("tmpfs", 0)) }},
		{group: group, name: "change a mount", root: true, attack: func(*probe) error {
			return bare(unix.MountSetattr(unix.AT_FDCWD, "/", 0, &unix.MountAttr{Attr_clr: unix.MOUNT_ATTR_NOSUID}))
		}},
		{group: group, name: "take a mount away", root: true, attack: unmounts},
		{group: group, name: "change the root", root: true, attack: changesRoot},
		{group: group, name: "the keys of the user", attack: func(*probe) error {
			_, err := unix.KeyctlGetKeyringID(unix.KEY_SPEC_USER_KEYRING, true)
			return err
		}},
		{group: group, name: "add a key", attack: addKey},
		{group: group, name: "load a BPF program", root: true, attack: func(*probe) error { return bpf() }},
		{group: group, name: "performance events", root: true, attack: perf},
		{group: group, name: "faults of memory", root: true, attack: func(*probe) error { return fdOf(unix.SYS_USERFAULTFD, unix.O_CLOEXEC|1) }},
		{group: group, name: "watch every file", root: true, attack: func(*probe) error { return fdOf(unix.SYS_FANOTIFY_INIT, unix.FAN_CLOEXEC|unix.FAN_REPORT_FID, 0) }},
		{group: group, name: "make memory executable by personality", attack: inFork(unix.SYS_PERSONALITY, 0x0400000)},
		{group: group, name: "list mounts by number", attack: listsMounts},
		{group: group, name: "compare processes", attack: func(*probe) error {
			self := uintptr(os.Getpid())
			return rawErr(unix.SYS_KCMP, self, self, 1)
		}},
		{group: group, name: "secret memory", attack: func(*probe) error { return fdOf(unix.SYS_MEMFD_SECRET, 0) }},
		{group: group, name: "type into the terminal", attack: types},
		{group: group, name: "open the terminal", attack: open("/dev/tty", unix.O_RDWR)},
		{group: group, name: "make a terminal", attack: open("/dev/ptmx", unix.O_RDWR)},
		{group: group, name: "write the kernel's settings", root: true, attack: open("/proc/sys/kernel/core_pattern", unix.O_WRONLY)},
		{group: group, name: "press the emergency keys", root: true, attack: open("/proc/sysrq-trigger", unix.O_WRONLY)},
		{group: group, name: "read the kernel's log", root: true, attack: open("/dev/kmsg", unix.O_RDONLY)},
		{group: group, name: "list the user's keys", attack: func(*probe) error { return readsSome("/proc/keys") }},
		{group: group, name: "read the kernel's symbols", attack: func(*probe) error { return readsSome("/proc/kallsyms") }},
		{group: group, name: "read the kernel's memory map", root: true, attack: func(*probe) error { return readsSome("/proc/iomem") }},
		{group: group, name: "read the machine's settings of the start", attack: func(*probe) error { return readsSome("/proc/cmdline") }},
		{group: group, name: "see the kernel's objects", attack: func(*probe) error { return lists("/sys/kernel") }},
		{group: group, name: "stat the kernel's objects", attack: func(*probe) error { _, err := os.Stat("/sys/kernel"); return bare(err) }},
		{group: group, name: "open a disk", root: true, attack: disk},
		{group: group, name: "dump memory to a file", attack: dumps},
		{group: group, name: "gain rights by exec", attack: gains},
	}
	if runtime.GOARCH == "amd64" {
		lines = append(lines,
			line{group: group, name: "a call of x32", attack: inFork(0x40000000|unix.SYS_GETPID, 0)},
			line{group: group, name: "a call of i386", deadly: true, attack: func(*probe) error { return foreign() }})
	}
	return lines
}

func limitLines() []line {
	const group = "limits"
	return []line{
		{group: group, name: "fill the temporary folder", attack: func(*probe) error { return fills("/tmp") }},
		{group: group, name: "fill the shared memory", attack: func(*probe) error { return fills("/dev/shm") }},
		{group: group, name: "open 10000 files", attack: manyFiles},
	}
}

// lines are all attacks, those that may end what they run in at the end.
func lines() []line {
	var all []line
	for _, part := range [][]line{
		fileLines(), linuxFileLines(), protectedLines(), processLines(), linuxProcessLines(), socketLines(), linuxSocketLines(), kernelLines(), limitLines(),
	} {
		all = append(all, part...)
	}
	return all
}

// clones makes a process in new namespaces, which ends at once.
func clones(flags uintptr) error {
	pid, _, errno := unix.RawSyscall6(unix.SYS_CLONE, flags|uintptr(unix.SIGCHLD)|unix.CLONE_VFORK, 0, 0, 0, 0, 0)
	if errno != 0 {
		return errno
	}
	if pid == 0 {
		unix.RawSyscall(unix.SYS_EXIT_GROUP, 0, 0, 0)
	}
	_, err := unix.Wait4(int(pid), nil, 0, nil)
	return err
}

// inFork makes a system call in a process of its own, which changes nothing in this one.
func inFork(number, arg uintptr) func(*probe) error {
	return func(*probe) error { return forked(number, arg, 0) }
}

func forked(number, a, b uintptr) error {
	pid, _, errno := unix.RawSyscall6(unix.SYS_CLONE, uintptr(unix.SIGCHLD), 0, 0, 0, 0, 0)
	if errno != 0 {
		return errno
	}
	if pid == 0 {
		_, _, errno := unix.RawSyscall(number, a, b, 0)
		unix.RawSyscall(unix.SYS_EXIT_GROUP, uintptr(errno), 0, 0)
	}
	var status unix.WaitStatus
	if _, err := unix.Wait4(int(pid), &status, 0, nil); err != nil {
		return err
	}
	switch {
	case status.Signaled():
		return fmt.Errorf("killed by %s", status.Signal())
	case status.ExitStatus() != 0:
		return unix.Errno(status.ExitStatus())
	}
	return nil
}

func changesRoot(p *probe) error {
	dir, err := unix.BytePtrFromString(p.Write)
	if err != nil {
		return err
	}
	defer runtime.KeepAlive(dir)
	return forked(unix.SYS_CHROOT, uintptr(unsafe.Pointer(dir)), 0)
}

// unmounts takes away what hides something: inside, a mask; outside there is none, so it makes one first.
func unmounts(p *probe) error {
	name := path.Join(p.Write, "plain")
	if err := unix.Mount(path.Join(p.Bundle, "plain"), name, "", unix.MS_BIND, ""); err != nil {
		name = "/proc/kallsyms"
	}
	return unix.Unmount(name, unix.MNT_DETACH)
}

func clone3(*probe) error {
	args := struct{ flags, pidfd, childTID, parentTID, signal, stack, stackSize, tls, setTID, setTIDSize, cgroup uint64 }{
		flags: unix.CLONE_NEWUSER | unix.CLONE_VFORK, signal: uint64(unix.SIGCHLD),
	}
	pid, _, errno := unix.RawSyscall(unix.SYS_CLONE3, uintptr(unsafe.Pointer(&args)), unsafe.Sizeof(args), 0)
	if errno != 0 {
		return errno
	}
	if pid == 0 {
		unix.RawSyscall(unix.SYS_EXIT_GROUP, 0, 0, 0)
	}
	_, err := unix.Wait4(int(pid), nil, 0, nil)
	return err
}

func joins(*probe) error {
	fd, err := unix.Open("/proc/self/ns/uts", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return forked(unix.SYS_SETNS, uintptr(fd), unix.CLONE_NEWUTS)
}

func (p *probe) mounts() error {
	dir := path.Join(p.Write, "mount")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return bare(err)
	}
	defer os.Remove(dir)
	if err := unix.Mount("none", dir, "tmpfs", 0, ""); err != nil {
		return err
	}
	return unix.Unmount(dir, 0)
}

func addKey(*probe) error {
	_, err := unix.AddKey("user", "satchel-probe", []byte("x"), unix.KEY_SPEC_PROCESS_KEYRING)
	return err
}

func bpf() error {
	attr := struct{ kind, keySize, valueSize, entries, flags uint32 }{2, 4, 4, 1, 0} // an array map
	return fdOf(unix.SYS_BPF, 0, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr))
}

func perf(*probe) error {
	attr := unix.PerfEventAttr{Type: unix.PERF_TYPE_SOFTWARE, Config: unix.PERF_COUNT_SW_CPU_CLOCK, Bits: unix.PerfBitExcludeKernel | unix.PerfBitExcludeHv}
	attr.Size = uint32(unsafe.Sizeof(attr))
	return opened(unix.PerfEventOpen(&attr, 0, -1, -1, 0))
}

func ioUring() error {
	var params [120]byte
	return fdOf(unix.SYS_IO_URING_SETUP, 1, uintptr(unsafe.Pointer(&params[0])))
}

func listsMounts(*probe) error {
	request := struct {
		size, spare  uint32
		mount, param uint64
	}{24, 0, ^uint64(0), 0}
	var ids [16]uint64
	return rawErr(unix.SYS_LISTMOUNT, uintptr(unsafe.Pointer(&request)), uintptr(unsafe.Pointer(&ids[0])), uintptr(len(ids)), 0)
}

// types pushes a letter into the terminal's input. Without a terminal the answer tells whether the call got through.
func types(*probe) error {
	letter := byte(' ')
	for _, above := range []uintptr{0, 1 << 32} {
		_, _, errno := unix.Syscall(unix.SYS_IOCTL, 0, above|unix.TIOCSTI, uintptr(unsafe.Pointer(&letter)))
		if errno == 0 {
			return nil
		}
	}
	fd, err := unix.Open("/dev/tty", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return unix.IoctlSetPointerInt(fd, unix.TIOCSTI, int(letter))
}

func readsSome(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return bare(err)
	}
	defer f.Close()
	var b [64]byte
	n, err := f.Read(b[:])
	if n == 0 {
		return errors.New("it is empty")
	}
	return bare(err)
}

func disk(*probe) error {
	for _, name := range []string{"/dev/vda", "/dev/sda", "/dev/nvme0n1", "/dev/xvda", "/dev/mem", "/dev/kvm", "/dev/fuse"} {
		fd, err := unix.Open(name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err == nil {
			return unix.Close(fd)
		}
	}
	return unix.ENOENT
}

func dumps(*probe) error {
	var l unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_CORE, &l); err != nil {
		return err
	}
	if l.Max == 0 {
		return errors.New("the hard limit is 0")
	}
	return nil
}

func gains(*probe) error {
	v, err := unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)
	if err != nil {
		return err
	}
	if v == 1 {
		return errors.New("no new rights by exec")
	}
	return nil
}

// fills writes more than any sandbox gives, without keeping it.
func fills(dir string) error {
	const most = 600 << 20
	f, err := os.CreateTemp(dir, "fill")
	if err != nil {
		return bare(err)
	}
	defer f.Close()
	defer os.Remove(f.Name())
	if err := unix.Fallocate(int(f.Fd()), 0, 0, most); err != nil {
		return err
	}
	return nil
}

func manyFiles(*probe) error {
	var l unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &l); err != nil {
		return err
	}
	if l.Max < 10_000 {
		return fmt.Errorf("the hard limit is %d", l.Max)
	}
	return nil
}
