package detect

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"satchel/mcpb/manifest"
)

// project writes a folder of files.
func folder(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func read(t testing.TB, files map[string]string) *Found {
	t.Helper()
	found, err := Read(folder(t, files))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// values lists what was found, by the manifest's paths, as "path=value".
func values(t *testing.T, m manifest.Manifest) (list []string) {
	t.Helper()
	data, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	var tree map[string]any
	if err := json.Unmarshal(data, &tree); err != nil {
		t.Fatal(err)
	}
	var walk func(path string, v any)
	walk = func(path string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for _, key := range slices.Sorted(maps.Keys(v)) {
				walk(join(path, key), v[key])
			}
		case []any:
			for _, item := range v {
				walk(path, item)
			}
		default:
			if v != "" {
				list = append(list, fmt.Sprintf("%s=%v", path, v))
			}
		}
	}
	walk("", tree)
	return list
}

func TestRead(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		files map[string]string
		want  string // values, a line each
		notes string // what the notes say, in a row; "" is none
	}{
		"nothing": {nil, "", ""},
		"npm, everything": {map[string]string{"package.json": `{
			"name": "@acme/notes", "version": "1.2.3", "description": "Keeps notes.", "license": "Apache-2.0",
			"author": "Ann Author <ann@example.com> (https://example.com/ann)", "main": "./dist/index.js",
			"repository": "github:acme/notes", "homepage": "https://example.com", "bugs": {"url": "https://example.com/bugs"},
			"keywords": ["notes", " text ", "notes", ""], "engines": {"node": ">=20 <25", "npm": "*"}}`}, `
			author.email=ann@example.com
			author.name=Ann Author
			author.url=https://example.com/ann
			compatibility.runtimes.node=>=20 <25
			description=Keeps notes.
			homepage=https://example.com
			keywords=notes
			keywords=text
			license=Apache-2.0
			name=acme-notes
			repository.type=git
			repository.url=https://github.com/acme/notes
			server.entry_point=dist/index.js
			server.type=node
			support=https://example.com/bugs
			version=1.2.3`, ""},
		"npm, other forms": {map[string]string{"package.json": "\xef\xbb\xbf" + `{
			"name": "notes", "author": {"name": "Ann", "email": "ann@example.com", "url": "https://example.com"},
			"licenses": [{"type": "MIT"}], "bin": {"b": "bin/b.mjs", "a": "bin/a"}, "keywords": "a, b", "bugs": "https://example.com",
			"repository": {"type": "git", "url": "git+ssh://git@github.com/acme/notes.git", "directory": "packages/x"}}`}, `
			author.email=ann@example.com
			author.name=Ann
			author.url=https://example.com
			keywords=a
			keywords=b
			license=MIT
			name=notes
			repository.type=git
			repository.url=https://github.com/acme/notes.git
			server.entry_point=bin/a.js
			server.type=node
			support=https://example.com`, ""},
		"npm, exports": {map[string]string{"package.json": `{"exports": {".": {"types": "x.d.ts", "import": {"node": "./lib/x.js"}}}, "license": {"type": "ISC"}}`}, `
			license=ISC
			server.entry_point=lib/x.js
			server.type=node`, ""},
		"npm, where programs usually are": {map[string]string{"package.json": `{"license": "UNLICENSED"}`, "src/index.js": ""}, `
			server.entry_point=src/index.js
			server.type=node`, ""},
		"npm, main is a folder":                   {map[string]string{"package.json": `{"main": "./dist"}`, "dist/index.js": ""}, "server.entry_point=dist/index.js\nserver.type=node", ""},
		"npm, main is a folder that is not built": {map[string]string{"package.json": `{"main": "dist/"}`}, "server.entry_point=dist/index.js\nserver.type=node", ""},
		"npm, the next program":                   {map[string]string{"package.json": `{"bin": {"a": "../x.js", "b": "b.js"}}`}, "server.entry_point=b.js\nserver.type=node", "leads out"},
		"npm, a variable for a program":           {map[string]string{"package.json": `{"main": "${user_config.x}.js", "bin": "${HOME}/x"}`}, "", "main bin"},
		"npm, no UTF-8":                           {map[string]string{"package.json": `{"description": "caf` + "\xe9" + `"}`}, "description=caf\ufffd", "no UTF-8"},
		"npm, wrong types and forms": {map[string]string{"package.json": `{
			"name": 5, "version": "latest", "description": ["x"], "author": {"name": true, "email": "nobody", "url": "javascript:alert(1)"},
			"main": "../../etc/passwd", "homepage": "not a url", "repository": {"url": {}}, "bugs": 7, "keywords": {"a": 1}, "engines": {"node": "banana"},
			"license": 1.5, "bin": {"x": []}, "exports": [1]}`}, "", `name version description author.name author author license homepage bugs repository.url keywords engines.node main bin.x`},
		"npm, no JSON":  {map[string]string{"package.json": `{"name": `}, "", "is no JSON"},
		"npm, a list":   {map[string]string{"package.json": `[]`}, "", "is no JSON object"},
		"npm, null":     {map[string]string{"package.json": `null`}, "", "is no JSON object"},
		"npm, tooling":  {map[string]string{"package.json": `{"name": "x", "devDependencies": {"prettier": "3.0.0"}}`, "go.mod": "module example.com/srv\n"}, "name=srv\nserver.entry_point=server/srv\nserver.type=binary", "taken for tooling"},
		"npm, and more": {map[string]string{"package.json": `{"main": "x.js"}`, "go.mod": "module example.com/srv\n"}, "server.entry_point=x.js\nserver.type=node", "go.mod is not read"},
		"PEP 621": {map[string]string{"pyproject.toml": `
			[project]
			name = "weather-mcp"
			version = "1.2"
			description = "Says the weather."
			authors = [{ name = "Ann", email = "ann@example.com" }, { name = "Bob" }]
			license = { text = "MIT" }
			keywords = ["weather"]
			requires-python = ">=3.10,<4"
			dependencies = ["mcp==1.9.0"]
			[project.urls]
			"Bug Tracker" = "https://example.com/bugs"
			Documentation = "https://example.com/docs"
			Homepage = "https://example.com"
			"Source Code" = "https://github.com/acme/weather.git"
			Changelog = "https://example.com/changes"
			[project.scripts]
			weather = "weather_mcp.server:main"`, "src/weather_mcp/server.py": ""}, `
			author.email=ann@example.com
			author.name=Ann
			compatibility.runtimes.python=>=3.10,<4
			description=Says the weather.
			documentation=https://example.com/docs
			homepage=https://example.com
			keywords=weather
			license=MIT
			name=weather-mcp
			repository.type=git
			repository.url=https://github.com/acme/weather.git
			server.entry_point=src/weather_mcp/server.py
			server.type=uv
			support=https://example.com/bugs
			version=1.2.0`, ""},
		"PEP 621, version of hatch": {map[string]string{"pyproject.toml": `
			project = { name = "x", dynamic = ["version"], license = "MIT", scripts = { x = "gone:main" } }
			tool.hatch.version.path = "x/__init__.py"`, "x/__init__.py": "__version__: str = \"2.3.4\"\n", "x/server.py": ""}, `
			license=MIT
			name=x
			server.entry_point=x/server.py
			server.type=python
			version=2.3.4`, "gone"},
		"PEP 621, version of setuptools": {map[string]string{"pyproject.toml": `
			project = { name = "x", dynamic = ["version"], license = { file = "LICENSE" } }
			tool.setuptools.dynamic.version.attr = "x.__version__"`, "x/__init__.py": "__version__ = '3.0'\n", "main.py": ""}, `
			name=x
			server.entry_point=main.py
			server.type=python
			version=3.0.0`, "licence"},
		"PEP 621, version in a file": {map[string]string{"pyproject.toml": "project = { name = \"x\", dynamic = [\"version\"] }\ntool.setuptools.dynamic.version.file = [\"VERSION\"]", "VERSION": "4.5.6\n"}, "name=x\nserver.type=python\nversion=4.5.6", ""},
		"PEP 621, version of nobody": {map[string]string{"pyproject.toml": `project = { name = "x", dynamic = ["version"] }`}, "name=x\nserver.type=python", "made when the project is built"},
		"PEP 621, version elsewhere": {map[string]string{"pyproject.toml": "project = { name = \"x\", dynamic = [\"version\"] }\ntool.hatch.version.path = \"../../../etc/hostname\""}, "name=x\nserver.type=python", "made when the project is built"},
		"Poetry": {map[string]string{"pyproject.toml": `
			[tool.poetry]
			name = "weather"
			version = "0.1.0"
			description = "Says the weather."
			authors = ["Ann <ann@example.com>"]
			license = "MIT"
			repository = "https://github.com/acme/weather"
			[tool.poetry.dependencies]
			python = "^3.10"
			[tool.poetry.scripts]
			weather = "weather:main"`, "weather/__init__.py": ""}, `
			author.email=ann@example.com
			author.name=Ann
			compatibility.runtimes.python=^3.10
			description=Says the weather.
			license=MIT
			name=weather
			repository.type=git
			repository.url=https://github.com/acme/weather
			server.entry_point=weather/__init__.py
			server.type=python
			version=0.1.0`, "only defines what the script calls"},
		"a package is run by its __main__.py": {map[string]string{
			"pyproject.toml": "[project]\nname = \"x\"\ndependencies = [\"mcp==1.9.0\"]\nscripts = { x = \"x:main\" }", "src/x/__init__.py": "", "src/x/__main__.py": ""},
			"name=x\nserver.entry_point=src/x/__main__.py\nserver.type=uv", ""},
		"a Python project is one without a program too": {map[string]string{"pyproject.toml": "[project]\nname = \"x\"\ndependencies = [\"mcp==1.9.0\"]\n"}, "name=x\nserver.type=uv", ""},
		"python, wrong types": {map[string]string{"pyproject.toml": `
			[project]
			name = 1979-05-27
			version = 1.0
			authors = "Ann"
			dependencies = "mcp"
			urls = ["x"]
			scripts = 5
			requires-python = "some"
			license = { text = 5 }
			[tool]
			hatch = 5`}, "server.type=python", "name version license.text requires-python authors urls dependencies scripts"},
		"python, none of the tables": {map[string]string{"pyproject.toml": "[build-system]\n"}, "", "neither"},
		"python, no TOML":            {map[string]string{"pyproject.toml": "[project\n"}, "", "is no TOML"},
		"Go":                         {map[string]string{"go.mod": "// A comment\nmodule github.com/acme/srv-x/v2\n\ngo 1.26\n"}, "name=srv-x\nrepository.type=git\nrepository.url=https://github.com/acme/srv-x\nserver.entry_point=server/srv-x\nserver.type=binary", ""},
		"Go, no module":              {map[string]string{"go.mod": "go 1.26\n"}, "", "no module line"},
		"Cargo": {map[string]string{"Cargo.toml": `
			[package]
			name = "srv"
			version = "0.3.1"
			description = "Serves."
			authors = ["Ann <ann@example.com>"]
			license = "MIT OR Apache-2.0"
			repository = "https://github.com/acme/srv"
			homepage = { workspace = true }
			keywords = ["mcp"]
			[[bin]]
			name = "srv-mcp"
			path = "src/main.rs"`}, `
			author.email=ann@example.com
			author.name=Ann
			description=Serves.
			keywords=mcp
			license=MIT OR Apache-2.0
			name=srv
			repository.type=git
			repository.url=https://github.com/acme/srv
			server.entry_point=server/srv-mcp
			server.type=binary
			version=0.3.1`, "workspace"},
		"Cargo, the program that runs": {map[string]string{"Cargo.toml": "[package]\nname = \"x\"\ndefault-run = \"srv\"\n[[bin]]\nname = \"tool\"\n[[bin]]\nname = \"srv\"\n"}, "name=x\nserver.entry_point=server/srv\nserver.type=binary", ""},
		"Cargo, a workspace":           {map[string]string{"Cargo.toml": "[workspace]\nmembers = [\"a\"]\n"}, "", "workspace"},
		"Cargo, wrong types":           {map[string]string{"Cargo.toml": "bin = [1]\n[package]\nname = [\"x\"]\nversion.workspace = true\nauthors.workspace = true\nkeywords = 5\n"}, "", "name version"},
		"a text without limit":         {map[string]string{"package.json": `{"main": "x.js", "description": "` + strings.Repeat("x", maxText+1) + `"}`}, "server.entry_point=x.js\nserver.type=node", "too long"},
		"a file without limit":         {map[string]string{"package.json": strings.Repeat(" ", maxFile+1)}, "", "larger than"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found := read(t, c.files)
			want := strings.Fields(strings.ReplaceAll(c.want, " ", "\x00"))
			got := values(t, found.Manifest)
			for i := range got {
				got[i] = strings.ReplaceAll(got[i], " ", "\x00")
			}
			if !slices.Equal(got, want) {
				t.Errorf("found\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
			checkNotes(t, found.Notes, c.notes)
		})
	}
}

// checkNotes wants either a phrase in the notes, or a note on each of the keys.
func checkNotes(t *testing.T, notes []Note, want string) {
	t.Helper()
	text := ""
	for _, n := range notes {
		text += n.From + " " + n.Text + "\n"
	}
	if strings.Contains(text, want) && (want != "" || text == "") {
		return
	}
	for key := range strings.FieldsSeq(want) {
		if !strings.Contains(text, key+" ") {
			t.Errorf("no note on %s", key)
		}
	}
	if want == "" || len(notes) != len(strings.Fields(want)) {
		t.Errorf("%d notes, want %q:\n%s", len(notes), want, text)
	}
}

// Every value says where it comes from.
func TestSources(t *testing.T) {
	t.Parallel()
	found := read(t, map[string]string{"package.json": `{"name": "x", "author": "Ann", "bugs": {"url": "https://example.com"}, "main": "x.js"}`})
	want := []Source{
		{"name", "package.json: name"}, {"author.name", "package.json: author"}, {"support", "package.json: bugs.url"},
		{"server.entry_point", "package.json: main"}, {"server.type", "package.json"},
	}
	if !slices.Equal(found.Sources, want) {
		t.Errorf("sources %v, want %v", found.Sources, want)
	}
}

// What is small as a file must be small as work: parsers are known to be slow or to recurse on these.
func TestHostileFilesEndSoon(t *testing.T) {
	const n = maxFile - 100
	plain := folder(t, map[string]string{"pyproject.toml": ordinary(n)})
	usual := timeOf(t, plain)
	for name, files := range map[string]map[string]string{
		"nested JSON lists":          {"package.json": strings.Repeat("[", n)},
		"nested JSON objects":        {"package.json": strings.Repeat(`{"exports":`, n/11)},
		"exports in exports":         {"package.json": `{"exports":` + strings.Repeat(`{".":`, 5000) + `"x"` + strings.Repeat("}", 5001)},
		"many wrong keywords":        {"package.json": `{"keywords": [` + strings.Repeat("1,", n/3) + `1]}`},
		"nested TOML lists":          {"pyproject.toml": "a = " + strings.Repeat("[", n)},
		"nested TOML, commented":     {"pyproject.toml": "a = " + strings.Repeat("[#]\n", n/4)},
		"nested TOML tables":         {"pyproject.toml": "a = " + strings.Repeat("{a=", n/3)},
		"a long dotted key":          {"pyproject.toml": strings.Repeat("a.", n/2) + "a = 1"},
		"a long dotted key, once":    {"Cargo.toml": "a = {" + strings.Repeat("b.", n/2) + "b = 1}"},
		"a long dotted header":       {"Cargo.toml": "[" + strings.Repeat("a.", n/2) + "a]"},
		"as many dots as are read":   {"Cargo.toml": "a = {" + strings.Repeat("b.", maxDots) + "b = 1}"},
		"as many braces as are read": {"Cargo.toml": "a = " + strings.Repeat("{a=", maxBraces) + "1" + strings.Repeat("}", maxBraces)},
		"as many lists as are read":  {"Cargo.toml": "a = " + strings.Repeat("[", maxBrackets) + strings.Repeat("]", maxBrackets)},
		"many tables":                {"Cargo.toml": manyTables(n)},
		"a go.mod of one line":       {"go.mod": "module " + strings.Repeat("a/", n/2)},
		"a go.mod of brackets":       {"go.mod": strings.Repeat("require (\n", n/10)},
		"a person of brackets":       {"package.json": `{"author": "` + strings.Repeat("<(", n/2-20) + `"}`},
	} {
		t.Run(name, func(t *testing.T) {
			dir := folder(t, files)
			for attempt := 1; ; attempt++ {
				took := timeOf(t, dir)
				if took <= maxSlowdown*usual {
					return
				}
				if attempt == 5 {
					t.Fatalf("takes %v, an ordinary file of this size %v", took, usual)
				}
				usual = timeOf(t, plain) // the machine may have become slower
			}
		})
	}
}

// maxSlowdown is how many times as long as an ordinary pyproject.toml of the same size a hostile file may take. What is
// quadratic in a megabyte takes thousands of times as long, on a slow machine as on a fast one.
const maxSlowdown = 20

// timeOf is how long the folder is read, at best of a few times: others use this machine too.
func timeOf(t *testing.T, dir string) time.Duration {
	t.Helper()
	best := time.Hour
	for range 3 {
		start := time.Now()
		found, err := Read(dir)
		best = min(best, time.Since(start))
		if err != nil || len(found.Notes) > maxNotes {
			t.Fatalf("%d notes, %v", len(found.Notes), err)
		}
	}
	return best
}

func ordinary(n int) string {
	var b strings.Builder
	for i := 0; b.Len() < n-20; i++ {
		fmt.Fprintf(&b, "k%d = \"v\"\n", i)
	}
	return b.String()
}

func manyTables(n int) string {
	var b strings.Builder
	for i := 0; b.Len() < n-20; i++ {
		fmt.Fprintf(&b, "[b%d]\n", i)
	}
	return b.String()
}

func TestRepositoryURL(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"acme/notes":                                 "https://github.com/acme/notes",
		"github:acme/notes":                          "https://github.com/acme/notes",
		"gitlab:acme/notes":                          "https://gitlab.com/acme/notes",
		"gist:0123":                                  "https://gist.github.com/0123",
		"git+https://github.com/acme/notes.git":      "https://github.com/acme/notes.git",
		"git+ssh://git@github.com/acme/notes.git":    "https://github.com/acme/notes.git",
		"ssh://git@gitlab.com:acme/notes.git":        "https://gitlab.com/acme/notes.git",
		"git@github.com:acme/notes.git":              "https://github.com/acme/notes.git",
		"git://github.com/acme/notes.git":            "https://github.com/acme/notes.git",
		"https://git.example.com/acme/notes":         "https://git.example.com/acme/notes",
		"git+ssh://git@git.example.com/acme/x":       "ssh://git@git.example.com/acme/x",
		"https://github.com.evil.example/acme/notes": "https://github.com.evil.example/acme/notes",
	} {
		if got := RepositoryURL(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestSafeName(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"notes": "notes", "My Notes": "My-Notes", "@a/b": "a-b", "..": "my-extension", "": "my-extension", "日本": "my-extension",
		"-x-": "x", "con": "my-con", "NUL.notes": "my-NUL.notes", "com1": "my-com1", "console": "console", strings.Repeat("ab", 50): strings.Repeat("ab", 32), "a\x00b": "a-b", "Notes": "Notes",
	} {
		got := SafeName(in)
		if _, err := manifest.ID(manifest.Local, got); err != nil || got != want {
			t.Errorf("%q: %q, want %q (%v)", in, got, want, err)
		}
	}
}

// Whatever a file says, what is taken from it is valid.
func FuzzRead(f *testing.F) {
	for _, name := range []string{"package.json", "pyproject.toml", "go.mod", "Cargo.toml"} {
		f.Add(name, []byte(`{"name": "x", "author": {"name": 1}, "bin": {"a": "b"}, "exports": {".": []}}`))
		f.Add(name, []byte("[project]\nname='x'\ndynamic=['version']\nauthors=[{name='a'}]\nscripts={a='b:c'}\n[tool.hatch.version]\npath='VERSION'\n[[bin]]\nname='x'\n"))
		f.Add(name, []byte("module example.com/x/v2\n[package]\nname='x'\nauthors=['A <a@b.c>']\n"))
	}
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		r := &reader{files: os.DirFS(t.TempDir()), file: name, found: &Found{}}
		for _, p := range projects() {
			if p.file == name {
				p.read(r, data)
			}
		}
		if why := Refusal(func(m *manifest.Manifest) { *m = complete(r.found.Manifest, *m) }); why != "" {
			t.Errorf("%s of %q gives a manifest that is refused: %s", name, data, why)
		}
	})
}

// complete fills what m lacks from a valid manifest.
func complete(m, from manifest.Manifest) manifest.Manifest {
	m.ManifestVersion = from.ManifestVersion
	for _, s := range []struct{ to, from *string }{{&m.Name, &from.Name}, {&m.Version, &from.Version}, {&m.Description, &from.Description}, {&m.Author.Name, &from.Author.Name}} {
		if *s.to == "" {
			*s.to = *s.from
		}
	}
	if m.Server.EntryPoint == "" {
		m.Server = from.Server
	}
	m.Server.MCPConfig = from.Server.MCPConfig
	return m
}
