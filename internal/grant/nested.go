package grant

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Bounds end a search.
type Bounds struct {
	Folders int // looked into
	Entries int // looked at
	Depth   int // of folders below the first one
	Found   int
}

// UsualBounds end a search before a person notices it at a start.
func UsualBounds() Bounds { return Bounds{Folders: 1_000, Entries: 20_000, Depth: 8, Found: 500} }

// A Search is what [Nested] found.
type Search struct {
	Paths  []string // what tools start by themselves
	Links  []string // links in such places, or on the way to them
	GaveUp string   // why it ended early; empty: it saw everything
}

// Nested looks below a folder for what tools start by themselves: git's hooks and configuration, the settings of editors
// and the like. It looks at the nearest folders first, follows no link, and passes node_modules, .venv,
// __pycache__ and the inside of repositories by: nobody commits or opens a project there.
func Nested(dir string, m Machine, b Bounds) Search {
	s := searcher{m: m, left: b, starts: map[string]bool{}}
	for _, name := range startNames() {
		s.starts[name] = true
	}
	folders := []string{dir}
	for depth := 0; len(folders) > 0; depth++ {
		if depth > b.Depth {
			s.out.GaveUp = fmt.Sprintf("what is more than %d folders deep was not searched for what tools start", b.Depth)
			break
		}
		s.next = nil
		for _, f := range folders {
			if s.left.Folders--; s.left.Folders < 0 || !s.folder(f) {
				s.out.GaveUp = "it has too much in it: not everything was searched for what tools start"
				return s.out
			}
		}
		folders = s.next
	}
	return s.out
}

type searcher struct {
	m      Machine
	left   Bounds
	starts map[string]bool
	next   []string // the folders of the next depth
	out    Search
}

// folder looks at the entries of one folder, some at a time; false when a bound is reached.
func (s *searcher) folder(dir string) bool {
	f, err := os.Open(dir)
	if err != nil {
		return true // the server cannot look there either; a single file has nothing below
	}
	defer f.Close()
	names := map[string]bool{}
	for {
		const some = 512
		entries, err := f.ReadDir(some)
		for _, e := range entries {
			if s.left.Entries--; s.left.Entries < 0 || len(s.out.Paths) >= s.left.Found {
				return false
			}
			s.entry(dir, e, names)
		}
		if errors.Is(err, io.EOF) || err != nil {
			break
		}
	}
	if names["head"] && names["objects"] && names["refs"] { // a bare repository
		s.repository(dir)
	}
	return true
}

func (s *searcher) entry(dir string, e fs.DirEntry, names map[string]bool) {
	name, at := s.m.nameKey(e.Name()), filepath.Join(dir, e.Name())
	link := e.Type()&fs.ModeSymlink != 0
	switch {
	case s.starts[name]:
		s.found(at, link)
	case name == ".git" && e.IsDir():
		s.repository(at)
		s.next = append(s.next, filepath.Join(at, "modules")) // of submodules; often not there
	case name == ".git":
		s.found(at, link) // a file that says where the repository is
	case name == "head", name == "objects", name == "refs":
		names[name] = true
	case e.IsDir() && name != "node_modules" && name != ".venv" && name != "__pycache__":
		s.next = append(s.next, at)
	}
}

func (s *searcher) found(at string, link bool) {
	if link {
		s.out.Links = append(s.out.Links, at)
		return
	}
	s.out.Paths = append(s.out.Paths, at)
}

// repository takes what git starts in one. What is not there cannot be held: docs/permissions.md says so.
func (s *searcher) repository(dir string) {
	for _, name := range gitNames() {
		at := filepath.Join(dir, name)
		if info, err := os.Lstat(at); err == nil {
			s.found(at, info.Mode()&fs.ModeSymlink != 0)
		}
	}
}
