package dropin

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"

	"satchel/internal/host"
	"satchel/internal/problem"
	"satchel/internal/term"
	"satchel/mcpb"
	"satchel/mcpb/manifest"
)

func cleanCommand() command {
	return command{
		name: "clean", about: "Cleans an MCPB file, validates the manifest, and minimizes bundle size", args: []string{"<mcpb>"},
		run: (*session).clean,
	}
}

// clean drops development dependencies, and never starts the server: what may be needed stays. It changes the bundle only
// when all went well; the reference says that it is done, and exits with 0, when it is not.
func (s *session) clean(c call) int {
	file := c.args[0]
	s.say(" -- Cleaning MCPB...")
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		s.complain("ERROR: MCPB file not found: %s", term.VisibleLine(file))
		return 1
	}
	s.say(" -- Unpacking MCPB...")
	modules, ok := s.inspect(file)
	if !ok {
		return 1
	}
	s.say(" -- Manifest already valid per MCPB schema")
	if modules {
		s.say(" -- node_modules found, deleting development dependencies")
	}
	done, err := s.Clean(s.ctx, file)
	if err != nil {
		return s.fail("Clean failed", err)
	}
	if modules {
		s.say(" -- Removed development dependencies from node_modules")
	} else {
		s.say(" -- No node_modules, not pruning")
	}
	s.say("Manifest schema validation passes!")
	s.sayCleaned(done)
	return 0
}

func (s *session) sayCleaned(done *host.Cleaned) {
	for _, note := range done.Notes {
		s.complain("note: %s", term.VisibleLine(note))
	}
	if len(done.Dropped) > 0 {
		s.complain("warning: nothing was started to see that the server still works; satchel clean does that")
	}
	if done.Unsigned {
		s.complain("warning: the signature does not fit the cleaned bundle and was left out")
	}
	s.say("\nClean Complete:")
	s.say("Before: %s", prettyBytes(done.Before.Packed))
	s.say("After: %s", prettyBytes(done.After.Packed))
}

// inspect validates the manifest in a bundle and tells whether there is a node_modules.
func (s *session) inspect(file string) (modules, ok bool) {
	b, err := mcpb.Open(file, mcpb.Limits{})
	if err != nil {
		s.fail("Failed to unpack extension", err)
		return false, false
	}
	defer b.Close()
	data, err := b.Manifest()
	if err != nil {
		s.fail("Failed to unpack extension", err)
		return false, false
	}
	v := manifest.AsReference(data)
	switch {
	case v.Syntax != "":
		err = problem.New(problem.Invalid, "", "%s", v.Syntax).At("manifest.json")
	case v.Version == "":
		err = problem.New(problem.Invalid, "", "Unrecognized or unsupported manifest version")
	case len(v.Issues) > 0:
		s.sayIssues(v.Issues)
		err = problem.New(problem.Invalid, "", `Unrecoverable manifest issues, please run "mcpb validate"`)
	}
	if err != nil {
		s.fail("Clean failed", err)
		return false, false
	}
	modules = slices.ContainsFunc(b.Files(), func(f mcpb.File) bool { return strings.HasPrefix(f.Name, "node_modules/") })
	return modules, true
}

// prettyBytes writes bytes in decimal units with three digits, as the reference does here and nowhere else.
func prettyBytes(n int64) string {
	v, unit := float64(n), "B"
	for _, next := range []string{"kB", "MB", "GB", "TB"} {
		if v < 1000 {
			break
		}
		v, unit = v/1000, next
	}
	rounded, err := strconv.ParseFloat(fmt.Sprintf("%.3g", v), 64)
	if err != nil {
		rounded = v
	}
	return strconv.FormatFloat(rounded, 'f', -1, 64) + " " + unit
}
