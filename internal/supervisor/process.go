package supervisor

import (
	"context"
	"net"
	"os"
	"sync"

	"satchel/internal/egress"
	"satchel/internal/procgroup"
	"satchel/internal/sandbox"
	"satchel/internal/spec"
)

// Options are what a Supervisor needs to know of the machine and of who listens.
type Options struct {
	Getenv func(string) string      // names the corporate proxy of this machine
	Listen func(spec.Spec) Listener // asked before each start who listens to that server; nil: nobody
}

// A Supervisor starts servers: in their sandbox, with a proxy at its doors, where their [spec.Spec] has one. Make one for
// the life of the program, whose main calls [sandbox.Main] first. It is safe for concurrent use.
type Supervisor struct {
	opts     Options
	launcher func() *sandbox.Launcher
}

// New makes a Supervisor.
func New(o Options) *Supervisor {
	return &Supervisor{opts: o, launcher: sync.OnceValue(sandbox.NewLauncher)}
}

// A process is a server with all that it has started.
type process interface {
	ending
	Signal(os.Signal) error
	Kill()
}

type ending interface {
	Done() <-chan struct{}
	Wait() (int, error)
}

type streams struct{ in, out, err *os.File }

// process starts a server. The error is a problem.
func (v *Supervisor) process(ctx context.Context, s spec.Spec, to streams) (process, error) {
	var l Listener
	if v.opts.Listen != nil {
		l = v.opts.Listen(s)
	}
	if s.Sandbox != nil {
		return v.confined(ctx, s, to, l)
	}
	proc, err := procgroup.Start(procgroup.Cmd{Path: s.Argv[0], Args: s.Argv, Env: s.Env, Dir: s.Dir, Stdin: to.in, Stdout: to.out, Stderr: to.err})
	if err != nil {
		return nil, failed(s, err)
	}
	l.started("", nil)
	return l.until(proc, func() {}), nil
}

// confined starts a server in its sandbox. Its proxy ends with it.
func (v *Supervisor) confined(ctx context.Context, s spec.Spec, to streams, l Listener) (process, error) {
	accept, closeDoors, err := v.doors(s, l)
	if err != nil {
		return nil, err
	}
	proc, err := v.launcher().Start(ctx, sandbox.Command{
		Sandbox: *s.Sandbox, Path: s.Argv[0], Argv: s.Argv, Env: s.Env, Dir: s.Dir, Bundle: s.Bundle, Runtime: s.Runtime,
		Stdin: to.in, Stdout: to.out, Stderr: to.err, Events: l.Event, Watch: l.Files, Learn: s.Learn,
	}, accept)
	if err != nil {
		closeDoors()
		return nil, err
	}
	blind := proc.Watched()
	if l.Event == nil {
		blind = nil
	}
	l.started(proc.Mode(), blind)
	return l.until(proc, closeDoors), nil
}

// doors gives who answers at the doors of a server's world; nil when its world has none.
func (v *Supervisor) doors(s spec.Spec, l Listener) (accept sandbox.Accept, closeDoors func(), err error) {
	if n := s.Sandbox.Net; n.None() && !n.Told && len(n.Sockets) == 0 {
		return nil, func() {}, nil
	}
	upstream, err := egress.UpstreamFrom(v.opts.Getenv)
	if err != nil {
		return nil, nil, err
	}
	proxy := egress.New(egress.Config{ID: s.ID, Net: s.Sandbox.Net, Upstream: upstream, Record: l.Attempt})
	return func(d sandbox.Door, l net.Listener) {
		switch d {
		case sandbox.HTTPDoor:
			go proxy.ServeHTTP(l)
		case sandbox.SOCKSDoor:
			go proxy.ServeSOCKS(l)
		case sandbox.SocketDoor:
			go proxy.ServeSocket(l, l.Addr().String())
		default:
			go proxy.ServePort(l, int(d))
		}
	}, proxy.Close, nil
}
