package source

import (
	"strings"
	"testing"

	"satchel/internal/testsupport"
)

func TestJavaScript(t *testing.T) {
	calls := map[string]bool{"fetch": true, "WebSocket": true, "Bun.spawn": true}
	for _, c := range []struct{ program, imports, calls, urls string }{
		{`import a from "a"; import "b"; export * from 'c'; import("d"); require("e"); require('node:f')`, "a b c d e node:f", "", ""},
		{`// import "a"` + "\n/* require('b') */ '<!-- import \"c\"'", "", "", ""},
		{"`${require('a')} import \"b\" ${`${import('c')}`}`", "a c", "", ""},
		{"`${from} to ${to}`", "", "", ""},
		{`a.require("x"); x = /import "a"/; b = 1 / require("c") / 2`, "x c", "", ""},
		{`x = /[/"]/; require("a")`, "a", "", ""},
		{`fetch(a); this.fetch(b); globalThis.fetch(c)`, "", "fetch", ""},
		{`class A { fetch(a, (b)) { } } function fetch(x) {}`, "", "", ""},
		{`new WebSocket(u); Bun.spawn(["ls"])`, "", "WebSocket Bun.spawn", ""},
		{`x.WebSocket(u); y = { fetch: 1 }`, "", "", ""},
		{`a = "https://a.b/c?d", b = ` + "`wss://x.y/${z}`" + `, c = "see http://no", d = '//e.f'`, "", "", "https://a.b/c?d wss://x.y/"},
		{"#!/usr/bin/env node\nrequire('a')", "a", "", ""},
		{"\"a\\\nimport 'x'\"; require('b')", "b", "", ""},
		{`import("` + strings.Repeat("a", 1000) + `")`, "", "", ""},
	} {
		check(t, c.program, JavaScript([]byte(c.program), calls), c.imports, c.calls, c.urls)
	}
}

func TestPython(t *testing.T) {
	calls := map[string]bool{"os.system": true}
	for _, c := range []struct{ program, imports, calls, urls string }{
		{"import a, b.c as d\nfrom e.f import g\nfrom . import h", "a b.c e.f e.f.g . .h", "", ""},
		{"from a import (\n  b, # c\n  d,\n)\nimport e; import f", "a a.b a.d e f", "", ""},
		{"# import a\n'''import b\n'''\n\"import c\"\nx = 'import d'", "", "", ""},
		{"x = 1; os.system('ls'); my.os.system(1); os . system(2)", "", "os.system", ""},
		{"if x: import a", "a", "", ""},
		{"U = 'https://a.b/c'\nV = r\"wss://d.e\"", "", "", "https://a.b/c wss://d.e"},
		{"from importlib import metadata", "importlib importlib.metadata", "", ""},
		{"important = 1\nfromage = 2", "", "", ""},
	} {
		check(t, c.program, Python([]byte(c.program), calls), c.imports, c.calls, c.urls)
	}
}

func check(t *testing.T, program string, f Facts, imports, calls, urls string) {
	t.Helper()
	for _, l := range []struct {
		what string
		got  []Ref
		want string
	}{{"imports", f.Imports, imports}, {"calls", f.Calls, calls}, {"URLs", f.URLs, urls}} {
		var got []string
		for _, r := range l.got {
			got = append(got, r.Text)
		}
		if strings.Join(got, " ") != l.want {
			t.Errorf("%s\n  %s %q, want %q", program, l.what, got, l.want)
		}
	}
}

func TestPackage(t *testing.T) {
	for module, want := range map[string]string{
		"a": "a", "a/b/c": "a", "@s/a": "@s/a", "@s/a/b": "@s/a", "@s": "", "./a": "", "../a": "", "/a": "", "node:fs": "", "https://a.b/c": "", "": "",
	} {
		if got := Package(module); got != want {
			t.Errorf("Package(%q) = %q, want %q", module, got, want)
		}
	}
}

// TestTimeIsLinear gives what makes careless readers start over at each character.
func TestTimeIsLinear(t *testing.T) {
	t.Parallel()
	for _, unit := range []string{"(/[", "/", "`${", "`", "/*", "{", "'", "\\", "import \"", "from ", "a.", "fetch(", "\"\"\"", "import (", "import\t", "from a import b\\\n", "$ {"} {
		testsupport.Linear(t, unit, 128<<10, func(n int) func() {
			data := []byte(strings.Repeat(unit, n/len(unit)))
			return func() {
				JavaScript(data, map[string]bool{"fetch": true})
				Python(data, map[string]bool{"os.system": true})
			}
		})
	}
}

func FuzzJavaScript(f *testing.F) { fuzz(f, JavaScript) }

func FuzzPython(f *testing.F) { fuzz(f, Python) }

// fuzz: whatever the text, what is found stands where it says, and the lists stay bounded.
func fuzz(f *testing.F, read func([]byte, map[string]bool) Facts) {
	for _, seed := range []string{
		`import a from "a"; fetch("https://a.b/c")`, "`${`a`} ${/x/.y}`", "from a import (b, c)\nos.system('x')", "\"\"\"x\n", "/[/", "import \\\n a", "'\\", "(/a\n", "x\\",
	} {
		f.Add([]byte(seed))
	}
	calls := map[string]bool{"fetch": true, "os.system": true}
	f.Fuzz(func(t *testing.T, data []byte) {
		facts := read(data, calls)
		for _, list := range [][]Ref{facts.Imports, facts.Calls, facts.URLs} {
			if len(list) > MaxRefs {
				t.Fatalf("%d names", len(list))
			}
			for _, r := range list {
				if r.Start < 0 || r.End > len(data) || r.Start > r.End || r.Text == "" {
					t.Fatalf("%+v of %d bytes", r, len(data))
				}
			}
		}
	})
}
