//go:build !linux && !darwin && !windows

package sandbox

import (
	"context"
	"errors"
)

const systemMode Mode = ""

// A Launcher starts servers in sandboxes. On this system it refuses to: nothing would hold the server.
type Launcher struct{}

// NewLauncher makes a Launcher.
func NewLauncher() *Launcher { return &Launcher{} }

var errSystem = errors.New("there is no sandbox for this system")

func (l *Launcher) available(context.Context) error { return errSystem }

func (l *Launcher) start(Command, entrance) (*Process, error) { return nil, errSystem }
