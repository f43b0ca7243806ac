//go:build unix

package supervisor

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"satchel/internal/problem"
	"satchel/internal/procgroup"
	"satchel/internal/sandbox"
	"satchel/internal/spec"
)

// The watcher of procgroup and the first process of a sandbox are this program again.
func TestMain(m *testing.M) {
	sandbox.Main()
	if procgroup.IsWatcher(os.Args[1:]) {
		os.Exit(procgroup.WatchMain(os.Args[1:]))
	}
	os.Exit(m.Run())
}

func shell(t *testing.T, script string) spec.Spec {
	t.Helper()
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Fatal(err)
	}
	argv := []string{sh, "-c", script}
	return spec.Spec{ID: "local/test", Argv: argv, Shown: argv, Env: []string{"PATH=" + os.Getenv("PATH")}, Dir: t.TempDir()}
}

func start(t *testing.T, script string) *Server {
	t.Helper()
	s, err := New(Options{}).Start(t.Context(), shell(t, script))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	return s
}

func TestTalkAndStop(t *testing.T) {
	t.Parallel()
	s := start(t, `echo ready >&2; while read line; do echo "got $line"; done; echo bye >&2`)
	out := bufio.NewReader(s.Stdout)
	for _, word := range []string{"one", "two"} {
		fmt.Fprintln(s.Stdin, word)
		if line, err := out.ReadString('\n'); err != nil || line != "got "+word+"\n" {
			t.Fatalf("%q, %v", line, err)
		}
	}
	if err := s.Ended(); err != nil {
		t.Errorf("it runs, and yet: %v", err)
	}
	s.Stop()
	if got := strings.Join(s.Log(), " "); got != "ready bye" {
		t.Errorf("log %q: closing the input is how a server is told to end", got)
	}
	s.Stop() // again is no harm
}

// A server that takes no hint is killed, with what it started.
func TestStubbornServer(t *testing.T) {
	t.Parallel()
	s := start(t, `trap '' TERM HUP; (trap '' TERM; echo child; while :; do read x </dev/zero; done) & echo $!; wait`)
	out := bufio.NewReader(s.Stdout)
	var pid int
	for range 2 {
		line, err := out.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if line != "child\n" {
			fmt.Sscan(line, &pid)
		}
	}
	began := time.Now()
	s.Stop()
	if took := time.Since(began); took < closeGrace {
		t.Errorf("it was killed after %v, before the time to end by itself was over", took)
	}
	if err := syscall.Kill(pid, 0); err == nil {
		t.Errorf("its child %d is alive", pid)
	}
}

func TestEndedSaysWhy(t *testing.T) {
	t.Parallel()
	s := start(t, `echo "Error: no such module" >&2; exit 7`)
	<-s.Done()
	err := s.Ended()
	p, ok := err.(*problem.Problem)
	if !ok || !strings.Contains(p.Error(), "exit code 7") || !strings.Contains(p.Hint, "no such module") {
		t.Errorf("%v", err)
	}
}

func TestCannotStart(t *testing.T) {
	t.Parallel()
	s := shell(t, "true")
	s.Argv = []string{s.Dir + "/nowhere"}
	if _, err := New(Options{}).Start(t.Context(), s); problem.CodeOf(err) != problem.Failed || !strings.Contains(err.Error(), "nowhere") {
		t.Errorf("a program that is not there: %v", err)
	}
	file := s.Dir + "/file"
	if err := os.WriteFile(file, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	s.Argv = []string{file}
	_, err := New(Options{}).Start(t.Context(), s)
	if p, ok := err.(*problem.Problem); !ok || !strings.Contains(p.Hint, "not executable") {
		t.Errorf("a file that is no program: %v", err)
	}
}

// What a server writes to its error stream is kept within bounds, whatever it is.
func TestLogIsBounded(t *testing.T) {
	t.Parallel()
	s := start(t, `i=0; while [ $i -lt 1000 ]; do echo "line $i" >&2; i=$((i+1)); done; head -c 100000 /dev/zero | tr '\0' x >&2`)
	<-s.Done()
	_ = s.Ended() // waits for the log
	lines := s.Log()
	if len(lines) > ringLines+1 || lines[0] == "line 0" || lines[len(lines)-2] != "line 999" {
		t.Errorf("%d lines from %q on", len(lines), lines[0])
	}
	if last := lines[len(lines)-1]; len(last) != ringLine {
		t.Errorf("the last line has %d bytes", len(last))
	}
}

func TestAttach(t *testing.T) {
	t.Parallel()
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	if code, err := New(Options{}).Attach(t.Context(), shell(t, "exit 9"), null, null, null); err != nil || code != 9 {
		t.Errorf("exit code %d, %v; want 9", code, err)
	}
	if code, err := New(Options{}).Attach(t.Context(), shell(t, "kill -KILL $$"), null, null, null); err != nil || code != 128+9 {
		t.Errorf("killed: exit code %d, %v; want 137", code, err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	ctx, cancel := context.WithCancel(t.Context())
	go func() { // ends the server as soon as it runs
		_, _ = bufio.NewReader(r).ReadString('\n')
		cancel()
	}()
	if code, err := New(Options{}).Attach(ctx, shell(t, `trap 'exit 5' TERM; echo here; while :; do :; done`), null, w, null); err != nil || code != 5 {
		t.Errorf("ended by us: exit code %d, %v; want 5", code, err)
	}
}

// A log gets what the server writes to its error stream; when it fails, the server goes on. What the server wrote at the
// end can still be read while it is stopped.
func TestStartLogged(t *testing.T) {
	t.Parallel()
	var log failingLog
	s, err := New(Options{}).StartLogged(t.Context(), shell(t, `echo one >&2; read x; echo two >&2; read x; echo last; exit 5`), &log)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(s.Stdin, "go on")
	rest := ""
	s.StopAnd(func() {
		data, err := io.ReadAll(s.Stdout)
		if rest = string(data); err != nil {
			t.Error(err)
		}
	})
	if code, err := s.Wait(); code != 5 || err != nil || rest != "last\n" {
		t.Errorf("exit code %d, %v; it wrote %q", code, err, rest)
	}
	if lines := s.Log(); len(lines) != 2 || !strings.HasPrefix(log.text, "one\n") {
		t.Errorf("log %q, told %q", lines, log.text)
	}
}

type failingLog struct{ text string }

func (l *failingLog) Write(p []byte) (int, error) {
	l.text += string(p)
	return 0, errors.New("full")
}
