package inside

import (
	"fmt"
	"syscall"

	"golang.org/x/sys/unix"
)

// become puts the walls up and becomes the server. It returns only with an error.
func (w *world) become() error {
	steps := []namedStep{
		{"keep what it holds to itself", hide},
		{"read the order", w.read},
		{"wait for the host", await},
		{"set limits", w.limit},
		{"look at what was agreed to", w.verify},
		{"set up Landlock", w.wallIn},
	}
	if err := inTurn(steps); err != nil {
		return err
	}
	if err := unix.Chdir(w.order.Dir); err != nil {
		return err
	}
	if err := w.filter(); err != nil {
		return fmt.Errorf("set up the filter of system calls: %w", err)
	}
	if err := tell(MsgStarted, nil, -1); err != nil {
		return err
	}
	return fmt.Errorf("start %s: %w", w.order.Path, syscall.Exec(w.order.Path, w.order.Argv, w.order.Env))
}

// verify compares every file that was granted with what it was when it was agreed to.
func (w *world) verify() error {
	for _, s := range w.order.Root {
		if s.Kind != StepBind || s.Ino == 0 {
			continue
		}
		fd, err := openExactly(s.Path)
		if err != nil {
			return fmt.Errorf("%s: %w", s.Path, err)
		}
		var st unix.Stat_t
		err = unix.Fstat(fd, &st)
		unix.Close(fd)
		if err == nil {
			err = s.same(&st)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", s.Path, err)
		}
	}
	return nil
}
