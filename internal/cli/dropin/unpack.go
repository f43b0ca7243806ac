package dropin

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"satchel/internal/problem"
	"satchel/internal/term"
	"satchel/mcpb"
)

func unpackCommand() command {
	return command{
		name: "unpack", about: "Unpack an MCPB extension file", args: []string{"<mcpb-file>", "[output]"},
		run: (*session).unpack,
	}
}

// unpack adds the bundle's files to the current folder, or to the one that is named. Files that are there stay.
func (s *session) unpack(c call) int {
	file := c.args[0]
	if !s.found(file) {
		return 1
	}
	dir, err := s.unpackInto(file, c.arg(1, "."))
	if err != nil {
		return s.fail("Failed to unpack extension", err)
	}
	s.say("Extension unpacked successfully to %s", term.VisibleLine(dir))
	return 0
}

// found tells whether a file is there, and says so when it is not.
func (s *session) found(file string) bool {
	_, err := os.Stat(file)
	if err != nil {
		s.complain("ERROR: MCPB file not found: %s", term.VisibleLine(file))
	}
	return err == nil
}

func (s *session) unpackInto(file, out string) (string, error) {
	dir, err := filepath.Abs(out)
	if err != nil {
		return "", err
	}
	b, err := mcpb.Open(file, mcpb.Limits{})
	if err != nil {
		return "", err
	}
	defer b.Close()
	target, err := filepath.EvalSymlinks(dir) // the person named the link; those inside are not followed
	if errors.Is(err, fs.ErrNotExist) {
		target, err = dir, nil
	}
	if err != nil {
		return "", problem.New(problem.Failed, "extract/target", "cannot be looked at").At(dir).Because(err)
	}
	_, err = b.Extract(s.ctx, target, mcpb.ExtractOptions{Merge: true})
	return dir, err
}
