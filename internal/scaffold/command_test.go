package scaffold

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"satchel/mcpb/manifest"
)

func TestAdopt(t *testing.T) {
	t.Parallel()
	dir, other := t.TempDir(), t.TempDir()
	writeFile(t, filepath.Join(dir, "server", "index.js"), "")
	writeFile(t, filepath.Join(dir, "serve"), "")
	writeFile(t, filepath.Join(dir, "src", "pack", "age", "__main__.py"), "")
	writeFile(t, filepath.Join(other, "node"), "")
	file := filepath.Join(other, "node")
	for name, c := range map[string]struct {
		argv    string // by blanks; DIR and OTHER are the folders
		env     map[string]string
		want    string // command and arguments, type, entry point
		options string // key:type, ! for required, * for sensitive, + for multiple
		answers string
		warns   string
	}{
		"relative":          {"node server/index.js --port 80", nil, "node ${__dirname}/server/index.js --port 80 | node server/index.js", "", "", ""},
		"absolute":          {"/usr/bin/node DIR/server/index.js", nil, "node ${__dirname}/server/index.js | node server/index.js", "", "", ""},
		"own program":       {"./serve -v", nil, "${__dirname}/serve -v | binary serve", "", "", ""},
		"a bare word":       {"python3 serve notes", nil, "python3 ${__dirname}/serve notes | python serve", "", "", ""},
		"a folder by name":  {"node serve server", nil, "node ${__dirname}/serve server | node serve", "", "", ""},
		"own folder":        {"uv run --directory . serve", nil, "uv run --directory ${__dirname} ${__dirname}/serve | uv serve", "", "", ""},
		"joined":            {"node serve --root=DIR/server --data=OTHER", nil, "node ${__dirname}/serve --root=${__dirname}/server --data=${user_config.folder} | node serve", "folder:directory!", "folder=OTHER", ""},
		"folders":           {"node serve OTHER DIR OTHER OTHER", nil, "node ${__dirname}/serve ${user_config.folder} ${__dirname} ${user_config.folders} | node serve", "folder:directory! folders:directory!+", "folder=OTHER folders=OTHER folders=OTHER", ""},
		"up and down":       {"node DIR/../" + filepath.Base(dir) + "/serve", nil, "node ${__dirname}/serve | node serve", "", "", ""},
		"secret flags":      {"node serve --api-key abc --token=def --keyboard us", nil, "node ${__dirname}/serve --api-key ${user_config.api_key} --token=${user_config.token} --keyboard us | node serve", "api_key:string!* token:string!*", "api_key=abc token=def", ""},
		"a flag, no secret": {"node serve --token --verbose", nil, "node ${__dirname}/serve --token --verbose | node serve", "", "", ""},
		"environment": {"node serve", map[string]string{"API_KEY": "abc", "MODE": "x", "ROOT": other, "OWN": dir, "GITHUB_TOKEN": "${user_config.mine}"},
			"node ${__dirname}/serve | node serve | API_KEY=${user_config.api_key} GITHUB_TOKEN=${user_config.mine} MODE=x OWN=${__dirname} ROOT=${user_config.folder}", "api_key:string!* folder:directory!", "api_key=abc folder=OTHER", ""},
		"fetched":            {"npx -y some-server OTHER", nil, "npx -y some-server ${user_config.folder} | node ", "folder:directory!", "folder=OTHER", "must carry the code"},
		"a foreign program":  {file + " x", nil, "node x | node server/index.js", "", "", "no file of the folder"},
		"a foreign program2": {other + "/srv", nil, other + "/srv | binary server/my-extension", "", "", "program of this machine"},
		"from above":         {"../" + filepath.Base(other) + "/srv ../" + filepath.Base(other) + "/node", nil, other + "/srv " + file + " | binary server/my-extension", "", "", "program of this machine"},
		"a module":           {"python3 -m pack.age -v", nil, "python3 -m pack.age -v | python src/pack/age/__main__.py", "", "", ""},
		"a foreign module":   {"python3 -m ..OTHER", nil, "python3 -m .." + other + " | python server/main.py", "", "", "no file of the folder"},
		"a foreign file":     {"node serve " + file, nil, "node ${__dirname}/serve " + file + " | node serve", "", "", "file of this machine"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := &Draft{}
			here := strings.NewReplacer("DIR", dir, "OTHER", other)
			adopted, err := d.Adopt(Started{Dir: dir, Cwd: dir, Argv: strings.Fields(here.Replace(c.argv)), Env: c.env}, Settled{})
			if err != nil {
				t.Fatal(err)
			}
			if got := commandText(d.Manifest.Server); got != c.want {
				t.Errorf("command %s\nwant    %s", got, c.want)
			}
			if got := optionsText(d.Manifest.UserConfig); got != c.options {
				t.Errorf("options %s, want %s", got, c.options)
			}
			if got := strings.Join(adopted.Answers, " "); got != here.Replace(c.answers) {
				t.Errorf("answers %s, want %s", got, c.answers)
			}
			if got := strings.Join(adopted.Warnings, "; "); !strings.Contains(got, c.warns) || c.warns == "" && got != "" {
				t.Errorf("warnings %q, want %q", got, c.warns)
			}
		})
	}
}

func commandText(s manifest.Server) string {
	c := s.MCPConfig.Command
	text := strings.Join(append([]string{c.Command}, c.Args...), " ") + " | " + s.Type + " " + s.EntryPoint
	var env []string
	for key, value := range c.Env {
		env = append(env, key+"="+value)
	}
	if slices.Sort(env); len(env) > 0 {
		text += " | " + strings.Join(env, " ")
	}
	return text
}

func optionsText(options manifest.Options) string {
	var list []string
	for _, o := range options {
		text := o.Key + ":" + o.Type
		for _, f := range []struct {
			mark string
			set  bool
		}{{"!", o.Required}, {"*", o.Sensitive}, {"+", o.Multiple}} {
			if f.set {
				text += f.mark
			}
		}
		list = append(list, text)
	}
	return strings.Join(list, " ")
}

func TestAdoptNothing(t *testing.T) {
	t.Parallel()
	if _, err := (&Draft{}).Adopt(Started{}, Settled{}); err == nil {
		t.Error("no command is taken")
	}
	if _, err := (&Draft{}).Adopt(Started{Argv: []string{"uv", "run", "x"}}, Settled{ManifestVersion: "0.3"}); err == nil {
		t.Error("uv in 0.3 is taken")
	}
}

// What the server says fills what the project does not, and is no valid manifest's end.
func TestServes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "package.json"), `{"version": "2.0.0"}`)
	d, err := FromProject(dir, Settled{})
	if err != nil {
		t.Fatal(err)
	}
	d.Serves("My Server!", "not semver", []manifest.Tool{{Name: "a", Description: "does"}}, []manifest.Prompt{{Name: "p", Description: "asks", Arguments: []string{"x"}}, {Name: "q"}})
	m := d.Manifest
	if m.Name != "My-Server" || m.Version != "2.0.0" || m.Tools[0].Description != "does" || m.Prompts[0].Text != "asks" || m.Prompts[1].Text != "q" {
		t.Errorf("%+v", m)
	}
	valid(t, d)
}

func valid(t *testing.T, d *Draft) {
	t.Helper()
	data, err := Render(&d.Manifest)
	if err != nil {
		t.Fatal(err)
	}
	if err := manifest.Validate(data, manifest.Checks{}).Err(); err != nil {
		t.Errorf("%v\n%s", err, data)
	}
}

func TestFromProject(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		files map[string]string
		ask   Settled
		want  string
	}{
		"nothing":     {nil, Settled{Author: "Ann"}, "0.3 Übung--1 1.0.0 Ann | node ${__dirname}/server/index.js | node server/index.js"},
		"an old one":  {nil, Settled{ManifestVersion: "0.1"}, "0.1 Übung--1 1.0.0 Unknown Author | node ${__dirname}/server/index.js | node server/index.js"},
		"a bad name":  {map[string]string{"package.json": `{"author": "Bob"}`}, Settled{Author: "Ann\x00" + strings.Repeat("x", 5<<20)}, "0.3 Übung--1 1.0.0 Bob | node ${__dirname}/server/index.js | node server/index.js"},
		"uv":          {map[string]string{"pyproject.toml": "project = { name = \"x\", dependencies = [\"y\"] }", "main.py": ""}, Settled{}, "0.4 x 1.0.0 Unknown Author | uv run --directory ${__dirname} main.py | uv main.py"},
		"python, src": {map[string]string{"pyproject.toml": "project = { name = \"x\" }", "src/x/server.py": ""}, Settled{}, "0.3 x 1.0.0 Unknown Author | python3 ${__dirname}/src/x/server.py | python src/x/server.py | PYTHONPATH=${__dirname}/src"},
		"go":          {map[string]string{"go.mod": "module example.com/x\n"}, Settled{}, "0.3 x 1.0.0 Unknown Author | ${__dirname}/server/x | binary server/x"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "Übung (1)")
			if err := os.Mkdir(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			for file, text := range c.files {
				writeFile(t, filepath.Join(dir, file), text)
			}
			d, err := FromProject(dir, c.ask)
			if err != nil {
				t.Fatal(err)
			}
			m := d.Manifest
			if got := strings.Join([]string{m.ManifestVersion, m.Name, m.Version, m.Author.Name, "|", commandText(m.Server)}, " "); got != strings.ReplaceAll(c.want, "Übung--1", "bung-1") {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			valid(t, d)
		})
	}
	if _, err := FromProject(t.TempDir(), Settled{ManifestVersion: "0.5"}); err == nil {
		t.Error("0.5 is taken")
	}
	if _, err := FromProject(filepath.Join(t.TempDir(), "nowhere"), Settled{}); err == nil {
		t.Error("a folder that is not there is taken")
	}
}

func TestRenew(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "package.json"), `{"name": "new", "version": "2.0.0", "author": "Ann", "main": "other.js", "license": "MIT"}`)
	d, err := FromProject(dir, Settled{})
	if err != nil {
		t.Fatal(err)
	}
	old := []byte(`{"dxt_version": "0.1", "name": "old", "version": "1.0.0", "description": "Kept <&>.", "author": {"name": "Ann", "email": "ann@example.com"},
		"server": {"type": "node", "entry_point": "a.js", "mcp_config": {"command": "node", "args": ["a.js"], "env": {"A": "b"}, "cwd": "x"}},
		"tools": [{"name": "t", "schema": 5}], "user_config": {"k": {"type": "string", "title": "K<", "description": "k", "required": false}}, "own": {"x": [1]}, "license": "MIT"}`)
	if err := Renew(old, d); err != nil {
		t.Fatal(err)
	}
	valid(t, d)
	renewed, err := Render(&d.Manifest)
	if err != nil {
		t.Fatal(err)
	}
	want := []Difference{
		{"dxt_version", `"0.1"`, ""}, {"name", `"old"`, `"new"`}, {"own", `{"x":[1]}`, ""}, {"server.mcp_config.cwd", `"x"`, ""},
		{"tools[0].schema", "5", ""}, {"version", `"1.0.0"`, `"2.0.0"`},
	}
	if got := Differences(old, renewed); !slices.Equal(got, want) {
		t.Errorf("differences %v\nwant %v\n%s", got, want, renewed)
	}
	if !strings.Contains(string(renewed), `"Kept <&>."`) || !strings.Contains(string(renewed), `"K<"`) {
		t.Errorf("characters are escaped: %s", renewed)
	}
	if err := Renew([]byte("no JSON"), d); err == nil || Differences([]byte("no"), renewed) != nil {
		t.Error("what is no JSON is kept")
	}
}

// Another person's address is not kept.
func TestRenewAuthor(t *testing.T) {
	t.Parallel()
	a := manifest.Author{Name: "Ann", Email: "ann@example.com"}
	renewAuthor(&a, manifest.Author{Name: "Bob", URL: "https://example.com"})
	if a != (manifest.Author{Name: "Bob", URL: "https://example.com"}) {
		t.Errorf("%+v", a)
	}
}
