package grant

import (
	"io/fs"
	"os"
	"path/filepath"
)

// A finder finds where many paths of few folders really are. Most are not there, so it lists the folders once.
type finder struct {
	m    Machine
	dirs map[string]*folder
}

// A folder is a folder as it was found.
type folder struct {
	real  string
	info  fs.FileInfo     // nil: it is not there
	names map[string]bool // by key; nil: it could not be listed
}

// folder finds a folder, those above it first.
func (f finder) folder(dir string) *folder {
	if found := f.dirs[dir]; found != nil {
		return found
	}
	found := &folder{real: dir}
	if dir == filepath.Dir(dir) {
		found.info, _ = os.Stat(dir) // nil when it cannot be looked at: it is treated as not there
	} else {
		found.real, found.info = f.find(dir)
	}
	if found.info != nil {
		found.list(f.m)
	}
	f.dirs[dir] = found
	return found
}

func (d *folder) list(m Machine) {
	entries, err := os.ReadDir(d.real)
	if err != nil {
		return
	}
	d.names = make(map[string]bool, len(entries))
	for _, e := range entries {
		d.names[m.key(e.Name())] = true
	}
}

// find gives the path without links, as far as it is there, and what is there: a settings file is often a link into a
// folder of such files. A link that leads nowhere stays one.
func (f finder) find(path string) (real string, info fs.FileInfo) {
	dir := f.folder(filepath.Dir(path))
	real = filepath.Join(dir.real, filepath.Base(path))
	if dir.info == nil || dir.names != nil && !dir.names[f.m.key(filepath.Base(path))] {
		return real, nil
	}
	info, err := os.Lstat(real)
	if err == nil && info.Mode()&fs.ModeSymlink != 0 {
		end, broken := filepath.EvalSymlinks(real)
		if broken != nil {
			return real, nil
		}
		real = end
		info, err = os.Stat(real)
	}
	if err != nil {
		return real, nil
	}
	return real, info
}
