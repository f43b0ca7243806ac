package cli_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"satchel/mcpb"
)

// terminal opens a new terminal: what is written to person was typed by a person, program is the program's side.
func terminal(t *testing.T) (person, program *os.File) {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("skipped: no terminal can be made: %v", err)
	}
	t.Cleanup(func() { person.Close() })
	n, err := unix.IoctlGetInt(int(person.Fd()), unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(person.Fd()), unix.TIOCSPTLCK, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	program, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { program.Close() })
	return person, program
}

// answerAt runs satchel on a terminal, and does then what a person does at its question. It gives the exit code and what
// was said.
func answerAt(t *testing.T, env []string, do func(person *os.File, cmd *exec.Cmd) error, args ...string) (int, string) {
	t.Helper()
	person, program := terminal(t)
	cmd := exec.Command("satchel", args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdin = program
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	said, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	for one := make([]byte, 1); !strings.HasSuffix(text.String(), "[y/N] "); {
		if _, err := io.ReadFull(said, one); err != nil {
			t.Fatalf("%q never asked: %v\n%s", args, err, text.String())
		}
		text.Write(one)
	}
	if err := do(person, cmd); err != nil {
		t.Fatal(err)
	}
	_, _ = text.ReadFrom(said)
	if exit, ok := errors.AsType[*exec.ExitError](cmd.Wait()); ok {
		return exit.ExitCode(), text.String()
	}
	return 0, text.String()
}

// Ctrl-C, and a signal from elsewhere, end a command that waits for an answer. Nothing was changed then.
func TestInterruptedAtAQuestion(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	env := []string{"HOME=" + dir, "SATCHEL_HOME=" + filepath.Join(dir, "home"), "NO_COLOR=1"}
	bundle := packed(t, filepath.Join(dir, "demo"))
	ctrlC := func(person *os.File, _ *exec.Cmd) error { _, err := person.WriteString("\x03"); return err }
	term := func(_ *os.File, cmd *exec.Cmd) error { return cmd.Process.Signal(syscall.SIGTERM) }
	yes := func(person *os.File, _ *exec.Cmd) error { _, err := person.WriteString("y\n"); return err }
	for i, step := range []struct {
		do        func(*os.File, *exec.Cmd) error
		args      []string
		code      int
		installed bool
	}{
		{ctrlC, []string{"install", bundle}, 130, false},
		{term, []string{"install", bundle}, 130, false},
		{ctrlC, []string{"clean", bundle}, 130, false},
		{ctrlC, []string{"lint", "--start", bundle}, 130, false},
		{yes, []string{"install", bundle}, 0, true},
		{ctrlC, []string{"uninstall", "demo"}, 130, true},
	} {
		code, said := answerAt(t, env, step.do, step.args...)
		if code != step.code || step.code == 130 && !strings.Contains(said, "interrupted; nothing was changed") {
			t.Errorf("step %d, %q: exit code %d, want %d\n%s", i, step.args, code, step.code, said)
		}
		_, err := os.Stat(filepath.Join(dir, "home/extensions/local/demo/installation.json"))
		if (err == nil) != step.installed {
			t.Errorf("step %d, %q: installed %v, want %v", i, step.args, err == nil, step.installed)
		}
	}
}

// packed makes a bundle of a server that does nothing.
func packed(t *testing.T, dir string) string {
	t.Helper()
	text := `{"manifest_version": "0.3", "name": "demo", "version": "1.0.0", "description": "D.", "author": {"name": "A"},
		"server": {"type": "binary", "entry_point": "run", "mcp_config": {"command": "${__dirname}/run"}}}`
	if err := errors.Join(
		os.Mkdir(dir, 0o755), os.WriteFile(filepath.Join(dir, "manifest.json"), []byte(text), 0o644),
		os.WriteFile(filepath.Join(dir, "run"), []byte("#!/bin/sh\n"), 0o755),
	); err != nil {
		t.Fatal(err)
	}
	if _, err := mcpb.PackFile(t.Context(), dir, dir+".mcpb", mcpb.PackOptions{}); err != nil {
		t.Fatal(err)
	}
	return dir + ".mcpb"
}
