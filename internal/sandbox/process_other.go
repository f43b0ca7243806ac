//go:build !linux

package sandbox

import (
	"context"
	"errors"
	"os"

	"satchel/internal/problem"
	"satchel/internal/procgroup"
	"satchel/internal/sandbox/inside"
	"satchel/internal/sandbox/probe"
)

// Main takes the program over when it was started in one of this package's roles: it never returns then. Otherwise it
// does nothing. It must be the first call of main.
func Main() {
	inside.Main()
	probe.Main()
}

// A Process is a server in its sandbox. Its methods are safe for concurrent use.
type Process struct {
	*procgroup.Process
	mode Mode
	done chan struct{}
}

// held gives the process of a server that runs. When it has ended, what was changed for it is changed back.
func held(p *procgroup.Process, m Mode, back func()) *Process {
	h := &Process{p, m, make(chan struct{})}
	go func() {
		<-p.Done()
		back()
		close(h.done)
	}()
	return h
}

// Mode is how the server is held.
func (p *Process) Mode() Mode { return p.mode }

// Watched says why what the server does does not become known.
func (p *Process) Watched() error { return errors.New("this system tells nobody") }

// Done is closed when the server has ended, with what the system's way to hold processes together holds.
func (p *Process) Done() <-chan struct{} { return p.done }

// Wait waits for that and gives the server's exit code, on macOS 128 and its number for a signal.
func (p *Process) Wait() (int, error) {
	<-p.done
	return p.Process.Wait()
}

// Start starts a server in the sandbox of this system. accept gets the listeners for the proxies when it runs; it may be nil
// when no network is granted. Errors are problems; then nothing runs.
func (l *Launcher) Start(ctx context.Context, c Command, accept Accept) (*Process, error) {
	if c.Learn != nil {
		return nil, noLearning(c, errors.New("only Linux has one"))
	}
	if err := checked(c); err != nil {
		return nil, err
	}
	if err := l.available(ctx); err != nil {
		return nil, problem.New(problem.Refused, "sandbox/none", "this machine has no sandbox to start a server in").At(c.Path).Because(err).
			From("docs/sandbox.md").Try("satchel doctor --sandbox")
	}
	p, err := l.startAt(c, accept)
	if _, ok := errors.AsType[*problem.Problem](err); err == nil || ok {
		return p, err
	}
	return nil, failed(c, err)
}

// startAt starts a server that finds the proxies at an entrance.
func (l *Launcher) startAt(c Command, accept Accept) (*Process, error) {
	e, err := enter(systemMode, c.Sandbox.Net)
	if err != nil {
		return nil, err
	}
	p, err := l.start(c, e)
	if err != nil || accept == nil {
		e.close()
		return p, err
	}
	e.give(accept)
	return p, nil
}

// cmd is a program with the streams and the folder of a server.
func (c Command) cmd(path string, argv, env []string) procgroup.Cmd {
	return procgroup.Cmd{Path: path, Args: argv, Env: env, Dir: c.Dir, Stdin: c.Stdin, Stdout: c.Stdout, Stderr: c.Stderr}
}

// ownProgram is this program.
func ownProgram() (string, error) {
	name, err := os.Executable()
	if err != nil {
		return "", err
	}
	return realPath(name)
}
