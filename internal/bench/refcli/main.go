// Command refcli measures satchel beside the reference CLI (npm @anthropic-ai/mcpb) in one run; `make bench` runs it.
//
// Both do the same work on the same tree and disk, in turns, so that a slow moment of the machine meets both. The table
// of docs/benchmarks.md is written anew, and the exit code is 1 when a line that must hold does not. Use it from the
// root of the source, after `go run ./internal/deps -bench`.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
)

const (
	reference = "testdata/npm/node_modules/@anthropic-ai/mcpb/dist/cli/cli.js"
	tree      = "testdata/npm-bench"
	page      = "docs/benchmarks.md"
)

func main() {
	satchel := flag.String("satchel", "bin/satchel", "the program to measure")
	rounds := flag.Int("rounds", 7, "how often each command runs")
	dir := flag.String("dir", memoryDir(), "where to write bundles and unpacked trees")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *satchel, *dir, *rounds); err != nil {
		fmt.Fprintln(os.Stderr, "refcli:", err)
		os.Exit(1)
	}
}

// memoryDir is a file system in memory, where there is one with room: how fast a disk makes files depends on what was
// deleted on it in the last minutes (ext4 looks for inodes that were not), which says nothing about either program.
func memoryDir() string {
	const dir = "/dev/shm"
	if freeBytes(dir) < 2<<30 {
		return os.TempDir()
	}
	return dir
}

func run(ctx context.Context, satchel, dir string, rounds int) error {
	work, err := os.MkdirTemp(dir, "satchel-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	if satchel, err = filepath.Abs(satchel); err != nil {
		return err
	}
	cases, err := allCases(ctx, satchel, work)
	if err != nil {
		return err
	}
	var results []result
	for _, c := range cases {
		fmt.Fprintf(os.Stderr, "%s: %d rounds ...\n", c.name, rounds)
		r, err := c.measure(ctx, rounds)
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		results = append(results, r)
	}
	sizes, err := compareBundles(work)
	if err != nil {
		return err
	}
	lines := judge(results, sizes)
	text := render(lines, sizes, rounds)
	fmt.Print(text)
	if err := writePage(page, text); err != nil {
		return err
	}
	for _, l := range lines {
		if !l.holds() {
			return errors.New("a line that must hold does not; see the table")
		}
	}
	return nil
}
