package prune

import (
	"maps"
	"path"
	"slices"
	"strings"
)

// Search finds which units must stay so that the server does what it did. works starts it with all units dropped but
// those in stay, and says why it does less than before, "" when it does not. With all units back it works: that is the
// extension as it was. Search calls works at most budget times, at least once, and gives a set that works called good,
// or all units. It puts back what the reason names, else what halving the units finds. An error of works ends it.
func Search(units []Unit, budget int, works func(stay map[string]bool) (why string, err error)) (map[string]bool, error) {
	s := search{units: units, left: max(budget, 1), works: works}
	stay, good := map[string]bool{}, map[string]bool{}
	for _, u := range units {
		good[u.Name] = true
	}
	for s.left > 0 {
		why, err := s.try(stay)
		if err != nil {
			return nil, err
		}
		if why == "" {
			return stay, nil
		}
		more := s.named(why, stay)
		if len(more) == 0 {
			if more, good, err = s.halve(stay, good); err != nil {
				return nil, err
			}
		}
		if len(more) == 0 {
			break
		}
		stay = s.with(stay, more)
	}
	return good, nil
}

type search struct {
	units []Unit
	left  int
	works func(stay map[string]bool) (string, error)
}

func (s *search) try(stay map[string]bool) (string, error) {
	s.left--
	return s.works(maps.Clone(stay))
}

// with gives the units of stay and more, and what those need.
func (s *search) with(stay map[string]bool, more []string) map[string]bool {
	needs := map[string][]string{}
	for _, u := range s.units {
		needs[u.Name] = u.Needs
	}
	all := map[string]bool{}
	maps.Copy(all, stay)
	more = slices.Clone(more)
	for len(more) > 0 {
		name := more[len(more)-1]
		more = more[:len(more)-1]
		if _, known := needs[name]; known && !all[name] {
			all[name] = true
			more = append(more, needs[name]...)
		}
	}
	return all
}

// named are the packages that a message such as "Cannot find package 'x'" names.
func (s *search) named(why string, stay map[string]bool) (names []string) {
	for _, u := range s.units {
		if stay[u.Name] || u.Kind != Package {
			continue
		}
		name := path.Base(u.Name)
		if scope := path.Base(path.Dir(u.Name)); strings.HasPrefix(scope, "@") {
			name = scope + "/" + name
		}
		for _, quote := range []string{"'", `"`} {
			if strings.Contains(why, quote+name+quote) || strings.Contains(why, quote+name+"/") {
				names = append(names, u.Name)
				break
			}
		}
	}
	return names
}

// order gives the units, each after those that it needs: so that not a package is found to be needed that only brings
// the needed one along.
func (s *search) order() (list []string) {
	index := map[string]int{}
	for i, u := range s.units {
		index[u.Name] = i
	}
	seen := make([]bool, len(s.units))
	var visit func(i int)
	visit = func(i int) {
		if seen[i] {
			return
		}
		seen[i] = true
		for _, name := range s.units[i].Needs {
			if j, known := index[name]; known {
				visit(j)
			}
		}
		list = append(list, s.units[i].Name)
	}
	for i := range s.units {
		visit(i)
	}
	return list
}

// halve finds one unit that must stay beside those of stay; none when the budget is spent first. It also gives the
// smallest set that is known to be good.
func (s *search) halve(stay, good map[string]bool) (more []string, smaller map[string]bool, err error) {
	list := slices.DeleteFunc(s.order(), func(name string) bool { return !good[name] || stay[name] })
	few, many := 0, len(list) // stay with the first many is good, with the first few it is not
	for many-few > 1 {
		if s.left == 0 {
			return nil, good, nil
		}
		middle := (few + many) / 2
		set := s.with(stay, list[:middle])
		why, err := s.try(set)
		if err != nil {
			return nil, nil, err
		}
		if why == "" {
			many, good = middle, set
		} else {
			few = middle
		}
	}
	if many == 0 {
		return nil, good, nil
	}
	return list[many-1 : many], good, nil
}
