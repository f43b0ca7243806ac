package dropin_test

import (
	"slices"
	"testing"
)

// scenarios is all that both programs are asked.
func scenarios() []scenario {
	return slices.Concat(grammarCases(), validateCases(), initCases(), cleanCases(), packCases(), unpackCases())
}

// TestConformance drives the reference and the drop-in over the same scenarios and compares exit code, both outputs and
// what is on the disk afterwards. normal says what is not compared.
func TestConformance(t *testing.T) {
	needReference(t)
	all := scenarios()
	stages, theirs := make([]stage, len(all)), make([]result, len(all))
	var calls []call
	var ends []int // of which scenario a call is
	for i, s := range all {
		stages[i] = s.set(t)
		if s.alone {
			theirs[i] = s.playTheirs(t, stages[i])
			continue
		}
		for _, c := range s.calls(stages[i]) {
			calls, ends = append(calls, c), append(ends, i)
		}
	}
	for i, r := range askReference(t, calls) {
		theirs[ends[i]] = r
	}
	for i, s := range all {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			at := s.set(t)
			ours := s.aspects(t, at, s.playOurs(t, at))
			s.compare(t, ours, s.aspects(t, stages[i], theirs[i]))
		})
	}
}

// TestManyRunsInOneProcess: what testdata/cli.mjs says of the reference is what a process of its own says.
func TestManyRunsInOneProcess(t *testing.T) {
	t.Parallel()
	needReference(t)
	var some []scenario
	for _, s := range scenarios() {
		switch s.name {
		case "args [nope]", "validate issues", "init full", "pack here", "pack a broken link", "unpack here", "clean with packages":
			some = append(some, s)
		}
	}
	if len(some) < 6 {
		t.Fatalf("only %d scenarios: their names have changed", len(some))
	}
	for _, s := range some {
		one, many := s.set(t), s.set(t)
		results := askReference(t, s.calls(many))
		s.compareSame(t, s.aspects(t, one, s.playTheirs(t, one)), s.aspects(t, many, results[len(results)-1]))
	}
}

const aManifest = `{"manifest_version":"0.3","name":"My Ext","version":"1.0.0","description":"d","author":{"name":"a"},` +
	`"server":{"type":"node","entry_point":"server/index.js","mcp_config":{"command":"node","args":["${__dirname}/server/index.js"]}}}`

// grammarCases are about the command line itself.
func grammarCases() (cases []scenario) {
	for _, args := range [][]string{
		{"help", "validate"}, {"clean", "-h"}, {"help", "verify"}, {"help", "info"}, {"help", "unsign"}, {"validate", "--help"}, {"help", "pack"}, {"help", "unpack"}, {"init", "-h"}, {"validate", "x", "--help", "more"},
		{"nope"}, {"valdate"}, {"--nope"}, {""}, {"-y"}, {"unsing", "x"}, {"ini"}, {"--versoin"}, {"--", "nope"},
		{"validate"}, {"validate", "a", "b"}, {"pack", "a", "b", "c"}, {"validate", "--nope", "x"}, {"validate", "-y", "x"}, {"validate", "--hel"},
		{"validate", "-V"}, {"-V"}, {"--version"}, {"-Vx"}, {"help", "-V"}, {"validate", "--", "-x"}, {"--", "validate", "x"}, {"validate", "--", "--help"},
		{"init", "-yx"}, {"init", "--yes=1"}, {"init", "--yse"}, {"unpack"}, {"validate", "-"}, {"--", "-h"},
	} {
		cases = append(cases, scenario{name: "args " + join(args), args: args})
	}
	return cases
}

func join(args []string) string {
	text := ""
	for _, a := range args {
		text += "[" + a + "]"
	}
	return text
}
