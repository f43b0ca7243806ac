package devloop

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// A Server is a started server that answers. Its methods are safe for concurrent use.
type Server interface {
	Stop()                 // ends it; returns when nothing is left of it
	Done() <-chan struct{} // closed when it has ended
	Ended() error          // how it failed by itself; nil when it did not
}

// A Loop watches one folder. Run it once.
type Loop struct {
	Dir      string                                                          // absolute
	Ignored  func(name string) bool                                          // which files and folders do not count; slash-separated, relative
	Build    []string                                                        // a program and its arguments, run before each start; nil: none
	Check    func()                                                          // looks at the manifest and emits what it finds
	Start    func(ctx context.Context) (s Server, tools []string, err error) // starts the server and waits until it answers
	Replaced func()                                                          // called when a new server has taken the place of an old one
	Emit     func(Event)                                                     // safe for concurrent use
	Restart  <-chan struct{}                                                 // asks for a start without a change

	notify  func() (notifier, error)
	server  Server
	since   time.Time       // when the server answered
	strikes map[string]int  // how often a file changed right after a start
	outputs map[string]bool // files that the build writes
	before  []string        // what changed during the last build
}

const (
	rightAfter = time.Second // a change this soon after a start may be the server's own
	maxStrikes = 3           // such changes in a row of one file, until it does not count any more
)

// Run builds, starts and watches until ctx ends, and leaves no process behind. The error is one of watching.
func (l *Loop) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	l.strikes, l.outputs = map[string]int{}, map[string]bool{}
	names, batches := make(chan string), make(chan []string)
	go coalesce(ctx, names, batches)
	started, ended := make(chan struct{}), make(chan error, 1)
	if l.notify == nil {
		l.notify = systemNotifier
	}
	w := &watch{dir: l.Dir, ignored: l.Ignored, notify: l.notify, note: l.note, tell: func(name string) {
		select {
		case names <- short(name):
		case <-ctx.Done():
		}
	}}
	var once sync.Once
	go func() { ended <- w.run(ctx, func() { once.Do(func() { close(started) }) }) }()
	select {
	case <-started:
	case err := <-ended:
		return err
	}
	err := l.turn(ctx, batches, ended)
	cancel()
	if l.server != nil {
		l.server.Stop()
	}
	return err
}

func (l *Loop) emit(e Event) {
	e.Time = time.Now()
	l.Emit(e)
}

func (l *Loop) note(text string) { l.emit(Event{Event: Note, Text: text}) }

// turn is one start after the other.
func (l *Loop) turn(ctx context.Context, batches <-chan []string, ended <-chan error) error {
	for again := true; ; {
		if again {
			again = false
			if l.build(ctx, batches) {
				l.Check()
				if changed := l.start(ctx, batches); l.counts(changed) {
					again = true
					continue
				}
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case err := <-ended:
			return err
		case <-l.Restart:
			again = true
		case changed := <-batches:
			again = l.counts(changed)
		case <-l.done():
			l.emit(Event{Event: Ended, Error: text(l.server.Ended())})
			l.server.Stop()
			l.server = nil
		}
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func (l *Loop) done() <-chan struct{} {
	if l.server == nil {
		return nil
	}
	return l.server.Done()
}

// counts tells whether changed files are a reason to start anew. A file that changes right after each start is one that
// the server writes; once it changes at another time it counts again.
func (l *Loop) counts(changed []string) bool {
	var real []string
	soon := l.server != nil && time.Since(l.since) <= rightAfter+quiet
	for _, name := range changed {
		if !soon {
			delete(l.strikes, name)
		} else if l.strikes[name]++; l.strikes[name] == maxStrikes+1 {
			l.note(name + " changes each time right after the server has started, so that does not count any more; a line in .mcpbignore keeps it out for good")
		}
		if l.strikes[name] <= maxStrikes {
			real = append(real, name)
		}
	}
	if len(real) > 0 {
		l.emit(Event{Event: Changed, Files: real})
	}
	return len(real) > 0
}

// start starts the server anew. The old one runs until the new one answers. When files change meanwhile it is given up,
// and they are returned.
func (l *Loop) start(ctx context.Context, batches <-chan []string) (changed []string) {
	l.emit(Event{Event: Starting})
	begin := time.Now()
	trying, cancel := context.WithCancel(ctx)
	defer cancel()
	type outcome struct {
		server Server
		tools  []string
		err    error
	}
	result := make(chan outcome, 1)
	go func() {
		s, tools, err := l.Start(trying)
		result <- outcome{s, tools, err}
	}()
	var got outcome
	select {
	case got = <-result:
	case changed = <-batches:
		cancel()
		got = <-result
	}
	if got.err != nil {
		if l.server != nil && portTaken(got.err) {
			l.note("the address that the server listens at is taken, perhaps by the last one: that is ended first")
			l.server.Stop()
			l.server = nil
			return l.start(ctx, batches)
		}
		if ctx.Err() == nil && changed == nil {
			l.emit(Event{Event: Failed, Error: got.err.Error(), Runs: l.server != nil})
		}
		return changed
	}
	old := l.server
	l.server, l.since = got.server, time.Now()
	if old != nil {
		old.Stop()
	}
	slices.Sort(got.tools)
	l.emit(Event{Event: Started, MS: ms(time.Since(begin)), Tools: got.tools})
	if l.Replaced != nil {
		l.Replaced()
	}
	return changed
}

// portTaken tells whether a server failed because another one, such as the last one, listens where it wants to.
func portTaken(err error) bool {
	text := strings.ToLower(err.Error())
	return strings.Contains(text, "eaddrinuse") || strings.Contains(text, "address already in use")
}

// build runs the build command; false when it failed. What changes meanwhile is mostly what it writes: a file that two
// builds in a row change is one of its outputs. Any other file that changes meanwhile is a reason to build again.
func (l *Loop) build(ctx context.Context, batches <-chan []string) bool {
	for l.Build != nil {
		l.emit(Event{Event: Building, Text: strings.Join(l.Build, " ")})
		begin := time.Now()
		err := RunCommand(ctx, l.Dir, l.Build, func(line string) { l.emit(Event{Event: Log, Source: "build", Text: line}) })
		if ctx.Err() != nil {
			return false
		}
		l.emit(Event{Event: Built, MS: ms(time.Since(begin)), Error: text(err)})
		changed := during(ctx, batches)
		again := slices.ContainsFunc(changed, func(name string) bool { return !l.outputs[name] && !slices.Contains(l.before, name) })
		for _, name := range changed {
			if slices.Contains(l.before, name) {
				l.outputs[name] = true
			}
		}
		l.before = changed
		if !again {
			return err == nil
		}
	}
	return true
}

// during gives what changed until now, with what is on its way.
func during(ctx context.Context, batches <-chan []string) (changed []string) {
	timer := time.NewTimer(2 * quiet)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return changed
		case more := <-batches:
			changed = append(changed, more...)
		case <-timer.C:
			return changed
		}
	}
}

// SplitCommand splits a command given as one text at its blanks. What only a shell would understand is an error.
func SplitCommand(text string) ([]string, error) {
	if i := strings.IndexAny(text, "\"'`\\$&|;<>()*?#~"); i >= 0 {
		return nil, fmt.Errorf("%q is for a shell, and there is none", text[i:i+1])
	}
	argv := strings.Fields(text)
	if len(argv) == 0 {
		return nil, fmt.Errorf("there is no command")
	}
	return argv, nil
}
