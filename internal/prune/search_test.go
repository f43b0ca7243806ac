package prune

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
)

func units(n int) (list []Unit) {
	for i := range n {
		list = append(list, Unit{Name: fmt.Sprintf("node_modules/p%03d", i), Kind: Package})
	}
	return list
}

// Whatever is needed, the set found works, it holds little else, and the starts are few.
func TestSearchFindsWhatIsNeeded(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		list := units(1 + random.IntN(60))
		needed := map[string]bool{}
		for range random.IntN(4) {
			needed[list[random.IntN(len(list))].Name] = true
		}
		for i := range list { // what needs something that is not needed itself must not hide what is
			list[i].Needs = []string{list[i+random.IntN(len(list)-i)].Name, "unknown"}
		}
		starts := 0
		stay, err := Search(list, 40, func(stay map[string]bool) (string, error) {
			starts++
			for name := range needed {
				if !stay[name] {
					return "something is missing", nil
				}
			}
			return "", nil
		})
		s := search{units: list}
		most := s.with(nil, slices.Collect(maps.Keys(needed))) // what is needed, and what that needs
		for name := range needed {
			if !stay[name] {
				t.Errorf("%s is needed and gone", name)
			}
		}
		for name := range stay {
			if !most[name] {
				t.Errorf("%s stays for nothing", name)
			}
		}
		if err != nil || starts > 40 {
			t.Fatalf("%d units: %d starts, %v", len(list), starts, err)
		}
	}
}

func TestSearchReadsWhatTheServerSays(t *testing.T) {
	list := append(units(50), Unit{Name: "node_modules/@s/pkg", Kind: Package, Needs: []string{"node_modules/p007"}})
	starts := 0
	stay, err := Search(list, 40, func(stay map[string]bool) (string, error) {
		if starts++; stay["node_modules/@s/pkg"] {
			return "", nil
		}
		return "Error: Cannot find module '@s/pkg/sub'", nil
	})
	if err != nil || starts != 2 || len(stay) != 2 || !stay["node_modules/p007"] {
		t.Errorf("stay %v after %d starts, %v", stay, starts, err)
	}
}

// When the budget ends, what is known to work stays; nothing is given that was not tried, but for all.
func TestSearchIsBounded(t *testing.T) {
	for budget := range 12 {
		starts := 0
		var good []map[string]bool
		stay, err := Search(units(64), budget, func(stay map[string]bool) (string, error) {
			starts++
			if stay["node_modules/p001"] && stay["node_modules/p050"] {
				good = append(good, stay)
				return "", nil
			}
			return "no", nil
		})
		tried := slices.ContainsFunc(good, func(g map[string]bool) bool { return fmt.Sprint(g) == fmt.Sprint(stay) })
		if err != nil || starts > max(budget, 1) || !tried && len(stay) != 64 {
			t.Errorf("budget %d: %d stay after %d starts, %v", budget, len(stay), starts, err)
		}
	}
	if stay, err := Search(units(9), 100, func(map[string]bool) (string, error) { return "never", nil }); err != nil || len(stay) != 9 {
		t.Errorf("a server that starts by chance: %v, %v", stay, err)
	}
	broken := errors.New("disk full")
	if _, err := Search(units(3), 9, func(map[string]bool) (string, error) { return "", broken }); err != broken {
		t.Errorf("error %v", err)
	}
}
