package store

import (
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"satchel/internal/atomicfile"
)

// A Staging is an installation being made ready, in a folder of its own. It is not safe for concurrent use. End it with
// Commit or Abort.
type Staging struct {
	store  *Store
	dir    string
	unlock func()
}

// Begin begins an installation.
func (s *Store) Begin(ctx context.Context) (*Staging, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	dir := filepath.Join(s.home.Staging(), rand.Text())
	s.sweepVersions()
	unlock, err := lockFile(dir+lockName, true)
	if err != nil {
		return nil, failed(dir, "cannot be locked", err)
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		unlock()
		return nil, failed(dir, "cannot be made", err)
	}
	return &Staging{s, dir, unlock}, nil
}

// Dir is where the files go: it does not exist yet, and whoever extracts makes it.
func (g *Staging) Dir() string { return filepath.Join(g.dir, "files") }

// Commit installs what is in Dir as in says, replacing what was installed under its id. After an error nothing has
// changed.
func (g *Staging) Commit(in *Installation) error {
	defer g.Abort()
	s := g.store
	home, err := s.dir(in.ID)
	if err != nil {
		return err
	}
	final, err := s.Dir(in)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(home, 0o700); err != nil {
		return failed(home, "cannot be made", err)
	}
	unlock, err := lockFile(filepath.Join(home, lockName), true)
	if err != nil {
		return failed(home, "cannot be locked", err)
	}
	defer unlock()
	if err := g.place(final); err != nil {
		return failed(final, "cannot be put in place", err)
	}
	if err := writeRecord(home, in); err != nil {
		return err
	}
	s.collect(home, filepath.Base(final))
	return nil
}

// place renames the files to where they belong. Files of the same content digest that are there already are replaced
// only when no server holds them: a damaged version is repaired by installing it again.
func (g *Staging) place(final string) error {
	release, err := lockFile(final+lockName, false)
	if err != nil {
		if _, statErr := os.Stat(final); errors.Is(err, errBusy) && statErr == nil {
			return nil // it runs, so it was checked when it started
		}
		return err
	}
	defer release()
	if err := removeTree(final); err != nil {
		return err
	}
	if err := os.Rename(g.Dir(), final); err != nil {
		return err
	}
	return atomicfile.SyncDir(filepath.Dir(final))
}

// Abort throws the installation away; after Commit there is nothing to throw away.
func (g *Staging) Abort() {
	if g.unlock == nil {
		return
	}
	_ = removeTree(g.dir) // what stays is swept later
	_ = os.Remove(g.dir + lockName)
	g.unlock()
	g.unlock = nil
}

// collect removes the versions of an extension but the one to keep and those that a server runs from. What cannot be
// removed now is removed another time.
func (s *Store) collect(home, keep string) {
	entries, err := os.ReadDir(home)
	if err != nil {
		return
	}
	for _, e := range entries {
		if !e.IsDir() || e.Name() == keep {
			continue
		}
		dir := filepath.Join(home, e.Name())
		if release, err := lockFile(dir+lockName, false); err == nil {
			_ = errors.Join(removeTree(dir), os.Remove(dir+lockName))
			release()
		}
	}
}

// sweepVersions removes versions that no record names and no server runs from.
func (s *Store) sweepVersions() {
	homes, err := filepath.Glob(filepath.Join(escapeGlob(s.home.Extensions()), "*", "*"))
	if err != nil {
		return
	}
	for _, home := range homes {
		unlock, err := lockFile(filepath.Join(home, lockName), false)
		if err != nil {
			continue // somebody is changing it
		}
		keep := ""
		in, err := readRecord(filepath.Join(home, recordName))
		if err == nil {
			keep = strings.TrimPrefix(in.ContentDigest, "sha256:")
		}
		if err == nil || errors.Is(err, fs.ErrNotExist) {
			s.collect(home, keep)
		}
		unlock()
	}
}

// sweep removes staging folders without a living owner: what a crash left behind.
func (s *Store) sweep() error {
	entries, err := os.ReadDir(s.home.Staging())
	if err != nil {
		return failed(s.home.Staging(), "cannot be read", err)
	}
	for _, e := range entries {
		dir := filepath.Join(s.home.Staging(), strings.TrimSuffix(e.Name(), lockName))
		if release, err := lockFile(dir+lockName, false); err == nil {
			_ = errors.Join(removeTree(dir), os.Remove(dir+lockName)) // the next sweep tries again
			release()
		}
	}
	return nil
}

// Hold keeps an installed version from being collected while it runs. Call release when it has ended.
func (s *Store) Hold(in *Installation) (release func(), err error) {
	dir, err := s.Dir(in)
	if err != nil {
		return nil, err
	}
	release, err = shareFile(dir + lockName)
	if err != nil {
		return nil, failed(dir, "cannot be held", err)
	}
	if _, err := os.Stat(dir); err != nil {
		release()
		return nil, failed(dir, "is gone", err)
	}
	return release, nil
}

// Remove removes an extension and its answers, and with purge its own folder too. A server that runs keeps its files
// until it ends.
func (s *Store) Remove(in *Installation, purge bool) error {
	home, err := s.dir(in.ID)
	if err != nil {
		return err
	}
	unlock, err := lockFile(filepath.Join(home, lockName), true)
	if err != nil {
		return failed(home, "cannot be locked", err)
	}
	defer unlock()
	for _, name := range []string{recordName, secretsName} { // without its record it is not installed
		if err := os.Remove(filepath.Join(home, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return failed(filepath.Join(home, name), "cannot be removed", err)
		}
	}
	s.collect(home, "")
	if purge {
		if err := os.RemoveAll(s.DataPath(in.ID)); err != nil {
			return failed(s.DataPath(in.ID), "cannot be removed", err)
		}
	}
	return nil
}

// removeTree removes a folder whose folders may be read-only.
func removeTree(dir string) error {
	err := os.RemoveAll(dir)
	if err == nil {
		return nil
	}
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			return os.Chmod(path, 0o700)
		}
		return nil
	})
	return os.RemoveAll(dir)
}
