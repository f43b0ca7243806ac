package devloop

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A fake is a server that does nothing.
type fake struct {
	name string
	done chan struct{}
	once sync.Once
	err  error
}

func newFake(name string) *fake       { return &fake{name: name, done: make(chan struct{})} }
func (f *fake) Stop()                 { f.once.Do(func() { close(f.done) }) }
func (f *fake) Done() <-chan struct{} { return f.done }
func (f *fake) Ended() error          { return f.err }
func (f *fake) stopped() bool {
	select {
	case <-f.done:
		return true
	default:
		return false
	}
}
func (f *fake) start() (Server, []string, error) { return f, []string{"b " + f.name, "a"}, nil }

// A looped is a loop over a folder of its own, whose starts the test decides.
type looped struct {
	*Loop
	events  chan Event
	starts  chan func() (Server, []string, error)
	restart chan struct{}
	cancel  func()
	ended   chan error
}

func newLoop(t *testing.T, change func(l *looped)) *looped {
	t.Helper()
	l := &looped{events: make(chan Event, 1000), starts: make(chan func() (Server, []string, error), 100), restart: make(chan struct{}), ended: make(chan error, 1)}
	l.Loop = &Loop{
		Dir: t.TempDir(), Ignored: func(name string) bool { return strings.HasSuffix(name, ".log") }, Check: func() {},
		Emit: func(e Event) { l.events <- e }, Restart: l.restart,
		Start: func(ctx context.Context) (Server, []string, error) {
			select {
			case start := <-l.starts:
				return start()
			case <-ctx.Done():
				return nil, nil, ctx.Err()
			}
		},
	}
	if change != nil {
		change(l)
	}
	var ctx context.Context
	ctx, l.cancel = context.WithCancel(t.Context())
	go func() { l.ended <- l.Run(ctx) }()
	t.Cleanup(func() {
		l.cancel()
		if err := <-l.ended; err != nil {
			t.Error(err)
		}
	})
	return l
}

func (l *looped) write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(l.Dir, name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// wait gives the next event of a kind.
func (l *looped) wait(t *testing.T, kind Kind) Event {
	t.Helper()
	patience := time.After(30 * time.Second)
	for {
		select {
		case e := <-l.events:
			if e.Event == kind {
				return e
			}
		case <-patience:
			t.Fatalf("no event %q", kind)
		}
	}
}

func broken() (Server, []string, error) { return nil, nil, errors.New("no module x") }

// A broken save leaves the last server that worked running, and says so; the next good one takes its place.
func TestABrokenSaveKeepsTheLastServer(t *testing.T) {
	t.Parallel()
	replaced := make(chan bool, 10)
	l := newLoop(t, func(l *looped) { l.Replaced = func() { replaced <- true } })
	first, second := newFake("1"), newFake("2")
	l.starts <- first.start
	if e := l.wait(t, Started); !slices.Equal(e.Tools, []string{"a", "b 1"}) || e.Time.IsZero() {
		t.Errorf("%+v", e)
	}
	l.starts <- broken
	l.write(t, "index.js", "broken")
	if e := l.wait(t, Changed); !slices.Equal(e.Files, []string{"index.js"}) {
		t.Errorf("%+v", e)
	}
	if e := l.wait(t, Failed); !e.Runs || e.Error != "no module x" || first.stopped() {
		t.Errorf("%+v, first stopped: %v", e, first.stopped())
	}
	l.starts <- second.start
	l.write(t, "index.js", "good")
	l.wait(t, Started)
	if !first.stopped() || second.stopped() || len(replaced) != 2 {
		t.Errorf("stopped: %v, %v; replaced %d times", first.stopped(), second.stopped(), len(replaced))
	}
	l.starts <- newFake("3").start
	l.restart <- struct{}{}
	l.wait(t, Started)
}

func TestTheFirstStartMayFail(t *testing.T) {
	t.Parallel()
	l := newLoop(t, nil)
	l.starts <- broken
	if e := l.wait(t, Failed); e.Runs {
		t.Errorf("%+v", e)
	}
	l.starts <- newFake("1").start
	l.write(t, "index.js", "")
	l.wait(t, Started)
}

// A server that hangs while it starts does not keep the next save waiting.
func TestAChangeGivesAStartUp(t *testing.T) {
	t.Parallel()
	l := newLoop(t, nil)
	l.wait(t, Starting) // and waits for a server
	l.write(t, "index.js", "")
	l.wait(t, Changed)
	l.wait(t, Starting)
	l.starts <- newFake("2").start
	if e := l.wait(t, Started); e.Tools[1] != "b 2" {
		t.Errorf("%+v", e)
	}
}

func TestAServerThatEnds(t *testing.T) {
	t.Parallel()
	l := newLoop(t, nil)
	s := newFake("1")
	s.err = errors.New("out of memory")
	l.starts <- s.start
	l.wait(t, Started)
	s.Stop()
	if e := l.wait(t, Ended); e.Error != "out of memory" {
		t.Errorf("%+v", e)
	}
	l.starts <- newFake("2").start
	l.write(t, "index.js", "")
	l.wait(t, Started)
}

func TestTheEndStopsTheServer(t *testing.T) {
	t.Parallel()
	l := newLoop(t, nil)
	s := newFake("1")
	l.starts <- s.start
	l.wait(t, Started)
	l.cancel()
	err := <-l.ended
	l.ended <- err
	if err != nil || !s.stopped() {
		t.Errorf("%v, stopped: %v", err, s.stopped())
	}
}

// A server that writes into its own folder when it starts is not started for ever.
func TestAServerThatWritesItsFolder(t *testing.T) {
	t.Parallel()
	l := newLoop(t, nil)
	starts := 0
	start := func() (Server, []string, error) {
		starts++
		l.write(t, "debug.log", "does not count anyway")
		return newFake("x").start()
	}
	for range maxStrikes + 5 {
		l.starts <- start
	}
	l.wait(t, Started)
	for range maxStrikes {
		l.write(t, "state.json", "x")
		l.wait(t, Started)
	}
	l.write(t, "state.json", "x")
	if e := l.wait(t, Note); !strings.Contains(e.Text, "state.json") || !strings.Contains(e.Text, ".mcpbignore") {
		t.Errorf("%+v", e)
	}
	l.write(t, "state.json", "y")
	l.write(t, "index.js", "")
	if e := l.wait(t, Changed); !slices.Contains(e.Files, "index.js") {
		t.Errorf("%+v", e)
	}
}

// The rule for that, at a clock of its own: a file counts again when it changes at another time.
func TestWhatCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		notes := 0
		l := &Loop{strikes: map[string]int{}, server: newFake("x"), since: time.Now(), Emit: func(e Event) {
			if e.Event == Note {
				notes++
			}
		}}
		for i := range 10 {
			if counts := l.counts([]string{"a"}); counts != (i < maxStrikes) {
				t.Errorf("change %d right after a start counts: %v", i+1, counts)
			}
		}
		if !l.counts([]string{"a", "b"}) || notes != 1 {
			t.Errorf("another file does not count, or %d notes", notes)
		}
		time.Sleep(time.Minute)
		if !l.counts([]string{"a"}) {
			t.Error("later it does not count")
		}
		l.since = time.Now()
		if !l.counts([]string{"a"}) {
			t.Error("it was not forgiven")
		}
	})
}

// A server that cannot listen because the last one does is not kept from starting for ever.
func TestALastServerThatIsInTheWay(t *testing.T) {
	t.Parallel()
	l := newLoop(t, nil)
	first := newFake("1")
	l.starts <- first.start
	l.wait(t, Started)
	l.starts <- func() (Server, []string, error) { return nil, nil, errors.New("Error: listen EADDRINUSE: :::3000") }
	l.starts <- func() (Server, []string, error) {
		if !first.stopped() {
			t.Error("the last one still runs")
		}
		return newFake("2").start()
	}
	l.write(t, "index.js", "")
	if e := l.wait(t, Started); e.Tools[1] != "b 2" {
		t.Errorf("%+v", e)
	}
}

// What the build writes does not make it build again for ever; a change of a source does.
func TestBuild(t *testing.T) {
	t.Parallel()
	l := newLoop(t, func(l *looped) {
		l.Build = []string{"sh", "-c", "echo building; cat src.ts > out.js || exit 4; cat src.ts >> builds.txt"}
		l.write(t, "src.ts", "one\n")
	})
	for range 10 {
		l.starts <- newFake("x").start
	}
	l.wait(t, Started)
	if got := l.read(t, "out.js"); got != "one\n" {
		t.Errorf("built %q", got)
	}
	l.write(t, "src.ts", "two\n")
	l.wait(t, Building)
	if e := l.wait(t, Log); e.Source != "build" || e.Text != "building" {
		t.Errorf("%+v", e)
	}
	l.wait(t, Started)
	if got := l.read(t, "out.js"); got != "two\n" {
		t.Errorf("built %q", got)
	}
	builds := strings.Count(l.read(t, "builds.txt"), "two")
	if builds > 2 {
		t.Errorf("one change, %d builds", builds)
	}
	if err := os.Remove(filepath.Join(l.Dir, "src.ts")); err != nil {
		t.Fatal(err)
	}
	if e := l.wait(t, Built); !strings.Contains(e.Error, "exit code 4") {
		t.Errorf("%+v", e)
	}
}

func (l *looped) read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(l.Dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// The build's processes go when the loop does, and a program that is not there is an error.
func TestRunCommand(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	lines := make(chan string, 10)
	ended := make(chan error, 1)
	go func() {
		ended <- RunCommand(ctx, t.TempDir(), []string{"sh", "-c", "sleep 1000 & echo $!; wait"}, func(line string) { lines <- line })
	}()
	<-lines
	cancel()
	if err := <-ended; err == nil {
		t.Error("a killed build is none that went well")
	}
	if err := RunCommand(t.Context(), t.TempDir(), []string{"satchel-test-no-such"}, nil); err == nil {
		t.Error("a program that is not there was run")
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "make.sh"), []byte("#!/bin/sh\npwd\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := RunCommand(t.Context(), dir, []string{"./make.sh"}, func(line string) { lines <- line }); err != nil || !strings.HasSuffix(<-lines, filepath.Base(dir)) {
		t.Errorf("a program in the folder: %v", err)
	}
}

func TestSplitCommand(t *testing.T) {
	if argv, err := SplitCommand(" npm  run build "); err != nil || !slices.Equal(argv, []string{"npm", "run", "build"}) {
		t.Errorf("%q, %v", argv, err)
	}
	for _, text := range []string{"", " ", "a && b", "a 'b c'", "a; b", "echo $HOME", "a > b", "a `b`", "ls *"} {
		if argv, err := SplitCommand(text); err == nil {
			t.Errorf("%q gives %q", text, argv)
		}
	}
}
