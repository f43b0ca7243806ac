package mcpb

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"satchel/internal/problem"
)

// A target is the folder to unpack into, and what was made in it: all that is to be removed when unpacking fails. What
// others put there is left alone.
type target struct {
	dir     string
	merge   bool // dir may hold other files
	root    *os.Root
	made    []string // folders that were made to have dir, the outermost first
	folders []string // folders made inside, parents first
}

// openTarget makes the folder dir, or takes it when it is there and, without merge, empty. It is looked at through the handle that is
// written through later, so that it does not matter what is put in its place.
func openTarget(dir string, merge bool) (*target, error) {
	t := &target{dir: filepath.Clean(dir), merge: merge}
	err := t.open()
	if err == nil {
		return t, nil
	}
	if left := t.undo(nil); left != nil {
		err = errors.Join(err, left)
	}
	return nil, err
}

func (t *target) open() error {
	const rule = "extract/target"
	if err := t.makeDir(t.dir); err != nil {
		return problem.New(problem.Failed, rule, "cannot be made").At(t.dir).Because(err)
	}
	seen, err := os.Lstat(t.dir)
	if err != nil {
		return problem.New(problem.Failed, rule, "cannot be looked at").At(t.dir).Because(err)
	}
	occupied := problem.New(problem.Failed, rule, "is not an empty folder; nothing is ever overwritten").At(t.dir).Try("name a new folder")
	if !seen.IsDir() { // a link to a folder is not followed
		return occupied
	}
	if t.root, err = os.OpenRoot(t.dir); err != nil {
		return problem.New(problem.Failed, rule, "cannot be opened").At(t.dir).Because(err)
	}
	self, err := t.root.Open(".")
	if err != nil {
		return problem.New(problem.Failed, rule, "cannot be opened").At(t.dir).Because(err)
	}
	defer self.Close()
	if opened, err := self.Stat(); err != nil || !os.SameFile(seen, opened) {
		return occupied
	}
	if _, err := self.Readdirnames(1); err != io.EOF && !t.merge {
		return occupied
	}
	return nil
}

// makeDir makes dir and the folders above it that are missing.
func (t *target) makeDir(dir string) error {
	if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) {
		return nil // whatever it is, it will be looked at
	}
	if parent := filepath.Dir(dir); parent != dir {
		if err := t.makeDir(parent); err != nil {
			return err
		}
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	t.made = append(t.made, dir)
	return nil
}

// undo removes the files given and all folders that were made, and closes the target. Only what is empty goes: a folder
// into which somebody else put something stays, and is the error.
func (t *target) undo(files []string) error {
	var first error
	keep := func(err error) {
		if first == nil && err != nil && !errors.Is(err, fs.ErrNotExist) {
			first = problem.New(problem.Failed, "extract/undo", "cannot be removed again").At(t.dir).Because(err)
		}
	}
	if t.root != nil {
		for _, name := range files {
			keep(t.root.Remove(filepath.FromSlash(name)))
		}
		for _, name := range slices.Backward(t.folders) {
			keep(t.root.Remove(filepath.FromSlash(name)))
		}
		keep(t.root.Close())
	}
	for _, dir := range slices.Backward(t.made) {
		keep(os.Remove(dir))
	}
	return first
}

// sync puts the folders themselves on the disk, which on Windows happens by itself.
func (t *target) sync() error {
	for _, name := range append([]string{"."}, t.folders...) {
		f, err := t.root.Open(filepath.FromSlash(name))
		if err != nil {
			return err
		}
		if err := errors.Join(f.Sync(), f.Close()); err != nil {
			return err
		}
	}
	return nil
}
