package store

import (
	"os"
	"path/filepath"
	"testing"

	"satchel/internal/problem"
)

// A linked folder is used where it is: nothing of it is copied, changed or removed, whatever happens to the link.
func TestLinkLeavesTheFolderAlone(t *testing.T) {
	t.Parallel()
	s := open(t, filepath.Join(t.TempDir(), "home"))
	dir := t.TempDir()
	file := filepath.Join(dir, "index.js")
	if err := os.WriteFile(file, []byte("x"), 0o400); err != nil {
		t.Fatal(err)
	}
	in := &Installation{ID: "local/x", Version: "1", Link: dir, Manifest: []byte("{}"), Secrets: map[string]any{"k": "v"}}
	if err := s.Link(in); err != nil {
		t.Fatal(err)
	}
	got, err := s.Get("x")
	if err != nil || got.Link != dir || got.Secrets["k"] != "v" {
		t.Fatalf("%+v, %v", got, err)
	}
	if at, err := s.Dir(got); err != nil || at != dir {
		t.Errorf("it is at %s, %v", at, err)
	}
	release, err := s.Hold(got)
	if err != nil {
		t.Fatal(err)
	}
	release()
	if err := s.Link(in); err != nil { // again
		t.Fatal(err)
	}
	if err := s.Remove(got, true); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("in the folder: %v, %v", entries, err)
	}
	if err := s.Link(&Installation{ID: "local/x", Link: "relative"}); problem.CodeOf(err) != problem.Failed {
		t.Errorf("a relative folder: %v", err)
	}
}
