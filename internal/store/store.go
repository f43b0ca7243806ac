// Package store keeps the installed extensions: their files, immutable and read-only, and a record of each.
//
//	extensions/<namespace>/<name>/<content digest>/   the files of one version
//	extensions/<namespace>/<name>/installation.json   the record: writing it is what installs
//	extensions/<namespace>/<name>/secrets.json        answers that are secrets, until the keychain takes them
//	data/<namespace>/<name>/                          the extension's own folder
//	staging/<random>/                                 an installation being made ready, under a lock
//
// The record is written by one rename, so a kill at any moment leaves the old state or the new one; what is left in
// staging or belongs to no record is swept when the store is opened next. Several processes may use one store: changes
// to an extension are made under its lock, and a running server holds a shared lock on its version, which is then not
// collected. This first store keeps its records in files; a database takes their place later behind the same methods.
package store

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"satchel/internal/atomicfile"
	"satchel/internal/paths"
	"satchel/internal/problem"
)

// An Installation is the record of an installed extension.
type Installation struct {
	ID            string          `json:"id"`
	Version       string          `json:"version"`
	Source        string          `json:"source"`        // where it came from, for people
	Digest        string          `json:"digest"`        // of the bundle
	ContentDigest string          `json:"contentDigest"` // of the bundle without signature: names the folder
	TreeDigest    string          `json:"treeDigest"`    // of the files: checked before each start
	Installed     time.Time       `json:"installed"`
	Manifest      json.RawMessage `json:"manifest"` // as in the bundle
	Answers       map[string]any  `json:"answers"`  // without secrets
	Secrets       map[string]any  `json:"-"`        // kept apart
}

// A Store is open on one home. It is safe for concurrent use, by several processes as well.
type Store struct{ home paths.Home }

const (
	recordName  = "installation.json"
	secretsName = "secrets.json"
	lockName    = ".lock"
)

// Open opens the store, makes its folders, and sweeps what a crash left behind. A home that is not the caller's alone
// is refused.
func Open(home paths.Home) (*Store, error) {
	if err := home.Ensure(); err != nil {
		return nil, err
	}
	for _, dir := range []string{home.Extensions(), home.ExtensionData(), home.Staging()} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, failed(dir, "cannot be made", err)
		}
	}
	s := &Store{home}
	return s, s.sweep()
}

func failed(path, what string, err error) error {
	return problem.New(problem.Failed, "store/disk", "%s", what).At(path).Because(err)
}

// dir is the folder of an extension; ids are checked, so that none leads elsewhere.
func (s *Store) dir(id string) (string, error) {
	namespace, name, ok := strings.Cut(id, "/")
	if !ok || !plain(namespace) || !plain(name) {
		return "", problem.New(problem.Invalid, "store/id", "is no id: an id is namespace/name").At(id)
	}
	return filepath.Join(s.home.Extensions(), namespace, name), nil
}

// plain tells whether s can be one part of a path and nothing else: the rule of manifest.ID.
func plain(s string) bool {
	if s == "" || len(s) > 128 || s[0] == '.' || s[len(s)-1] == '.' {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '.' || r == '_' || r == '-')
	})
}

// Dir is the folder of an installed version's files.
func (s *Store) Dir(in *Installation) (string, error) {
	dir, err := s.dir(in.ID)
	if err != nil {
		return "", err
	}
	folder, ok := strings.CutPrefix(in.ContentDigest, "sha256:")
	if !ok || len(folder) != 64 || strings.Trim(folder, "0123456789abcdef") != "" {
		return "", problem.New(problem.Failed, "store/record", "the record names no digest").At(in.ID)
	}
	return filepath.Join(dir, folder), nil
}

// DataDir is the extension's own folder. It is made when it is not there.
func (s *Store) DataDir(id string) (string, error) {
	if _, err := s.dir(id); err != nil {
		return "", err
	}
	dir := filepath.Join(s.home.ExtensionData(), filepath.FromSlash(id))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", failed(dir, "cannot be made", err)
	}
	return dir, nil
}

// DataPath is where the extension's own folder is or would be; nothing is made.
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

// List gives all installations, sorted by id. A record that cannot be read is an error that names it.
func (s *Store) List() ([]*Installation, error) {
	records, err := filepath.Glob(filepath.Join(escapeGlob(s.home.Extensions()), "*", "*", recordName))
	if err != nil {
		return nil, err
	}
	list := make([]*Installation, 0, len(records))
	for _, path := range records {
		in, err := readRecord(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue // removed meanwhile
		}
		if err != nil {
			return nil, err
		}
		list = append(list, in)
	}
	slices.SortFunc(list, func(a, b *Installation) int { return strings.Compare(a.ID, b.ID) })
	return list, nil
}

func escapeGlob(s string) string {
	return strings.NewReplacer(`*`, `[*]`, `?`, `[?]`, `[`, `[[]`).Replace(s)
}

func readRecord(path string) (*Installation, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var in Installation
	if err := json.Unmarshal(data, &in); err != nil {
		return nil, problem.New(problem.Failed, "store/record", "is damaged").At(path).Because(err).Try("install the extension again")
	}
	secrets, err := os.ReadFile(filepath.Join(filepath.Dir(path), secretsName))
	if err == nil {
		err = json.Unmarshal(secrets, &in.Secrets)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, failed(filepath.Join(filepath.Dir(path), secretsName), "cannot be read", err)
	}
	return &in, nil
}

// Get finds an installation by its id, or by its name alone when only one namespace has it.
func (s *Store) Get(id string) (*Installation, error) {
	list, err := s.List()
	if err != nil {
		return nil, err
	}
	var found []*Installation
	for _, in := range list {
		if _, name, _ := strings.Cut(in.ID, "/"); in.ID == id || name == id {
			found = append(found, in)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return nil, notInstalled(id, list)
	}
	var ids []string
	for _, in := range found {
		ids = append(ids, in.ID)
	}
	return nil, problem.New(problem.Usage, "store/ambiguous", "there are several of this name: %s", strings.Join(ids, ", ")).At(id).Try("name it with its namespace")
}

func notInstalled(id string, list []*Installation) error {
	p := problem.New(problem.NotFound, "store/installed", "is not installed").At(id).Try("satchel list")
	for _, in := range list {
		if strings.Contains(in.ID, strings.ToLower(id)) {
			return p.Try("did you mean %s?", in.ID)
		}
	}
	return p
}

// SetAnswers replaces the answers of an installed extension: those to show, and the secrets.
func (s *Store) SetAnswers(id string, open, secret map[string]any) error {
	dir, err := s.dir(id)
	if err != nil {
		return err
	}
	unlock, err := lockFile(filepath.Join(dir, lockName), true)
	if err != nil {
		return failed(dir, "cannot be locked", err)
	}
	defer unlock()
	in, err := readRecord(filepath.Join(dir, recordName))
	if err != nil {
		return err
	}
	in.Answers, in.Secrets = open, secret
	return writeRecord(dir, in)
}

// writeRecord writes the secrets, then the record, whose rename is the moment of the change.
func writeRecord(dir string, in *Installation) error {
	secrets := filepath.Join(dir, secretsName)
	if len(in.Secrets) > 0 {
		data, err := json.Marshal(in.Secrets)
		if err != nil {
			return err
		}
		if err := atomicfile.Write(secrets, data, 0o600); err != nil {
			return failed(secrets, "cannot be written", err)
		}
	} else if err := os.Remove(secrets); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return failed(secrets, "cannot be removed", err)
	}
	data, err := json.MarshalIndent(in, "", "  ")
	if err != nil {
		return err
	}
	record := filepath.Join(dir, recordName)
	if err := atomicfile.Write(record, data, 0o600); err != nil {
		return failed(record, "cannot be written", err)
	}
	return nil
}
