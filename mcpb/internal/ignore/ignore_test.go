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
