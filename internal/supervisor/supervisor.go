// Package supervisor runs a [spec.Spec] in its sandbox: [Supervisor.Start] with pipes for us to talk to the server,
// [Supervisor.Attach] with an app's own pipes. Either way the server's whole process tree ends with it and with us.
package supervisor

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"satchel/internal/problem"
	"satchel/internal/spec"
)

// The deadlines of a stop: after the input was closed, and after SIGTERM. A server that does not end then is killed.
const (
	closeGrace = 2 * time.Second
	termGrace  = 2 * time.Second
)

// A Server is a running server. Its methods are safe for concurrent use.
type Server struct {
	Stdin  io.WriteCloser
	Stdout io.ReadCloser
	id     string
	proc   process
	log    *ring
	logged chan struct{} // closed when the error stream has ended
	forced atomic.Bool   // we ended it by a signal
}

// Start starts a server. The error is a problem; then nothing runs. ctx bounds the start, not the server's life.
func (v *Supervisor) Start(ctx context.Context, s spec.Spec) (*Server, error) {
	return v.StartLogged(ctx, s, io.Discard)
}

// StartLogged is Start that also writes to log what the server writes to its error stream, as it comes. Errors of log
// do not matter to the server, but it waits when log does.
func (v *Supervisor) StartLogged(ctx context.Context, s spec.Spec, log io.Writer) (*Server, error) {
	var pipes pipeSet
	in, out, errs := pipes.open(), pipes.open(), pipes.open()
	if pipes.err != nil {
		pipes.close()
		return nil, failed(s, pipes.err)
	}
	proc, err := v.process(ctx, s, streams{in.r, out.w, errs.w})
	for _, theirs := range []*os.File{in.r, out.w, errs.w} {
		theirs.Close()
	}
	if err != nil {
		pipes.close()
		return nil, err
	}
	srv := &Server{Stdin: in.w, Stdout: out.r, id: s.ID, proc: proc, log: &ring{}, logged: make(chan struct{})}
	go func() {
		defer close(srv.logged)
		_, _ = io.Copy(io.MultiWriter(srv.log, patient{log}), errs.r) // it ends with the server
		errs.r.Close()
	}()
	return srv, nil
}

// patient is a writer whose errors end nothing.
type patient struct{ w io.Writer }

// Write implements io.Writer.
func (p patient) Write(b []byte) (int, error) {
	_, _ = p.w.Write(b)
	return len(b), nil
}

func failed(s spec.Spec, err error) error {
	p := problem.New(problem.Failed, "supervisor/start", "the server cannot be started: %s", s.Argv[0]).At(s.ID).Because(err)
	if strings.Contains(err.Error(), "permission denied") {
		return p.Try("the program is not executable; its author packs it again with satchel pack")
	}
	return p
}

// A pipePair is the two ends of a pipe.
type pipePair struct{ r, w *os.File }

// A pipeSet opens pipes and remembers the first error.
type pipeSet struct {
	pairs []pipePair
	err   error
}

func (p *pipeSet) open() pipePair {
	r, w, err := os.Pipe()
	p.err = errors.Join(p.err, err)
	p.pairs = append(p.pairs, pipePair{r, w})
	return pipePair{r, w}
}

// close closes what is open; ends that are closed already do not mind.
func (p *pipeSet) close() {
	for _, pair := range p.pairs {
		pair.r.Close()
		pair.w.Close()
	}
}

// Done is closed when the server has ended.
func (s *Server) Done() <-chan struct{} { return s.proc.Done() }

// Wait waits for the end of the server and gives its exit code, as [Attach] does.
func (s *Server) Wait() (int, error) { return s.proc.Wait() }

// Stop ends the server: it closes its input, then asks it with SIGTERM, then kills its whole tree. It returns when
// nothing is left of it.
func (s *Server) Stop() { s.StopAnd(func() {}) }

// StopAnd is Stop for who still reads what the server wrote: Stdout is closed when read has returned.
func (s *Server) StopAnd(read func()) {
	s.Stdin.Close()
	if !s.endsWithin(closeGrace) {
		s.forced.Store(true)
		_ = s.proc.Signal(syscall.SIGTERM) // the kill follows anyway
		s.endsWithin(termGrace)
	}
	s.proc.Kill()
	<-s.proc.Done()
	<-s.logged
	read()
	s.Stdout.Close()
}

func (s *Server) endsWithin(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-s.proc.Done():
		return true
	case <-timer.C:
		return false
	}
}

// Log gives the last lines that the server wrote to its error stream, oldest first.
func (s *Server) Log() []string { return s.log.lines() }

// Ended gives a problem that says how a server failed by itself, with its last lines; nil while it runs, and when it
// ended well or because of us.
func (s *Server) Ended() error {
	select {
	case <-s.proc.Done():
	default:
		return nil
	}
	<-s.logged
	code, err := s.proc.Wait()
	stoppedListening := code == 128+int(syscall.SIGPIPE)
	if code == 0 && err == nil || s.forced.Load() || stoppedListening {
		return nil
	}
	p := problem.New(problem.Failed, "supervisor/ended", "the server ended with exit code %d", code).At(s.id).Because(err)
	if lines := s.Log(); len(lines) > 0 {
		p = p.Try("it said:\n%s", strings.Join(lines[max(0, len(lines)-10):], "\n"))
	}
	return p
}

// Attach runs a server on the given streams, without copying, until it ends; it gives the exit code. When ctx ends the
// server is asked to end, and killed when it does not.
func (v *Supervisor) Attach(ctx context.Context, s spec.Spec, stdin, stdout, stderr *os.File) (int, error) {
	proc, err := v.process(ctx, s, streams{stdin, stdout, stderr})
	if err != nil {
		return 0, err
	}
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	select {
	case <-proc.Done():
	case <-ctx.Done():
		stop(proc, syscall.SIGTERM)
	case <-hangup:
		stop(proc, syscall.SIGHUP)
	}
	return proc.Wait()
}

func stop(proc process, s syscall.Signal) {
	_ = proc.Signal(s) // the kill follows anyway
	timer := time.NewTimer(termGrace)
	defer timer.Stop()
	select {
	case <-proc.Done():
	case <-timer.C:
		proc.Kill()
	}
}

// A ring keeps the last lines of a stream, bounded in number and length.
type ring struct {
	mu   sync.Mutex
	kept []string
	part strings.Builder
}

const (
	ringLines = 200
	ringLine  = 4096
)

// Write implements io.Writer.
func (r *ring) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, b := range p {
		if b == '\n' {
			r.flush()
		} else if r.part.Len() < ringLine {
			r.part.WriteByte(b)
		}
	}
	return len(p), nil
}

func (r *ring) flush() {
	r.kept = append(r.kept, strings.TrimSuffix(r.part.String(), "\r"))
	if len(r.kept) > ringLines {
		r.kept = append(r.kept[:0], r.kept[len(r.kept)-ringLines:]...)
	}
	r.part.Reset()
}

func (r *ring) lines() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	lines := append([]string{}, r.kept...)
	if r.part.Len() > 0 {
		lines = append(lines, r.part.String())
	}
	return lines
}
