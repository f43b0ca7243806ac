package cli

import (
	"io"
	"strconv"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"satchel/internal/problem"
	"satchel/internal/term"
)

// TestEveryCommandHelps: each command says in a line what it does, shows how it is used, and lists its exit codes, all
// of which are documented.
func TestEveryCommandHelps(t *testing.T) {
	t.Parallel()
	none := func(string) string { return "" }
	root := newRoot(&app{out: term.New(io.Discard, none), err: term.New(io.Discard, none), getenv: none})
	for _, cmd := range root.Commands() {
		if cmd.Short == "" || strings.HasSuffix(cmd.Short, ".") {
			t.Errorf("%s: its line is %q", cmd.Name(), cmd.Short)
		}
		if !strings.Contains(cmd.Example, "satchel "+cmd.Name()) {
			t.Errorf("%s has no example", cmd.Name())
		}
		if cmd.Name() == "mcpb" {
			continue // the exit codes of the reference
		}
		checkExits(t, cmd)
	}
}

func checkExits(t *testing.T, cmd *cobra.Command) {
	t.Helper()
	documented := map[string]bool{"0": true}
	for _, c := range []problem.Code{
		problem.Failed, problem.Usage, problem.Invalid, problem.Refused, problem.Untrusted, problem.NotFound, problem.NeedsConfig, problem.Unsigned, problem.Tampered, problem.Interrupted,
	} {
		documented[strconv.Itoa(c.Exit())] = true
	}
	text := cmd.Annotations["exits"]
	if !strings.HasPrefix(text, "0 done, ") || !strings.Contains(text, "2 usage") {
		t.Errorf("%s: exit codes %q", cmd.Name(), text)
	}
	for part := range strings.SplitSeq(strings.Split(text, ";")[0], ", ") {
		number, _, _ := strings.Cut(part, " ")
		if _, err := strconv.Atoi(number); err == nil && !documented[number] {
			t.Errorf("%s: exit code %s is not documented", cmd.Name(), number)
		}
	}
}
