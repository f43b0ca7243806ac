package grant

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// below gives what was found relative to a folder.
func below(t testing.TB, dir string, list []string) []string {
	t.Helper()
	var names []string
	for _, p := range list {
		rel, err := filepath.Rel(dir, p)
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, filepath.ToSlash(rel))
	}
	slices.Sort(names)
	return names
}

func TestNested(t *testing.T) {
	t.Parallel()
	m := home(t, "w/.git/hooks/x", "w/.git/config", "w/.git/objects/.vscode/x", "w/.git/modules/sub/HEAD", "w/.git/modules/sub/objects/", "w/.git/modules/sub/refs/", "w/.git/modules/sub/hooks/x",
		"w/a/b/c/.git/hooks/x", "w/a/.vscode/x", "w/a/.VSCode/x", "w/.mcp.json", "w/x/.cursor/mcp.json", "w/.husky/x", "w/sub/.git", "w/node_modules/p/.git/hooks/x", "w/bare/HEAD", "w/bare/objects/",
		"w/bare/refs/", "w/bare/config", "w/plain/hooks/x", "w/plain/config", "elsewhere/.vscode/x")
	link(t, m, "elsewhere", "w/out")
	link(t, m, "elsewhere/.vscode", "w/a/.idea")
	dir := filepath.Join(m.Dir, "w")
	got := Nested(dir, m, UsualBounds())
	want := strings.Fields(".git/config .git/hooks .git/modules/sub/hooks .husky .mcp.json a/.VSCode a/.vscode a/b/c/.git/hooks bare/config sub/.git x/.cursor")
	if names := below(t, dir, got.Paths); !slices.Equal(names, want) || got.GaveUp != "" {
		t.Errorf("found %q, gave up: %q", names, got.GaveUp)
	}
	if links := below(t, dir, got.Links); !slices.Equal(links, []string{"a/.idea"}) {
		t.Errorf("links %q", links)
	}
	if got := Nested(filepath.Join(dir, ".mcp.json"), m, UsualBounds()); len(got.Paths)+len(got.Links) != 0 || got.GaveUp != "" {
		t.Errorf("in a file: %+v", got)
	}
	if got := Nested(filepath.Join(dir, ".git"), m, UsualBounds()); len(got.Paths) == 0 {
		t.Log("a .git without HEAD is no repository:", got)
	}
}

// The search ends, finds what is near first, and says that it ended.
func TestNestedGivesUp(t *testing.T) {
	t.Parallel()
	m := home(t, "w/z/.vscode/x", "w/a/b/c/d/.vscode/x")
	dir := filepath.Join(m.Dir, "w")
	for n := range 300 {
		if err := os.Mkdir(filepath.Join(dir, "a", "b", fmt.Sprint(n)), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	got := Nested(dir, m, Bounds{Folders: 1000, Entries: 100, Depth: 8, Found: 10})
	if names := below(t, dir, got.Paths); !slices.Equal(names, []string{"z/.vscode"}) || got.GaveUp == "" {
		t.Errorf("found %q, gave up: %q", names, got.GaveUp)
	}
	got = Nested(dir, m, Bounds{Folders: 1000, Entries: 1000, Depth: 2, Found: 10})
	if names := below(t, dir, got.Paths); !slices.Equal(names, []string{"z/.vscode"}) || !strings.Contains(got.GaveUp, "2 folders deep") {
		t.Errorf("found %q, gave up: %q", names, got.GaveUp)
	}
	if got = Nested(dir, m, Bounds{Folders: 1000, Entries: 1000, Depth: 8, Found: 1}); len(got.Paths) != 1 || got.GaveUp == "" {
		t.Errorf("%+v", got)
	}
	if got = Nested(dir, m, Bounds{Folders: 3, Entries: 1000, Depth: 8, Found: 10}); len(got.Paths) != 1 || got.GaveUp == "" {
		t.Errorf("%+v", got)
	}
	if got = Nested(dir, m, UsualBounds()); len(got.Paths) != 2 || got.GaveUp != "" {
		t.Errorf("%+v", got)
	}
}

// A start says what was not searched.
func TestSandboxNotesWhatWasNotSearched(t *testing.T) {
	t.Parallel()
	m := home(t, "ada/deep/1/2/3/4/5/6/7/8/9/10/x")
	_, notes, err := Sandbox(words(t, m, "write:ada/deep"), "local/x", m)
	if err != nil || len(notes) != 1 || !strings.Contains(notes[0], "deep") {
		t.Errorf("%q, %v", notes, err)
	}
}

func BenchmarkNested(b *testing.B) {
	m := home(b)
	for n := range 9 {
		for k := range 100 {
			if err := os.MkdirAll(filepath.Join(m.Dir, "w", fmt.Sprint(n), fmt.Sprint(k)), 0o755); err != nil {
				b.Fatal(err)
			}
		}
	}
	for b.Loop() {
		if got := Nested(filepath.Join(m.Dir, "w"), m, UsualBounds()); got.GaveUp != "" {
			b.Fatal(got.GaveUp)
		}
	}
}
