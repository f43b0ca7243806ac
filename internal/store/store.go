// Package store keeps the installed extensions: their files, immutable and read-only, and a record of each.
//
//	extensions/<namespace>/<name>/<content digest>/   the files of one version
//	extensions/<namespace>/<name>/installation.json   the record: writing it is what installs
//	extensions/<namespace>/<name>/secrets-*.json      answers that are secrets, until the keychain takes them
//	extensions/<namespace>/<name>/damaged-*/          records that could not be read and were replaced, as they were
//	data/<namespace>/<name>/                          the extension's own folder
//	activity/<namespace>/                             what servers did: see package activity
//	run/                                              what a running satchel dev listens at
//	staging/<random>/                                 an installation being made ready
//	staging/<random>.lock                             its lock; without an owner: a mark that there is something to tidy
//
// The record is written by one rename and names all that belongs to it, so a kill at any moment leaves the old state or
// the new one; what belongs to no record is removed when the store is opened next. Several processes may use one store:
// changes to an extension are made under its lock, and a running server holds a shared lock on its version, which is
// then not removed. This first store keeps its records in files; a database takes their place later behind the same
// methods.
package store

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"satchel/internal/paths"
	"satchel/internal/problem"
	"satchel/mcpb/manifest"
)

// A Store is open on one home. It is safe for concurrent use, by several processes as well.
type Store struct {
	home paths.Home
	step func(name string) // told before each step of a change; tests end the process there
}

// Open opens the store, makes its folders, and tidies up what a crash left behind. A home that is not the caller's
// alone is refused.
func Open(home paths.Home) (*Store, error) {
	if err := home.Ensure(); err != nil {
		return nil, err
	}
	s := &Store{home: home, step: func(string) {}}
	for _, dir := range []string{home.Extensions(), home.ExtensionData(), home.Staging()} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, failed(dir, "cannot be made", err)
		}
		if err := paths.Own(dir); err != nil {
			return nil, err
		}
	}
	return s, s.sweep()
}

// failed is the problem of something that the disk or the system refused.
func failed(path, what string, err error) error {
	p := problem.New(problem.Failed, "store/disk", "%s", what).At(path).Because(err)
	switch {
	case errors.Is(err, syscall.ENOSPC):
		return p.Try("free some space on the disk; nothing was changed")
	case errors.Is(err, syscall.EROFS), errors.Is(err, fs.ErrPermission):
		return p.Try("see that you may write there, or set SATCHEL_HOME to a folder of your own; nothing was changed")
	}
	return p
}

// dir is the folder of an extension; ids are checked, so that none leads elsewhere.
func (s *Store) dir(id string) (string, error) {
	namespace, name, ok := strings.Cut(id, "/")
	if same, err := manifest.ID(namespace, name); !ok || err != nil || same != id {
		return "", problem.New(problem.Invalid, "store/id", "is no id: an id is namespace/name").At(id)
	}
	return filepath.Join(s.home.Extensions(), namespace, name), nil
}

// hexDigest gives the hex digits of a digest in text; false when it is none.
func hexDigest(digest string) (string, bool) {
	hex, ok := strings.CutPrefix(digest, "sha256:")
	return hex, ok && len(hex) == 64 && strings.Trim(hex, "0123456789abcdef") == ""
}

// Dir is the folder of an installed version's files, or the folder that is linked.
func (s *Store) Dir(in *Installation) (string, error) {
	dir, err := s.dir(in.ID)
	if err != nil {
		return "", err
	}
	if in.Link != "" {
		return in.Link, nil
	}
	hex, ok := hexDigest(in.ContentDigest)
	if !ok {
		return "", problem.New(problem.Failed, "store/record", "the record names no digest").At(in.ID)
	}
	return filepath.Join(dir, hex), nil
}

// DataDir is the extension's own folder. It is made when it is not there.
func (s *Store) DataDir(id string) (string, error) {
	if _, err := s.dir(id); err != nil {
		return "", err
	}
	dir := s.DataPath(id)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", failed(dir, "cannot be made", err)
	}
	return dir, nil
}

// DataPath is where the extension's own folder is or would be; nothing is made. The id must be one that the store gave.
func (s *Store) DataPath(id string) string {
	return filepath.Join(s.home.ExtensionData(), filepath.FromSlash(id))
}

// CacheDir is where an extension may keep what can be made again.
func (s *Store) CacheDir(id string) string {
	return filepath.Join(s.home.Cache, filepath.FromSlash(id))
}

// VersionDir is where a version of an extension will be.
func (s *Store) VersionDir(id, contentDigest string) (string, error) {
	return s.Dir(&Installation{ID: id, ContentDigest: contentDigest})
}

// ids gives the ids of all extensions that have a folder: installed ones, and those that are being installed or removed.
func (s *Store) ids() ([]string, error) { return s.idsIn(s.home.Extensions()) }

func (s *Store) idsIn(root string) ([]string, error) {
	namespaces, err := os.ReadDir(root)
	if err != nil {
		return nil, failed(root, "cannot be read", err)
	}
	var ids []string
	for _, namespace := range namespaces {
		if !namespace.IsDir() {
			continue
		}
		names, err := os.ReadDir(filepath.Join(root, namespace.Name()))
		if err != nil && !errors.Is(err, fs.ErrNotExist) { // else removed meanwhile
			return nil, failed(root, "cannot be read", err)
		}
		for _, name := range names {
			id := namespace.Name() + "/" + name.Name()
			if _, err := s.dir(id); err == nil && name.IsDir() {
				ids = append(ids, id)
			}
		}
	}
	return ids, nil
}
