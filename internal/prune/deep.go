package prune

import (
	"bufio"
	"path"
	"regexp"
	"slices"
	"strings"
)

// deep drops the tests, examples and documents of dependencies: of packages that stay in node_modules, and of libraries
// that pip put beside their dist-info. A folder stays when code or package.json beside it mentions it.
func (t *tree) deep() error {
	if t.manifest.Server.Type == "node" {
		for _, p := range t.sorted() {
			if p.needed {
				if err := t.deepPackage(p); err != nil {
					return err
				}
			}
		}
	}
	return t.deepPython()
}

// deepPackage drops folders at the top of a package only: yaml/dist/doc is code.
func (t *tree) deepPackage(p *pkg) error {
	guarded, err := t.guarded(p)
	if err != nil {
		return err
	}
	t.group(Deep, func(name string) (string, string) {
		if t.owner[name] != p {
			return "", ""
		}
		below := strings.TrimPrefix(name, p.dir+"/")
		top, _, inside := strings.Cut(below, "/")
		switch {
		case inside && deepFolder(top) && !guarded[top]:
			return p.dir + "/" + top + "/", "of a dependency"
		case !inside && isDocument(below):
			return p.dir + "/*.md", "documents of a dependency"
		}
		return "", ""
	})
	return nil
}

func deepFolder(name string) bool {
	return slices.Contains([]string{"test", "tests", "__tests__", "doc", "docs", "example", "examples", "benchmark", "benchmarks", ".github", "coverage"}, name)
}

// isDocument knows what nobody reads at run time. Licences stay: they must go with the code.
func isDocument(name string) bool {
	upper := strings.ToUpper(name)
	for _, legal := range []string{"LICEN", "COPYING", "NOTICE", "COPYRIGHT"} {
		if strings.Contains(upper, legal) {
			return false
		}
	}
	return strings.HasSuffix(upper, ".MD") || strings.HasSuffix(upper, ".MARKDOWN")
}

// guarded are the folders at the top of a package that its package.json, its code or other code that stays mentions.
func (t *tree) guarded(p *pkg) (map[string]bool, error) {
	guarded := map[string]bool{}
	mention := func(below string) {
		if top, _, _ := strings.Cut(path.Clean(below), "/"); deepFolder(top) {
			guarded[top] = true
		}
	}
	for _, text := range p.meta.paths {
		mention(text)
	}
	for _, f := range p.files {
		top, _, inside := strings.Cut(strings.TrimPrefix(f.Name, p.dir+"/"), "/")
		if t.inside[p.name+"/"+top] {
			guarded[top] = true
		}
		if !t.isCode(f.Name) || inside && deepFolder(top) {
			continue
		}
		err := t.scan(f.Name, func(spec string) {
			if below, ok := strings.CutPrefix(path.Join(path.Dir(f.Name), spec), p.dir+"/"); ok && strings.HasPrefix(spec, ".") {
				mention(below)
			}
		})
		if err != nil {
			return nil, err
		}
	}
	return guarded, nil
}

// deepPython drops the folders test and tests at the top of a vendored library that none of its own modules imports.
func (t *tree) deepPython() error {
	roots := map[string]bool{} // folders with a dist-info
	for _, f := range t.files {
		if dir := path.Dir(f.Name); strings.HasSuffix(dir, ".dist-info") {
			roots[path.Dir(dir)] = true
		}
	}
	guarded, err := t.importsTests(roots)
	if err != nil {
		return err
	}
	t.group(Deep, func(name string) (string, string) {
		library, top := library(roots, name)
		if library == "" || guarded[library] || top != "test" && top != "tests" {
			return "", ""
		}
		return library + "/" + top + "/", "of a dependency"
	})
	return nil
}

// library gives the folder of the vendored library that a file belongs to, and the folder in it.
func library(roots map[string]bool, name string) (dir, top string) {
	for dir = path.Dir(name); dir != "."; dir = path.Dir(dir) {
		if roots[path.Dir(dir)] {
			top, _, _ = strings.Cut(strings.TrimPrefix(name, dir+"/"), "/")
			return dir, top
		}
	}
	return "", ""
}

// importsTests finds the libraries of which a module outside the tests names them.
func (t *tree) importsTests(roots map[string]bool) (map[string]bool, error) {
	mention := regexp.MustCompile(`(?m)^\s*(from|import)\s.*\btests?\b`)
	guarded := map[string]bool{}
	for _, f := range t.files {
		dir, top := library(roots, f.Name)
		if dir == "" || top == "test" || top == "tests" || guarded[dir] || path.Ext(f.Name) != ".py" {
			continue
		}
		file, err := t.fsys.Open(f.Name)
		if err != nil {
			return nil, err
		}
		guarded[dir] = mention.MatchReader(bufio.NewReader(file))
		if err := file.Close(); err != nil {
			return nil, err
		}
	}
	return guarded, nil
}
