package procgroup

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"syscall"
)

// watchMode is the hidden first argument of the watcher. The rest is the number of descriptors that the program gets beside
// its streams, its path and its arguments.
const watchMode = "__watch"

// The watcher's descriptors beside the program's streams.
const (
	lifelineFD = 3 // ends when we are gone, or want everything killed
	reportFD   = 4 // a text when the program could not be started; ends when it was
	extraFD    = 5 // the first of the program's own
)

// A watched is a tree under a watcher.
type watched struct {
	cmd      *exec.Cmd
	lifeline *os.File
}

func start(c Cmd) (tree, error) {
	lifeRead, lifeWrite, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	reportRead, reportWrite, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, lifeRead.Close(), lifeWrite.Close())
	}
	cmd := c.prepare()
	cmd.Path, cmd.Args = "/proc/self/exe", append([]string{"satchel", watchMode, strconv.Itoa(len(c.Extra)), c.Path}, c.Args...)
	cmd.ExtraFiles = append([]*os.File{lifeRead, reportWrite}, c.Extra...)
	err = cmd.Start()
	err = errors.Join(err, lifeRead.Close(), reportWrite.Close())
	w := &watched{cmd, lifeWrite}
	if err == nil {
		err = w.started(reportRead)
	}
	if err := errors.Join(err, reportRead.Close()); err != nil {
		lifeWrite.Close()
		return nil, err
	}
	return w, nil
}

// started waits until the watcher has started the program, or says why not.
func (w *watched) started(report io.Reader) error {
	text, err := io.ReadAll(io.LimitReader(report, 4096))
	if err == nil && len(text) > 0 {
		err = fmt.Errorf("%s", text)
	}
	if err != nil {
		w.kill()
		_ = w.cmd.Wait() // the report says more than its exit code
	}
	return err
}

func (w *watched) wait() (int, error) {
	err := w.cmd.Wait()
	w.lifeline.Close()
	if _, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok {
		return -1, err
	}
	status := w.cmd.ProcessState.Sys().(syscall.WaitStatus)
	if status.Signaled() {
		return 128 + int(status.Signal()), nil
	}
	return status.ExitStatus(), nil
}

func (w *watched) signal(s os.Signal) error {
	if err := w.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return nil
}

func (w *watched) kill() { w.lifeline.Close() }
