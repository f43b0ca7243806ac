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
	for _, s := range scenarios() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			s.compare(t)
		})
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
