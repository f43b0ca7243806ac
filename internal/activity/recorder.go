package activity

import (
	"crypto/rand"
	"errors"
	"slices"
	"sync"
	"time"
)

// What one run keeps and writes. With a full pace it takes hours to fill the two files of an extension. What is denied and
// what is allowed have a share each: anybody can be denied a million things, which must not hide what was done.
const (
	window     = 5 * time.Second // equal things within it are one record
	mostKinds  = 512             // of different things in a window; the rest is counted
	mostAtOnce = 512 << 10       // bytes that may be written without a pause
	pace       = 64              // bytes that may be written in each second, beside those
	mostDenied = 8               // different refusals that are kept for [Recorder.Denied]
	lastWords  = 2 * time.Second // that the disk has for the last records
)

// sameness is what equal records have in common.
type sameness struct {
	kind            Kind
	what            string
	denied          bool
	rule, grant, by string
}

// A share is what may still be kept of one window, and written.
type share struct {
	kinds int
	room  float64 // bytes
}

// A Recorder records one run of a server. Its methods are safe for concurrent use and never wait for the disk, but for End.
type Recorder struct {
	id   string
	file file
	run  string
	wake chan struct{} // there is something to write
	done chan struct{} // all was written
	gone bool          // the records were removed; this and file are of the goroutine that writes

	mu     sync.Mutex
	ready  [][]byte             // lines to write
	seen   map[sameness]*Record // of this window; Count is what was not told yet
	lost   int                  // since it was told
	shares map[bool]*share      // by whether it was denied
	filled time.Time            // when their room was last reckoned
	denied []Record             // different ones
	begun  bool
	ended  bool
}

// ID is the extension that the server belongs to.
func (r *Recorder) ID() string { return r.id }

// Recorder makes the recorder of a server that is about to start. Nothing is written before Begin.
func (l *Log) Recorder(id string) *Recorder {
	return &Recorder{
		id: id, file: file{log: l, path: l.path(id)}, run: rand.Text()[:12], wake: make(chan struct{}, 1), done: make(chan struct{}),
		seen: map[sameness]*Record{}, filled: time.Now(),
		shares: map[bool]*share{false: {mostKinds, mostAtOnce}, true: {mostKinds, mostAtOnce}},
	}
}

// Begin records the start. Call it once, when the server runs, and End afterwards.
func (r *Recorder) Begin(start Record) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.begun = true
	start.Kind = Start
	r.ready = slices.Insert(r.ready, 0, r.stamped(start).line())
	go r.write()
	r.stir()
}

// Add records what the server did. Before Begin it is kept, after End it is not.
func (r *Recorder) Add(rec Record) {
	rec = r.stamped(rec)
	key := sameness{rec.Kind, rec.What, rec.Denied, rec.Rule, rec.Grant, rec.Via}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended {
		return
	}
	if again := r.seen[key]; again != nil {
		again.count(rec)
		return
	}
	r.refused(rec)
	s := r.shares[rec.Denied]
	if s.kinds == 0 {
		r.lost += rec.times()
		return
	}
	s.kinds--
	more := rec
	more.Count, more.Sent, more.Received = 0, 0, 0
	r.seen[key] = &more
	r.tell(rec)
}

// stamped gives a record of this run.
func (r *Recorder) stamped(rec Record) Record {
	rec = rec.bounded()
	rec.Run = r.run
	if rec.Time.IsZero() {
		rec.Time = time.Now()
	}
	rec.Time = rec.Time.UTC().Truncate(time.Millisecond)
	if rec.Count == 1 {
		rec.Count = 0
	}
	return rec
}

// count adds an equal record to one that was not told yet.
func (r *Record) count(more Record) {
	if r.Count == 0 {
		r.Time, r.Why, r.Address = more.Time, more.Why, more.Address
	}
	r.Count += more.times()
	r.Until = more.Time
	r.Sent += more.Sent
	r.Received += more.Received
}

// tell makes a line to be written, while there is room.
func (r *Recorder) tell(rec Record) {
	line, s := rec.line(), r.shares[rec.Denied]
	if float64(len(line)) > s.room {
		r.lost += rec.times()
		return
	}
	s.room -= float64(len(line))
	r.ready = append(r.ready, line)
	r.stir()
}

func (r *Recorder) refused(rec Record) {
	same := func(d Record) bool { return d.Kind == rec.Kind && d.What == rec.What && d.Grant == rec.Grant }
	if rec.Denied && len(r.denied) < mostDenied && !slices.ContainsFunc(r.denied, same) {
		r.denied = append(r.denied, rec)
	}
}

// Denied gives the first few different things that were refused in this run.
func (r *Recorder) Denied() []Record {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.denied)
}

// End records the end, and waits for the disk, but not for ever. Of a run that has not begun nothing is written.
func (r *Recorder) End(end Record) {
	r.mu.Lock()
	if !r.begun || r.ended {
		r.mu.Unlock()
		return
	}
	r.turn()
	r.ended = true
	end.Kind = End
	r.ready = append(r.ready, r.stamped(end).line())
	r.stir()
	r.mu.Unlock()
	select {
	case <-r.done:
	case <-time.After(lastWords):
	}
}

func (r *Recorder) stir() {
	select {
	case r.wake <- struct{}{}:
	default: // it is awake
	}
}

// turn ends a window: what was counted in it is told.
func (r *Recorder) turn() {
	now := time.Now()
	for _, s := range r.shares {
		s.kinds, s.room = mostKinds, min(mostAtOnce, s.room+pace*now.Sub(r.filled).Seconds())
	}
	r.filled = now
	counted := make([]Record, 0, len(r.seen))
	for _, rec := range r.seen {
		if rec.Count > 0 {
			counted = append(counted, *rec)
		}
	}
	clear(r.seen)
	slices.SortFunc(counted, func(a, b Record) int { return a.Time.Compare(b.Time) })
	for _, rec := range counted {
		if rec.Count == 1 {
			rec.Count, rec.Until = 0, time.Time{}
		}
		r.tell(rec)
	}
	if r.lost > 0 { // a short line in each window at most: there is always room for it
		r.ready = append(r.ready, r.stamped(Record{Kind: Lost, Count: r.lost}).line())
		r.lost = 0
	}
}

// write writes what is ready until the end.
func (r *Recorder) write() {
	defer close(r.done)
	tick := time.NewTicker(window)
	defer tick.Stop()
	for {
		late := false
		select {
		case <-r.wake:
		case <-tick.C:
			late = true
		}
		lines, last := r.take(late)
		if len(lines) > 0 {
			r.put(lines)
		}
		if last {
			return
		}
	}
}

// take takes what is ready, and late, at the end of a window, what was counted in it.
func (r *Recorder) take(late bool) (lines [][]byte, last bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if late && !r.ended {
		r.turn()
	}
	lines, r.ready = r.ready, nil
	return lines, r.ended
}

// put writes lines. What the disk does not take is lost, and counted for a better time.
func (r *Recorder) put(lines [][]byte) {
	if r.gone {
		return
	}
	err := r.file.append(slices.Concat(lines...))
	if r.gone = errors.Is(err, errRemoved); err != nil && !r.gone {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.lost += len(lines)
	}
}
