package dropin_test

import (
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
)

// scenarios is all that both programs are asked.
func scenarios() []scenario {
	return slices.Concat(grammarCases(), validateCases(), initCases(), cleanCases(), packCases(), unpackCases(), signCases(), signedCases())
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
		case "args ", "args [help][sign]", "args [nope]", "validate issues", "init full", "pack here", "pack a broken link", "unpack here", "clean with packages":
			some = append(some, s)
		}
	}
	if len(some) < 8 {
		t.Fatalf("only %d scenarios: their names have changed", len(some))
	}
	for _, s := range some {
		one, many := s.set(t), s.set(t)
		results := askReference(t, s.calls(many))
		s.compareSame(t, s.aspects(t, one, s.playTheirs(t, one)), s.aspects(t, many, results[len(results)-1]))
	}
}

// TestRandomCommandLines compares how both programs read command lines of which nobody thought. No file is there, so that
// nothing is done.
func TestRandomCommandLines(t *testing.T) {
	t.Parallel()
	needReference(t)
	words := []string{
		"validate", "validate", "sign", "sign", "sign", "verify", "unsign", "info", "unpack", "help", "nope", "vreify", "x", "y", "-", "--", "-V", "-Vx", "-h", "--help",
		"-c", "-cx", "-k", "--cert", "--cert=", "--key=a=b", "-i", "-ia", "--intermediate", "--self-signed", "--self-signed=1", "--nope", "--nope=x", "-n", "-y", "---", "--versio", "-hV",
	}
	random := rand.New(rand.NewPCG(1, 2))
	at := scenario{}.set(t)
	var calls []call
	for range 200 {
		args := []string{}
		for range random.IntN(6) {
			args = append(args, words[random.IntN(len(words))])
		}
		calls = append(calls, call{at.work, args})
	}
	none := scenario{diffs: map[string]string{}}
	for i, theirs := range askReference(t, calls) {
		ours := start(t, at.home, at.work, append([]string{filepath.Join(here.bin, "mcpb")}, calls[i].Args...)...)
		a, b := none.aspects(t, at, ours), none.aspects(t, at, theirs)
		a[sign], b[sign] = "", ""
		if !maps.Equal(a, b) {
			t.Errorf("%q\nours   %q\ntheirs %q", calls[i].Args, a, b)
		}
	}
}

const aManifest = `{"manifest_version":"0.3","name":"My Ext","version":"1.0.0","description":"d","author":{"name":"a"},` +
	`"server":{"type":"node","entry_point":"server/index.js","mcp_config":{"command":"node","args":["${__dirname}/server/index.js"]}}}`

// grammarCases are about the command line itself.
func grammarCases() (cases []scenario) {
	for _, args := range [][]string{
		{"help", "sign"}, {"sign", "-h"}, {"sign", "-c"}, {"sign", "x", "-c"}, {"sign", "--cert=", "x"}, {"sign", "--self-signed=1", "x"}, {"sign", "-i"}, {"sign", "--sefl-signed", "x"},
		{"sign", "-cx", "-k", "y", "x"}, {"sign", "-i", "a", "b", "x"}, {"sign", "-i", "a", "--", "x"}, {"verify", "x"}, {"info", "x"}, {"unsign", "x"}, {"verify"}, {"sign", "x", "y"},
		{"help", "validate"}, {"clean", "-h"}, {"help", "verify"}, {"help", "info"}, {"help", "unsign"}, {"validate", "--help"}, {"help", "pack"}, {"help", "unpack"}, {"init", "-h"}, {"validate", "x", "--help", "more"},
		{"nope"}, {"valdate"}, {"--nope"}, {""}, {"-y"}, {"unsing", "x"}, {"ini"}, {"--versoin"}, {"--", "nope"},
		{"validate"}, {"validate", "a", "b"}, {"pack", "a", "b", "c"}, {"validate", "--nope", "x"}, {"validate", "-y", "x"}, {"validate", "--hel"},
		{"validate", "-V"}, {"-V"}, {"--version"}, {"-Vx"}, {"help", "-V"}, {"validate", "--", "-x"}, {"--", "validate", "x"}, {"validate", "--", "--help"},
		{"init", "-yx"}, {"init", "--yes=1"}, {"init", "--yse"}, {"unpack"}, {"validate", "-"}, {"--", "-h"},
	} {
		cases = append(cases, scenario{name: "args " + join(args), args: args})
	}
	for _, args := range [][]string{{}, {"help"}, {"--help"}, {"-h"}, {"help", "nope"}, {"help", "help"}, {"help", "-h"}, {"--nope", "-h"}} {
		cases = append(cases, scenario{name: "args " + join(args), args: args, diffs: map[string]string{sign: "help"}})
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
