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

	"satchel/internal/bench/page"
)

const (
	reference = "testdata/npm/node_modules/@anthropic-ai/mcpb/dist/cli/cli.js"
	tree      = "testdata/npm-bench"
	docs      = "docs/benchmarks.md"
)

func main() {
	satchel := flag.String("satchel", "bin/satchel", "the program to measure")
	rounds := flag.Int("rounds", 7, "how often each command runs")
	dir := flag.String("dir", memoryDir(), "where to write bundles and unpacked trees")
	only := flag.String("only", "", "measure only the reference (refcli) or signing (sign)")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var err error
	if *only != "sign" {
		err = run(ctx, *satchel, *dir, *rounds)
	}
	if *only != "refcli" {
		err = errors.Join(err, runSigning(ctx, *satchel, *dir, *rounds))
	}
	if err != nil {
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
	results, err := measureAll(ctx, cases, rounds)
	if err != nil {
		return err
	}
	sizes, err := compareBundles(work)
	if err != nil {
		return err
	}
	lines := judge(results, sizes)
	if err := publish(begin, end, render(lines, sizes, rounds)); err != nil {
		return err
	}
	return firstThatFails(lines)
}

// runSigning measures signing and verifying of a large bundle beside the digest that any program must compute for it.
func runSigning(ctx context.Context, satchel, dir string, rounds int) error {
	work, err := os.MkdirTemp(dir, "satchel-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	if satchel, err = filepath.Abs(satchel); err != nil {
		return err
	}
	cases, size, err := signingCases(ctx, satchel, work)
	if err != nil {
		return err
	}
	results, err := measureAll(ctx, cases, rounds)
	if err != nil {
		return err
	}
	lines := judgeSigning(results)
	if err := publish(beginSigning, endSigning, renderSigning(lines, size, rounds)); err != nil {
		return err
	}
	return firstThatFails(lines)
}

func measureAll(ctx context.Context, cases []benchCase, rounds int) (results []result, err error) {
	for _, c := range cases {
		fmt.Fprintf(os.Stderr, "%s: %d rounds ...\n", c.name, rounds)
		r, err := c.measure(ctx, rounds)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.name, err)
		}
		results = append(results, r)
	}
	return results, nil
}

func publish(begin, end, text string) error {
	fmt.Print(text)
	return page.Write(docs, begin, end, text)
}

func firstThatFails(lines []line) error {
	for _, l := range lines {
		if !l.holds() {
			return errors.New("a line that must hold does not; see the table")
		}
	}
	return nil
}
