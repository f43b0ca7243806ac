package sandbox

import (
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"satchel/internal/procgroup"
)

// shimName is the name that the program has in the role that puts walls around itself and becomes the server.
const shimName = "satchel-sandbox-shim"

// watched starts a server on the machine's own root: a watcher outside the walls sees to it that nothing outlives it.
func watched(s streams, memory, control *os.File) (tree, error) {
	return procgroup.Start(procgroup.Cmd{
		Path: "/proc/self/exe", Args: []string{shimName}, Env: initEnvironment(), Dir: "/",
		Stdin: s.in, Stdout: s.out, Stderr: s.err, Extra: []*os.File{memory, control},
	})
}

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
	if err := tell(msgStarted, nil, -1); err != nil {
		return err
	}
	if err := w.filter(); err != nil {
		return fmt.Errorf("set up the filter of system calls: %w", err)
	}
	return fmt.Errorf("start %s: %w", w.order.Path, syscall.Exec(w.order.Path, w.order.Argv, w.order.Env))
}

// verify compares every file that was granted with what it was when it was agreed to.
func (w *world) verify() error {
	for _, s := range w.order.Root {
		if s.Kind != stepBind || s.Ino == 0 {
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
