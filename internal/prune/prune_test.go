package prune

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"satchel/internal/problem"
	"satchel/mcpb"
	"satchel/mcpb/manifest"
)

// make lists what is dropped of the files given as name and content.
func dropped(t *testing.T, files map[string]string, m *manifest.Manifest, o Options) []string {
	t.Helper()
	plan, err := Make(listed(files), mapFS(files), m, o)
	if err != nil {
		t.Fatal(err)
	}
	names := []string{}
	for _, u := range plan.Units {
		if len(u.Paths) != u.Files || u.Files == 0 || u.Reason == "" {
			t.Errorf("unit %+v", u)
		}
		names = append(names, u.Paths...)
	}
	slices.Sort(names)
	return names
}

func listed(files map[string]string) (list []mcpb.File) {
	for name, text := range files {
		list = append(list, mcpb.File{Name: name, Size: int64(len(text)), Mode: 0o644})
	}
	return list
}

func mapFS(files map[string]string) fstest.MapFS {
	m := fstest.MapFS{}
	for name, text := range files {
		m[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return m
}

func node(entry string, args ...string) *manifest.Manifest {
	return &manifest.Manifest{Name: "x", Server: manifest.Server{Type: manifest.Node, EntryPoint: entry, MCPConfig: &manifest.MCPConfig{
		Command: manifest.Command{Command: "node", Args: append([]string{"${__dirname}/" + entry}, args...)},
	}}}
}

// modules makes packages: "name: dependencies" or "folder/node_modules/name: ...", beside the files given.
func modules(files map[string]string, packages ...string) map[string]string {
	all := maps.Clone(files)
	for _, p := range packages {
		dir, needs, _ := strings.Cut(p, ":")
		list := []string{}
		for _, name := range strings.Fields(needs) {
			list = append(list, fmt.Sprintf("%q: \"*\"", name))
		}
		all["node_modules/"+dir+"/package.json"] = `{"version": "1.0.0", "dependencies": {` + strings.Join(list, ",") + `}}`
		if all["node_modules/"+dir+"/index.js"] == "" {
			all["node_modules/"+dir+"/index.js"] = "module.exports = 1"
		}
	}
	return all
}

// gone are the packages of which nothing stays.
func gone(t *testing.T, files map[string]string, m *manifest.Manifest) string {
	t.Helper()
	var names []string
	for _, name := range dropped(t, files, m, Options{}) {
		if dir, ok := strings.CutSuffix(name, "/package.json"); ok {
			names = append(names, strings.TrimPrefix(dir, "node_modules/"))
		}
	}
	return strings.Join(names, " ")
}

func TestPackages(t *testing.T) {
	for _, tt := range []struct {
		name     string
		files    map[string]string
		packages []string
		manifest *manifest.Manifest
		gone     string
	}{
		{"what is listed and what that needs stays", map[string]string{
			"package.json": `{"dependencies": {"a": "1"}, "devDependencies": {"dev": "1"}}`, "index.js": "",
		}, []string{"a: b", "b: @s/c", "@s/c:", "dev: devneeds b", "devneeds:", "nobodys:"}, nil, "dev devneeds nobodys"},
		{"optional, peer and bundled ones count", map[string]string{
			"package.json": `{"optionalDependencies": {"o": "1"}, "peerDependencies": {"p": "1"}, "bundleDependencies": ["b"], "dependencies": {}}`,
		}, []string{"o:", "p:", "b:", "x:"}, nil, "x"},
		{"nested versions resolve as in Node.js", map[string]string{
			"package.json": `{"dependencies": {"a": "1"}, "devDependencies": {"b": "2"}}`,
		}, []string{"a: b", "a/node_modules/b: c", "a/node_modules/c:", "b: c", "c:"}, nil, "b c"},
		{"a nested package that only another one lists goes", map[string]string{
			"package.json": `{"dependencies": {"a": "1"}}`,
		}, []string{"a:", "a/node_modules/b:"}, nil, "a/node_modules/b"},
		{"the server's folder has its own", map[string]string{
			"server/package.json": `{"dependencies": {"a": "1"}}`, "server/index.js": "",
			"server/node_modules/a/package.json": `{}`, "server/node_modules/dev/package.json": "{}",
		}, []string{"a:"}, node("server/index.js"), "server/node_modules/dev"},
		{"no dependencies listed: all stays", map[string]string{"package.json": `{"name": "x"}`}, []string{"a: b", "b:", "c:"}, nil, ""},
		{"no package.json: all stays", map[string]string{"index.js": ""}, []string{"a:", "b:"}, nil, ""},
		{"only development dependencies listed: they go, and what only they need", map[string]string{
			"package.json": `{"devDependencies": {"dev": "1"}}`,
		}, []string{"a: shared", "shared:", "dev: shared devneeds", "devneeds:"}, nil, "dev devneeds"},
		{"a broken package.json lists nothing", map[string]string{"package.json": `{"dependencies": `}, []string{"a:"}, nil, ""},
		{"lists of another form are none", map[string]string{"package.json": `{"dependencies": ["a"], "devDependencies": 3, "bundleDependencies": true}`}, []string{"a:"}, nil, ""},
		{"own code that loads a development dependency keeps it", map[string]string{
			"package.json": `{"dependencies": {"a": "1"}, "devDependencies": {"r": "1", "i": "1", "d": "1", "f": "1", "s": "1", "@s/n": "1", "t": "1", "u": "1"}}`,
			"index.js":     "const x = require('r/sub'); import \"i\"; import(/* lazy */ `d`); import f from'f';import.meta.resolve('s'); require (\n'@s/n/x.js')",
			"lib/u":        "#!/usr/bin/env node\nrequire('u')",
			"x.test.js":    "require('t')",
		}, []string{"a:", "r:", "i:", "d:", "f:", "s:", "@s/n:", "t:", "u:"}, nil, "t"},
		{"a package's code may load what it does not list", map[string]string{
			"package.json":            `{"dependencies": {"a": "1"}}`,
			"node_modules/a/index.js": "try { require('hidden') } catch {}", "node_modules/a/test/x.js": "require('tape')",
		}, []string{"a:", "hidden: more", "more:", "tape:"}, nil, "tape"},
		{"modules of Node.js go before packages", map[string]string{
			"package.json": `{"dependencies": {"a": "1"}, "devDependencies": {"events": "1", "punycode": "1"}}`, "index.js": "require('events'); require('node:fs'); require('punycode/')",
		}, []string{"a:", "events:", "punycode:"}, nil, "events"},
		{"the entry point's package is needed", map[string]string{"package.json": `{"dependencies": {"a": "1"}}`},
			[]string{"a:", "@m/server: b", "b:", "c:"}, node("node_modules/@m/server/index.js"), "c"},
		{"packages that the command line names", map[string]string{"package.json": `{"dependencies": {"a": "1"}}`},
			[]string{"a:", "tsx:", "loader:", "tool:", "c:"}, node("index.ts", "--import=tsx", "loader/register", `${__dirname}\node_modules\tool\cli.js`), "c"},
		{"TypeScript counts only as the server's language", map[string]string{"package.json": `{"dependencies": {"a": "1"}}`, "src/x.ts": "import 'c'"},
			[]string{"a:", "c:"}, nil, "c"},
		{"TypeScript server", map[string]string{"package.json": `{"dependencies": {"a": "1"}}`, "src/x.ts": "import 'c'"},
			[]string{"a:", "c:"}, node("src/main.mts"), ""},
		{"a node_modules deep in a package is its own affair", map[string]string{
			"package.json": `{"dependencies": {"a": "1"}}`, "node_modules/a/test/node_modules/y/package.json": "{}",
		}, []string{"a:"}, nil, ""},
		{"a circle", map[string]string{"package.json": `{"dependencies": {"a": "1"}}`}, []string{"a: b", "b: a", "c: d", "d: c"}, nil, "c d"},
		{"hostile names", map[string]string{"package.json": `{"dependencies": {"a": "1", "../../../etc": "1", "": "1", "/": "1", "..": "1", "@": "1"}}`},
			[]string{"a: ../../x .. @/ /", "c:"}, nil, "c"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.manifest == nil {
				tt.manifest = node("index.js")
			}
			if got := gone(t, modules(tt.files, tt.packages...), tt.manifest); got != tt.gone {
				t.Errorf("gone: %q, want %q", got, tt.gone)
			}
		})
	}
}

func TestWhatCannotBeToldIsRefused(t *testing.T) {
	for rule, text := range map[string]string{
		"prune/workspaces": `{"workspaces": {"packages": ["packages/*"]}, "dependencies": {"a": "1"}}`,
		"prune/linked":     `{"dependencies": {"a": "1", "ours": "workspace:*"}}`,
	} {
		files := modules(map[string]string{"package.json": text}, "a:")
		_, err := Make(listed(files), mapFS(files), node("index.js"), Options{})
		p, ok := err.(*problem.Problem)
		if !ok || p.Rule != rule || p.Code != problem.Invalid || p.Subject != "package.json" {
			t.Errorf("%s: %v", rule, err)
		}
	}
	files := modules(map[string]string{"package.json": `{"dependencies": {"ours": "file:../ours"}}`}, "ours:", "x:")
	if got := gone(t, files, node("index.js")); got != "x" {
		t.Errorf("a linked package that is there as a copy: %q is gone", got)
	}
}

func TestIgnoredFilesAndCaches(t *testing.T) {
	files := modules(map[string]string{
		"package.json": `{"dependencies": {"a": "1"}}`, "index.js": "", "debug.log": "", "needed.log": "", "icon.map": "", ".env": "",
		"node_modules/.bin/a": "", "node_modules/.package-lock.json": "", "node_modules/a/index.d.ts": "", "node_modules/a/index.js.map": "",
		"node_modules/a/x.map/real.js": "", "py/__pycache__/m.pyc": "", "py/m.py": "", "py/m.pyc": "", "py/only.pyc": "", "py/x.dist-info/RECORD": "",
	}, "a:")
	m := node("index.js", "${__dirname}/needed.log")
	m.Icon = "icon.map"
	got := dropped(t, files, m, Options{})
	want := []string{
		".env", "debug.log", "node_modules/.bin/a", "node_modules/.package-lock.json", "node_modules/a/index.d.ts", "node_modules/a/index.js.map",
		"py/__pycache__/m.pyc", "py/m.pyc",
	}
	if !slices.Equal(got, want) {
		t.Errorf("dropped %q, want %q", got, want)
	}
}

func TestOtherServersKeepTheirNodeModules(t *testing.T) {
	files := modules(map[string]string{"package.json": `{"dependencies": {"a": "1"}}`, "main.py": ""}, "a:", "x:")
	plan, err := Make(listed(files), mapFS(files), &manifest.Manifest{Server: manifest.Server{Type: manifest.Python, EntryPoint: "main.py"}}, Options{Deep: true})
	if err != nil || len(plan.Units) != 0 || len(plan.Notes) != 1 {
		t.Errorf("%+v, %v", plan, err)
	}
}

func TestDeep(t *testing.T) {
	files := modules(map[string]string{
		"package.json": `{"dependencies": {"a": "1", "b": "1", "c": "1"}}`, "README.md": "", "docs/x": "", "index.js": "require('c/example/run')",
		"node_modules/a/README.md": "", "node_modules/a/LICENSE.md": "", "node_modules/a/test/x.js": "", "node_modules/a/dist/doc/y.js": "", "node_modules/a/docs/z": "",
		"node_modules/b/test/needed.js": "", "node_modules/b/index.js": "require('./test/needed')", "node_modules/b/docs/x.js": "",
		"node_modules/c/example/run.js": "", "node_modules/c/tests/x": "",
	}, "a:", "b:", "c:")
	files["node_modules/b/package.json"] = `{"exports": {"./x": {"default": "./docs/x.js"}}}`
	got := dropped(t, files, node("index.js"), Options{Deep: true})
	want := []string{"node_modules/a/README.md", "node_modules/a/docs/z", "node_modules/a/test/x.js", "node_modules/c/tests/x"}
	if !slices.Equal(got, want) {
		t.Errorf("dropped %q, want %q", got, want)
	}
	if got := dropped(t, files, node("index.js"), Options{}); len(got) != 0 {
		t.Errorf("without Deep: %q", got)
	}
}

func TestDeepOfPythonLibraries(t *testing.T) {
	files := map[string]string{
		"server/main.py": "", "server/tests/own.py": "",
		"server/lib/a-1.dist-info/RECORD": "", "server/lib/a/__init__.py": "import os", "server/lib/a/tests/t.py": "", "server/lib/a/sub/tests/t.py": "",
		"server/lib/b/__init__.py": "x = 1\nfrom .tests import helper", "server/lib/b/tests/helper.py": "",
		"elsewhere/c/tests/x.py": "",
	}
	got := dropped(t, files, &manifest.Manifest{Server: manifest.Server{Type: manifest.Python, EntryPoint: "server/main.py"}}, Options{Deep: true})
	if want := []string{"server/lib/a/tests/t.py"}; !slices.Equal(got, want) {
		t.Errorf("dropped %q, want %q", got, want)
	}
}

// A name at the seam of two pieces of a file is found.
func TestScanReadsInPieces(t *testing.T) {
	for _, at := range []int{codeChunk - 8, codeChunk + codeOverlap - 8, codeChunk + codeOverlap - 15, 2*codeChunk - 3} {
		files := modules(map[string]string{
			"package.json": `{"dependencies": {"a": "1"}}`, "index.js": strings.Repeat(" ", at) + "require('seam')" + strings.Repeat(" ", codeChunk),
		}, "a:", "seam:")
		if got := gone(t, files, node("index.js")); got != "" {
			t.Errorf("at %d: %q is gone", at, got)
		}
	}
}
