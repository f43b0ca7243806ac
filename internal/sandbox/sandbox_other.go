//go:build !linux

package sandbox

import (
	"context"
	"errors"

	"satchel/internal/problem"
	"satchel/internal/procgroup"
	"satchel/internal/sandbox/probe"
)

// Main takes the program over when it was started in one of this package's roles: it never returns then. Otherwise it
// does nothing. It must be the first call of main.
func Main() { probe.Main() }

// A Launcher starts servers in sandboxes. On this system it refuses to.
type Launcher struct{}

// NewLauncher makes a Launcher.
func NewLauncher() *Launcher { return &Launcher{} }

// A Process is a server in its sandbox.
type Process struct{ *procgroup.Process }

// Mode is how the server is held.
func (p *Process) Mode() Mode { return "" }

// Watched says why what the server does does not become known.
func (p *Process) Watched() error { return errors.New("this system tells nobody") }

// Start is refused on this system: nothing would hold the server.
func (l *Launcher) Start(_ context.Context, c Command, _ Accept) (*Process, error) {
	return nil, none().At(c.Path)
}

func none() *problem.Problem {
	return problem.New(problem.Refused, "sandbox/none", "this system has no sandbox yet").From("docs/sandbox.md").Try("satchel doctor --sandbox on Linux shows what one holds")
}
