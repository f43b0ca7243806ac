package bundlediff

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"time"
	"unicode/utf8"

	"satchel/internal/problem"
	"satchel/mcpb"
	"satchel/mcpb/manifest"
	"satchel/mcpb/signature"
)

// A Side is an opened bundle or folder. It is safe for concurrent use, but for Close.
type Side struct {
	about    About
	manifest []byte
	files    map[string]mcpb.File
	content  fs.FS
	close    func() error
}

// Open opens a bundle, or a folder as it would be packed. Signers are judged by trust at the moment now. Errors are
// problems, of mcpb.Open or mcpb.Plan or about the manifest. The caller closes the side.
func Open(path string, trust signature.Trust, now time.Time) (*Side, error) {
	info, err := os.Stat(path)
	if err == nil && info.IsDir() {
		return openFolder(path)
	}
	b, err := mcpb.Open(path, mcpb.Limits{})
	if err != nil {
		return nil, err
	}
	s, err := fromBundle(b, path, trust, now)
	if err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return s, nil
}

func fromBundle(b *mcpb.Bundle, path string, trust signature.Trust, now time.Time) (*Side, error) {
	data, err := b.Manifest()
	if err != nil {
		return nil, err
	}
	s := &Side{about: About{Path: path}, manifest: data, content: b.FS(), close: b.Close}
	if s.about.Signature, err = b.Verify(trust, now); err != nil {
		return nil, err
	}
	return s, s.take(b.Files())
}

func openFolder(dir string) (*Side, error) {
	plan, err := mcpb.Plan(dir, mcpb.PackOptions{Follow: true})
	if err != nil {
		return nil, err
	}
	content, err := plan.FS()
	if err != nil {
		return nil, err
	}
	s := &Side{about: About{Path: dir, Folder: true}, content: content, close: func() error { return nil }}
	if s.manifest, err = s.read("manifest.json", manifest.MaxSize); err != nil {
		return nil, err
	}
	files := make([]mcpb.File, len(plan.Files))
	for i, f := range plan.Files {
		files[i] = mcpb.File{Name: f.Name, Size: f.Size, Mode: f.Mode}
	}
	return s, s.take(files)
}

// take keeps the files by their names, and what the manifest says of itself.
func (s *Side) take(files []mcpb.File) error {
	m, report, err := manifest.Parse(s.manifest)
	if err != nil {
		report.File = s.about.Path + "/manifest.json"
		return report.Err()
	}
	s.about.Name, s.about.Version, s.about.Files = m.Name, m.Version, len(files)
	s.files = make(map[string]mcpb.File, len(files))
	for _, f := range files {
		s.files[f.Name] = f
		s.about.Bytes += f.Size
	}
	return nil
}

// Close closes what Open opened.
func (s *Side) Close() error { return s.close() }

// read reads a whole file of at most limit bytes.
func (s *Side) read(name string, limit int64) ([]byte, error) {
	f, err := s.content.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = problem.New(problem.Invalid, "diff/text", "has more than %d bytes", limit).At(s.about.Path + ": " + name)
	}
	return data, err
}

// maxText is the longest text that Text compares, in bytes.
const maxText = 4 << 20

// Text reads one text file of both sides; a side that does not have it gives nil. The error is a problem: of class
// NotFound when neither has it, Invalid when it is no text or too long.
func Text(a, b *Side, name string) (before, after []byte, err error) {
	if !fs.ValidPath(name) || a.files[name].Name == "" && b.files[name].Name == "" {
		return nil, nil, problem.New(problem.NotFound, "diff/file", "is in neither of the two").At(name)
	}
	var texts [2][]byte
	for i, s := range []*Side{a, b} {
		if s.files[name].Name == "" {
			continue
		}
		if texts[i], err = s.read(name, maxText); err != nil {
			return nil, nil, err
		}
		if !utf8.Valid(texts[i]) {
			return nil, nil, problem.New(problem.Invalid, "diff/text", "is no text in UTF-8").At(s.about.Path + ": " + name)
		}
	}
	return texts[0], texts[1], nil
}
