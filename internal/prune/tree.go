package prune

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"satchel/mcpb"
	"satchel/mcpb/manifest"
)

// A tree is the files of an extension, with the packages found in it.
type tree struct {
	files     []mcpb.File
	fsys      fs.FS
	manifest  *manifest.Manifest
	has       map[string]bool
	pkgs      map[string]*pkg // by folder
	names     map[string]bool // of all packages
	inside    map[string]bool // folders of packages that other code loads from: name/folder
	owner     map[string]*pkg // by file; nil for the extension's own
	loose     map[string]bool // files in a node_modules that belong to no package
	protected map[string]bool // files that the manifest names
	dropped   map[string]bool
	plan      *Plan
}

// A pkg is one package in a node_modules.
type pkg struct {
	dir    string // such as node_modules/a/node_modules/@scope/b
	name   string // that code loads it by
	base   string // the folder that its node_modules is in; "." at the top
	files  []mcpb.File
	meta   *packageJSON    // nil until read
	loads  map[string]bool // names of packages that its code loads; nil until read
	needed bool
}

func newTree(files []mcpb.File, fsys fs.FS, m *manifest.Manifest) *tree {
	t := &tree{
		files: slices.Clone(files), fsys: fsys, manifest: m, has: map[string]bool{}, pkgs: map[string]*pkg{}, owner: map[string]*pkg{},
		names: map[string]bool{}, inside: map[string]bool{}, loose: map[string]bool{}, protected: map[string]bool{"manifest.json": true, path.Clean(m.Server.EntryPoint): true},
		dropped: map[string]bool{}, plan: &Plan{Units: []Unit{}, Notes: []string{}},
	}
	slices.SortFunc(t.files, func(a, b mcpb.File) int { return strings.Compare(a.Name, b.Name) })
	for _, f := range t.files {
		t.has[f.Name] = true
		t.place(f)
	}
	for _, text := range t.named() {
		if _, below, ok := strings.Cut(text, "${__dirname}/"); ok {
			text = below
		}
		t.protected[path.Clean(text)] = true
	}
	return t
}

func (t *tree) note(format string, args ...any) {
	t.plan.Notes = append(t.plan.Notes, fmt.Sprintf(format, args...))
}

// place finds the package that a file belongs to. A node_modules that is deeper inside a package, such as one of its
// tests, belongs to that package.
func (t *tree) place(f mcpb.File) {
	base, rest, found := cutModules(f.Name)
	var in *pkg
	for found {
		name, file := packageName(rest)
		if name == "" {
			if in == nil {
				t.loose[f.Name] = true
			}
			break
		}
		dir := path.Join(base, "node_modules", name)
		if in = t.pkgs[dir]; in == nil {
			in = &pkg{dir: dir, name: name, base: base}
			t.pkgs[dir], t.names[name] = in, true
		}
		base = dir
		rest, found = strings.CutPrefix(file, "node_modules/")
	}
	if in != nil {
		in.files = append(in.files, f)
		t.owner[f.Name] = in
	}
}

// cutModules splits a name at its first node_modules; base is the folder before it.
func cutModules(name string) (base, rest string, found bool) {
	if rest, found = strings.CutPrefix(name, "node_modules/"); found {
		return ".", rest, true
	}
	return strings.Cut(name, "/node_modules/")
}

// packageName splits a path below node_modules into the package's name and the file in it. What begins with a dot is no
// package, and a file right in node_modules is none.
func packageName(rest string) (name, file string) {
	name, file, ok := strings.Cut(rest, "/")
	if ok && strings.HasPrefix(name, "@") {
		var second string
		second, file, ok = strings.Cut(file, "/")
		name += "/" + second
	}
	if !ok || strings.HasPrefix(name, ".") {
		return "", ""
	}
	return name, file
}

// resolve finds the package that code in a folder gets by a name, as Node.js does: in the node_modules of the folder and
// of those above it.
func (t *tree) resolve(dir, name string) *pkg {
	for {
		if path.Base(dir) != "node_modules" {
			if p := t.pkgs[path.Join(dir, "node_modules", name)]; p != nil {
				return p
			}
		}
		if dir == "." || dir == "/" {
			return nil
		}
		dir = path.Dir(dir)
	}
}

// named are the texts of the manifest that may name a file or a package, with slashes.
func (t *tree) named() []string {
	m := t.manifest
	texts := slices.Concat([]string{m.Server.EntryPoint, m.Icon}, m.Screenshots)
	for _, icon := range m.Icons {
		texts = append(texts, icon.Src)
	}
	if c := m.Server.MCPConfig; c != nil {
		commands := []manifest.Command{c.Command}
		for _, o := range c.PlatformOverrides {
			commands = append(commands, o)
		}
		for _, cmd := range commands {
			texts = append(append(texts, cmd.Command), cmd.Args...)
			for _, v := range cmd.Env {
				texts = append(texts, v)
			}
		}
	}
	for i := range texts {
		texts[i] = strings.ReplaceAll(texts[i], `\`, "/")
	}
	return texts
}
