package ignore

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// leftOut asks for path as pack does: for every folder on the way first.
func leftOut(l *List, path string) (string, bool) {
	dir := strings.HasSuffix(path, "/")
	path = strings.TrimSuffix(path, "/")
	for i := range len(path) {
		if path[i] == '/' {
			if origin, out := l.Match(path[:i], true); out {
				return origin, true
			}
		}
	}
	return l.Match(path, dir)
}

func patterns(lines ...string) *List {
	l := &List{}
	for _, line := range lines {
		if line[0] != '#' {
			l.add(line, line, false)
		}
	}
	return l
}

func TestGolden(t *testing.T) {
	data, err := os.ReadFile("testdata/golden.json")
	if err != nil {
		t.Fatal(err)
	}
	var probes []struct {
		Lines   []string
		Ignored map[string]bool
	}
	if err := json.Unmarshal(data, &probes); err != nil {
		t.Fatal(err)
	}
	count := 0
	for _, p := range probes {
		l := patterns(p.Lines...)
		for path, want := range p.Ignored {
			count++
			if by, got := leftOut(l, path); got != want {
				t.Errorf("patterns %q, path %q: left out %v (%s), npm's ignore says %v", p.Lines, path, got, by, want)
			}
		}
	}
	if count < 60 {
		t.Errorf("only %d probes", count)
	}
}

// The named sets of gitignore(5), which npm's ignore does not know.
func TestNamedSets(t *testing.T) {
	t.Parallel()
	for set, members := range map[string][2]string{
		"alnum": {"aZ5", "-_ "}, "alpha": {"aZ", "5-"}, "blank": {" \t", "a"}, "cntrl": {"\x01\x7f", "a "}, "digit": {"059", "a"}, "graph": {"a!~", " "},
		"print": {"a ~", "\x01"}, "punct": {"!~-", "a5"}, "space": {" \t\r", "a\v"}, "xdigit": {"0aF", "g"}, "upper": {"A", "5"}, "lower": {"a", "5"},
	} {
		l := patterns("x[[:" + set + ":]]y")
		for i, chars := range members {
			for _, c := range chars {
				if _, out := l.Match("x"+string(c)+"y", false); out != (i == 0) {
					t.Errorf("[:%s:] and %q: left out %v", set, c, out)
				}
			}
		}
	}
	if _, out := patterns("x[[:nothing:]]y").Match("xay", false); out {
		t.Error("an unknown set matches")
	}
}
