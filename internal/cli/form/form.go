// Package form asks a person for a manifest, on a terminal: what the reference's init asks, in its order, with choices,
// the draft's values as defaults, and each answer checked when it is given. Use [Ask] where a command has no -y.
//
// On a capable terminal it is a form in which one can go back. In the accessible mode, for screen readers and dumb
// terminals, it is a line after the other, and the last question offers to go through all of them again.
package form

import (
	"context"
	"errors"
	"fmt"
	"io"

	tea "charm.land/bubbletea/v2"
	"charm.land/huh/v2"

	"satchel/internal/problem"
	"satchel/mcpb/manifest"
)

// Settings say how to ask.
type Settings struct {
	In         io.Reader // the terminal
	Out        io.Writer // the terminal, where nothing else is written meanwhile
	Accessible bool      // line by line
	Color      bool
	Basics     bool // only name, author, display name, version and description
}

// Accessible tells whether the environment wants the accessible mode: a dumb terminal, or ACCESSIBLE is set.
func Accessible(getenv func(string) string) bool {
	return getenv("TERM") == "dumb" || getenv("ACCESSIBLE") != ""
}

// Ask asks, and gives the manifest that comes of the draft. The draft is not changed. Errors are problems of class
// Interrupted: the person stopped, the input ended, or ctx was cancelled.
func Ask(ctx context.Context, s Settings, draft manifest.Manifest) (*manifest.Manifest, error) {
	a := newAnswers(draft, s.Accessible)
	for {
		a.end = endWrite
		pages := a.pages(s.Basics)
		ask := askForm
		if s.Accessible {
			ask = askLines
		}
		if err := ask(ctx, s, pages); err != nil {
			return nil, err
		}
		switch a.end {
		case endWrite:
			return a.manifest(s.Basics), nil
		case endStop:
			return nil, stopped()
		}
	}
}

func stopped() error {
	return problem.New(problem.Interrupted, "init/stopped", "stopped; nothing was written")
}

// A page is a group of questions that is shown when shown says so; nil is always.
type page struct {
	title  string
	shown  func() bool
	fields []huh.Field
}

// askForm shows the pages as one form. Signals reach it by ctx only: the library's own handler of signals waits for
// ever when ctx ends at the same moment, with the terminal left raw.
func askForm(ctx context.Context, s Settings, pages []page) error {
	groups := make([]*huh.Group, len(pages))
	for i, p := range pages {
		groups[i] = huh.NewGroup(p.fields...).Title(p.title)
		if p.shown != nil {
			groups[i].WithHideFunc(func() bool { return !p.shown() })
		}
	}
	f := huh.NewForm(groups...).WithProgramOptions(tea.WithoutSignalHandler()).WithAccessible(false).WithTheme(theme(s.Color)).WithInput(s.In).WithOutput(s.Out)
	err := f.RunWithContext(ctx)
	if errors.Is(err, huh.ErrUserAborted) || errors.Is(err, huh.ErrTimeout) || ctx.Err() != nil {
		return stopped()
	}
	return err
}

func theme(color bool) huh.Theme {
	if color {
		return huh.ThemeFunc(huh.ThemeBase16)
	}
	return huh.ThemeFunc(huh.ThemeBase)
}

// askLines asks field by field. The library's own accessible form shows hidden groups too, and takes the end of the
// input for an empty answer.
func askLines(ctx context.Context, s Settings, pages []page) error {
	in := &lines{ctx: ctx, from: s.In}
	fmt.Fprintln(s.Out, "An empty answer takes what stands in brackets; a single - leaves the value empty.")
	for _, p := range pages {
		if p.shown != nil && !p.shown() {
			continue
		}
		if p.title != "" {
			fmt.Fprintf(s.Out, "\n%s\n", p.title)
		}
		for _, f := range p.fields {
			f.Init()
			f.WithTheme(huh.ThemeFunc(func(bool) *huh.Styles { return &huh.Styles{} }))
			if err := f.RunAccessible(s.Out, in); err != nil {
				return err
			}
			if in.ended != nil {
				fmt.Fprintln(s.Out)
				return stopped()
			}
		}
	}
	return nil
}

// lines gives one line at each Read, so that a field takes no more than its own, remembers that the input has ended,
// and stops waiting when ctx is done.
type lines struct {
	ctx   context.Context
	from  io.Reader
	rest  []byte
	ended error
}

// maxLine bounds an answer, in bytes.
const maxLine = 16 << 10

func (l *lines) Read(p []byte) (int, error) {
	if l.ended != nil {
		return 0, l.ended
	}
	for len(l.rest) == 0 {
		if err := l.fill(); err != nil {
			l.ended = err
			return 0, err
		}
	}
	n := 0
	for n < len(p) && n < len(l.rest) {
		n++
		if l.rest[n-1] == '\n' {
			break
		}
	}
	copy(p, l.rest[:n])
	l.rest = l.rest[n:]
	return n, nil
}

// fill reads what the terminal has. A read that is waiting when ctx is done is left behind: the program ends.
func (l *lines) fill() error {
	type got struct {
		data []byte
		err  error
	}
	done := make(chan got, 1)
	go func() {
		buf := make([]byte, maxLine)
		n, err := l.from.Read(buf)
		done <- got{buf[:n], err}
	}()
	select {
	case <-l.ctx.Done():
		return l.ctx.Err()
	case g := <-done:
		l.rest = g.data
		if len(g.data) > 0 {
			return nil
		}
		return g.err
	}
}
