package sandbox

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"sync"
	"time"

	"satchel/internal/procgroup"
	"satchel/internal/sandbox/seatbelt"
	"satchel/internal/spec"
)

const systemMode = Seatbelt

// A Launcher starts servers in sandboxes: make one for the life of the program. It is safe for concurrent use. Nobody has
// run it on this system yet.
type Launcher struct {
	once sync.Once
	err  error
}

// NewLauncher makes a Launcher.
func NewLauncher() *Launcher { return &Launcher{} }

// available tries once whether this machine takes our rules: one that knows an operation by another name refuses all of
// them, and so does a sandbox around us.
func (l *Launcher) available(ctx context.Context) error {
	l.once.Do(func() { l.err = tryRules(ctx) })
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return l.err
}

func tryRules(ctx context.Context) error {
	const trial = "/usr/bin/true"
	rules, err := seatbelt.Profile(seatbelt.Server{
		Sandbox: spec.Sandbox{Net: spec.Net{Any: true}}, Programs: []string{trial}, Dir: "/private/var/empty", Doors: []int{1},
	})
	if err != nil {
		return err
	}
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
	defer stop()
	cmd := exec.CommandContext(ctx, sandboxExec, "-p", rules, trial)
	cmd.Env = []string{}
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("sandbox-exec: %w: %s", err, bytes.TrimSpace(said.Bytes()))
	}
	return nil
}

// start starts a server under rules of its own, by our shim, which sets limits first.
func (l *Launcher) start(c Command, e entrance) (*Process, error) {
	s, err := c.seatbelt(e.ports(spec.Net{}))
	if err != nil {
		return nil, err
	}
	rules, err := seatbelt.Profile(s)
	if err != nil {
		return nil, err
	}
	env, files := c.environment(wayOf(systemMode, c, e))
	if err := bringTo(c.Dir, files); err != nil {
		return nil, err
	}
	self, err := ownProgram()
	if err != nil {
		return nil, err
	}
	p, err := procgroup.Start(c.cmd(self, c.underSeatbelt(rules).Args(), env))
	if err != nil {
		return nil, err
	}
	return held(p, systemMode, func() {}), nil
}
