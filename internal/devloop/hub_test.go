//go:build unix

package devloop

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func newHub(t *testing.T, dir string) (*Hub, chan Event) {
	t.Helper()
	events := make(chan Event, 1000)
	h, err := Listen(dir, "local/x", func(e Event) { events <- e })
	if err != nil {
		t.Fatal(err)
	}
	return h, events
}

// A hub that comes after the relay hears who is there, then what goes on, and can ask for a new start; it may come and go.
func TestHubHearsRelays(t *testing.T) {
	t.Parallel()
	for name, dir := range map[string]string{"short": "", "long": strings.Repeat("a folder with a long name/", 8)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), dir)
			if err := os.MkdirAll(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			l := NewLine(ctx, dir, "local/x")
			l.Tell(Event{Event: AppJoined, Text: "app 1"})
			l.Tell(Event{Event: Call, Method: "before anybody listens"})
			for range 2 {
				h, events := newHub(t, dir)
				if e := <-events; e.Event != AppJoined || !strings.HasPrefix(e.App, "app 1 (process ") {
					t.Errorf("%+v", e)
				}
				l.Tell(Event{Event: Call, Method: "x"})
				if e := <-events; e.Event != Call || e.Method != "x" || e.Lost != 0 || !strings.HasPrefix(e.App, "app 1") {
					t.Errorf("%+v", e)
				}
				h.Restart()
				<-l.Again
				info, err := os.Stat(socketName(dir, "local/x"))
				if err != nil || info.Mode().Perm() != 0o600 {
					t.Errorf("%v, %v", info, err)
				}
				if _, err := Listen(dir, "local/x", nil); !errors.Is(err, ErrBusy) {
					t.Errorf("a second hub: %v", err)
				}
				if err := h.Close(); err != nil {
					t.Error(err)
				}
				if e := <-events; e.Event != AppLeft {
					t.Errorf("%+v", e)
				}
				if _, err := os.Stat(socketName(dir, "local/x")); !errors.Is(err, os.ErrNotExist) {
					t.Errorf("the socket is still there: %v", err)
				}
			}
			h, events := newHub(t, dir)
			<-events
			cancel() // the relay's end
			if e := <-events; e.Event != AppLeft || !strings.HasPrefix(e.App, "app 1") {
				t.Errorf("%+v", e)
			}
			if err := h.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// A relay never waits for a hub: what is too much is counted.
func TestLineNeverWaits(t *testing.T) {
	t.Parallel()
	l := &Line{Again: make(chan struct{}, 1), queue: make(chan Event, maxHubEvents)}
	l.Tell(Event{Event: Call})
	if len(l.queue) != 0 {
		t.Error("without a hub something waits for one")
	}
	l.raise(true)
	for range maxHubEvents + 50 {
		l.Tell(Event{Event: Call})
	}
	<-l.queue
	l.Tell(Event{Event: Call})
	var last Event
	for len(l.queue) > 0 {
		last = <-l.queue
	}
	if last.Lost != 50 {
		t.Errorf("%d events are said to be lost", last.Lost)
	}
}

// What a killed hub left behind is no hub, and who talks nonsense is hung up on.
func TestHubAfterAKill(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first, err := listen(socketName(dir, "local/x"))
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil { // the file stays
		t.Fatal(err)
	}
	h, events := newHub(t, dir)
	for _, text := range []string{"GET / HTTP/1.1\r\n\r\n", strings.Repeat("x", 2*maxHubLine) + "\n", "[]\n"} {
		conn, err := dial(socketName(dir, "local/x"))
		if err != nil {
			t.Fatal(err)
		}
		if err := conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
			t.Fatal(err)
		}
		_, _ = conn.Write([]byte(text))
		if n, err := conn.Read(make([]byte, 1)); n != 0 || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%.10q: %d, %v", text, n, err)
		}
		conn.Close()
	}
	var conns []net.Conn
	for range maxHubPeers + 1 {
		conn, err := dial(socketName(dir, "local/x"))
		if err != nil {
			t.Fatal(err)
		}
		conns = append(conns, conn)
	}
	last := conns[maxHubPeers]
	if err := last.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := last.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("one peer too many: %v", err)
	}
	if err := h.Close(); err != nil {
		t.Error(err)
	}
	for _, conn := range conns {
		conn.Close()
	}
	if len(events) != 0 {
		t.Errorf("%+v", <-events)
	}
}
