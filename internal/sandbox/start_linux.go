package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"satchel/internal/problem"
)

// startDeadline is how long init may take to start the server.
const startDeadline = 20 * time.Second

// uidForRoot is who a server is when root starts it: never root, not even in its own world.
const uidForRoot = 1000

// A Launcher starts servers in sandboxes. All of them end when the program does, by whatever death: make one for the
// life of the program. It is safe for concurrent use.
type Launcher struct {
	starts chan func()
}

// NewLauncher makes a Launcher.
func NewLauncher() *Launcher {
	l := &Launcher{make(chan func())}
	sweepGroups()
	// The kernel ties the parent-death signal to the thread that started a process, so one thread starts all and stays.
	go func() {
		runtime.LockOSThread()
		for start := range l.starts {
			start()
		}
	}()
	return l
}

// A Process is a server in its sandbox. Its methods are safe for concurrent use.
type Process struct {
	cmd     *exec.Cmd
	control *net.UnixConn
	group   group
	done    chan struct{}
	once    sync.Once
	code    int
	err     error
}

// Start starts a server. accept gets the doors of its world, before the server runs; it may be nil when no network is
// granted. Errors are problems; then nothing runs.
func (l *Launcher) Start(ctx context.Context, c Command, accept Accept) (*Process, error) {
	uid, gid := os.Getuid(), os.Getgid()
	if uid == 0 {
		uid, gid = uidForRoot, uidForRoot
	}
	o, err := plan(c, uid, gid)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	memory, err := sealed(text)
	if err != nil {
		return nil, failed(c, err)
	}
	defer memory.Close()
	control, theirs, err := controlPair()
	if err != nil {
		return nil, failed(c, err)
	}
	cmd := initCommand(c, memory, theirs)
	started := make(chan error)
	l.starts <- func() { started <- cmd.Start() }
	err = <-started
	theirs.Close()
	if err != nil {
		control.Close()
		return nil, failed(c, err)
	}
	p := &Process{cmd: cmd, control: control, group: newGroup(c.Sandbox.Limits), done: make(chan struct{})}
	err = p.goOn()
	if err == nil {
		err = p.started(ctx, accept)
	}
	if err != nil {
		p.Kill()
	}
	go p.wait()
	if err != nil {
		<-p.done
		return nil, failed(c, err)
	}
	return p, nil
}

func failed(c Command, err error) error {
	return problem.New(problem.Failed, "sandbox/start", "the server cannot be started in its sandbox").At(c.Path).Because(err).Try("satchel doctor --sandbox")
}

// initCommand is this program in the role of init.
func initCommand(c Command, memory, control *os.File) *exec.Cmd {
	cmd := &exec.Cmd{Path: "/proc/self/exe", Args: []string{initName}, Env: []string{"GOMAXPROCS=1", "GOGC=off", "GOTRACEBACK=none"}, Stdin: c.Stdin, Stdout: c.Stdout, Stderr: c.Stderr}
	cmd.ExtraFiles = []*os.File{memory, control}
	uid, gid := os.Getuid(), os.Getgid()
	insideUID, insideGID := uid, gid
	if uid == 0 {
		insideUID, insideGID = uidForRoot, uidForRoot
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Setsid: true, Pdeathsig: syscall.SIGKILL,
		Cloneflags:  unix.CLONE_NEWUSER | unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWNET | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: insideUID, HostID: uid, Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: insideGID, HostID: gid, Size: 1}},
		// The user inside is not root there, so that exec would drop every capability but these.
		AmbientCaps: []uintptr{unix.CAP_SYS_ADMIN, unix.CAP_NET_ADMIN, unix.CAP_SETPCAP},
	}
	return cmd
}

// sealed gives a memory file that nobody can change any more.
func sealed(content []byte) (*os.File, error) {
	const noExec = 0x8 // MFD_NOEXEC_SEAL, since Linux 6.3
	fd, err := unix.MemfdCreate("satchel-order", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING|noExec)
	if errors.Is(err, unix.EINVAL) {
		fd, err = unix.MemfdCreate("satchel-order", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	}
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), "order")
	if _, err := f.Write(content); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if _, err := unix.FcntlInt(f.Fd(), unix.F_ADD_SEALS, unix.F_SEAL_SEAL|unix.F_SEAL_WRITE|unix.F_SEAL_GROW|unix.F_SEAL_SHRINK); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// controlPair gives the two ends of the control socket. One message is one packet.
func controlPair() (ours *net.UnixConn, theirs *os.File, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, err
	}
	theirs = os.NewFile(uintptr(fds[1]), "control")
	f := os.NewFile(uintptr(fds[0]), "control")
	conn, err := net.FileConn(f)
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, nil, errors.Join(err, theirs.Close())
	}
	return conn.(*net.UnixConn), theirs, nil
}

// goOn lets init start the server: it and what it starts are in their control group now.
func (p *Process) goOn() error {
	if err := p.group.add(p.cmd.Process.Pid); err != nil {
		return fmt.Errorf("control group: %w", err)
	}
	_, err := p.control.Write([]byte{msgGo})
	return err
}

// started takes what init tells until the server runs.
func (p *Process) started(ctx context.Context, accept Accept) error {
	deadline := time.Now().Add(startDeadline)
	if d, ok := ctx.Deadline(); ok && d.Before(deadline) {
		deadline = d
	}
	if err := p.control.SetReadDeadline(deadline); err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { _ = p.control.SetReadDeadline(time.Unix(1, 0)) })()
	text, rights := make([]byte, 4096), make([]byte, 64)
	for {
		n, m, _, _, err := p.control.ReadMsgUnix(text, rights)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			return fmt.Errorf("its first process said nothing: %w", err)
		case n == 0:
			return errors.New("its first process ended before the server was started")
		}
		switch body := text[1:n]; text[0] {
		case msgStarted:
			return nil
		case msgFailed:
			return errors.New(string(bytes.TrimSpace(body)))
		case msgDoor:
			if err := open(body, rights[:m], accept); err != nil {
				return err
			}
		default:
			return fmt.Errorf("its first process said %q", text[0])
		}
	}
}

// open takes a listener of the world.
func open(door, rights []byte, accept Accept) error {
	messages, err := unix.ParseSocketControlMessage(rights)
	if err != nil || len(messages) != 1 {
		return fmt.Errorf("door %s came without a listener: %w", door, err)
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(fds) != 1 {
		return fmt.Errorf("door %s came without a listener: %w", door, err)
	}
	f := os.NewFile(uintptr(fds[0]), "door")
	l, err := net.FileListener(f)
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	number, err := strconv.Atoi(string(door))
	if err != nil || accept == nil {
		return errors.Join(err, l.Close())
	}
	accept(Door(number), l)
	return nil
}

func (p *Process) wait() {
	err := p.cmd.Wait()
	p.group.remove()
	p.once.Do(func() { p.control.Close() })
	if _, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok {
		p.code, p.err = -1, err
	} else {
		p.code = exitCode(p.cmd.ProcessState.Sys().(syscall.WaitStatus))
	}
	close(p.done)
}

func exitCode(status syscall.WaitStatus) int {
	if status.Signaled() {
		return 128 + int(status.Signal())
	}
	return status.ExitStatus()
}

// Done is closed when the server and everything that it started have ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Wait waits for that and gives the server's exit code, 128 and its number for a signal.
func (p *Process) Wait() (int, error) {
	<-p.done
	return p.code, p.err
}

// Signal sends a signal to the server. One that has ended is no error.
func (p *Process) Signal(s os.Signal) error {
	if err := p.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return nil
}

// Kill ends everything in the sandbox at once.
func (p *Process) Kill() {
	p.once.Do(func() { p.control.Close() })
	_ = p.cmd.Process.Kill() // it may have ended
}
