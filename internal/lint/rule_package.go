package lint

import (
	"maps"
	"slices"
	"strings"
)

func packageRules() []Rule {
	return []Rule{
		{
			ID: "lint/dev-dependency", Title: "Development dependencies in the bundle",
			Why: "Compilers, linters and test runners are not needed to run the server. They make the bundle large, " +
				"and each is code that a reviewer has to trust.",
			Fix:    "install with npm ci --omit=dev before packing, or: satchel clean",
			Bad:    `"devDependencies": {"typescript": "5.9.2"}, and node_modules/typescript is in the bundle`,
			Good:   "node_modules holds what the server needs to run, and nothing else",
			Source: ours, Author: Warning, Reviewer: Warning, check: checkDevelopment,
		},
		{
			ID: "lint/lifecycle-script", Title: "Scripts that run when the package is installed",
			Why: "A preinstall, install or postinstall script runs whenever somebody runs npm install in the bundle, and the bundle's own prepare too, before anything was reviewed: " +
				"the usual way in for attacks on npm packages. Hosts that follow the specification never run it, so what it builds must be in the bundle.",
			Fix:    "do it before packing, and take the script out of the package.json in the bundle",
			Bad:    `"scripts": {"postinstall": "node setup.js"}`,
			Good:   `"scripts": {"build": "node setup.js"}`,
			Source: ours, Author: Hint, Reviewer: Warning, check: checkLifecycle,
		},
	}
}

// checkDevelopment reports what is packed only because it is a development dependency: nothing that runs leads to it.
func checkDevelopment(c *check) {
	root := c.root()
	if root == nil || len(root.pkg.Development) == 0 {
		return
	}
	packages := map[string][]*file{}
	for _, f := range c.installed() {
		packages[packageName(f)] = append(packages[packageName(f)], f)
	}
	needed, imported := reach(root, packages), c.imported()
	for _, d := range root.pkg.Development {
		if len(packages[d.name]) > 0 && !needed[d.name] {
			f := inFile(root.name, d.locate(root.data), "%s is a development dependency, and it is in the bundle", quote(d.name))
			if imported[d.name] {
				f.Message += "; a program of the bundle imports it"
				f.Fix = `move it to "dependencies" when the server needs it, else take it out`
			}
			c.add(f)
		}
	}
}

// reach gives the names of all packages that the server needs to run, by the names alone: of a package that is there in
// several versions, all count.
func reach(root *file, packages map[string][]*file) map[string]bool {
	needed := map[string]bool{}
	queue := []*file{root}
	for len(queue) > 0 {
		f := queue[0]
		queue = queue[1:]
		for _, d := range f.pkg.Dependencies {
			if !needed[d.name] {
				needed[d.name] = true
				queue = append(queue, packages[d.name]...)
			}
		}
	}
	return needed
}

func checkLifecycle(c *check) {
	for _, f := range c.tree.files {
		if f.pkg == nil {
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(f.pkg.Scripts)) {
			if name == "prepare" && f.dep { // npm runs it in its own folder only
				continue
			}
			c.add(inFile(f.name, f.scriptSpot(name), "has the script %s: %s", name, quote(f.pkg.Scripts[name])))
		}
		dir := strings.TrimSuffix(f.name, "package.json")
		if len(f.pkg.Scripts) == 0 && (f.pkg.Native || c.tree.byName[dir+"binding.gyp"] != nil) {
			c.add(inFile(f.name, spot{}, "is built by node-gyp when it is installed"))
		}
	}
}

// scriptSpot gives the place of a script where the text was kept.
func (f *file) scriptSpot(name string) spot {
	if f.data == nil {
		return spot{}
	}
	return dependency{name: name}.locate(f.data)
}
