package scaffold

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"satchel/internal/atomicfile"
	"satchel/internal/problem"
)

// Write begins a project in dir, which must not be there or be empty; nothing is ever replaced. It gives the names of
// the files, sorted. After an error nothing is left of it. Errors are problems: Refused when the folder is in use,
// Failed when the disk refuses, and those of [Template.Files].
func Write(dir string, t Template, v Values) ([]string, error) {
	files, err := t.Files(v)
	if err != nil {
		return nil, err
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	there, err := usable(abs)
	if err != nil {
		return nil, err
	}
	failed := func(err error) error {
		return problem.New(problem.Failed, "init/write", "cannot be written").At(dir).Because(err)
	}
	base := filepath.Dir(abs)
	if there {
		base = abs
	}
	staging, err := os.MkdirTemp(base, ".satchel-init-")
	if err != nil {
		return nil, failed(err)
	}
	err = stage(staging, files)
	if err == nil {
		err = publish(staging, abs, there)
	}
	removed := os.RemoveAll(staging)
	if errors.Is(err, fs.ErrExist) && removed == nil { // somebody else was faster
		if _, used := usable(abs); used != nil {
			return nil, used
		}
	}
	if err = errors.Join(err, removed); err != nil {
		return nil, failed(err)
	}
	return slices.Sorted(maps.Keys(files)), nil
}

// Free refuses a folder in which [Write] would not begin a project, with the same errors: ask before a person answers
// questions about it.
func Free(dir string) error {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	_, err = usable(abs)
	return err
}

// usable tells whether the folder is there; one that holds anything is refused.
func usable(dir string) (there bool, err error) {
	if info, bad := os.Stat(dir); bad == nil && !info.IsDir() {
		return false, problem.New(problem.Usage, "init/folder", "is no folder").At(dir).Try("name a new folder")
	}
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, absent(dir)
	case err != nil:
		return false, problem.New(problem.Failed, "init/folder", "the folder cannot be read").At(dir).Because(err)
	case len(entries) > 0:
		return false, inUse(dir, entries[0].Name())
	}
	return true, nil
}

// inUse names what is in the folder: it may be nothing that a person sees, such as the rest of what was killed.
func inUse(dir, entry string) *problem.Problem {
	return problem.New(problem.Refused, "init/folder-in-use", "the folder is not empty, it has %q: a template begins a new one", entry).At(dir).
		Try("name a new folder, or write only a manifest for this one: satchel init -y")
}

// absent refuses a folder that cannot be made where dir is: a link to nothing, or in a folder that is not there.
func absent(dir string) error {
	if to, err := os.Readlink(dir); err == nil {
		return problem.New(problem.Refused, "init/folder", "is a link to %s, which is not there", to).At(dir).Try("remove it, or name another folder")
	}
	above := filepath.Dir(dir)
	if _, err := os.Stat(above); errors.Is(err, fs.ErrNotExist) {
		return problem.New(problem.NotFound, "init/folder", "there is no such folder").At(above).Try("%s", problem.Words("mkdir", "-p", above))
	}
	return nil
}

func stage(staging string, files map[string][]byte) error {
	if err := os.Chmod(staging, 0o755); err != nil {
		return err
	}
	for name, data := range files {
		path := filepath.Join(staging, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := atomicfile.Write(path, data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// publish shows the project: one rename where there is no folder yet. Into a folder that is there, and that may be
// somebody's working folder, its entries are moved one by one, the manifest last; what was moved goes away again when
// one cannot be.
func publish(staging, dir string, there bool) error {
	if !there {
		return errors.Join(os.Rename(staging, dir), atomicfile.SyncDir(filepath.Dir(dir)))
	}
	entries, err := os.ReadDir(staging)
	if err != nil {
		return err
	}
	slices.SortStableFunc(entries, func(a, b fs.DirEntry) int { return last(a) - last(b) })
	for i, e := range entries {
		to := filepath.Join(dir, e.Name())
		if _, err = os.Lstat(to); err == nil {
			err = fs.ErrExist // it came while we were writing
		} else if errors.Is(err, fs.ErrNotExist) {
			err = os.Rename(filepath.Join(staging, e.Name()), to)
		}
		if err != nil {
			for _, moved := range entries[:i] {
				err = errors.Join(err, os.RemoveAll(filepath.Join(dir, moved.Name())))
			}
			return err
		}
	}
	return atomicfile.SyncDir(dir)
}

func last(e fs.DirEntry) int {
	if e.Name() == "manifest.json" {
		return 1
	}
	return 0
}
