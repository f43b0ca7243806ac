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
	"satchel/internal/filelock"
	"satchel/internal/problem"
	"satchel/mcpb"
)

// A Staging is an installation being made ready, in a folder of its own. It is not safe for concurrent use. End it with
// Commit or Abort.
type Staging struct {
	store *Store
	dir   string
	claim *claim
}

// Begin begins an installation.
func (s *Store) Begin(ctx context.Context) (*Staging, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.step("begin")
	c, err := s.newClaim()
	if err != nil {
		return nil, err
	}
	s.step("make staging")
	if err := os.Mkdir(c.dir(), 0o700); err != nil {
		c.release(true)
		return nil, failed(c.dir(), "cannot be made", err)
	}
	return &Staging{s, c.dir(), c}, nil
}

// Dir is where the files go: it does not exist yet, and whoever extracts makes it.
func (g *Staging) Dir() string { return filepath.Join(g.dir, "files") }

// Commit installs what is in Dir as in says, replacing what was installed under its id. All of it is on the disk when
// Commit returns. After an error nothing has changed. A version that servers still run from stays until they have ended.
func (g *Staging) Commit(in *Installation) error {
	defer g.Abort()
	s := g.store
	final, err := s.Dir(in)
	if err != nil {
		return err
	}
	if _, ok := hexDigest(in.TreeDigest); !ok {
		return problem.New(problem.Failed, "store/record", "the record names no tree digest").At(in.ID)
	}
	s.step("sync files")
	if err := syncTree(g.Dir()); err != nil {
		return failed(g.Dir(), "cannot be written", err)
	}
	return s.change(in.ID, func(dir string) error {
		if err := g.place(final, in.TreeDigest); err != nil {
			return failed(final, "cannot be put in place", err)
		}
		return s.write(dir, in)
	})
}

// place renames the files to where they belong. Where files of the same content digest are already, they stay when they
// are as they should be; else they are replaced, so that installing again repairs, but not under a running server.
func (g *Staging) place(final, treeDigest string) error {
	g.store.step("place")
	unlock, err := filelock.Lock(final+lockName, false)
	if errors.Is(err, filelock.ErrBusy) {
		if intact(final, treeDigest) {
			return nil
		}
		return errors.New("a server runs from files that were changed; end it first")
	}
	if err != nil {
		return err
	}
	defer unlock()
	if intact(final, treeDigest) {
		return nil
	}
	g.store.step("remove what is damaged")
	if err := os.Rename(final, filepath.Join(g.dir, "damaged")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	g.store.step("rename")
	if err := os.Rename(g.Dir(), final); err != nil {
		return err
	}
	return atomicfile.SyncDir(filepath.Dir(final))
}

// intact tells whether the files of a folder are those that treeDigest sums up.
func intact(dir, treeDigest string) bool {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return false
	}
	defer root.Close()
	tree, err := mcpb.TreeDigest(root)
	return err == nil && tree.Digest == treeDigest
}

// Abort throws the installation away; after Commit there is nothing to throw away.
func (g *Staging) Abort() {
	if g.claim == nil {
		return
	}
	g.store.step("remove staging")
	g.claim.release(removeTree(g.dir) == nil)
	g.claim = nil
}

// A claim is a locked file in staging for as long as a change goes on. One that nobody locks was left by a crash, or on
// purpose: it says that there is something to tidy.
type claim struct {
	path   string
	unlock func()
}

func (s *Store) newClaim() (*claim, error) {
	path := filepath.Join(s.home.Staging(), rand.Text()+lockName)
	unlock, err := filelock.Lock(path, true) // a sweep may have it for a moment
	if err != nil {
		return nil, failed(path, "cannot be locked", err)
	}
	return &claim{path, unlock}, nil
}

// dir is the folder that belongs to the claim.
func (c *claim) dir() string { return strings.TrimSuffix(c.path, lockName) }

// release ends the claim; its mark stays when not all is clean.
func (c *claim) release(clean bool) {
	if clean {
		filelock.Remove(c.path, c.unlock)
	} else {
		c.unlock()
	}
}
