package sandbox

import "time"

// What passes on of events in one window of time. The rest is counted.
const (
	floodWindow = 5 * time.Second
	mostEvents  = 8192
	mostBytes   = 2 << 20 // of texts
)

// A flood passes events on, each at once when it is new, and counts those that repeat. It is bounded, whatever a server
// does, and used by one goroutine.
type flood struct {
	send func(Event)
	seen map[sameness]int // where in again
	list []Event          // those of this window; Count is what was not told yet
	room int              // bytes
	lost int
}

// sameness is what repeated events have in common.
type sameness struct {
	kind        EventKind
	path, needs string
	allowed     bool
}

func newFlood(send func(Event)) *flood {
	return &flood{send: send, seen: map[sameness]int{}, room: mostBytes}
}

func (f *flood) add(e Event) {
	key := sameness{e.Kind, e.Path, e.Needs, e.Allowed}
	if i, ok := f.seen[key]; ok {
		if f.list[i].Count == 0 {
			f.list[i].Time = e.Time
		}
		f.list[i].Count++
		return
	}
	size := len(e.Path) + len(e.Real) + len(e.Needs)
	for _, a := range e.Argv {
		size += len(a)
	}
	if len(f.list) == mostEvents || size > f.room {
		f.lost++
		return
	}
	f.room -= size
	f.seen[key] = len(f.list)
	f.list = append(f.list, e)
	e.Count = 1
	f.send(e)
}

func (f *flood) lose(n int64) { f.lost += int(n) }

// flush ends the window: what was counted in it is told.
func (f *flood) flush() {
	for _, e := range f.list {
		if e.Count > 0 {
			f.send(e)
		}
	}
	if f.lost > 0 {
		f.send(Event{Time: time.Now(), Kind: LostEvent, Count: f.lost})
	}
	*f = *newFlood(f.send)
}
