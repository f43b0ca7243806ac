//go:build !linux

package sandbox

import (
	"context"

	"satchel/internal/problem"
	"satchel/internal/procgroup"
)

// Main does nothing on this system.
func Main() {}

// A Launcher starts servers in sandboxes. On this system it refuses to.
type Launcher struct{}

// NewLauncher makes a Launcher.
func NewLauncher() *Launcher { return &Launcher{} }

// A Process is a server in its sandbox.
type Process struct{ *procgroup.Process }

// Mode is how the server is held.
func (p *Process) Mode() Mode { return "" }

// Start is refused on this system: nothing would hold the server.
func (l *Launcher) Start(_ context.Context, c Command, _ Accept) (*Process, error) {
	return nil, none().At(c.Path)
}

// Prove is refused on this system: there is nothing to prove.
func (l *Launcher) Prove(context.Context) (Report, error) { return Report{}, none() }

func none() *problem.Problem {
	return problem.New(problem.Refused, "sandbox/none", "this system has no sandbox yet").From("docs/sandbox.md").Try("satchel doctor --sandbox on Linux shows what one holds")
}
