package probe

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

func linuxProcessLines() []line {
	const group = processesGroup
	lines := []line{
		{group: group, name: "see a sibling in /proc", attack: func(p *probe) error { return p.seesProcess(p.Victim) }},
		{group: group, name: "read the memory of a sibling by /proc", attack: memoryFile},
		{group: group, name: "read the memory of a sibling by process_vm_readv", attack: memoryCall},
		{group: group, name: "trace a sibling", attack: func(p *probe) error { return traces(p.Victim) }},
		{group: group, name: "take a descriptor of a sibling", attack: func(p *probe) error { return takesDescriptor(p.Victim) }},
		{group: group, name: "have descriptors that nobody gave", attack: descriptors},
		{group: group, name: "gain rights by a setuid program", attack: setuid},
		{group: group, name: "make 1000 processes", attack: manyProcesses},
		{group: group, name: "run it by the dynamic loader", attack: func(p *probe) error { return byLoader(p.Program) }},
		{group: group, name: "run own code from memory", attack: fromMemory},
	}
	for _, l := range []struct {
		name   string
		attack func(int) error
	}{
		{"trace the first process", traces},
		{"read the first process's environment", func(pid int) error { return opens(pid, "environ") }},
		{"read the first process's memory", func(pid int) error { return opens(pid, "mem") }},
		{"read the first process's program", func(pid int) error { return opens(pid, "exe") }},
		{"list the first process's descriptors", func(pid int) error { return lists(fmt.Sprintf("/proc/%d/fd", pid)) }},
		{"take a descriptor of the first process", takesDescriptor},
	} {
		lines = append(lines, line{group: group, name: l.name, attack: func(p *probe) error { return l.attack(p.First) }})
	}
	return append(lines, line{group: group, name: "kill the first process", attack: killsFirst})
}

func (p *probe) seesProcess(pid int) error {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil {
		return bare(err)
	}
	if !strings.Contains(string(text), VictimName) {
		return errors.New("another process has its number")
	}
	return nil
}

func opens(pid int, what string) error {
	f, err := os.Open(fmt.Sprintf("/proc/%d/%s", pid, what))
	if err != nil {
		return bare(err)
	}
	defer f.Close()
	var b [1]byte
	if what == "mem" {
		return nil
	}
	_, err = f.Read(b[:])
	return bare(err)
}

func memoryFile(p *probe) error {
	f, err := os.Open(fmt.Sprintf("/proc/%d/mem", p.Victim))
	if err != nil {
		return bare(err)
	}
	defer f.Close()
	b := make([]byte, len(p.Secret))
	if _, err := f.ReadAt(b, int64(p.Address)); err != nil {
		return bare(err)
	}
	return p.holds(b)
}

func memoryCall(p *probe) error {
	b := make([]byte, len(p.Secret))
	local := []unix.Iovec{{Base: &b[0], Len: uint64(len(b))}}
	if _, err := unix.ProcessVMReadv(p.Victim, local, []unix.RemoteIovec{{Base: uintptr(p.Address), Len: len(b)}}, 0); err != nil {
		return err
	}
	return p.holds(b)
}

// traces attaches to a process and lets it go at once.
func traces(pid int) error {
	runtime.LockOSThread() // a tracer is a thread
	defer runtime.UnlockOSThread()
	if err := unix.PtraceSeize(pid); err != nil {
		return err
	}
	_ = unix.PtraceDetach(pid) // it is not stopped, so this fails; the end of this thread lets it go
	return nil
}

func takesDescriptor(pid int) error {
	pidfd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return err
	}
	defer unix.Close(pidfd)
	fd, err := unix.PidfdGetfd(pidfd, 0, 0)
	if err != nil {
		return err
	}
	return unix.Close(fd)
}

// descriptors looks for open ones above the streams that this program did not open. Go's own are close-on-exec and
// known by what they are.
func descriptors(*probe) error {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return err
	}
	for _, e := range entries {
		fd, err := strconv.Atoi(e.Name())
		if err != nil || fd <= 2 {
			continue
		}
		flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
		if err == nil && flags&unix.FD_CLOEXEC == 0 {
			return nil
		}
	}
	return errors.New("there are only the streams")
}

// setuid runs a program that root owns and asks whose rights it got.
func setuid(p *probe) error {
	if os.Geteuid() == 0 {
		return errNotHere
	}
	cmd := exec.Command("/usr/bin/su", "-c", "true", "root")
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	defer in.Close()
	if err := cmd.Start(); err != nil {
		return bare(err)
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", cmd.Process.Pid))
	if err != nil {
		return bare(err)
	}
	for l := range strings.Lines(string(status)) {
		if ids := strings.Fields(l); len(ids) > 2 && ids[0] == "Uid:" {
			if ids[2] == "0" {
				return nil
			}
			return fmt.Errorf("its effective user is %s", ids[2])
		}
	}
	return errors.New("it has no user")
}

// killsFirst kills the first process. Inside, were it dead, so would we be.
func killsFirst(p *probe) error {
	if err := unix.Kill(p.First, unix.SIGKILL); err != nil {
		return err
	}
	if p.First == 1 {
		return errors.New("it lives")
	}
	return nil
}

// manyProcesses forks until it is refused.
func manyProcesses(*probe) error {
	var pids []int
	defer func() {
		for _, pid := range pids {
			_ = unix.Kill(pid, unix.SIGKILL)
			_, _ = unix.Wait4(pid, nil, 0, nil)
		}
	}()
	for range 1000 {
		pid, _, errno := unix.RawSyscall6(unix.SYS_CLONE, uintptr(unix.SIGCHLD), 0, 0, 0, 0, 0)
		if errno != 0 {
			return fmt.Errorf("after %d: %w", len(pids), errno)
		}
		if pid == 0 {
			for {
				unix.RawSyscall6(unix.SYS_PPOLL, 0, 0, 0, 0, 0, 0) // for ever
			}
		}
		pids = append(pids, int(pid))
	}
	return nil
}

func byLoader(program string) error {
	for _, loader := range []string{"/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1"} {
		if _, err := os.Stat(loader); err == nil {
			return bare(exec.Command(loader, program, "-c", "true").Run())
		}
	}
	return errNotHere
}

func fromMemory(*probe) error {
	fd, err := unix.MemfdCreate("own", 0)
	if err != nil {
		return err
	}
	f := os.NewFile(uintptr(fd), "own")
	defer f.Close()
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		return bare(err)
	}
	if _, err := f.Write(self); err != nil {
		return err
	}
	cmd := &exec.Cmd{Path: fmt.Sprintf("/proc/self/fd/%d", fd), Args: []string{WaiterName}}
	return bare(cmd.Run())
}
