package devloop

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"satchel/internal/spec"
	"satchel/internal/supervisor"
)

// A relaying is a relay with a server that is this program, and with the test as the app.
type relaying struct {
	*Relay
	file   string // what the server is
	app    *io.PipeWriter
	lines  *bufio.Reader
	events chan Event
	again  chan struct{}
	ended  chan int
	stderr *lockedBuffer
	cancel func()
}

type lockedBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func newRelay(t *testing.T, mode string) *relaying {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	fromApp, app := io.Pipe()
	toApp, out := io.Pipe()
	r := &relaying{
		file: filepath.Join(dir, "mode"), app: app, lines: bufio.NewReader(toApp), events: make(chan Event, 1000), again: make(chan struct{}, 1),
		ended: make(chan int, 1), stderr: &lockedBuffer{},
	}
	r.set(t, mode)
	r.Relay = &Relay{
		Runs: supervisor.New(supervisor.Options{Getenv: os.Getenv}),
		Make: func() (spec.Spec, error) {
			return spec.Spec{ID: "local/x", Argv: []string{self, "serve", r.file}, Env: os.Environ(), Dir: dir}, nil
		},
		Redact: Redact([]string{"s3cret"}), Tell: func(e Event) { r.events <- e }, Stdin: fromApp, Stdout: out, Stderr: r.stderr, Again: r.again,
	}
	var ctx context.Context
	ctx, r.cancel = context.WithCancel(t.Context())
	go func() {
		code, err := r.Run(ctx)
		if err != nil {
			t.Error(err)
		}
		out.Close()
		r.ended <- code
	}()
	t.Cleanup(func() { r.cancel(); toApp.Close(); app.Close() })
	return r
}

func (r *relaying) set(t *testing.T, mode string) {
	t.Helper()
	if err := os.WriteFile(r.file, []byte(mode), 0o644); err != nil {
		t.Fatal(err)
	}
}

func (r *relaying) say(t *testing.T, format string, args ...any) {
	t.Helper()
	if _, err := fmt.Fprintf(r.app, format+"\n", args...); err != nil {
		t.Fatal(err)
	}
}

func (r *relaying) hear(t *testing.T) string {
	t.Helper()
	line, err := r.lines.ReadString('\n')
	if err != nil {
		t.Fatalf("%v after %q", err, line)
	}
	return strings.TrimSuffix(line, "\n")
}

func (r *relaying) initialize(t *testing.T) {
	t.Helper()
	r.say(t, `{"jsonrpc":"2.0","id":"first","method":"initialize","params":{"clientInfo":{"name":"app"}}}`)
	if got := r.hear(t); !strings.Contains(got, `"id":"first"`) {
		t.Fatalf("%s", got)
	}
	r.say(t, `{"jsonrpc":"2.0","method":"notifications/initialized"}`)
}

func (r *relaying) wait(t *testing.T, kind Kind) Event {
	t.Helper()
	patience := time.After(30 * time.Second)
	for {
		select {
		case e := <-r.events:
			if e.Event == kind {
				return e
			}
		case <-patience:
			t.Fatalf("no event %q", kind)
		}
	}
}

// Under an app that stays connected a new server takes over: it is introduced, and the app is told that lists changed.
func TestRelayStartsAnew(t *testing.T) {
	t.Parallel()
	r := newRelay(t, "one")
	r.initialize(t)
	r.say(t, `{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"x","arguments":{"key":"s3cret"}}}`)
	if got := r.hear(t); !strings.Contains(got, `"by":"one"`) {
		t.Errorf("%s", got)
	}
	r.wait(t, Call)
	if e := r.wait(t, Call); e.Tool != "x" || e.Arguments != `{"key":"***"}` || e.MS <= 0 {
		t.Errorf("%+v", e)
	}
	r.set(t, "two")
	r.again <- struct{}{}
	for _, want := range []string{"tools", "prompts"} {
		if got := r.hear(t); got != `{"jsonrpc":"2.0","method":"notifications/`+want+`/list_changed"}` {
			t.Errorf("%s", got)
		}
	}
	if e := r.wait(t, Restarted); e.Error != "" || e.MS <= 0 {
		t.Errorf("%+v", e)
	}
	r.say(t, `{"jsonrpc":"2.0","id":3,"method":"x"}`)
	if got := r.hear(t); !strings.Contains(got, `"by":"two"`) || !strings.Contains(got, `"id":3`) {
		t.Errorf("%s", got)
	}
	r.app.Close()
	if code := <-r.ended; code != 7 {
		t.Errorf("exit code %d, the server's own is 7", code)
	}
	if got := r.stderr.String(); !strings.Contains(got, "serving one\n") || strings.Count(got, "told {") != 2 {
		t.Errorf("the servers wrote %q", got) // each was told that the app is initialized
	}
}

func TestRelayKeepsTheServerThatWorks(t *testing.T) {
	t.Parallel()
	r := newRelay(t, "one")
	r.initialize(t)
	r.set(t, "broken")
	r.again <- struct{}{}
	if e := r.wait(t, Restarted); !e.Runs || !strings.Contains(e.Error, "exit code 3") {
		t.Errorf("%+v", e)
	}
	r.say(t, `{"jsonrpc":"2.0","id":3,"method":"x"}`)
	if got := r.hear(t); !strings.Contains(got, `"by":"one"`) {
		t.Errorf("%s", got)
	}
}

// Requests that the old server had not answered get an error; the app does not wait for ever.
func TestRelayAnswersForTheOldServer(t *testing.T) {
	t.Parallel()
	r := newRelay(t, "mute")
	r.initialize(t)
	r.say(t, `{"jsonrpc":"2.0","id":{"odd":1},"method":"x"}`)
	r.set(t, "two")
	r.again <- struct{}{}
	if got := r.hear(t); !strings.Contains(got, `"id":{"odd":1}`) || !strings.Contains(got, `"code":-32000`) {
		t.Errorf("%s", got)
	}
}

// A server that no longer reads is replaced all the same, although a message is stuck on its way to it.
func TestRelayReplacesADeafServer(t *testing.T) {
	t.Parallel()
	r := newRelay(t, "deaf")
	r.initialize(t)
	r.say(t, `{"jsonrpc":"2.0","id":2,"method":"x"}`)
	stuck := make(chan struct{})
	go func() {
		defer close(stuck)
		_, _ = fmt.Fprintf(r.app, `{"jsonrpc":"2.0","id":3,"method":"x","params":"%s"}`+"\n", strings.Repeat("x", 1<<20))
	}()
	r.set(t, "two")
	r.again <- struct{}{}
	for range 2 {
		if got := r.hear(t); !strings.Contains(got, `"code":-32000`) && !strings.Contains(got, "list_changed") {
			t.Errorf("%s", got)
		}
	}
	<-stuck
	r.wait(t, Restarted)
}

// Before the app has introduced itself, a server is simply replaced; an introduction that waits gets the new answer.
func TestRelayRestartsBeforeTheIntroduction(t *testing.T) {
	t.Parallel()
	r := newRelay(t, "one")
	r.set(t, "two")
	r.again <- struct{}{}
	r.wait(t, Restarted)
	r.initialize(t)
	r.say(t, `{"jsonrpc":"2.0","id":3,"method":"x"}`)
	if got := r.hear(t); !strings.Contains(got, `"by":"two"`) {
		t.Errorf("%s", got)
	}
}

// Messages of any size go through to the byte, those that are not looked into as well.
func TestRelayPassesLongMessages(t *testing.T) {
	t.Parallel()
	r := newRelay(t, "long")
	r.initialize(t)
	go fmt.Fprintf(r.app, `{"jsonrpc":"2.0","id":2,"method":"x","params":"%s"}`+"\n", strings.Repeat("y", 2<<20))
	got := r.hear(t)
	var m struct{ Result string }
	if err := json.Unmarshal([]byte(got), &m); err != nil || len(m.Result) != 3<<20 {
		t.Errorf("%d bytes, %v", len(m.Result), err)
	}
	r.cancel()
	<-r.ended
}

// An app that stops in the middle of a message, or has gone while its server goes on, keeps no relay from ending.
func TestRelayEndsWhateverTheAppDoes(t *testing.T) {
	t.Parallel()
	r := newRelay(t, "one")
	r.initialize(t)
	if _, err := io.WriteString(r.app, `{"jsonrpc":"2.0","id":2,`); err != nil {
		t.Fatal(err)
	}
	r.again <- struct{}{}
	for starts := 0; starts < 2; { // until the relay is about it
		if e := r.wait(t, Log); strings.HasPrefix(e.Text, "serving") {
			starts++
		}
	}
	r.cancel()
	<-r.ended

	r = newRelay(t, "deaf")
	r.initialize(t)
	r.say(t, `{"jsonrpc":"2.0","id":2,"method":"x"}`) // it does not see the end of its input any more
	r.wait(t, Log)
	r.app.Close()
	r.again <- struct{}{}
	r.cancel()
	<-r.ended
}

func TestRelayEndsWithTheServer(t *testing.T) {
	t.Parallel()
	r := newRelay(t, "broken")
	if code := <-r.ended; code != 3 {
		t.Errorf("exit code %d", code)
	}
}
