package devloop

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"satchel/internal/spec"
	"satchel/internal/supervisor"
)

const (
	restartTime = time.Minute     // that a new server has to answer under an app
	holdGrace   = 2 * time.Second // that a message may be on its way to a server that is to be replaced
	pumpGrace   = 2 * time.Second // that an app has to take what an ended server has written
)

// A Relay runs the server of a linked extension for one app: it passes every message on as it is, and starts the server
// anew without the app having to connect again. Run it once.
type Relay struct {
	Make   func() (spec.Spec, error) // made for each start: manifest, answers and grants may have changed
	Runs   *supervisor.Supervisor    // starts them
	Redact func(text string) string  // takes secrets out of what is told
	Tell   func(Event)               // of calls and of the server's log; must not block
	Stdin  io.Reader                 // from the app
	Stdout io.Writer                 // to the app
	Stderr io.Writer                 // gets what the server writes to its error stream
	Again  <-chan struct{}           // asks for a new start

	trace *tracer
	in    sync.Mutex // held while a message of the app is passed on, and while servers change
	out   sync.Mutex // held while a message to the app is written
	cur   *relayed
}

// A relayed is one server under a relay.
type relayed struct {
	*supervisor.Server
	out    *bufio.Reader
	pumped chan struct{} // closed when all that it wrote was passed on
}

// Run runs until the app closes its input and the server has ended, the server ends by itself, or ctx ends. It gives the
// server's exit code.
func (r *Relay) Run(ctx context.Context) (int, error) {
	r.trace = newTracer(r.Tell, r.Redact)
	first, err := r.begin(ctx)
	if err != nil {
		return 0, err
	}
	r.cur = first
	go r.pump(first)
	over, again := make(chan struct{}), r.Again
	go func() { defer close(over); r.fromApp() }()
	for {
		select {
		case <-ctx.Done():
			r.stop(r.cur)
			return r.cur.Wait()
		case <-again:
			r.restart(ctx)
		case <-over:
			over, again = nil, nil // nobody is there for a new server
			r.cur.Stdin.Close()
		case <-r.cur.Done():
			r.stop(r.cur)
			return r.cur.Wait()
		}
	}
}

func (r *Relay) begin(ctx context.Context) (*relayed, error) {
	s, err := r.Make()
	if err != nil {
		return nil, err
	}
	lines := LineWriter(func(line string) { r.Tell(Event{Event: Log, Source: "server", Text: r.Redact(line)}) })
	srv, err := r.Runs.StartLogged(ctx, s, io.MultiWriter(r.Stderr, lines))
	if err != nil {
		return nil, err
	}
	return &relayed{srv, bufio.NewReaderSize(srv.Stdout, 64<<10), make(chan struct{})}, nil
}

// stop ends a server and waits until all that it wrote was passed on.
func (r *Relay) stop(s *relayed) {
	s.StopAnd(func() {
		timer := time.NewTimer(pumpGrace)
		defer timer.Stop()
		select {
		case <-s.pumped:
		case <-timer.C:
		}
	})
}

// fromApp passes messages on until the app's input ends.
func (r *Relay) fromApp() {
	b := bufio.NewReaderSize(r.Stdin, 64<<10)
	for {
		if _, err := b.Peek(1); err != nil {
			return
		}
		r.in.Lock()
		err := passLine(b, r.cur.Stdin, r.trace.app)
		r.in.Unlock()
		if err != nil {
			return
		}
	}
}

// pump passes on what a server writes.
func (r *Relay) pump(s *relayed) {
	defer close(s.pumped)
	for {
		if _, err := s.out.Peek(1); err != nil {
			return
		}
		r.out.Lock()
		err := passLine(s.out, r.Stdout, r.trace.server)
		r.out.Unlock()
		if err != nil {
			return
		}
	}
}

// passLine copies one line as it comes, whatever its length. look sees it before its end is passed on, unless it is too
// long: an answer cannot come before its request was seen. An error of w does not matter: the end of r will come.
func passLine(r *bufio.Reader, w io.Writer, look func(line []byte)) error {
	line := []byte{}
	for {
		part, err := r.ReadSlice('\n')
		if line != nil && len(line)+len(part) <= maxTraced {
			line = append(line, part...)
		} else {
			line = nil
		}
		full := errors.Is(err, bufio.ErrBufferFull)
		if !full && line != nil {
			look(bytes.TrimRight(line, "\r\n"))
		}
		_, _ = w.Write(part)
		if !full {
			return err
		}
	}
}

// restart puts a new server in the place of the running one, which stays when the new one does not answer.
func (r *Relay) restart(ctx context.Context) {
	begin := time.Now()
	next, err := r.begin(ctx)
	var answer []byte
	if err == nil {
		if answer, err = r.greet(ctx, next); err != nil {
			close(next.pumped)
			r.stop(next)
		}
	}
	if err != nil {
		r.Tell(Event{Event: Restarted, Error: r.Redact(err.Error()), Runs: true})
		return
	}
	if !r.holdInput(ctx) {
		close(next.pumped)
		r.stop(next)
		return
	}
	r.stop(r.cur)
	r.cur = next
	news := r.trace.handOver(answer)
	if _, _, initialized := r.trace.introduction(); initialized != nil {
		_, _ = next.Stdin.Write(append(initialized, '\n')) // a server that ended is noticed by Run
	}
	r.in.Unlock()
	if len(news) > 0 {
		r.out.Lock()
		_, _ = r.Stdout.Write(news) // an app that is gone is noticed by Run
		r.out.Unlock()
	}
	go r.pump(next)
	r.Tell(Event{Event: Restarted, MS: ms(time.Since(begin))})
}

// holdInput takes the lock of the input between two messages. A server that does not read keeps it busy: it is ended. An
// app that stops inside a message keeps it as well: false when ctx ends meanwhile, and with it the relay.
func (r *Relay) holdInput(ctx context.Context) bool {
	held := make(chan struct{})
	go func() { r.in.Lock(); close(held) }()
	timer := time.NewTimer(holdGrace)
	defer timer.Stop()
	for {
		select {
		case <-held:
			return true
		case <-ctx.Done():
			return false
		case <-timer.C:
			r.stop(r.cur)
		}
	}
}

// greet introduces the app to a new server and waits for its answer; nil when the app has not introduced itself yet.
func (r *Relay) greet(ctx context.Context, s *relayed) (answer []byte, err error) {
	hello, id, _ := r.trace.introduction()
	if hello == nil {
		return nil, nil
	}
	type outcome struct {
		answer []byte
		err    error
	}
	answered := make(chan outcome, 1)
	go func() {
		answer, err := awaitAnswer(s, hello, id)
		answered <- outcome{answer, err}
	}()
	timer := time.NewTimer(restartTime)
	defer timer.Stop()
	select {
	case got := <-answered:
		return got.answer, got.err
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-timer.C:
		return nil, fmt.Errorf("the server did not answer within %v", restartTime)
	}
}

func awaitAnswer(s *relayed, hello, id []byte) (answer []byte, err error) {
	if _, err := s.Stdin.Write(append(hello, '\n')); err != nil {
		return nil, errors.Join(err, s.Ended())
	}
	for answer == nil {
		ended := passLine(s.out, io.Discard, func(line []byte) {
			var m envelope
			if json.Unmarshal(line, &m) != nil || m.Method != "" || string(m.ID) != string(id) {
				return
			}
			if answer = line; m.Error != nil {
				err = errors.New("the server refuses to begin: " + m.Error.Message)
			}
		})
		if ended != nil && answer == nil {
			s.Stop() // so that how it ended is known
			return nil, errors.Join(errors.New("the server ended before it answered"), s.Ended())
		}
	}
	return answer, err
}

type lineTeller struct {
	mu   sync.Mutex
	part []byte
	tell func(line string)
}

// LineWriter gives a writer that tells of each line that is written to it. The rest of a long line is left out.
func LineWriter(tell func(line string)) io.Writer { return &lineTeller{tell: tell} }

// Write implements io.Writer.
func (l *lineTeller) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, b := range p {
		if b == '\n' {
			l.tell(string(bytes.TrimSuffix(l.part, []byte("\r"))))
			l.part = l.part[:0]
		} else if len(l.part) < maxLogLine {
			l.part = append(l.part, b)
		}
	}
	return len(p), nil
}
