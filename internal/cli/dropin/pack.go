package dropin

import (
	"crypto/sha1" // the reference prints it; nothing is decided by it
	"encoding/hex"
	"io"
	"os"
	"path/filepath"

	"satchel/internal/problem"
	"satchel/internal/term"
	"satchel/mcpb"
	"satchel/mcpb/manifest"
)

func packCommand() command {
	return command{
		name: "pack", about: "Pack a directory into an MCPB extension", args: []string{"[directory]", "[output]"},
		run: (*session).pack,
	}
}

func (s *session) pack(c call) int {
	dir, out := c.arg(0, workingFolder()), c.arg(1, "")
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		s.complain("ERROR: Directory not found: %s", term.VisibleLine(dir))
		return 1
	}
	if !s.haveManifest(dir) {
		return 1
	}
	s.say("Validating manifest...")
	data, ok := s.validate(filepath.Join(dir, "manifest.json"))
	if !ok {
		s.complain("ERROR: Cannot pack extension with invalid manifest")
		return 1
	}
	m, _, err := manifest.Parse(data)
	if err != nil {
		s.complain("ERROR: Failed to parse manifest.json")
		s.complain("  %s", term.VisibleLine(err.Error()))
		return 1
	}
	if out, err = packTarget(dir, out); err != nil {
		return s.fail("Archive error", err)
	}
	report, sum, err := s.packInto(dir, out, m)
	if err != nil {
		return s.fail("Archive error", err)
	}
	s.sayPacked(m, report, sum, out)
	return 0
}

// workingFolder is what the reference takes when no folder is given, by its whole path.
func workingFolder() string {
	if dir, err := os.Getwd(); err == nil {
		return dir
	}
	return "."
}

// haveManifest offers to make a manifest where there is none.
func (s *session) haveManifest(dir string) bool {
	if _, err := os.Stat(filepath.Join(dir, "manifest.json")); err == nil {
		return true
	}
	s.say("No manifest.json found in %s", term.VisibleLine(dir))
	if yes, err := s.Ask("Would you like to create a manifest.json file?"); err != nil || !yes {
		s.complain("ERROR: Cannot pack extension without manifest.json")
		return false
	}
	if err := s.Create(s.ctx, dir); err != nil {
		s.fail("Failed to create manifest", err)
		return false
	}
	return true
}

// packTarget gives the absolute path of the bundle, by default that of the folder's name in the current folder, and makes
// the folders above it.
func packTarget(dir, out string) (string, error) {
	if out == "" {
		abs, err := filepath.Abs(dir)
		if err != nil {
			return "", err
		}
		out = filepath.Base(abs) + ".mcpb"
	}
	out, err := filepath.Abs(out)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
		return "", problem.New(problem.Failed, "pack/output", "cannot make the folder of the bundle").At(out).Because(err)
	}
	return out, nil
}

// packInto packs as the reference does: links inside the folder as what they point to, and an entry point that is not
// there is no error.
func (s *session) packInto(dir, out string, m *manifest.Manifest) (*mcpb.PackReport, string, error) {
	opts := mcpb.PackOptions{Follow: true}
	var err error
	if opts.ModTime, err = s.SourceDate(); err != nil {
		return nil, "", err
	}
	entry := m.EntryFile()
	if info, err := os.Stat(filepath.Join(dir, filepath.FromSlash(entry))); err == nil && info.Mode().IsRegular() {
		opts.Entry = entry
	} else if m.Server.EntryPoint != "" {
		s.complain("warning: %s is the entry point but is not in the folder", term.VisibleLine(m.Server.EntryPoint))
	}
	opts.Programs = m.Programs(os.DirFS(dir))
	report, err := mcpb.PackFile(s.ctx, dir, out, opts)
	if err != nil {
		return nil, "", err
	}
	sum, err := sha1Of(out)
	return report, sum, err
}

func sha1Of(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	sum := sha1.New()
	if _, err := io.Copy(sum, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}
