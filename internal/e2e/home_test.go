package e2e

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// patience is how long one command may take on a busy machine before the test gives up.
const patience = 2 * time.Minute

// A home is a person's machine of its own: home folder, store, temporary folder, and a PATH that begins with the
// satchel that is tested. When the test ends, no process that was started in it may be alive.
type home struct {
	dir  string // the person's home folder
	work string // where commands are typed
	env  []string
}

func newHome(t *testing.T) *home {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	h := &home{dir: dir, work: filepath.Join(dir, "work")}
	for _, d := range []string{h.work, filepath.Join(dir, "tmp"), filepath.Join(dir, "satchel")} {
		if err := os.Mkdir(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	h.env = []string{
		"PATH=" + bin + string(filepath.ListSeparator) + os.Getenv("PATH"),
		"HOME=" + dir,
		"SATCHEL_HOME=" + filepath.Join(dir, "satchel"),
		"TMPDIR=" + filepath.Join(dir, "tmp"),
		"LANG=C.UTF-8",
		"NO_COLOR=1",
		// What Claude Code's documentation names to keep it at home.
		"DISABLE_TELEMETRY=1", "DISABLE_AUTOUPDATER=1", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1",
		// Nobody listens there: whatever asks for the internet all the same fails at once, here as on a laptop.
		"HTTP_PROXY=http://127.0.0.1:9", "HTTPS_PROXY=http://127.0.0.1:9",
	}
	t.Cleanup(func() { h.clear(t) })
	return h
}

// clear checks that nothing still runs and makes the installed, read-only folders deletable for t.TempDir.
func (h *home) clear(t *testing.T) {
	checkNoProcess(t, h.dir)
	err := filepath.WalkDir(h.dir, func(path string, d fs.DirEntry, err error) error {
		if d != nil && d.IsDir() {
			return os.Chmod(path, 0o700)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// A result is how a command ended.
type result struct {
	stdout, stderr string
	code           int
}

// command makes a command as the person would type it, not started.
func (h *home) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	if name == "satchel" {
		name = filepath.Join(bin, name) // exec looks in our own PATH, not in the one of the home
	}
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env = h.work, h.env
	return cmd
}

// try runs a command to its end, whatever that is.
func (h *home) try(t *testing.T, name string, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var stdout, stderr bytes.Buffer
	cmd := h.command(ctx, name, args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited || ctx.Err() != nil {
		t.Fatalf("%s %s: %v, %v\n%s%s", name, strings.Join(args, " "), err, ctx.Err(), &stdout, &stderr)
	}
	return result{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// run runs a command that must end well and gives what it wrote to standard output.
func (h *home) run(t *testing.T, name string, args ...string) string {
	t.Helper()
	res := h.try(t, name, args...)
	if res.code != 0 {
		t.Fatalf("%s %s: exit code %d\n%s%s", name, strings.Join(args, " "), res.code, res.stdout, res.stderr)
	}
	return res.stdout
}

// fails runs a command that must end with code and gives what it wrote to the error stream.
func (h *home) fails(t *testing.T, code int, name string, args ...string) string {
	t.Helper()
	res := h.try(t, name, args...)
	if res.code != code {
		t.Fatalf("%s %s: exit code %d, want %d\n%s%s", name, strings.Join(args, " "), res.code, code, res.stdout, res.stderr)
	}
	return res.stderr
}
