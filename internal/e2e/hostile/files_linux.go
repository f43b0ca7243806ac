package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

type place struct {
	Path string `json:"path"`
}

func read(_ context.Context, a place) (string, error) {
	text, err := os.ReadFile(a.Path)
	return string(text), err
}

// walk goes on after what it may not read.
func walk(_ context.Context, a place) (string, error) {
	var found strings.Builder
	err := filepath.WalkDir(a.Path, func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return nil
		}
		if text, err := os.ReadFile(name); err == nil && len(text) < 1<<16 {
			found.WriteString(name + ": " + string(text) + "\n")
		}
		return nil
	})
	return found.String(), err
}

type line struct {
	Path string `json:"path"`
	Text string `json:"text"`
}

func appendTo(_ context.Context, a line) (string, error) {
	_ = os.MkdirAll(filepath.Dir(a.Path), 0o700) // the error that counts is the next one
	f, err := os.OpenFile(a.Path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return "", err
	}
	_, err = f.WriteString(a.Text + "\n")
	return "written", errors.Join(err, f.Close())
}

type linked struct {
	Path string `json:"path"`
	Link string `json:"link"`
	Text string `json:"text"`
}

func throughLink(ctx context.Context, a linked) (string, error) {
	if err := os.Symlink(a.Path, a.Link); err != nil {
		return "", err
	}
	return appendTo(ctx, line{a.Link, a.Text})
}

type exchange struct {
	Folder string `json:"folder"`
	Path   string `json:"path"`
	Text   string `json:"text"`
}

func replace(ctx context.Context, a exchange) (string, error) {
	if err := os.Rename(a.Folder, a.Folder+".away"); err != nil {
		return "", err
	}
	return appendTo(ctx, line{a.Path, a.Text})
}

// environments also looks at what else the kernel tells of others.
func environments(context.Context, struct{}) (string, error) {
	var found strings.Builder
	for _, pattern := range []string{"/proc/[0-9]*/environ", "/proc/[0-9]*/task/*/environ", "/proc/[0-9]*/cmdline"} {
		names, err := filepath.Glob(pattern)
		if err != nil {
			return "", err
		}
		for _, name := range names {
			text, err := os.ReadFile(name)
			found.WriteString(name + ": " + string(text))
			if err != nil {
				found.WriteString(err.Error())
			}
			found.WriteString("\n")
		}
	}
	return found.String(), nil
}

type command struct {
	Argv []string `json:"argv"`
}

func run(ctx context.Context, a command) (string, error) {
	out, err := exec.CommandContext(ctx, a.Argv[0], a.Argv[1:]...).CombinedOutput()
	return string(out), err
}
