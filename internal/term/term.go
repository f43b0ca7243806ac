// Package term knows how to show things to a person: whether the writer is a terminal, colours, tables, progress, and
// text that somebody else wrote.
//
// Its rules: a terminal gets colour and aligned tables; a pipe gets the same words without colour, with tabs between
// columns, so that scripts can cut them; NO_COLOR and TERM=dumb turn colour off; text of a bundle or a server never
// reaches the terminal raw but through [Visible]. Only internal/cli writes with it.
package term

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	xterm "golang.org/x/term"
)

// An Out is a writer together with what it can show. The zero value shows plain text on nothing; use [New].
// It is not safe for concurrent use.
type Out struct {
	io.Writer
	TTY   bool // a person is looking at it
	Color bool // it understands colours, and they are wanted
	err   error
}

// New looks at w and the environment (NO_COLOR, TERM) to see what can be shown. See https://no-color.org.
func New(w io.Writer, getenv func(string) string) *Out {
	o := &Out{Writer: w}
	if f, ok := w.(*os.File); ok {
		o.TTY = xterm.IsTerminal(int(f.Fd()))
	}
	o.Color = o.TTY && getenv("NO_COLOR") == "" && getenv("TERM") != "dumb"
	return o
}

// Interactive tells whether r is a terminal, that is whether questions can be asked.
func Interactive(r io.Reader) bool {
	f, ok := r.(*os.File)
	return ok && xterm.IsTerminal(int(f.Fd()))
}

// Write implements io.Writer.
func (o *Out) Write(p []byte) (int, error) {
	n, err := o.Writer.Write(p)
	if err != nil && o.err == nil {
		o.err = err
	}
	return n, err
}

// Err gives the first error of writing, nil when there was none: who prints many lines asks once, at the end.
func (o *Out) Err() error { return o.err }

// ReadPassword asks on o and reads a line from the terminal r without showing it. r must be [Interactive]. When ctx ends
// first, the terminal shows again what is typed, and the error is that of ctx.
func (o *Out) ReadPassword(ctx context.Context, r io.Reader, prompt string) ([]byte, error) {
	f, ok := r.(*os.File)
	if !ok {
		return nil, os.ErrInvalid
	}
	fd := int(f.Fd())
	before, err := xterm.GetState(fd)
	if err != nil {
		return nil, err
	}
	o.Printf("%s", prompt)
	defer o.Println() // the line's end was not shown either
	type line struct {
		text []byte
		err  error
	}
	read := make(chan line, 1)
	go func() {
		text, err := xterm.ReadPassword(fd)
		read <- line{text, err}
	}()
	select {
	case l := <-read:
		return l.text, l.err
	case <-ctx.Done():
		return nil, errors.Join(ctx.Err(), xterm.Restore(fd, before))
	}
}

// Printf writes formatted text.
func (o *Out) Printf(format string, args ...any) { fmt.Fprintf(o, format, args...) }

// Println writes a line.
func (o *Out) Println(args ...any) { fmt.Fprintln(o, args...) }

// Bold gives s in bold where colours are wanted, else s.
func (o *Out) Bold(s string) string { return o.style("1", s) }

// Red marks a risk or an error.
func (o *Out) Red(s string) string { return o.style("1;31", s) }

// Green marks what went well.
func (o *Out) Green(s string) string { return o.style("32", s) }

// Yellow marks a warning.
func (o *Out) Yellow(s string) string { return o.style("33", s) }

// Faint marks what may be skipped.
func (o *Out) Faint(s string) string { return o.style("2", s) }

func (o *Out) style(code, s string) string {
	if !o.Color || s == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

// Table writes rows: aligned under a header on a terminal, tab-separated without the header in a pipe.
func (o *Out) Table(header []string, rows [][]string) error {
	if !o.TTY {
		for _, row := range rows {
			if _, err := fmt.Fprintln(o, strings.Join(row, "\t")); err != nil {
				return err
			}
		}
		return nil
	}
	t := tabwriter.NewWriter(o, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, strings.Join(header, "\t"))
	for _, row := range rows {
		fmt.Fprintln(t, strings.Join(row, "\t"))
	}
	return t.Flush()
}
