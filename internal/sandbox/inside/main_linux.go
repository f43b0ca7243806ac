package inside

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// InitName is the name of the program in the role of the first process of a world. Who forges it only confines itself.
const InitName = "satchel-sandbox-init"

// The descriptors that init starts with, beside the server's streams.
const (
	orderFD   = 3
	controlFD = 4
	streamFD  = 5 // the server's error stream, where what starts us must not write to it
)

// Main takes the program over when it was started in one of this package's roles: it never returns then. Otherwise it
// does nothing.
func Main() {
	if len(os.Args) != 1 {
		return
	}
	role := path.Base(os.Args[0])
	if role != InitName && role != ShimName {
		return
	}
	// The walls are put around this thread and all others, and the server is started from this one.
	runtime.LockOSThread()
	if err := checkRole(role == InitName); err != nil {
		fmt.Fprintln(os.Stderr, role+":", err)
		os.Exit(2)
	}
	w := &world{}
	if role == ShimName {
		report(w.become())
	}
	pid, signals, err := w.begin()
	report(err)
	os.Exit(w.stay(pid, signals))
}

// A refusedError is what the machine does not let us have, where another mode may do.
type refusedError struct{ err error }

// Error implements error.
func (e *refusedError) Error() string { return e.err.Error() }

// Unwrap gives the cause.
func (e *refusedError) Unwrap() error { return e.err }

// report tells an error to the host and ends the program; without one it does nothing.
func report(err error) {
	if err == nil {
		return
	}
	kind := byte(MsgFailed)
	if _, ok := errors.AsType[*refusedError](err); ok {
		kind = MsgRefused
	}
	_ = tell(kind, []byte(err.Error()), -1) // the host may be gone
	os.Exit(1)
}

// checkRole refuses to be init anywhere but where a Launcher starts it.
func checkRole(first bool) error {
	if first && os.Getpid() != 1 {
		return errors.New("this is no command: satchel starts it as the first process of a sandbox")
	}
	seals, err := unix.FcntlInt(orderFD, unix.F_GET_SEALS, 0)
	if want := unix.F_SEAL_SEAL | unix.F_SEAL_WRITE | unix.F_SEAL_GROW | unix.F_SEAL_SHRINK; err != nil || seals&want != want {
		return fmt.Errorf("the order is no sealed memory file: %w", err)
	}
	var st unix.Stat_t
	if err := unix.Fstat(controlFD, &st); err != nil || st.Mode&unix.S_IFMT != unix.S_IFSOCK {
		return fmt.Errorf("there is no control socket: %w", err)
	}
	return nil
}

// A world is what init makes and looks after.
type world struct {
	order Order
}

// begin makes the world and starts the server in it. Its errors name the step that failed.
func (w *world) begin() (pid int, signals <-chan os.Signal, err error) {
	steps := []namedStep{
		{"keep what it holds to itself", hide},
		{"read the order", w.read},
		{"open its doors", w.openDoors},
		{"build its files", w.build},
		{"look at what was agreed to", w.verify},
		{"wait for the host", await},
		{"give up capabilities", w.boundCapabilities},
		{"set limits", w.limit},
		{"set up Landlock", w.wallIn},
		{"set up the filter of system calls", w.filter},
	}
	if err := inTurn(steps); err != nil {
		return 0, nil, err
	}
	signals = catch() // before there is a server: a signal must reach it
	pid, err = w.launch()
	if err != nil {
		return 0, nil, fmt.Errorf("start %s: %w", w.order.Path, err)
	}
	w.order = Order{} // the secrets in it are the server's now
	return pid, signals, nil
}

// A namedStep is part of a start.
type namedStep struct {
	name string
	do   func() error
}

// inTurn does steps until one fails, which its error names.
func inTurn(steps []namedStep) error {
	for _, s := range steps {
		if err := s.do(); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return nil
}

// hide keeps the server from looking into this process, and every descriptor from the server.
func hide() error {
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return err
	}
	return unix.CloseRange(orderFD, 1<<31-1, unix.CLOSE_RANGE_CLOEXEC)
}

func (w *world) read() error {
	f := os.NewFile(orderFD, "order")
	defer f.Close()
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	text, err := io.ReadAll(f)
	if err != nil {
		return err
	}
	w.order, err = decode(text)
	return err
}

// launch starts the server with its three streams and nothing else, inside all walls, and lets go of the streams.
func (w *world) launch() (int, error) {
	if err := unix.Chdir(w.order.Dir); err != nil {
		return 0, err
	}
	pid, err := syscall.ForkExec(w.order.Path, w.order.Argv, &syscall.ProcAttr{
		Dir: w.order.Dir, Env: w.order.Env, Files: []uintptr{0, 1, 2},
	})
	if err != nil {
		return 0, err
	}
	null, err := unix.Open(os.DevNull, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	for fd := range 3 {
		if err := unix.Dup3(null, fd, 0); err != nil {
			return 0, err
		}
	}
	return pid, errors.Join(unix.Close(null), tell(MsgStarted, nil, -1))
}

func catch() <-chan os.Signal {
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGCHLD)
	return signals
}

// stay looks after the server until it ends or the host is gone, and gives its exit code. When it returns the kernel ends
// everything else in this world.
func (w *world) stay(pid int, signals <-chan os.Signal) int {
	gone := make(chan struct{})
	go func() {
		var b [1]byte
		for {
			if n, err := unix.Read(controlFD, b[:]); err != unix.EINTR && n <= 0 {
				close(gone)
				return
			}
		}
	}()
	for {
		select {
		case <-gone:
			return 128 + int(syscall.SIGKILL)
		case s := <-signals:
			if s != syscall.SIGCHLD {
				_ = syscall.Kill(pid, s.(syscall.Signal)) // it may have ended already
				continue
			}
			if code, ended := reap(pid); ended {
				return code
			}
		}
	}
}

// reap takes the exit status of every child that has ended, the adopted ones too, and tells of the server's.
func reap(pid int) (code int, ended bool) {
	for {
		var status syscall.WaitStatus
		got, err := syscall.Wait4(-1, &status, syscall.WNOHANG, nil)
		switch {
		case err == syscall.EINTR:
		case err != nil || got <= 0:
			return code, ended
		case got == pid && status.Signaled():
			code, ended = 128+int(status.Signal()), true
		case got == pid:
			code, ended = status.ExitStatus(), true
		}
	}
}
