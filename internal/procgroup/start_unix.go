//go:build unix && !linux

package procgroup

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
)

// A group is a tree in a process group.
type group struct{ cmd *exec.Cmd }

func start(c Cmd) (tree, error) {
	cmd := c.prepare()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return group{cmd}, nil
}

func (g group) wait() (int, error) {
	err := g.cmd.Wait()
	g.kill()
	if _, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok {
		return -1, err
	}
	status := g.cmd.ProcessState.Sys().(syscall.WaitStatus)
	if status.Signaled() {
		return 128 + int(status.Signal()), nil
	}
	return status.ExitStatus(), nil
}

func (g group) signal(s os.Signal) error {
	if err := g.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return nil
}

// kill may find nobody left, which is what it wants.
func (g group) kill() { _ = syscall.Kill(-g.cmd.Process.Pid, syscall.SIGKILL) }
