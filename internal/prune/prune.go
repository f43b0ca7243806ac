// Package prune decides what of an extension its server does not need: development dependencies in node_modules, what
// Pack's default list leaves out, caches of Python, and with Deep the tests and documents of dependencies.
//
// Use [Make] on the files of an opened bundle. It only reads, and it runs nothing. It errs on the side of keeping: a
// package stays when a list of a package.json that stays names it, or code that stays loads it by name. What no reading
// can tell, such as require(variable), only starting the result shows: package host does that.
package prune

import (
	"io/fs"
	"path"
	"slices"
	"strings"

	"satchel/mcpb"
	"satchel/mcpb/manifest"
)

// A Kind is why something can be dropped.
type Kind string

// The kinds of what can be dropped.
const (
	Package Kind = "package" // a package in node_modules that the server does not need
	Ignored Kind = "ignored" // what Pack leaves out
	Cache   Kind = "cache"   // what Python or npm make again
	Deep    Kind = "deep"    // tests and documents of a dependency
)

// A Unit is what is dropped or stays as a whole.
type Unit struct {
	Name   string   `json:"name"` // a package's folder, or a pattern
	Kind   Kind     `json:"kind"`
	Reason string   `json:"reason"`
	Files  int      `json:"files"`
	Bytes  int64    `json:"bytes"` // unpacked
	Paths  []string `json:"paths"`
	Needs  []string `json:"-"` // names of units that this one needs when it stays
}

func (u *Unit) add(f mcpb.File) {
	u.Paths = append(u.Paths, f.Name)
	u.Files++
	u.Bytes += f.Size
}

// A Plan is what can be dropped, sorted by kind and name.
type Plan struct {
	Units []Unit   `json:"units"`
	Notes []string `json:"notes"` // why something stays that one might expect to go
}

// Options say how far to go.
type Options struct {
	Deep bool // also tests and documents of dependencies
}

// Make decides what can be dropped. files lists the extension, fsys reads it. Errors are problems of class Invalid when
// package.json names workspaces or linked packages, or those of reading.
func Make(files []mcpb.File, fsys fs.FS, m *manifest.Manifest, o Options) (*Plan, error) {
	t := newTree(files, fsys, m)
	if m.Server.Type == manifest.Node {
		if err := t.packages(); err != nil {
			return nil, err
		}
	} else if len(t.pkgs) > 0 {
		t.note("node_modules stays as it is: the server is of type %s", m.Server.Type)
	}
	t.ignored()
	t.caches()
	if o.Deep {
		if err := t.deep(); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(t.plan.Units, func(a, b Unit) int {
		return strings.Compare(string(a.Kind)+"\x00"+a.Name, string(b.Kind)+"\x00"+b.Name)
	})
	return t.plan, nil
}

// group drops those files that are still there and for which key gives a name, as one unit for each name.
func (t *tree) group(kind Kind, key func(name string) (unit, reason string)) {
	units := map[string]*Unit{}
	for _, f := range t.files {
		if t.dropped[f.Name] || t.protected[f.Name] {
			continue
		}
		name, reason := key(f.Name)
		if name == "" {
			continue
		}
		u := units[name]
		if u == nil {
			u = &Unit{Name: name, Kind: kind, Reason: reason}
			units[name] = u
		}
		u.add(f)
		t.dropped[f.Name] = true
	}
	for _, u := range units {
		t.plan.Units = append(t.plan.Units, *u)
	}
}

func (t *tree) ignored() {
	pattern := mcpb.Ignore("")
	t.group(Ignored, func(name string) (string, string) { return pattern(name), "satchel pack leaves it out" })
}

// caches are made again by whoever reads them. Bytecode without its source stays: it is the program then.
func (t *tree) caches() {
	t.group(Cache, func(name string) (string, string) {
		for part := range strings.SplitSeq(path.Dir(name), "/") {
			switch part {
			case "__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache":
				return part, "Python makes it again"
			}
		}
		if source, ok := strings.CutSuffix(name, ".pyc"); ok && t.has[source+".py"] {
			return "*.pyc", "Python makes it again; its source is beside it"
		}
		if path.Base(name) == ".package-lock.json" && path.Base(path.Dir(name)) == "node_modules" {
			return ".package-lock.json", "npm's note of what it installed"
		}
		return "", ""
	})
}
