package store

import (
	"errors"
	"io/fs"
	"slices"
	"strings"

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
	for _, full := range ids {
		if _, name, _ := strings.Cut(full, "/"); full != id && name != id {
			continue
		}
		rec, err := s.read(full)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		found = append(found, &rec.Installation)
	}
	switch len(found) {
	case 0:
		return nil, s.notInstalled(id)
	case 1:
		return found[0], nil
	}
	return nil, ambiguous(id, found)
}

func ambiguous(id string, found []*Installation) error {
	var ids []string
	for _, in := range found {
		ids = append(ids, in.ID)
	}
	return problem.New(problem.Usage, "store/ambiguous", "there are several of this name: %s", strings.Join(ids, ", ")).At(id).Try("name it with its namespace")
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
