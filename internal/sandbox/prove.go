package sandbox

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"

	"satchel/internal/problem"
	"satchel/internal/sandbox/probe"
)

// Prove tries to break out of a sandbox of this Launcher, from inside, and says what worked. It takes about a second.
// Errors are problems: Refused when this machine has no sandbox.
func (l *Launcher) Prove(ctx context.Context) (Report, error) {
	m, results, err := l.probe(ctx, granted{})
	if err == nil && !m.world() { // with network it holds less
		m, results, err = l.probe(ctx, granted{network: true})
	}
	if err != nil {
		if _, ok := errors.AsType[*problem.Problem](err); ok {
			return Report{}, err
		}
		return Report{}, problem.New(problem.Failed, "sandbox/probe", "the probe of the sandbox failed").Because(err)
	}
	r := reportOf(m, results)
	if m == Seatbelt || m == Restricted {
		// Nobody has run these: what is refused there may be so without any sandbox.
		outside, err := bareResults(ctx)
		if err != nil {
			return Report{}, problem.New(problem.Failed, "sandbox/probe", "the probe does not run outside the sandbox").Because(err)
		}
		r.doubt(outside)
	}
	return r, nil
}

// doubt takes back what an attack that fails outside the sandbox too seems to prove.
func (r *Report) doubt(outside []probe.Result) {
	for i, l := range r.Lines {
		at := slices.IndexFunc(outside, func(o probe.Result) bool { return o.Group == l.Group && o.Line == l.Name })
		switch {
		case l.State != Enforced:
		case at < 0:
			r.Lines[i].State, r.Lines[i].Why = Untried, "it was not tried outside"
		case !outside[at].Open:
			r.Lines[i].State, r.Lines[i].Why = Untried, "refused without a sandbox too: "+outside[at].Why
		}
	}
}

// bareResults runs the probe without any sandbox.
func bareResults(ctx context.Context) ([]probe.Result, error) {
	s, err := newScene()
	if err != nil {
		return nil, err
	}
	defer s.close()
	return s.bare(ctx)
}

func (s *scene) bare(ctx context.Context) ([]probe.Result, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	in, out, err := twoPipes()
	if err != nil {
		return nil, err
	}
	defer in.w.Close()
	defer out.r.Close()
	cmd := exec.CommandContext(ctx, self)
	cmd.Args, cmd.Stdin, cmd.Stdout, cmd.Stderr = []string{self, probe.Name}, in.r, out.w, os.Stderr
	err = cmd.Start()
	in.r.Close()
	out.w.Close()
	if err != nil {
		return nil, err
	}
	results, err := s.talk(in.w, out.r)
	in.w.Close()
	return results, errors.Join(err, cmd.Wait())
}

// reportOf says what the results of the probe mean.
func reportOf(m Mode, results []probe.Result) Report {
	r := Report{Mode: m}
	for _, found := range results {
		line := Line{Group: found.Group, Name: found.Line, State: Enforced, Why: found.Why}
		reason, design := openByDesign()[found.Group+": "+found.Line]
		switch {
		case !found.Tried:
			line.State = Untried
		case found.Open && design:
			line.State, line.Why = ByDesign, reason
		case found.Open:
			line.State = Open
		}
		r.Lines = append(r.Lines, line)
	}
	return r
}

// openByDesign are the lines that work in every mode, with the reason.
func openByDesign() map[string]string {
	return map[string]string{
		"processes: run own code from memory": "it is the server's own code, with the server's rights",
	}
}

// granted is what the probe has beside its files.
type granted struct {
	watch   bool // files are watched too
	network bool
	socket  bool // one of the machine
}

// probe runs the attacks in a sandbox as servers get it, whose programs are watched.
func (l *Launcher) probe(ctx context.Context, g granted) (Mode, []probe.Result, error) {
	s, err := newScene()
	if err != nil {
		return "", nil, err
	}
	defer s.close()
	self, err := os.Executable()
	if err != nil {
		return "", nil, err
	}
	in, out, err := twoPipes()
	if err != nil {
		return "", nil, err
	}
	defer in.w.Close()
	defer out.r.Close()
	c := s.command(self, in.r, out.w)
	c.Events, c.Watch = func(Event) {}, g.watch
	if g.network {
		c.Sandbox.Net = s.network()
	}
	if g.socket {
		c.Sandbox.Net.Sockets = []string{filepath.Join(s.setup.Own, "service")}
	}
	p, err := l.Start(ctx, c, nil)
	in.r.Close()
	out.w.Close()
	if err != nil {
		return "", nil, err
	}
	defer context.AfterFunc(ctx, p.Kill)()
	results, err := s.talk(in.w, out.r)
	in.w.Close()
	code, ended := p.Wait()
	if ctx.Err() != nil {
		return "", nil, ctx.Err()
	}
	if err == nil && (ended != nil || code != 0) {
		err = fmt.Errorf("the probe ended with %d: %w", code, ended)
	}
	return p.Mode(), results, err
}

// talk runs the probe at the other end of two pipes: it does what the probe asks for and takes its results.
func (s *scene) talk(in io.Writer, out io.Reader) ([]probe.Result, error) {
	setup, err := json.Marshal(s.setup)
	if err != nil {
		return nil, err
	}
	if _, err := in.Write(append(setup, '\n')); err != nil {
		return nil, err
	}
	var results []probe.Result
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		var m probe.Message
		if err := json.Unmarshal(lines.Bytes(), &m); err != nil {
			return results, fmt.Errorf("the probe said %q: %w", lines.Text(), err)
		}
		if m.Result != nil {
			results = append(results, *m.Result)
			continue
		}
		if err := s.do(m.Ask); err != nil {
			return results, err
		}
		if _, err := fmt.Fprintln(in); err != nil {
			return results, err
		}
	}
	if err := errors.Join(lines.Err(), s.alive()); err != nil {
		return results, err
	}
	if len(results) == 0 {
		return nil, errors.New("the probe said nothing")
	}
	return results, nil
}

type pipe struct{ r, w *os.File }

func twoPipes() (in, out pipe, err error) {
	if in.r, in.w, err = os.Pipe(); err != nil {
		return in, out, err
	}
	if out.r, out.w, err = os.Pipe(); err != nil {
		return in, out, errors.Join(err, in.r.Close(), in.w.Close())
	}
	return in, out, nil
}
