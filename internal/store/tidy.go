package store

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"satchel/internal/atomicfile"
	"satchel/internal/filelock"
)

// change makes a change to an extension while no other process can. It waits for others, and tidies up afterwards.
func (s *Store) change(id string, do func(dir string) error) error {
	dir, err := s.dir(id)
	if err != nil {
		return err
	}
	s.step("claim")
	c, err := s.newClaim()
	if err != nil {
		return err
	}
	clean := false
	defer func() { c.release(clean) }()
	s.step("lock")
	unlock, err := s.lockDir(dir)
	if err != nil {
		return failed(dir, "cannot be locked", err)
	}
	defer unlock()
	if err = s.finishPurge(id); err == nil {
		err = do(dir)
	}
	s.step("tidy")
	clean = s.tidy(id)
	return err
}

// lockDir locks the folder of an extension, which it makes.
func (s *Store) lockDir(dir string) (unlock func(), err error) {
	for {
		if err := s.makeDir(dir); err != nil {
			return nil, err
		}
		unlock, err := filelock.Lock(filepath.Join(dir, lockName), true)
		if !errors.Is(err, fs.ErrNotExist) { // else whoever uninstalled it last removed the folder, too
			return unlock, err
		}
	}
}

// makeDir makes the folder of an extension, to stay after a power cut.
func (s *Store) makeDir(dir string) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	err := os.MkdirAll(dir, 0o700)
	for d := filepath.Dir(dir); err == nil && len(d) >= len(s.home.Extensions()); d = filepath.Dir(d) {
		err = atomicfile.SyncDir(d)
	}
	return err
}

// Hold keeps an installed version from being removed while it runs; a linked folder is its author's to keep. Call release when it has ended.
func (s *Store) Hold(in *Installation) (release func(), err error) {
	dir, err := s.Dir(in)
	if err != nil {
		return nil, err
	}
	if in.Link != "" {
		return func() {}, nil // not ours to keep
	}
	if _, err = os.Stat(dir); err == nil {
		release, err = filelock.Share(dir + lockName)
	}
	if err == nil {
		if _, err = os.Stat(dir); err == nil { // still, now that nobody can remove it
			return release, nil
		}
		release()
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, failed(in.ID, "was replaced or removed in this moment", nil)
	}
	return nil, failed(dir, "cannot be held", err)
}

// Remove removes an extension and its answers, and with purge its own folder too. A server that runs keeps its files
// until it ends; what cannot be removed now goes when the store is opened next.
func (s *Store) Remove(in *Installation, purge bool) error {
	return s.change(in.ID, func(dir string) error {
		s.step("remove record")
		if err := removeRecord(dir, purge); err != nil {
			return failed(dir, "cannot be removed", err)
		}
		s.step("purge")
		return s.finishPurge(in.ID)
	})
}

// removeRecord makes an extension uninstalled, in one rename or removal.
func removeRecord(dir string, purge bool) error {
	path, mark := filepath.Join(dir, recordName), filepath.Join(dir, purgeName)
	var err error
	if purge {
		if err = os.Rename(path, mark); errors.Is(err, fs.ErrNotExist) { // no record: its own folder goes all the same
			err = atomicfile.Write(mark, nil, 0o600)
		}
	} else {
		err = removeTree(path) // what stands in a record's place may be anything
	}
	if err != nil {
		return err
	}
	return atomicfile.SyncDir(dir)
}

// finishPurge removes the own folder of an extension that was uninstalled with it.
func (s *Store) finishPurge(id string) error {
	dir, err := s.dir(id)
	if err != nil {
		return err
	}
	mark := filepath.Join(dir, purgeName)
	if _, err := os.Lstat(mark); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	err = removeTree(s.DataPath(id))
	if err == nil {
		err = removeTree(mark)
	}
	if err != nil {
		return failed(s.DataPath(id), "cannot be removed", err)
	}
	_ = os.Remove(filepath.Dir(s.DataPath(id))) // the namespace's, when it is empty
	return nil
}

// tidy removes what belongs to no record from the folder of an extension, whose lock the caller holds: other versions,
// unless servers run from them, old secrets, what a crash left; and the folder when nothing is left. False: not all
// could be removed now.
func (s *Store) tidy(id string) bool {
	dir, err := s.dir(id)
	if err != nil {
		return true // no name of ours: not ours to remove
	}
	if s.finishPurge(id) != nil {
		return false
	}
	rec, err := readRecord(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return true // what a damaged record needs cannot be known
	}
	installed := err == nil
	keep := map[string]bool{lockName: true}
	if installed {
		hex, _ := hexDigest(rec.ContentDigest)
		keep[recordName], keep[rec.SecretsFile], keep[hex], keep[hex+lockName] = true, true, true, true
	}
	entries, err := os.ReadDir(dir)
	clean := err == nil
	for _, e := range entries {
		kept, _ := filepath.Match(keptGlob, e.Name()) // as long as the extension is there
		if !keep[e.Name()] && !(kept && installed) {
			clean = removeEntry(filepath.Join(dir, e.Name())) && clean
		}
	}
	if clean && !installed {
		_ = os.Remove(filepath.Join(dir, lockName))
		_ = errors.Join(os.Remove(dir), os.Remove(filepath.Dir(dir))) // the namespace's only when it is empty
	}
	return clean
}

// removeEntry removes a version, when nobody holds it, or a file.
func removeEntry(path string) bool {
	version := strings.TrimSuffix(path, lockName)
	if _, ok := hexDigest("sha256:" + filepath.Base(version)); !ok {
		return removeTree(path) == nil
	}
	unlock, err := filelock.Lock(version+lockName, false)
	if err != nil {
		return false
	}
	err = removeTree(version)
	filelock.Remove(version+lockName, unlock)
	return err == nil
}

// sweep tidies up when a mark in staging says so.
func (s *Store) sweep() error {
	entries, err := os.ReadDir(s.home.Staging())
	if err != nil {
		return failed(s.home.Staging(), "cannot be read", err)
	}
	var marks []*claim
	clean := true
	for _, e := range entries {
		path := filepath.Join(s.home.Staging(), strings.TrimSuffix(e.Name(), lockName)+lockName)
		if len(marks) > 0 && marks[len(marks)-1].path == path {
			continue // the folder came before its lock
		}
		if unlock, err := filelock.Lock(path, false); err == nil {
			c := &claim{path, unlock}
			marks = append(marks, c)
			clean = removeTree(c.dir()) == nil && clean
		}
	}
	if len(marks) > 0 {
		clean = s.tidyAll() && clean
	}
	for _, c := range marks {
		c.release(clean)
	}
	return nil
}

// tidyAll tidies every extension that nobody is changing.
func (s *Store) tidyAll() bool {
	ids, err := s.ids()
	clean := err == nil
	for _, id := range ids {
		dir, err := s.dir(id)
		if err != nil {
			continue
		}
		done, err := filelock.Lock(filepath.Join(dir, lockName), false)
		if err != nil {
			clean = false
			continue
		}
		clean = s.tidy(id) && clean
		done()
	}
	return clean
}

// removeTree removes a file or a folder, whose folders may be read-only.
func removeTree(dir string) error {
	err := os.RemoveAll(dir)
	if err == nil {
		return nil
	}
	if info, err2 := os.Lstat(dir); err2 != nil || !info.IsDir() || os.Chmod(dir, 0o700) != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	_ = fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			return root.Chmod(name, 0o700)
		}
		return nil
	})
	return os.RemoveAll(dir)
}
