package store

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"satchel/internal/problem"
	"satchel/internal/spell"
)

// List gives all installations, sorted by id. Records that cannot be read do not hide the others: the error names them,
// and the list holds the rest.
func (s *Store) List() ([]*Installation, error) {
	ids, err := s.ids()
	if err != nil {
		return nil, err
	}
	list := make([]*Installation, 0, len(ids))
	var bad []error
	for _, id := range ids {
		rec, err := s.read(id)
		switch {
		case err == nil:
			list = append(list, &rec.Installation)
		case !errors.Is(err, fs.ErrNotExist): // else it is being installed or removed
			bad = append(bad, err)
		}
	}
	slices.SortFunc(list, func(a, b *Installation) int { return strings.Compare(a.ID, b.ID) })
	return list, errors.Join(bad...)
}

// Get finds an installation by its id, or by its name alone when only one namespace has it. It reads no other records.
func (s *Store) Get(id string) (*Installation, error) {
	ids, err := s.ids()
	if err != nil {
		return nil, err
	}
	var found []*Installation
	var names []string
	for _, full := range named(id, ids) {
		rec, err := s.read(full)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		found, names = append(found, &rec.Installation), append(names, full)
	}
	if err := s.one(id, names); err != nil {
		return nil, err
	}
	return found[0], nil
}

// Find finds the id of what can be removed, as Get does: also of an extension whose record is damaged or gone, so that
// nothing stays for ever; with data also of one that was removed before and left its own folder. More ids are those of
// which the caller knows something else that was left.
func (s *Store) Find(id string, data bool, more ...string) (string, error) {
	ids, err := s.ids()
	ids = append(ids, more...)
	if err == nil && data {
		var left []string
		left, err = s.idsIn(s.home.ExtensionData())
		ids = append(ids, left...)
	}
	if err != nil {
		return "", err
	}
	found := named(id, ids)
	slices.Sort(found)
	found = slices.Compact(found)
	if err := s.one(id, found); err != nil {
		return "", err
	}
	return found[0], nil
}

// named gives the ids that id means: itself, or those with it as their name.
func named(id string, ids []string) []string {
	return slices.DeleteFunc(ids, func(full string) bool {
		_, name, _ := strings.Cut(full, "/")
		return full != id && name != id
	})
}

// one gives the problem of an id that means nothing, or more than one thing.
func (s *Store) one(id string, found []string) error {
	switch len(found) {
	case 0:
		return s.notInstalled(id)
	case 1:
		return nil
	}
	return problem.New(problem.Usage, "store/ambiguous", "there are several of this name: %s", strings.Join(found, ", ")).At(id).Try("name it with its namespace")
}

// notInstalled names the installed extension that was most likely meant, when there is one.
func (s *Store) notInstalled(id string) error {
	p := problem.New(problem.NotFound, "store/installed", "is not installed").At(id)
	list, err := s.List()
	if err != nil && len(list) == 0 {
		return p.Try("satchel list")
	}
	var known []string // each id, then its name alone
	for _, in := range list {
		_, name, _ := strings.Cut(in.ID, "/")
		if len(id) > 2 && strings.Contains(in.ID, strings.ToLower(id)) {
			return p.Try("did you mean %s?", in.ID)
		}
		known = append(known, in.ID, name)
	}
	near := spell.Nearest(id, known)
	if near == "" {
		return p.Try("satchel list")
	}
	return p.Try("did you mean %s?", list[slices.Index(known, near)/2].ID)
}

// Stamp changes whenever the record of an extension does; it costs one look at the file system.
func (s *Store) Stamp(id string) string {
	dir, err := s.dir(id)
	if err != nil {
		return ""
	}
	info, err := os.Stat(filepath.Join(dir, recordName))
	if err != nil {
		return ""
	}
	return info.ModTime().UTC().Format(time.RFC3339Nano)
}
