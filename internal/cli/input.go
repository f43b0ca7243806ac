package cli

import (
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

// confirm asks a yes-or-no question on the terminal. Without a terminal it refuses, naming the flag that agrees.
func (a *app) confirm(question string) (bool, error) {
	if a.json || !term.Interactive(a.in) {
		return false, problem.New(problem.Refused, "cli/agree", "this needs your agreement, and there is no terminal to ask at").
			Try("read the review above, then give the same command with --yes")
	}
	a.err.Printf("%s [y/N] ", question)
	var answer string
	if _, err := fmt.Fscanln(a.in, &answer); err != nil && answer == "" {
		return false, nil // an empty line or the end of input is a no
	}
	return strings.EqualFold(answer, "y") || strings.EqualFold(answer, "yes"), nil
}
