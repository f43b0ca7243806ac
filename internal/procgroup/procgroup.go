// Package procgroup starts a program so that its whole process tree dies with it, and with us.
//
// Use it for every server: what a server forks, double-forks or moves into a session of its own must not outlive the
// app's session, however that ends. What holds it together depends on the system:
//
//	Linux    a watcher process that adopts orphans (PR_SET_CHILD_SUBREAPER); a pipe tells it that we are gone, even by
//	         kill -9. It is this program again: main hands its arguments to [WatchMain] when [IsWatcher] says so.
//	Windows  a job object that ends its processes when its last handle closes
//	others   a process group: a process that leaves it survives
//
// Not held: a process that kills the watcher itself (it has the same rights, until the sandbox takes them away).
package procgroup

import (
	"os"
	"os/exec"
	"sync"
)

// A Cmd is a program to start. Its streams are handed over as they are; nothing is copied. A nil stream is the null
// device.
type Cmd struct {
	Path   string   // absolute
	Args   []string // with the program's name as the first
	Env    []string // the whole environment, KEY=VALUE
	Dir    string
	Stdin  *os.File
	Stdout *os.File
	Stderr *os.File
	Extra  []*os.File // descriptors from 3 on; only on Linux

	Token uintptr                 // what it runs as, a primary access token; zero: as we do. Only on Windows
	Job   func(job uintptr) error // bounds the job object that it is put in before it runs, and must keep it ending with its handle. Only on Windows
}

// prepare makes the command that runs c. Files that are nil stay nil interfaces, which os/exec takes for the null device.
func (c Cmd) prepare() *exec.Cmd {
	cmd := &exec.Cmd{Path: c.Path, Args: c.Args, Env: c.Env, Dir: c.Dir}
	if cmd.Env == nil { // which os/exec takes for ours
		cmd.Env = []string{}
	}
	if c.Stdin != nil {
		cmd.Stdin = c.Stdin
	}
	if c.Stdout != nil {
		cmd.Stdout = c.Stdout
	}
	if c.Stderr != nil {
		cmd.Stderr = c.Stderr
	}
	return cmd
}

// A Process is a started program. Its methods are safe for concurrent use.
type Process struct {
	tree tree
	once sync.Once
	done chan struct{}
	code int
	err  error
}

// tree is the system's way to hold the processes together.
type tree interface {
	wait() (code int, err error) // the program has ended, and so has what it started
	signal(os.Signal) error      // to the program
	kill()                       // everything, at once; may be called again
}

// Start starts a program. An error means that nothing runs.
func Start(c Cmd) (*Process, error) {
	t, err := start(c)
	if err != nil {
		return nil, err
	}
	p := &Process{tree: t, done: make(chan struct{})}
	go func() {
		p.code, p.err = t.wait()
		close(p.done)
	}()
	return p, nil
}

// Wait waits for the end of the program and gives its exit code: 128 and the signal's number when a signal ended it.
func (p *Process) Wait() (int, error) {
	<-p.done
	return p.code, p.err
}

// Done is closed when the program has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Signal sends a signal to the program. A program that has ended is no error.
func (p *Process) Signal(s os.Signal) error {
	select {
	case <-p.done:
		return nil
	default:
		return p.tree.signal(s)
	}
}

// Kill ends the whole tree at once. Wait tells when it is over.
func (p *Process) Kill() { p.once.Do(p.tree.kill) }
