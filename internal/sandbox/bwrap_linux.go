package sandbox

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"satchel/internal/procgroup"
	"satchel/internal/sandbox/inside"
)

// initInside is where bwrap shows this program. It cannot be given another name there, so its name says its role.
const initInside = "/" + inside.InitName

// A bwrapTree is bwrap with all that it started. A watcher ends them together: when bwrap is killed while it builds the
// world, the first process of that waits for it for ever.
type bwrapTree struct {
	*procgroup.Process
	said *saying // what bwrap said of itself
}

// A saying keeps the beginning of what a program says.
type saying struct {
	mu   sync.Mutex
	text []byte
}

// Write implements io.Writer.
func (s *saying) Write(b []byte) (int, error) {
	const most = 1000
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text = append(s.text, b[:min(len(b), most-len(s.text))]...)
	return len(b), nil
}

// String gives what was said so far.
func (s *saying) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return string(bytes.TrimSpace(s.text))
}

// bwrapped starts a command in the world of an order. What bwrap says is kept apart from what the server says, whose error
// stream init finds behind the control socket.
func bwrapped(cmd *exec.Cmd, o inside.Order, s streams) (tree, error) {
	cmd.ExtraFiles = append(cmd.ExtraFiles, s.err)
	done, err := bubblewrap(cmd, o)
	if err != nil {
		return nil, err
	}
	defer done()
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer w.Close()
	p, err := procgroup.Start(procgroup.Cmd{
		Path: cmd.Path, Args: cmd.Args, Env: cmd.Env, Dir: "/", Stdin: s.in, Stdout: s.out, Stderr: w, Extra: cmd.ExtraFiles,
	})
	if err != nil {
		return nil, errors.Join(err, r.Close())
	}
	said := &saying{}
	go func() {
		defer r.Close()
		_, _ = io.Copy(said, r) // it ends with the tree
	}()
	return &bwrapTree{p, said}, nil
}

// bubblewrap makes a command run in the world of an order that the system's bwrap builds; init does the rest in it. The
// function that it gives closes what the command takes over. The error is exec.ErrNotFound without bwrap.
func bubblewrap(cmd *exec.Cmd, o inside.Order) (started func(), err error) {
	bwrap, err := exec.LookPath("bwrap")
	if err != nil {
		return nil, err
	}
	program := cmd.Path
	if program == self {
		if program, err = os.Readlink(self); err != nil {
			return nil, err
		}
	}
	var files []*os.File
	closeAll := func() {
		for _, f := range files {
			f.Close()
		}
	}
	// A text becomes a descriptor that bwrap reads.
	give := func(text string) (string, error) {
		f, err := sealed([]byte(text))
		if err != nil {
			return "", err
		}
		if _, err := f.Seek(0, 0); err != nil {
			return "", err
		}
		files = append(files, f)
		cmd.ExtraFiles = append(cmd.ExtraFiles, f)
		return strconv.Itoa(2 + len(cmd.ExtraFiles)), nil
	}
	args := []string{
		"--unshare-user", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try",
		"--uid", strconv.Itoa(o.UID), "--gid", strconv.Itoa(o.GID), "--hostname", o.Host, "--as-pid-1", "--die-with-parent", "--cap-drop", "ALL",
	}
	for _, s := range o.Root {
		more, err := bwrapArgs(s, give)
		if err != nil {
			closeAll()
			return nil, err
		}
		args = append(args, more...)
	}
	args = append(args, "--ro-bind", program, initInside, "--remount-ro", "/")
	list, err := give(strings.Join(args, "\x00") + "\x00")
	if err != nil {
		closeAll()
		return nil, err
	}
	cmd.Path, cmd.Args = bwrap, []string{"bwrap", "--args", list, "--", initInside}
	return closeAll, nil
}

// bwrapArgs says to bwrap what a step makes.
func bwrapArgs(s inside.Step, give func(text string) (fd string, err error)) ([]string, error) {
	switch s.Kind {
	case inside.StepDir:
		return []string{"--dir", s.Path}, nil
	case inside.StepLink:
		return []string{"--symlink", s.From, s.Path}, nil
	case inside.StepText:
		fd, err := give(s.From)
		return []string{"--ro-bind-data", fd, s.Path}, err
	case inside.StepDev:
		return []string{"--dev-bind", s.From, s.Path}, nil
	case inside.StepProc:
		return []string{"--proc", s.Path}, nil
	case inside.StepTemp:
		return []string{"--perms", "1777", "--size", strconv.FormatInt(s.Size, 10), "--tmpfs", s.Path}, nil
	case inside.StepShelf:
		return []string{"--size", "16777216", "--tmpfs", s.Path}, nil
	case inside.StepSeal:
		return []string{"--remount-ro", s.Path}, nil
	case inside.StepMask:
		return bwrapMask(s), nil
	case inside.StepPin:
		return bwrapBind(s, s.Path, true), nil
	case inside.StepBind:
		return bwrapBind(s, s.From, s.Maybe), nil
	}
	return nil, fmt.Errorf("no such step: %q", s.Kind)
}

func bwrapBind(s inside.Step, from string, maybe bool) []string {
	how := "--ro-bind"
	if s.Write {
		how = "--bind"
	}
	if maybe {
		how += "-try"
	}
	return []string{how, from, s.Path}
}

// bwrapMask hides what the kernel has; the machine's root shows whether it does.
func bwrapMask(s inside.Step) []string {
	var st unix.Stat_t
	if unix.Stat(s.Path, &st) != nil {
		return nil
	}
	if st.Mode&unix.S_IFMT == unix.S_IFDIR {
		return []string{"--tmpfs", s.Path, "--remount-ro", s.Path}
	}
	return []string{"--dev-bind", "/dev/null", s.Path}
}
