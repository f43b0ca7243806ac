package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// A benchCase is one piece of work that both programs can do. The functions give the command line of a round, whose last
// argument is what is written, for those that write.
type benchCase struct {
	name         string
	factor       int // how often it runs in a round: short commands need more runs
	writes       bool
	alone        bool // what theirs reads must stay: only ours writes
	ours, theirs func(round int) []string
}

// allCases makes the cases, and the bundles that they need.
func allCases(ctx context.Context, satchel, work string) ([]benchCase, error) {
	same := func(argv ...string) func(int) []string { return func(int) []string { return argv } }
	ref := func(args ...string) []string { return append([]string{"node", reference}, args...) }
	manifest := filepath.Join(tree, "manifest.json")
	out := func(who string, round int, ext string) string {
		return filepath.Join(work, fmt.Sprintf("%s-%d%s", who, round, ext))
	}
	bundle := out("theirs", -1, ".mcpb") // unpacking is measured on the reference's own bundle
	for _, argv := range [][]string{ref("pack", tree, bundle), {satchel, "pack", tree, out("ours", -1, ".mcpb")}} {
		if _, err := measure(ctx, argv); err != nil {
			return nil, err
		}
	}
	return []benchCase{
		{"version", 3, false, false, same(satchel, "version"), same(ref("--version")...)},
		{"validate", 3, false, false, same(satchel, "validate", manifest), same(ref("validate", manifest)...)},
		{
			"pack", 1, true, false,
			func(n int) []string { return []string{satchel, "pack", tree, out("ours", n, ".mcpb")} },
			func(n int) []string { return ref("pack", tree, out("theirs", n, ".mcpb")) },
		},
		{
			"unpack", 1, true, false,
			func(n int) []string { return []string{satchel, "unpack", bundle, out("ours", n, "")} },
			func(n int) []string { return ref("unpack", bundle, out("theirs", n, "")) },
		},
	}, nil
}

// A result is the rounds of one case.
type result struct {
	name         string
	ours, theirs []usage
}

// measure runs a case: one round that does not count, then the others, each with the other program first.
func (c benchCase) measure(ctx context.Context, rounds int) (result, error) {
	r := result{name: c.name}
	for n := range rounds*c.factor + 1 {
		sides := []func(int) []string{c.ours, c.theirs}
		into := []*[]usage{&r.ours, &r.theirs}
		for i := range sides {
			side := (i + n) % 2
			argv := sides[side](n)
			u, err := measure(ctx, argv)
			if err != nil {
				return r, err
			}
			if c.writes && !(c.alone && side == 1) { // so that the next finds the memory that this one had
				if err := os.RemoveAll(argv[len(argv)-1]); err != nil {
					return r, err
				}
			}
			if n > 0 {
				*into[side] = append(*into[side], u)
			}
		}
	}
	return r, nil
}
