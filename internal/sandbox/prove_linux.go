package sandbox

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"satchel/internal/sandbox/probe"
	"satchel/internal/spec"
)

// Prove tries to break out of a sandbox of this Launcher, from inside, and says what worked: the report of what this
// machine enforces. It takes about a second. The sandbox is one with files and without network, or with it.
func (l *Launcher) Prove(ctx context.Context, net spec.Net) ([]probe.Result, error) {
	s, err := newScene()
	if err != nil {
		return nil, err
	}
	defer s.close()
	in, out, err := twoPipes()
	if err != nil {
		return nil, err
	}
	defer in.w.Close()
	defer out.r.Close()
	p, err := l.Start(ctx, s.command(net, in.r, out.w), func(Door, netListener) {})
	in.r.Close()
	out.w.Close()
	if err != nil {
		return nil, err
	}
	results, err := s.talk(in.w, out.r)
	in.w.Close()
	code, ended := p.Wait()
	if err == nil && (ended != nil || code != 0) {
		err = fmt.Errorf("the probe ended with %d: %w", code, ended)
	}
	return results, err
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
