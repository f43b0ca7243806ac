package expand

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"satchel/internal/problem"
	"satchel/mcpb/manifest"
)

func text(key string, more ...func(*manifest.Option)) manifest.Option {
	o := manifest.Option{Key: key, Type: manifest.String, Title: "Title of " + key}
	for _, f := range more {
		f(&o)
	}
	return o
}

func secret(o *manifest.Option)             { o.Sensitive = true }
func required(o *manifest.Option)           { o.Required = true }
func def(v any) func(*manifest.Option)      { return func(o *manifest.Option) { o.Default = v } }
func typed(s string) func(*manifest.Option) { return func(o *manifest.Option) { o.Type = s } }
func multiple(o *manifest.Option)           { o.Multiple = true }
func server(c manifest.Command) manifest.Server {
	return manifest.Server{Type: manifest.Node, EntryPoint: "server/index.js", MCPConfig: &manifest.MCPConfig{Command: c}}
}

func input(os string, answers map[string]any) Input {
	d := Dirs{Extension: "/ext/x", Home: "/home/ada", Desktop: "/home/ada/Desktop", Documents: "/home/ada/Documents", Downloads: "/home/ada/Downloads", Temp: "/tmp"}
	if os == "windows" {
		d = Dirs{Extension: `C:\ext\x`, Home: `C:\Users\ada`, Desktop: `C:\Users\ada\Desktop`, Documents: `C:\D`, Downloads: `C:\L`, Temp: `C:\T`}
	}
	return Input{Answers: answers, OS: os, Arch: "amd64", Dirs: d}
}

func TestArguments(t *testing.T) {
	cases := []struct {
		name    string
		args    []string
		options manifest.Options
		answers map[string]any
		want    []string
	}{
		{"folders everywhere", []string{"${__dirname}/a", "--h=${HOME}", "${DESKTOP}${/}${DOCUMENTS}", "${DOWNLOADS}", "${TEMP}", "${pathSeparator}"}, nil, nil,
			[]string{"/ext/x/a", "--h=/home/ada", "/home/ada/Desktop//home/ada/Documents", "/home/ada/Downloads", "/tmp", "/"}},
		{"a default with a variable", []string{"${user_config.d}"}, manifest.Options{text("d", def("${HOME}/Documents"))}, nil, []string{"/home/ada/Documents"}},
		{"a default list with variables", []string{"${user_config.d}", "--x=${user_config.d}"}, manifest.Options{text("d", multiple, def([]string{"${HOME}/a", "/b"}))}, nil,
			[]string{"/home/ada/a", "/b", "--x=/home/ada/a:/b"}},
		{"no value", []string{"a", "${user_config.k}", "--k=${user_config.k}", "b"}, manifest.Options{text("k")}, nil, []string{"a", "b"}},
		{"no value after its flag", []string{"--key", "${user_config.k}", "serve"}, manifest.Options{text("k")}, nil, []string{"serve"}},
		{"no value after two dashes", []string{"--", "${user_config.k}", "serve"}, manifest.Options{text("k")}, nil, []string{"--", "serve"}},
		{"no value after a flag with a value", []string{"--a=b", "${user_config.k}"}, manifest.Options{text("k")}, nil, []string{"--a=b"}},
		{"no value twice", []string{"--a", "${user_config.k}", "${user_config.k}"}, manifest.Options{text("k")}, nil, []string{}},
		{"an empty answer", []string{"${user_config.k}", "--k=${user_config.k}"}, manifest.Options{text("k")}, map[string]any{"k": ""}, []string{"", "--k="}},
		{"an empty folder", []string{"${user_config.k}"}, manifest.Options{text("k", typed(manifest.Directory), def(""))}, nil, []string{}},
		{"replacement patterns", []string{"${user_config.k}", "--k=${user_config.k}"}, manifest.Options{text("k")}, map[string]any{"k": "p$&q$$r$1$`"}, []string{"p$&q$$r$1$`", "--k=p$&q$$r$1$`"}},
		{"a value naming another option", []string{"--a=${user_config.a}"}, manifest.Options{text("a"), text("b")}, map[string]any{"a": "${user_config.b}", "b": "SECRET"}, []string{"--a=${user_config.b}"}},
		{"a value naming a folder", []string{"${user_config.a}"}, manifest.Options{text("a")}, map[string]any{"a": "${HOME}"}, []string{"${HOME}"}},
		{"an empty list", []string{"${user_config.l}", "s"}, manifest.Options{text("l", multiple)}, map[string]any{"l": []string{}}, []string{"s"}},
		{"an unknown variable", []string{"${PWD}", "${user_config.nope}", "${", "$", "${}", "}"}, nil, nil, []string{"${PWD}", "${user_config.nope}", "${", "$", "${}", "}"}},
		{"numbers and booleans", []string{"${user_config.n}", "${user_config.f}", "${user_config.b}"},
			manifest.Options{text("n"), text("f"), text("b")}, map[string]any{"n": 1e6, "f": 0.5, "b": true}, []string{"1000000", "0.5", "true"}},
		{"a key like a pattern", []string{"${user_config.a.b}", "${user_config.axb}"}, manifest.Options{text("a.b")}, map[string]any{"a.b": "v"}, []string{"v", "${user_config.axb}"}},
	}
	for _, c := range cases {
		m := &manifest.Manifest{Name: "x", Server: server(manifest.Command{Command: "node", Args: c.args}), UserConfig: c.options}
		got, err := Expand(m, input("linux", c.answers))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		} else if !slices.Equal(got.Argv[1:], c.want) {
			t.Errorf("%s: %q, want %q", c.name, got.Argv[1:], c.want)
		} else if len(got.Argv) != len(got.Shown) {
			t.Errorf("%s: %d arguments, %d shown", c.name, len(got.Argv), len(got.Shown))
		}
	}
}

func TestEnvironment(t *testing.T) {
	m := &manifest.Manifest{Name: "x", UserConfig: manifest.Options{text("k"), text("s", secret), text("l", multiple)}, Server: server(manifest.Command{
		Command: "node", Env: map[string]string{"GONE": "${user_config.k}", "S": "t=${user_config.s}", "L": "${user_config.l}", "PLAIN": "v"},
	})}
	got, err := Expand(m, input("linux", map[string]any{"s": "hunter2", "l": []string{"/a", "/b"}}))
	if err != nil {
		t.Fatal(err)
	}
	if want := map[string]string{"S": "t=hunter2", "L": "/a:/b", "PLAIN": "v"}; !maps.Equal(got.Env, want) {
		t.Errorf("environment %v, want %v", got.Env, want)
	}
	if got.ShownEnv["S"] != "t=<Title of s>" {
		t.Errorf("the secret is shown: %v", got.ShownEnv)
	}
	if len(got.Exposed) != 0 {
		t.Errorf("a secret in the environment counts as exposed: %v", got.Exposed)
	}
}

func TestSecretsOnTheCommandLineAreFoundAndHidden(t *testing.T) {
	m := &manifest.Manifest{Name: "x", UserConfig: manifest.Options{text("s", secret)}, Server: server(manifest.Command{Command: "node", Args: []string{"--t=${user_config.s}", "${user_config.s}"}})}
	got, err := Expand(m, input("linux", map[string]any{"s": "hunter2"}))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(strings.Join(got.Shown, " "), "hunter2") || len(got.Exposed) != 1 {
		t.Errorf("shown %q, exposed %v", got.Shown, got.Exposed)
	}
}

func TestRequired(t *testing.T) {
	m := &manifest.Manifest{Name: "x", Server: server(manifest.Command{Command: "node"}), UserConfig: manifest.Options{
		text("none", required), text("answered", required), text("empty", required), text("default", required, def("d")), text("list", required, multiple), text("zero", required, typed(manifest.Number)),
	}}
	got, err := Expand(m, input("linux", map[string]any{"answered": "a", "empty": "", "list": []string{""}, "zero": 0.0}))
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, o := range got.Missing {
		keys = append(keys, o.Key)
	}
	if want := []string{"none", "empty", "list"}; !slices.Equal(keys, want) {
		t.Errorf("missing %v, want %v", keys, want)
	}
}

func TestPlatformOverrides(t *testing.T) {
	m := &manifest.Manifest{Name: "x", Server: manifest.Server{Type: manifest.Binary, MCPConfig: &manifest.MCPConfig{
		Command: manifest.Command{Command: "bin/s", Args: []string{"base"}, Env: map[string]string{"A": "base", "B": "base"}},
		PlatformOverrides: map[string]manifest.Command{
			"win32":       {Command: `bin\s`, Env: map[string]string{"A": "win"}},
			"linux":       {Args: []string{"linux"}, Env: map[string]string{"A": "linux"}},
			"linux-arm64": {Args: []string{}, Env: map[string]string{"B": "arm"}},
			"darwin-x64":  {Command: "bin/intel"},
		},
	}}}
	cases := []struct{ os, arch, command, args, a, b string }{
		{"linux", "amd64", "/ext/x/bin/s", "linux", "linux", "base"},
		{"linux", "arm64", "/ext/x/bin/s", "", "linux", "arm"},
		{"darwin", "amd64", "/ext/x/bin/intel", "base", "base", "base"},
		{"darwin", "arm64", "/ext/x/bin/s", "base", "base", "base"},
		{"windows", "amd64", `C:\ext\x\bin\s.exe`, "base", "win", "base"},
	}
	for _, c := range cases {
		in := input(c.os, nil)
		in.Arch, in.Exists = c.arch, func(name string) bool { return name == "bin/s.exe" }
		got, err := Expand(m, in)
		if err != nil {
			t.Errorf("%s-%s: %v", c.os, c.arch, err)
			continue
		}
		if got.Argv[0] != c.command || strings.Join(got.Argv[1:], " ") != c.args || got.Env["A"] != c.a || got.Env["B"] != c.b {
			t.Errorf("%s-%s: %q %v, want %+v", c.os, c.arch, got.Argv, got.Env, c)
		}
	}
}

func TestCommands(t *testing.T) {
	cases := []struct {
		os, typ, command, want string
		refused                bool
	}{
		{"linux", "node", "node", "node", false},
		{"linux", "binary", "./bin/s", "/ext/x/bin/s", false},
		{"linux", "binary", "bin/s", "/ext/x/bin/s", false},
		{"linux", "binary", "s", "/ext/x/s", false},
		{"linux", "node", "s", "s", false}, // a bundle cannot provide node
		{"linux", "binary", "${__dirname}/s", "/ext/x/s", false},
		{"linux", "binary", "${__dirname}//bin/../s", "/ext/x/s", false},
		{"linux", "python", "/usr/bin/python3", "/usr/bin/python3", false},
		{"windows", "binary", `${__dirname}\s`, `C:\ext\x\s.exe`, false},
		{"windows", "binary", "${__dirname}/s", `C:\ext\x\s.exe`, false},
		{"windows", "python", `C:\Python\python.exe`, `C:\Python\python.exe`, false},
		{"linux", "binary", "../s", "", true},
		{"linux", "binary", "a/../../s", "", true},
		{"linux", "binary", "${__dirname}/../s", "", true},
		{"linux", "binary", "${__dirname}", "", true},
		{"windows", "binary", `..\s`, "", true},
		{"linux", "node", "", "", true},
	}
	for _, c := range cases {
		m := &manifest.Manifest{Name: "x", Server: server(manifest.Command{Command: c.command})}
		m.Server.Type = c.typ
		in := input(c.os, nil)
		in.Exists = func(name string) bool { return name == "s.exe" || c.os == "linux" && (name == "s" || name == "bin/s") }
		got, err := Expand(m, in)
		switch {
		case c.refused && problem.CodeOf(err) != problem.Invalid:
			t.Errorf("%s %q: %+v, %v; want a refusal", c.os, c.command, got, err)
		case !c.refused && (err != nil || got.Argv[0] != c.want):
			t.Errorf("%s %q: %+v, %v; want %q", c.os, c.command, got, err, c.want)
		}
	}
}

func TestUVWithoutAConfig(t *testing.T) {
	got, err := Expand(&manifest.Manifest{Name: "x", Server: manifest.Server{Type: manifest.UV, EntryPoint: "src/main.py"}}, input("linux", nil))
	if err != nil || strings.Join(got.Argv, " ") != "uv run --directory /ext/x src/main.py" {
		t.Errorf("%+v, %v", got, err)
	}
}

// FuzzExpand holds that an answer is inserted literally and brings nothing else with it: no other answer, no folder.
func FuzzExpand(f *testing.F) {
	f.Add("plain ${user_config.a} text", "answer")
	f.Add("${user_config.a}${user_config.a}", "${user_config.b}")
	f.Add("$${user_config.a}}", "$&$1${HOME}")
	f.Add("${user_config.a", "}")
	f.Fuzz(func(t *testing.T, template, answer string) {
		const other = "THE-OTHER-SECRET"
		if strings.Contains(template, "user_config.b") || strings.Contains(template+answer, other) {
			t.Skip("the template asks for the other answer itself")
		}
		m := &manifest.Manifest{Name: "x", UserConfig: manifest.Options{text("a"), text("b", secret)}, Server: server(manifest.Command{Command: "node", Args: []string{template}, Env: map[string]string{"E": template}})}
		in := input("linux", map[string]any{"a": answer, "b": other})
		got, err := Expand(m, in)
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Argv) != 2 {
			t.Fatalf("one argument became %q", got.Argv)
		}
		if strings.Contains(got.Argv[1]+got.Env["E"], other) {
			t.Fatalf("%q with %q gave away the other answer: %q", template, answer, got.Argv)
		}
		if n := strings.Count(template, "${user_config.a}"); n > 0 && answer != "" && strings.Count(got.Argv[1], answer) < n {
			t.Fatalf("%q with %q gave %q: the answer is not literal", template, answer, got.Argv[1])
		}
		if !strings.Contains(template, "${") && got.Argv[1] != template {
			t.Fatalf("%q changed to %q", template, got.Argv[1])
		}
	})
}
