package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"

	"satchel/internal/problem"
	"satchel/internal/sandbox/inside"
)

// uidForRoot is who a server is when root starts it: never root, not even in its own world.
const uidForRoot = 1000

// A Launcher starts servers in sandboxes. All of them end when the program does, by whatever death: make one for the
// life of the program. It is safe for concurrent use.
type Launcher struct {
	starts chan func()
	modes  []Mode
}

// NewLauncher makes a Launcher.
func NewLauncher() *Launcher {
	l := &Launcher{make(chan func()), []Mode{Namespaces, Bubblewrap, Landlock}}
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

// Only gives a Launcher of the same life that takes one mode and no other, to see what that one does.
func (l *Launcher) Only(m Mode) *Launcher { return &Launcher{l.starts, []Mode{m}} }

// onThread starts a command on the thread that stays.
func (l *Launcher) onThread(cmd *exec.Cmd) error {
	started := make(chan error)
	l.starts <- func() { started <- cmd.Start() }
	return <-started
}

// Start starts a server in the strongest mode that this machine has. accept gets the doors of its world, before the
// server runs; it may be nil when no network is granted. Errors are problems; then nothing runs.
func (l *Launcher) Start(ctx context.Context, c Command, accept Accept) (*Process, error) {
	if c.Learn != nil {
		return l.learn(ctx, c, accept)
	}
	var refusals []error
	for _, m := range l.modes {
		p, err := l.startIn(ctx, m, c, accept)
		if err == nil {
			return p, nil
		}
		if _, ok := errors.AsType[*errMode](err); !ok {
			return nil, err
		}
		refusals = append(refusals, err)
	}
	return nil, problem.New(problem.Refused, "sandbox/none", "this machine has no sandbox to start a server in").At(c.Path).Because(errors.Join(refusals...)).
		From("docs/sandbox.md").Try("satchel doctor --sandbox")
}

// startIn starts a server in one mode. An *errMode says that this machine does not have it.
func (l *Launcher) startIn(ctx context.Context, m Mode, c Command, accept Accept) (*Process, error) {
	e, err := enter(m, c.Sandbox.Net)
	if err != nil {
		return nil, failed(c, err)
	}
	p, err := l.startAt(ctx, m, c, e, accept)
	if err != nil || accept == nil {
		e.close()
	}
	return p, err
}

// startAt starts a server that finds the proxies at an entrance.
func (l *Launcher) startAt(ctx context.Context, m Mode, c Command, e entrance, accept Accept) (*Process, error) {
	defer func() { _ = e.unlink() }() // a folder that stays harms nobody
	uid, gid := userInside()
	o, err := plan(m, c, e, uid, gid)
	if err != nil {
		return nil, err
	}
	watch, err := newWatch(m, c, o)
	if err != nil {
		return nil, err
	}
	memory, err := sealed(o.Encode())
	if err != nil {
		return nil, failed(c, err)
	}
	defer memory.Close()
	control, theirs, err := controlPair()
	if err != nil {
		return nil, failed(c, err)
	}
	defer theirs.Close()
	streams, err := c.streams()
	if err != nil {
		control.Close()
		return nil, failed(c, err)
	}
	defer streams.close()
	tree, err := l.tree(m, o, streams, memory, theirs)
	theirs.Close()
	if err != nil {
		control.Close()
		if refusedByKernel(err) || errors.Is(err, exec.ErrNotFound) {
			return nil, &errMode{m, err}
		}
		return nil, failed(c, err)
	}
	if accept != nil {
		e.give(accept)
	}
	p := &Process{tree: tree, mode: m, control: control, group: newGroup(m, c.Sandbox.Limits), watch: watch, blind: errors.New("nobody asked for it"), done: make(chan struct{})}
	err = p.started(ctx, accept)
	if err != nil {
		p.Kill()
	}
	go p.wait()
	if err == nil {
		return p, nil
	}
	<-p.done
	if refused, ok := errors.AsType[*errMode](err); ok {
		if t, ok := p.tree.(*bwrapTree); ok && t.said.String() != "" {
			refused.err = fmt.Errorf("%w: %s", refused.err, t.said)
		}
		return nil, err
	}
	return nil, failed(c, err)
}

// userInside is who the server is in its world.
func userInside() (uid, gid int) {
	if uid, gid = os.Getuid(), os.Getgid(); uid == 0 {
		return uidForRoot, uidForRoot
	}
	return uid, gid
}

// tree starts the first process of a mode.
func (l *Launcher) tree(m Mode, o inside.Order, s streams, memory, control *os.File) (tree, error) {
	if m == Landlock {
		return watched(s, memory, control)
	}
	cmd := s.command(inside.InitName)
	cmd.ExtraFiles = []*os.File{memory, control}
	if m == Bubblewrap {
		return bwrapped(cmd, o, s)
	}
	uid, gid := userInside()
	cmd.SysProcAttr.Cloneflags = unix.CLONE_NEWUSER | unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWNET | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS
	cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: uid, HostID: os.Getuid(), Size: 1}}
	cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: gid, HostID: os.Getgid(), Size: 1}}
	// The user inside is not root there, so that exec would drop every capability but these.
	cmd.SysProcAttr.AmbientCaps = []uintptr{unix.CAP_SYS_ADMIN, unix.CAP_NET_ADMIN, unix.CAP_SETPCAP}
	if slices.ContainsFunc(o.Root, func(s inside.Step) bool { return s.Kind == inside.StepOver }) {
		cmd.SysProcAttr.AmbientCaps = append(cmd.SysProcAttr.AmbientCaps, unix.CAP_DAC_OVERRIDE) // the kernel keeps an overlay's own folder shut
	}
	return &initTree{cmd}, l.onThread(cmd)
}

// initEnvironment is that of our own processes in a sandbox: the server's comes in the order.
func initEnvironment() []string { return []string{"GOMAXPROCS=1", "GOGC=off", "GOTRACEBACK=none"} }

// streams are the server's; none is nil.
type streams struct {
	in, out, err *os.File
	null         *os.File // to be closed
}

func (c Command) streams() (streams, error) {
	s := streams{in: c.Stdin, out: c.Stdout, err: c.Stderr}
	if s.in != nil && s.out != nil && s.err != nil {
		return s, nil
	}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return s, err
	}
	s.null = null
	for _, f := range []**os.File{&s.in, &s.out, &s.err} {
		if *f == nil {
			*f = null
		}
	}
	return s, nil
}

func (s streams) close() {
	if s.null != nil {
		s.null.Close()
	}
}

// command is this program in a role.
func (s streams) command(role string) *exec.Cmd {
	return &exec.Cmd{
		Path: roleProgram(), Args: []string{role}, Env: initEnvironment(), Stdin: s.in, Stdout: s.out, Stderr: s.err,
		SysProcAttr: &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL},
	}
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
