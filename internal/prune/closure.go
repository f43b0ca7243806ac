package prune

import (
	"maps"
	"path"
	"slices"
	"strings"

	"satchel/internal/problem"
	"satchel/mcpb"
)

// An own is a package.json of the extension itself.
type own struct {
	dir string
	*packageJSON
}

// packages drops what no package.json that stays lists and no code that stays loads.
func (t *tree) packages() error {
	if len(t.pkgs) == 0 {
		return nil
	}
	if err := t.readMeta(); err != nil {
		return err
	}
	owns, err := t.owns()
	if err != nil {
		return err
	}
	roots, err := t.roots(owns)
	if err != nil {
		return err
	}
	if err := t.need(roots); err != nil {
		return err
	}
	return t.dropPackages(owns)
}

func (t *tree) readMeta() error {
	for _, p := range t.sorted() {
		meta, err := t.readPackageJSON(p.dir)
		if err != nil {
			return err
		}
		if meta == nil {
			meta = &packageJSON{}
		}
		p.meta = meta
	}
	return nil
}

func (t *tree) sorted() []*pkg {
	list := make([]*pkg, 0, len(t.pkgs))
	for _, dir := range slices.Sorted(maps.Keys(t.pkgs)) {
		list = append(list, t.pkgs[dir])
	}
	return list
}

// owns reads every package.json outside node_modules, and refuses those that tie packages together by links.
func (t *tree) owns() (list []own, err error) {
	for _, f := range t.files {
		if path.Base(f.Name) != "package.json" || t.owner[f.Name] != nil || t.loose[f.Name] {
			continue
		}
		meta, err := t.readPackageJSON(path.Dir(f.Name))
		if err != nil {
			return nil, err
		}
		if meta == nil {
			continue
		}
		if meta.workspaces {
			return nil, problem.New(problem.Invalid, "prune/workspaces", "has workspaces, whose packages are links: what the server needs cannot be told").
				At(f.Name).Try("install the server's own package into an empty folder (npm install --install-links) and pack that")
		}
		for _, name := range slices.Sorted(maps.Keys(meta.needs)) {
			version := meta.needs[name]
			if linked(version) && t.resolve(path.Dir(f.Name), name) == nil {
				return nil, problem.New(problem.Invalid, "prune/linked", "needs %s from %s, which is not in the bundle", name, version).
					At(f.Name).Try("install it as a copy: npm install --install-links")
			}
		}
		list = append(list, own{path.Dir(f.Name), meta})
	}
	return list, nil
}

// roots are the packages that the extension itself needs: listed in its package.json, named by its manifest, loaded by
// its own code. Where package.json lists no dependencies at all, nobody kept that list: then all that is installed
// counts as needed, but for what only development dependencies need.
func (t *tree) roots(owns []own) ([]*pkg, error) {
	var roots []*pkg
	listed := map[string]bool{} // folders whose package.json lists dependencies
	add := func(dir, name string) {
		if p := t.resolve(dir, name); p != nil {
			roots = append(roots, p)
		}
	}
	for _, o := range owns {
		for name := range o.needs {
			add(o.dir, name)
		}
		listed[o.dir] = len(o.needs) > 0
	}
	for _, text := range t.named() {
		add(".", packageOf(text[strings.LastIndexByte(text, '=')+1:]))
		for _, p := range t.pkgs {
			if strings.Contains(text+"/", p.dir+"/") {
				roots = append(roots, p)
			}
		}
	}
	for dir, files := range t.ownFolders() {
		names, err := t.scanPackages(files, "")
		if err != nil {
			return nil, err
		}
		for name := range names {
			add(dir, name)
		}
	}
	return append(roots, t.unlisted(owns, listed)...), nil
}

// ownFolders are the extension's own files by folder.
func (t *tree) ownFolders() map[string][]mcpb.File {
	folders := map[string][]mcpb.File{}
	for _, f := range t.files {
		if t.owner[f.Name] == nil {
			folders[path.Dir(f.Name)] = append(folders[path.Dir(f.Name)], f)
		}
	}
	return folders
}

// unlisted are the packages of every node_modules beside which no dependencies are listed, without what only
// development dependencies need.
func (t *tree) unlisted(owns []own, listed map[string]bool) (roots []*pkg) {
	var dev []*pkg
	for _, o := range owns {
		for name := range o.dev {
			if p := t.resolve(o.dir, name); p != nil {
				dev = append(dev, p)
			}
		}
	}
	onlyDev := t.reach(dev)
	told := map[string]bool{}
	for _, p := range t.sorted() {
		if t.pkgs[p.base] != nil || listed[p.base] || onlyDev[p] {
			continue
		}
		if roots = append(roots, p); !told[p.base] {
			told[p.base] = true
			t.note("%s lists no dependencies: what no development dependency asks for stays in node_modules", path.Join(p.base, "package.json"))
		}
	}
	return roots
}

// reach gives the packages and all that their package.json files list.
func (t *tree) reach(from []*pkg) map[*pkg]bool {
	seen := map[*pkg]bool{}
	for len(from) > 0 {
		p := from[len(from)-1]
		from = from[:len(from)-1]
		if seen[p] {
			continue
		}
		seen[p] = true
		for name := range p.meta.needs {
			if q := t.resolve(p.dir, name); q != nil {
				from = append(from, q)
			}
		}
	}
	return seen
}

// need marks packages as needed, and all that they list or that their code loads.
func (t *tree) need(from []*pkg) error {
	for len(from) > 0 {
		p := from[len(from)-1]
		from = from[:len(from)-1]
		if p.needed {
			continue
		}
		p.needed = true
		needs, err := t.needs(p)
		if err != nil {
			return err
		}
		from = append(from, needs...)
	}
	return nil
}

// needs gives what a package lists, and what its code loads without listing it, which happens to work when npm has put
// it where the package finds it.
func (t *tree) needs(p *pkg) (list []*pkg, err error) {
	if p.loads == nil {
		if p.loads, err = t.scanPackages(p.files, p.dir); err != nil {
			return nil, err
		}
	}
	names := slices.Concat(slices.Sorted(maps.Keys(p.meta.needs)), slices.Sorted(maps.Keys(p.loads)))
	for _, name := range names {
		if q := t.resolve(p.dir, name); q != nil && q != p {
			list = append(list, q)
		}
	}
	return list, nil
}

// dropPackages makes a unit of each package that is not needed.
func (t *tree) dropPackages(owns []own) error {
	dev, by := map[*pkg]bool{}, map[*pkg]*pkg{}
	for _, o := range owns {
		for name := range o.dev {
			if p := t.resolve(o.dir, name); p != nil {
				dev[p] = true
			}
		}
	}
	for _, p := range t.sorted() {
		if p.needed {
			continue
		}
		u := Unit{Name: p.dir, Kind: Package}
		for _, f := range p.files {
			u.add(f)
			t.dropped[f.Name] = true
		}
		needs, err := t.needs(p)
		if err != nil {
			return err
		}
		for _, q := range needs {
			if !q.needed {
				u.Needs = append(u.Needs, q.dir)
			}
			if by[q] == nil {
				by[q] = p
			}
		}
		t.plan.Units = append(t.plan.Units, u)
	}
	for i := range t.plan.Units {
		u := &t.plan.Units[i]
		u.Reason = reason(t.pkgs[u.Name], dev, by)
	}
	return nil
}

func reason(p *pkg, dev map[*pkg]bool, by map[*pkg]*pkg) string {
	switch {
	case dev[p]:
		return p.title() + ": a development dependency"
	case by[p] != nil:
		return p.title() + ": only " + by[p].name + " needs it"
	}
	return p.title() + ": nothing needs it"
}
