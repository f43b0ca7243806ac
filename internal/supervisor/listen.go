package supervisor

import (
	"satchel/internal/egress"
	"satchel/internal/sandbox"
	"satchel/internal/spec"
)

// A Listener gets what one server does: Started, then attempts and events, then Ended. Each function may be nil. They must
// expect a server to cause many calls; none may wait for the server.
type Listener struct {
	// Started is told how the server is held, "" when it is not, and why its events do not become known where somebody
	// listens to them. An event may come before.
	Started func(mode sandbox.Mode, blind error)
	Attempt func(egress.Attempt) // at the network, from many goroutines
	Event   func(sandbox.Event)  // from one goroutine; see [sandbox.Command]
	Files   bool                 // with Event: files too, which costs the server time
	// Ended is told how it ended, when all else was told. Only after it returns the server counts as ended.
	Ended func(code int, err error)
}

// Hearing gives a Supervisor whose servers another listener hears too, before the one that hears them here. It starts them
// on the same launcher.
func (v *Supervisor) Hearing(l Listener) *Supervisor {
	o := v.opts
	o.Listen = func(s spec.Spec) Listener {
		if v.opts.Listen == nil {
			return l
		}
		return l.and(v.opts.Listen(s))
	}
	return &Supervisor{opts: o, launcher: v.launcher}
}

// and gives a listener of two.
func (l Listener) and(m Listener) Listener {
	return Listener{
		Started: func(mode sandbox.Mode, blind error) {
			l.started(mode, blind)
			m.started(mode, blind)
		},
		Attempt: both(l.Attempt, m.Attempt), Event: both(l.Event, m.Event), Files: l.Files || m.Files,
		Ended: func(code int, err error) {
			for _, ended := range []func(int, error){l.Ended, m.Ended} {
				if ended != nil {
					ended(code, err)
				}
			}
		},
	}
}

// both calls two functions, either of which may be nil.
func both[T any](a, b func(T)) func(T) {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	}
	return func(t T) {
		a(t)
		b(t)
	}
}

func (l Listener) started(mode sandbox.Mode, blind error) {
	if l.Started != nil {
		l.Started(mode, blind)
	}
}

// A heard process has ended when its listener knows it.
type heard struct {
	process
	done chan struct{}
}

// Done implements ending.
func (h heard) Done() <-chan struct{} { return h.done }

// Wait implements ending.
func (h heard) Wait() (int, error) {
	<-h.done
	return h.process.Wait()
}

// until gives a process that ends with its doors and its listener.
func (l Listener) until(p process, closeDoors func()) process {
	h := heard{p, make(chan struct{})}
	go func() {
		defer close(h.done)
		code, err := p.Wait()
		closeDoors()
		if l.Ended != nil {
			l.Ended(code, err)
		}
	}()
	return h
}
