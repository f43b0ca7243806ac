package devloop

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

const (
	maxHubLine   = 1 << 20         // bytes of one event on the way to a hub
	maxHubEvents = 256             // events that wait in a relay while its hub is busy
	lookEvery    = time.Second     // for a hub that was started after the relay
	maxHubPeers  = 64              // apps that one hub listens to
	hubPatience  = 5 * time.Second // that a relay waits for a hub to take an event
)

// restartLine is all that a hub says to a relay.
const restartLine = "restart"

// A Hub listens to the relays of one extension. Close it.
type Hub struct {
	listener net.Listener
	path     string
	emit     func(Event)
	mu       sync.Mutex
	peers    map[net.Conn]bool
	group    sync.WaitGroup
}

// Shows tells whether calls of apps can be shown on this system.
func Shows() bool { return sockets }

// socketName is the name of an extension's socket in dir; no id has an @.
func socketName(dir, id string) string {
	return filepath.Join(dir, "dev-"+strings.ReplaceAll(id, "/", "@")+".sock")
}

// Listen opens the hub of an extension in dir, a folder of the caller alone, and emits what relays tell. The error is
// [ErrBusy] when another satchel dev has it, and errors.ErrUnsupported where there are no such sockets.
func Listen(dir, id string, emit func(Event)) (*Hub, error) {
	if !sockets {
		return nil, errors.ErrUnsupported
	}
	path := socketName(dir, id)
	if conn, err := dial(path); err == nil {
		conn.Close()
		return nil, ErrBusy
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) { // left by one that was killed
		return nil, err
	}
	l, err := listen(path)
	if err != nil {
		return nil, err
	}
	h := &Hub{listener: l, path: path, emit: emit, peers: map[net.Conn]bool{}}
	h.group.Go(h.accept)
	return h, nil
}

// ErrBusy says that another satchel dev watches the extension.
var ErrBusy = errors.New("another satchel dev watches this extension")

func (h *Hub) accept() {
	for {
		conn, err := h.listener.Accept()
		if err != nil {
			return
		}
		h.mu.Lock()
		full := h.peers == nil || len(h.peers) >= maxHubPeers
		if !full {
			h.peers[conn] = true
			h.group.Go(func() { h.hear(conn) })
		}
		h.mu.Unlock()
		if full {
			conn.Close()
		}
	}
}

// hear emits what one relay tells until it goes.
func (h *Hub) hear(conn net.Conn) {
	defer func() {
		h.mu.Lock()
		delete(h.peers, conn)
		h.mu.Unlock()
		conn.Close()
	}()
	lines := bufio.NewScanner(conn)
	lines.Buffer(make([]byte, 4096), maxHubLine)
	app := ""
	for lines.Scan() {
		var e Event
		if json.Unmarshal(lines.Bytes(), &e) != nil {
			return
		}
		app = e.App
		h.emit(e)
	}
	if app != "" {
		h.emit(Event{Event: AppLeft, Time: time.Now(), App: app})
	}
}

// Restart asks every relay to start its server anew.
func (h *Hub) Restart() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for conn := range h.peers {
		_ = conn.SetWriteDeadline(time.Now().Add(hubPatience))
		_, _ = fmt.Fprintln(conn, restartLine) // one that is gone needs none
	}
}

// Close ends the hub; relays go on without it.
func (h *Hub) Close() error {
	err := h.listener.Close()
	h.mu.Lock()
	for conn := range h.peers {
		conn.Close()
	}
	h.peers = nil // one that comes in this moment is turned away
	h.mu.Unlock()
	h.group.Wait()
	if err := os.Remove(h.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return err
}

// A Line is a relay's way to a hub that may not be there, or come and go.
type Line struct {
	Again chan struct{} // a hub asks for a new start
	queue chan Event
	mu    sync.Mutex
	lost  int
	up    bool
	hello *Event // the last AppJoined, for a hub that comes later
}

// NewLine keeps a connection to the hub of an extension in dir, whenever there is one, until ctx ends.
func NewLine(ctx context.Context, dir, id string) *Line {
	l := &Line{Again: make(chan struct{}, 1), queue: make(chan Event, maxHubEvents)}
	if sockets {
		go l.keep(ctx, socketName(dir, id))
	}
	return l
}

// Tell sends an event to the hub, when there is one and it keeps up; it never waits.
func (l *Line) Tell(e Event) {
	e.Time = time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	if e.Event == AppJoined {
		l.hello = &e
	}
	if !l.up {
		return
	}
	e.Lost = l.lost
	select {
	case l.queue <- e:
		l.lost = 0
	default:
		l.lost++
	}
}

func (l *Line) keep(ctx context.Context, path string) {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		if conn, err := dial(path); err == nil {
			l.serve(ctx, conn)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// serve sends events over one connection until it breaks.
func (l *Line) serve(ctx context.Context, conn net.Conn) {
	broken := make(chan struct{})
	go func() {
		defer close(broken)
		lines := bufio.NewScanner(conn)
		for lines.Scan() {
			if lines.Text() == restartLine {
				select {
				case l.Again <- struct{}{}:
				default: // one is asked for already
				}
			}
		}
	}()
	defer func() { conn.Close(); <-broken }()
	l.raise(true)
	defer l.raise(false)
	app := ""
	send := func(e Event) error {
		if e.Event == AppJoined {
			app = fmt.Sprintf("%s (process %d)", e.Text, os.Getpid())
		}
		e.App = app
		text, err := json.Marshal(e)
		if err != nil || len(text) >= maxHubLine {
			return nil // too large to be told
		}
		_ = conn.SetWriteDeadline(time.Now().Add(hubPatience))
		_, err = conn.Write(append(text, '\n'))
		return err
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-broken:
			return
		case e := <-l.queue:
			if send(e) != nil {
				return
			}
		}
	}
}

// raise begins or ends telling: a new hub hears of the app first, and nothing of what was before.
func (l *Line) raise(up bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.up = up
	for len(l.queue) > 0 {
		<-l.queue
	}
	if l.lost = 0; up && l.hello != nil {
		l.queue <- *l.hello
	}
}
