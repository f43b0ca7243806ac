package sandbox

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"satchel/internal/sandbox/inside"
	"satchel/internal/sandbox/notify"
	"satchel/internal/sandbox/seccomp"
)

// calls are the numbers of the system calls that a command's filter asks about.
func (c Command) calls() map[string]uint32 {
	if c.Events == nil {
		return nil
	}
	names := []string{notify.Exec}
	if c.Watch {
		names = append(names, notify.Files()...)
	}
	numbers, err := seccomp.Numbers(runtime.GOARCH, names)
	if err != nil {
		return nil // there is no filter for it either, which says so
	}
	return numbers
}

func (c Command) watched() []string { return slices.Sorted(maps.Keys(c.calls())) }

// A watch tells what a server does. A server that runs while nobody takes its events waits a little, then they are lost.
type watch struct {
	c        Command
	judge    *judge
	listener *notify.Listener // nil until it has begun
	world    *notify.World    // nil until a program has let us look
	queue    chan sight
	lost     atomic.Int64
	served   chan struct{} // closed when nothing is asked any more
	over     chan struct{} // closed when the server has ended
	ended    chan struct{} // closed when the last event was taken
	started  bool          // the server's program; this and stuck are of the goroutine that looks
	stuck    bool          // nobody takes events
}

// A sight is a touch as it was seen when the server waited.
type sight struct {
	notify.Touch
	at    time.Time
	place notify.Place
	found bool // in its world, at least the folder
}

// What is kept in memory of events that nobody has taken yet.
const (
	longestQueue = 256
	patience     = 100 * time.Millisecond
)

// newWatch makes the watch of a command in a mode, whose order is o. It is nil when nobody wants to know.
func newWatch(m Mode, c Command, o inside.Order) (*watch, error) {
	if c.Events == nil {
		return nil, nil
	}
	granted := o
	if c.Learn != nil {
		var err error
		if granted, err = plan(m, c.asGranted(), entrance{}, o.UID, o.GID); err != nil {
			return nil, err
		}
	}
	return &watch{c: c, judge: newJudge(m, c, o, granted), queue: make(chan sight, longestQueue), served: make(chan struct{}),
		over: make(chan struct{}), ended: make(chan struct{})}, nil
}

// begin takes the filter's descriptor. From then on the server is answered.
func (w *watch) begin(control []unix.SocketControlMessage) error {
	fds := descriptors(control)
	if len(fds) != 1 || w == nil || w.listener != nil {
		for _, fd := range fds {
			unix.Close(fd)
		}
		return fmt.Errorf("%d filters to answer came unasked", len(fds))
	}
	l, err := notify.New(os.NewFile(uintptr(fds[0]), "filter"), w.c.calls())
	if err != nil {
		return err
	}
	w.listener = l
	go func() {
		defer close(w.served)
		l.Serve(w.look)
		if w.world != nil {
			w.world.Close()
		}
	}()
	go w.tell()
	return nil
}

// descriptors gives those that came with a message.
func descriptors(control []unix.SocketControlMessage) (fds []int) {
	for _, m := range control {
		if more, err := unix.ParseUnixRights(&m); err == nil {
			fds = append(fds, more...)
		}
	}
	return fds
}

// end ends the watch of a server that has ended, and waits until the last event was taken.
func (w *watch) end() {
	if w == nil || w.listener == nil {
		return
	}
	w.listener.Stop()
	select {
	case <-w.served:
	case <-time.After(time.Second): // before Linux 6.11 taking a question never ends when who asked was killed just then
	}
	close(w.over)
	<-w.ended
}

// look looks at what the server is about to do, while it waits.
func (w *watch) look(a *notify.Asked) func() {
	touches, err := a.Touches()
	if errors.Is(err, notify.ErrHidden) {
		return w.hidden(a)
	}
	if err != nil {
		return nil // the call fails
	}
	if w.world == nil {
		w.world, err = notify.Open(a.PID)
		if errors.Is(err, notify.ErrHidden) && w.judge.mode == Landlock {
			w.world, err = notify.Machine()
		}
		if err != nil {
			return w.hidden(a)
		}
	}
	var seen []sight
	for _, t := range touches {
		if w.judge.plain(t) {
			continue
		}
		s := sight{Touch: t, at: time.Now()}
		s.place, err = w.world.Find(t.Path, t.Follow)
		s.found = err == nil
		seen = append(seen, s)
	}
	return func() {
		for _, s := range seen {
			w.keep(s)
		}
	}
}

// hidden is a call whose arguments cannot be read. The first program is the server's, and is known.
func (w *watch) hidden(a *notify.Asked) func() {
	if !a.Runs() {
		return func() { w.lost.Add(1) }
	}
	s := sight{Touch: notify.Touch{Kind: notify.Run, PID: a.PID}, at: time.Now()}
	if !w.started {
		s.Path, s.Argv = w.c.Path, notify.Cut(w.c.Argv)
		s.place, s.found = notify.Outside(w.c.Path, true)
	}
	return func() { w.keep(s) }
}

// keep puts a sight where the other goroutine finds it. Who takes no events holds the server up once, not at each call.
func (w *watch) keep(s sight) {
	w.started = w.started || s.Kind == notify.Run
	select {
	case w.queue <- s:
		w.stuck = false
		return
	default:
	}
	if !w.stuck {
		select {
		case w.queue <- s:
			return
		case <-time.After(patience):
			w.stuck = true
		}
	}
	w.lost.Add(1)
}

// tell gives the events to who wants them.
func (w *watch) tell() {
	defer close(w.ended)
	f := newFlood(w.c.Events)
	window := time.NewTicker(floodWindow)
	defer window.Stop()
	for {
		select {
		case s := <-w.queue:
			w.pass(f, s)
		case <-window.C:
			f.lose(w.lost.Swap(0))
			f.flush()
		case <-w.over:
			for len(w.queue) > 0 {
				w.pass(f, <-w.queue)
			}
			f.lose(w.lost.Swap(0))
			f.flush()
			return
		}
	}
}

func (w *watch) pass(f *flood, s sight) {
	if e, ok := w.judge.event(s); ok {
		f.add(e)
	}
}
