//go:build unix

package cli_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"satchel/internal/activity"
)

// A followed is satchel activity --follow on a home of its own, in which something is recorded.
type followed struct {
	t     *testing.T
	cmd   *exec.Cmd
	lines *bufio.Scanner
}

func follow(t *testing.T, home string, args ...string) *followed {
	t.Helper()
	f := &followed{t: t, cmd: exec.Command("satchel", append([]string{"activity", "--follow"}, args...)...)}
	f.cmd.Env = append(os.Environ(), "SATCHEL_HOME="+home, "NO_COLOR=1")
	out, err := f.cmd.StdoutPipe()
	if err == nil {
		err = f.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.cmd.Process.Kill() }) // it has ended when all went well
	f.lines = bufio.NewScanner(out)
	return f
}

// wants waits for the next line.
func (f *followed) wants(texts ...string) {
	f.t.Helper()
	if !f.lines.Scan() {
		f.t.Fatalf("it ended: %v", f.lines.Err())
	}
	for _, text := range texts {
		if !strings.Contains(f.lines.Text(), text) {
			f.t.Errorf("line %q has no %q", f.lines.Text(), text)
		}
	}
}

// interrupt ends it as Ctrl-C does.
func (f *followed) interrupt() {
	f.t.Helper()
	if err := f.cmd.Process.Signal(os.Interrupt); err != nil {
		f.t.Fatal(err)
	}
	for f.lines.Scan() {
		f.t.Errorf("it said: %s", f.lines.Text())
	}
	exit, ok := errors.AsType[*exec.ExitError](f.cmd.Wait())
	if !ok || exit.ExitCode() != 130 {
		f.t.Errorf("it ended with %v", exit)
	}
}

// TestActivityFollows: what was there, what comes while it runs, from an extension that was not there before as well, and
// hostile texts as one line.
func TestActivityFollows(t *testing.T) {
	t.Parallel()
	home := filepath.Join(t.TempDir(), "home")
	if err := os.Mkdir(home, 0o700); err != nil {
		t.Fatal(err)
	}
	log := activity.Open(filepath.Join(home, "activity"))
	one := log.Recorder("local/one")
	one.Begin(activity.Record{Mode: "namespaces", App: "editor"})
	code := 3
	one.End(activity.Record{Code: &code})

	f := follow(t, home, "--limit", "1")
	f.wants("local/one", "ended with exit code 3")
	two := log.Recorder("local/two")
	two.Begin(activity.Record{Mode: "landlock"})
	f.wants("local/two", "started, sandbox: landlock")
	two.Add(activity.Record{Kind: activity.Net, What: "x\n\x1b[31mlocal/one ended", Denied: true, Why: "no\nhost"})
	f.wants("local/two", `tried to reach x`, "ended", "denied: no")
	if strings.Contains(f.lines.Text(), "\x1b") {
		t.Errorf("a colour of the server's: %q", f.lines.Text())
	}

	only := follow(t, home, "one", "--json", "--denied")
	again := log.Recorder("local/one")
	again.Begin(activity.Record{Mode: "none"})
	f.wants("local/one", "started, sandbox: none")
	again.Add(activity.Record{Kind: activity.Run, What: "/usr/bin/id", Denied: true})
	only.wants(`"id":"local/one"`, `"denied":true`)
	var rec activity.Record
	if err := json.Unmarshal(only.lines.Bytes(), &rec); err != nil || rec.What != "/usr/bin/id" || rec.Kind != activity.Run {
		t.Errorf("got %+v, %v", rec, err)
	}
	f.wants("tried to run /usr/bin/id")
	only.interrupt()
	f.interrupt()
	two.End(activity.Record{})
	again.End(activity.Record{})
}
