package store

import (
	"os"
	"path/filepath"

	"satchel/internal/problem"
)

// Link installs the folder in.Link where it is, replacing what was installed under its id. Nothing is copied, nothing in
// the folder is changed, now or when the extension is removed, and no digest is kept of it.
func (s *Store) Link(in *Installation) error {
	if !filepath.IsAbs(in.Link) {
		return problem.New(problem.Failed, "store/record", "the linked folder is not an absolute path").At(in.Link)
	}
	return s.change(in.ID, func(dir string) error { return s.write(dir, in) })
}

// RunDir is the folder for what running processes share. It is made when it is not there.
func (s *Store) RunDir() (string, error) {
	dir := filepath.Join(s.home.Data, "run")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", failed(dir, "cannot be made", err)
	}
	return dir, nil
}
