package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"satchel/internal/problem"
	"satchel/internal/term"
)

// isBundle tells by its ending, or by its first bytes, whether a file is meant as a bundle.
func isBundle(path string) bool {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".mcpb", ".dxt", ".zip":
		return true
	case ".json":
		return false
	}
	f, err := openRegular(path)
	if err != nil {
		return false
	}
	defer f.Close()
	magic := make([]byte, 4)
	_, err = io.ReadFull(f, magic)
	return err == nil && string(magic) == "PK\x03\x04"
}

// openRegular opens a file that a person named. It waits for no pipe and opens no device.
func openRegular(path string) (*os.File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, notFound(path, err)
	}
	if !info.Mode().IsRegular() {
		return nil, problem.New(problem.Invalid, "cli/file", "is not a regular file").At(path).Try("save its content to a file first")
	}
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, notFound(path, err)
	}
	return f, nil
}

// progress begins a progress line on the error stream; none with --json.
func (a *app) progress(label string) *term.Progress {
	if a.json {
		return (&term.Out{Writer: io.Discard}).Progress(label)
	}
	return a.err.Progress(label)
}

// An agreement is a yes that a command needs before it goes on.
type agreement struct {
	question string
	reviewed bool // a review was shown before, unless --json was given
}

// confirm asks a yes-or-no question on the terminal. Without a terminal it refuses, naming the flag that agrees. Ctrl-C
// at the question is an error of class Interrupted.
func (a *app) confirm(ctx context.Context, ask agreement) (bool, error) {
	if a.json || !term.Interactive(a.in) {
		return false, problem.New(problem.Refused, "cli/agree", "this needs your agreement, and there is no terminal to ask at").Try("%s", ask.howToAgree(a.json))
	}
	a.err.Printf("%s [y/N] ", ask.question)
	answer, err := await(ctx, func() (string, error) {
		var answer string
		_, _ = fmt.Fscanln(a.in, &answer) // an empty line or the end of input is a no
		return answer, nil
	})
	if err != nil {
		a.err.Println()
		return false, err
	}
	return strings.EqualFold(answer, "y") || strings.EqualFold(answer, "yes"), nil
}

func (ask agreement) howToAgree(json bool) string {
	switch {
	case !ask.reviewed:
		return "give the same command with --yes"
	case json:
		return "read the review, which the same command shows without --json, then give it with --yes"
	}
	return "read the review above, then give the same command with --yes"
}

// await gives what read gives, or the end of ctx when that comes first. Signals only end ctx, so whatever waits for a
// person waits here. A read that nobody answers goes on until the program ends.
func await[T any](ctx context.Context, read func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		v, err := read()
		done <- result{v, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}
