package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"
)

// outlive starts a process in a session of its own whose parent ends at once, and waits until it holds its lock.
func outlive(_ context.Context, a place) (string, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return "", err
	}
	defer r.Close()
	cmd := exec.Command("/proc/self/exe", "fork", a.Path)
	cmd.ExtraFiles = []*os.File{w}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	err = cmd.Run()
	w.Close()
	if err != nil {
		return "", err
	}
	said, err := io.ReadAll(r)
	if err == nil && len(said) == 0 {
		err = fmt.Errorf("it did not stay")
	}
	return string(said), err
}

// linger is what is left behind: "fork" starts "stay" and ends, "stay" writes a beat into the locked file for ever.
func linger(role, file string) error {
	said := os.NewFile(3, "said")
	if role == "fork" {
		cmd := exec.Command("/proc/self/exe", "stay", file)
		cmd.ExtraFiles = []*os.File{said}
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		if err := cmd.Start(); err != nil {
			return err
		}
		os.Exit(0)
	}
	signal.Ignore(syscall.SIGTERM, syscall.SIGHUP, syscall.SIGINT, syscall.SIGPIPE)
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		return err
	}
	fmt.Fprint(said, os.Getpid())
	said.Close()
	for {
		if _, err := f.WriteString("beat\n"); err != nil {
			return err
		}
		time.Sleep(5 * time.Millisecond)
	}
}
