package sandbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"satchel/internal/sandbox/inside"
)

// A Process is a server in its sandbox. Its methods are safe for concurrent use.
type Process struct {
	tree    tree
	mode    Mode
	control *net.UnixConn
	group   group
	watch   *watch // nil: nothing becomes known
	blind   error  // why not
	done    chan struct{}
	once    sync.Once
	code    int
	err     error
}

// A tree is all processes of a server.
type tree interface {
	Wait() (code int, err error) // until none is left
	Signal(os.Signal) error      // to the server; one that has ended is no error
	Kill()                       // all of them, at once
}

// An initTree ends with its first process, which the kernel sees to.
type initTree struct{ cmd *exec.Cmd }

// Wait implements tree.
func (t *initTree) Wait() (int, error) {
	err := t.cmd.Wait()
	if _, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok {
		return -1, err
	}
	status := t.cmd.ProcessState.Sys().(syscall.WaitStatus)
	if status.Signaled() {
		return 128 + int(status.Signal()), nil
	}
	return status.ExitStatus(), nil
}

// Signal implements tree.
func (t *initTree) Signal(s os.Signal) error {
	if err := t.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return nil
}

// Kill implements tree.
func (t *initTree) Kill() { _ = t.cmd.Process.Kill() } // it may have ended

// Mode is how the server is held.
func (p *Process) Mode() Mode { return p.mode }

// Done is closed when the server and everything that it started have ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Wait waits for that and gives the server's exit code, 128 and its number for a signal.
func (p *Process) Wait() (int, error) {
	<-p.done
	return p.code, p.err
}

// Watched is nil when what the server does becomes known (see [Command].Events), else why it does not: nobody asked for
// it, or a program that watches us already is the only one that the kernel allows.
func (p *Process) Watched() error { return p.blind }

// Signal sends a signal to the server. One that has ended is no error.
func (p *Process) Signal(s os.Signal) error {
	select {
	case <-p.done:
		return nil
	default:
		return p.tree.Signal(s)
	}
}

// Kill ends everything in the sandbox at once.
func (p *Process) Kill() {
	p.once.Do(func() { p.control.Close() })
	p.tree.Kill()
}

func (p *Process) wait() {
	p.code, p.err = p.tree.Wait()
	p.watch.end()
	p.group.remove()
	p.once.Do(func() { p.control.Close() })
	close(p.done)
}

// goOn lets the first process start the server: it and what it starts are in their control group now. The kernel says who
// sent the message, by the number that a process has here.
func (p *Process) goOn(control []unix.SocketControlMessage) error {
	for _, m := range control {
		if sender, err := unix.ParseUnixCredentials(&m); err == nil {
			if err := p.group.add(int(sender.Pid)); err != nil {
				return fmt.Errorf("control group: %w", err)
			}
		}
	}
	if _, err := p.control.Write([]byte{inside.MsgGo}); err != nil {
		return p.silent()
	}
	return nil
}

// startDeadline is how long it may take until the server is started.
const startDeadline = 20 * time.Second

// started takes what the first process tells until the server runs.
func (p *Process) started(ctx context.Context, accept Accept) error {
	deadline := time.Now().Add(startDeadline)
	if d, ok := ctx.Deadline(); ok && d.Before(deadline) {
		deadline = d
	}
	if err := p.control.SetReadDeadline(deadline); err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { _ = p.control.SetReadDeadline(time.Unix(1, 0)) })()
	text, rights := make([]byte, 4096), make([]byte, 128)
	for {
		n, m, _, _, err := p.control.ReadMsgUnix(text, rights)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, unix.ECONNRESET), errors.Is(err, io.EOF), err == nil && n == 0:
			return p.silent()
		case err != nil:
			return fmt.Errorf("its first process said nothing: %w", err)
		}
		control, err := unix.ParseSocketControlMessage(rights[:m])
		if err != nil {
			return err
		}
		switch body := text[1:n]; text[0] {
		case inside.MsgReady:
			if err := p.goOn(control); err != nil {
				return err
			}
		case inside.MsgStarted:
			return nil
		case inside.MsgRefused:
			return &errMode{p.mode, errors.New(string(bytes.TrimSpace(body)))}
		case inside.MsgFailed:
			return errors.New(string(bytes.TrimSpace(body)))
		case inside.MsgDoor:
			if err := open(body, control, accept); err != nil {
				return err
			}
		case inside.MsgWatch:
			if err := p.watch.begin(control); err != nil {
				return err
			}
			p.blind = nil
		case inside.MsgBlind:
			p.blind = fmt.Errorf("the kernel lets nobody watch it: %s", body)
		default:
			return fmt.Errorf("its first process said %q", text[0])
		}
	}
}

// silent is what the end of the first process's messages means: that of bwrap's ends when bwrap could make no world.
func (p *Process) silent() error {
	err := errors.New("its first process ended before the server was started")
	if p.mode == Bubblewrap {
		return &errMode{p.mode, err}
	}
	return err
}

// open takes a listener of the world.
func open(door []byte, control []unix.SocketControlMessage, accept Accept) error {
	fds := descriptors(control)
	if len(fds) != 1 {
		return fmt.Errorf("door %s came with %d listeners", door, len(fds))
	}
	f := os.NewFile(uintptr(fds[0]), "door")
	l, err := net.FileListener(f)
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	number, err := strconv.Atoi(string(door))
	if err != nil || accept == nil {
		return errors.Join(err, l.Close())
	}
	accept(Door(number), l)
	return nil
}

// controlPair gives the two ends of the control socket. One message is one packet.
func controlPair() (ours *net.UnixConn, theirs *os.File, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, err
	}
	if err := unix.SetsockoptInt(fds[0], unix.SOL_SOCKET, unix.SO_PASSCRED, 1); err != nil {
		return nil, nil, errors.Join(err, unix.Close(fds[0]), unix.Close(fds[1]))
	}
	theirs = os.NewFile(uintptr(fds[1]), "control")
	f := os.NewFile(uintptr(fds[0]), "control")
	conn, err := net.FileConn(f)
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, nil, errors.Join(err, theirs.Close())
	}
	return conn.(*net.UnixConn), theirs, nil
}
