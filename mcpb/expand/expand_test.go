package expand

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"satchel/internal/problem"
	"satchel/mcpb/manifest"
)

// linux is the machine of most tests; files are those of the bundle.
func linux(answers map[string]any, files ...string) Input {
	return Input{
		Answers: answers, OS: "linux", Arch: "amd64",
		Dirs:   Dirs{Extension: "/ext", Home: "/home/ada", Desktop: "/home/ada/Desktop", Documents: "/home/ada/Documents", Downloads: "/dl", Temp: "/tmp"},
		Exists: func(name string) bool { return slices.Contains(files, name) },
	}
}

func windows(answers map[string]any, files ...string) Input {
	in := linux(answers, files...)
	in.OS, in.Dirs = "windows", Dirs{Extension: `C:\ext`, Home: `C:\Users\ada`, Temp: `C:\T`}
	return in
}

// server makes a manifest of a command, its arguments and options.
func server(command string, args []string, options ...manifest.Option) *manifest.Manifest {
	m := &manifest.Manifest{Name: "x", UserConfig: options}
	m.Server = manifest.Server{Type: manifest.Node, EntryPoint: "server/index.js"}
	m.Server.MCPConfig = &manifest.MCPConfig{Command: manifest.Command{Command: command, Args: args}}
	return m
}

func option(key, typ string) manifest.Option {
	return manifest.Option{Key: key, Type: typ, Title: "The " + key}
}

func with(o manifest.Option, change func(*manifest.Option)) manifest.Option {
	change(&o)
	return o
}

func expandOK(t *testing.T, m *manifest.Manifest, in Input) *Command {
	t.Helper()
	c, err := Expand(m, in)
	if err != nil {
		t.Fatalf("refused: %v", err)
	}
	return c
}

func TestArguments(t *testing.T) {
	key, list := option("key", manifest.String), with(option("list", manifest.Directory), func(o *manifest.Option) { o.Multiple = true })
	cases := []struct {
		name    string
		args    []string
		answers map[string]any
		want    []string
	}{
		{"folders", []string{"${__dirname}/a", "${HOME}", "${DESKTOP}${/}${DOCUMENTS}", "${DOWNLOADS}", "${TEMP}${pathSeparator}x"}, nil,
			[]string{"/ext/a", "/home/ada", "/home/ada/Desktop//home/ada/Documents", "/dl", "/tmp/x"}},
		{"an answer", []string{"${user_config.key}", "--k=${user_config.key}"}, map[string]any{"key": "v"}, []string{"v", "--k=v"}},
		{"an answer with the pattern language of JavaScript", []string{"a${user_config.key}b"}, map[string]any{"key": "p$&q$$r$1$`"}, []string{"ap$&q$$r$1$`b"}},
		{"an answer that names variables", []string{"${user_config.key}", "x${user_config.key}"}, map[string]any{"key": "${HOME}${user_config.key}"},
			[]string{"${HOME}${user_config.key}", "x${HOME}${user_config.key}"}},
		{"answers cannot form a variable together", []string{"$${user_config.key}HOME}"}, map[string]any{"key": "{"}, []string{"${HOME}"}},
		{"shell characters", []string{"${user_config.key}"}, map[string]any{"key": "; rm -rf ~ `x` $(y) | '\""}, []string{"; rm -rf ~ `x` $(y) | '\""}},
		{"an empty answer stays", []string{"${user_config.key}", "--k=${user_config.key}"}, map[string]any{"key": ""}, []string{"", "--k="}},
		{"numbers and booleans", []string{"${user_config.key}"}, map[string]any{"key": 1e21}, []string{"1000000000000000000000"}},
		{"a whole number", []string{"${user_config.key}"}, map[string]any{"key": float64(1000000)}, []string{"1000000"}},
		{"a fraction", []string{"${user_config.key}"}, map[string]any{"key": 0.1}, []string{"0.1"}},
		{"a negative zero", []string{"${user_config.key}"}, map[string]any{"key": negativeZero()}, []string{"0"}},
		{"an int", []string{"${user_config.key}"}, map[string]any{"key": 7}, []string{"7"}},
		{"false", []string{"${user_config.key}"}, map[string]any{"key": false}, []string{"false"}},
		{"a list becomes arguments", []string{"s", "${user_config.list}", "e"}, map[string]any{"list": []string{"/a", "/b c"}}, []string{"s", "/a", "/b c", "e"}},
		{"a list as JSON has it", []string{"${user_config.list}"}, map[string]any{"list": []any{"/a", "/b"}}, []string{"/a", "/b"}},
		{"a list inside a text", []string{"--d=${user_config.list}"}, map[string]any{"list": []string{"/a", "/b"}}, []string{"--d=/a:/b"}},
		{"an empty list", []string{"s", "${user_config.list}", "e"}, map[string]any{"list": []string{}}, []string{"s", "e"}},
		{"an empty list and its flag", []string{"s", "--dirs", "${user_config.list}", "e"}, map[string]any{"list": []string{}}, []string{"s", "e"}},
		{"no answer", []string{"s", "${user_config.key}", "--k=${user_config.key}", "e"}, nil, []string{"s", "e"}},
		{"no answer and its flag", []string{"s", "--key", "${user_config.key}", "e"}, nil, []string{"s", "e"}},
		{"no answer inside a text, and its flag", []string{"--header", "Key: ${user_config.key}", "--last"}, nil, []string{"--last"}},
		{"a short flag", []string{"-H", "${user_config.key}", "e"}, nil, []string{"e"}},
		{"the end of flags stays", []string{"--", "${user_config.key}", "e"}, nil, []string{"--", "e"}},
		{"standard input stays", []string{"-", "${user_config.key}"}, nil, []string{"-"}},
		{"a number stays", []string{"-1", "${user_config.key}"}, nil, []string{"-1"}},
		{"a flag with its value stays", []string{"--a=b", "${user_config.key}"}, nil, []string{"--a=b"}},
		{"a word stays", []string{"run", "${user_config.key}"}, nil, []string{"run"}},
		{"one flag is lost once", []string{"--a", "${user_config.key}", "${user_config.key}", "e"}, nil, []string{"e"}},
		{"only the flag directly before", []string{"--a", "--b", "${user_config.key}"}, nil, []string{"--a"}},
		{"a flag that was an answer stays", []string{"${user_config.list}", "${user_config.key}"}, map[string]any{"list": []string{"--x"}}, []string{"--x"}},
		{"unknown variables stay", []string{"${PWD}", "${user_config.nope}", "${ HOME }", "${home}"}, nil, []string{"${PWD}", "${user_config.nope}", "${ HOME }", "${home}"}},
		{"a name like a pattern", []string{"${user_configxkey}", "${}"}, nil, []string{"${user_configxkey}", "${}"}},
		{"not closed", []string{"${HOME", "a}b${", "$", "}"}, nil, []string{"${HOME", "a}b${", "$", "}"}},
		{"one inside another", []string{"${a${HOME}}", "}${HOME}"}, nil, []string{"${a/home/ada}", "}/home/ada"}},
		{"an answer that nothing declares", []string{"${user_config.other}"}, map[string]any{"other": "v"}, []string{"${user_config.other}"}},
	}
	for _, c := range cases {
		cmd := expandOK(t, server("node", c.args, key, list), linux(c.answers))
		if want := append([]string{"node"}, c.want...); !slices.Equal(cmd.Argv, want) {
			t.Errorf("%s: got %q, want %q", c.name, cmd.Argv, want)
		}
		if !slices.Equal(cmd.Shown, cmd.Argv) {
			t.Errorf("%s: shown as %q, but runs %q", c.name, cmd.Shown, cmd.Argv)
		}
	}
}

func negativeZero() float64 { z := 0.0; return -z }

func TestWhatGoesAwayIsNamed(t *testing.T) {
	m := server("node", []string{"--key", "${user_config.key}", "--k=${user_config.key}"}, option("key", manifest.String))
	m.Server.MCPConfig.Env = map[string]string{"K": "a${user_config.key}", "U": "${PWD}", "KEEP": "1"}
	cmd := expandOK(t, m, linux(nil))
	if want := []string{"--key", "${user_config.key}", "--k=${user_config.key}", "K=a${user_config.key}"}; !slices.Equal(cmd.Dropped, want) {
		t.Errorf("dropped %q, want %q", cmd.Dropped, want)
	}
	if want := []string{"PWD"}; !slices.Equal(cmd.Unknown, want) {
		t.Errorf("unknown %q, want %q", cmd.Unknown, want)
	}
	if want := map[string]string{"U": "${PWD}", "KEEP": "1"}; !maps.Equal(cmd.Env, want) {
		t.Errorf("environment %q, want %q", cmd.Env, want)
	}
}

func TestDefaults(t *testing.T) {
	def := func(typ string, v any, required bool) manifest.Option {
		return with(option("o", typ), func(o *manifest.Option) { o.Default, o.Required = v, required })
	}
	cases := []struct {
		name    string
		option  manifest.Option
		answer  any
		want    []string
		missing bool
	}{
		{"folders in a default", def(manifest.String, "${HOME}${/}n/${user_config.o}${PWD}", false), nil, []string{"/home/ada/n/${user_config.o}${PWD}"}, false},
		{"folders in a list", def(manifest.Directory, []string{"${HOME}/a", "/b"}, false), nil, []string{"/home/ada/a", "/b"}, false},
		{"an answer is no default", def(manifest.String, "d", false), "${HOME}", []string{"${HOME}"}, false},
		{"a default satisfies required", def(manifest.Number, 5.0, true), nil, []string{"5"}, false},
		{"false is an answer", def(manifest.Boolean, nil, true), false, []string{"false"}, false},
		{"an empty default stays", def(manifest.String, "", false), nil, []string{""}, false},
		{"an empty default does not satisfy required", def(manifest.String, "", true), nil, []string{"${user_config.o}"}, true},
		{"an empty answer does not satisfy required", def(manifest.String, "d", true), "", []string{"${user_config.o}"}, true},
		{"an empty list does not satisfy required", def(manifest.Directory, nil, true), []string{}, []string{"${user_config.o}"}, true},
		{"a list of nothing does not satisfy required", def(manifest.Directory, nil, true), []string{""}, []string{"${user_config.o}"}, true},
		{"zero is an answer", def(manifest.Number, nil, true), 0.0, []string{"0"}, false},
		{"an empty path is no path", def(manifest.Directory, "", false), nil, []string{}, false},
		{"an empty answer for a file is no path", def(manifest.File, nil, false), "", []string{}, false},
		{"an answer of no type that can be", def(manifest.String, nil, false), struct{}{}, []string{}, false},
	}
	for _, c := range cases {
		answers := map[string]any{}
		if c.answer != nil {
			answers["o"] = c.answer
		}
		cmd := expandOK(t, server("node", []string{"${user_config.o}"}, c.option), linux(answers))
		if got := cmd.Argv[1:]; !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
		if got := len(cmd.Missing) > 0; got != c.missing {
			t.Errorf("%s: missing %v, want %v", c.name, cmd.Missing, c.missing)
		}
		if c.missing && cmd.Shown[1] != "<The o>" {
			t.Errorf("%s: shown as %q", c.name, cmd.Shown[1])
		}
	}
}

func TestAFolderThatTheMachineLacksIsNoEmptyText(t *testing.T) {
	in := windows(nil)
	cmd := expandOK(t, server("node", []string{"${DESKTOP}/x"}), in)
	if cmd.Argv[1] != "${DESKTOP}/x" || !slices.Equal(cmd.Unknown, []string{"DESKTOP"}) {
		t.Errorf("got %q, unknown %q", cmd.Argv, cmd.Unknown)
	}
}

// TestMeasuredReferenceBehaviour takes nine cases that were measured on the reference's resolver (npm @anthropic-ai/mcpb
// 2.1.2, getMcpConfigForManifest): what it gives, and what we give.
func TestMeasuredReferenceBehaviour(t *testing.T) {
	set := func(key string, value any) map[string]any { return map[string]any{key: value} }
	d := with(option("d", manifest.Directory), func(o *manifest.Option) { o.Default = "${HOME}/Documents" })
	dirs := with(option("d", manifest.Directory), func(o *manifest.Option) { o.Multiple, o.Default = true, []string{"${HOME}/a", "/b"} })
	k := option("k", manifest.String)
	required := with(k, func(o *manifest.Option) { o.Required, o.Default = true, "" })
	secret := with(option("b", manifest.String), func(o *manifest.Option) { o.Sensitive = true })
	cases := []struct {
		name      string
		reference string
		args      []string
		env       string
		options   []manifest.Option
		answers   map[string]any
		want      []string
		wantEnv   string
	}{
		{"1 default with ${HOME}", "${HOME}/Documents stays", []string{"${user_config.d}", "--x=${user_config.d}"}, "${user_config.d}", []manifest.Option{d}, nil,
			[]string{"/home/ada/Documents", "--x=/home/ada/Documents"}, "/home/ada/Documents"},
		{"2 list", "the variable stays in a text and in the environment", []string{"${user_config.d}", "--x=${user_config.d}"}, "${user_config.d}", []manifest.Option{dirs}, nil,
			[]string{"/home/ada/a", "/b", "--x=/home/ada/a:/b"}, "/home/ada/a:/b"},
		{"3 optional, no value", "the variables stay", []string{"${user_config.k}", "--k=${user_config.k}"}, "${user_config.k}", []manifest.Option{k}, nil, nil, "(none)"},
		{"4 empty string", "the variable stays as a whole argument", []string{"${user_config.k}", "--k=${user_config.k}"}, "${user_config.k}", []manifest.Option{k}, set("k", ""),
			[]string{"", "--k="}, ""},
		{"5 value with $&", "the pattern is interpreted", []string{"${user_config.k}", "--k=${user_config.k}"}, "a${user_config.k}", []manifest.Option{k}, set("k", "p$&q$$r"),
			[]string{"p$&q$$r", "--k=p$&q$$r"}, "ap$&q$$r"},
		{"6 value naming a later variable", "--a=SECRET", []string{"--a=${user_config.k}"}, "", []manifest.Option{k, secret}, map[string]any{"k": "${user_config.b}", "b": "SECRET"},
			[]string{"--a=${user_config.b}"}, ""},
		{"7 required, empty default", "undefined", []string{"${user_config.k}"}, "", []manifest.Option{required}, nil, []string{"${user_config.k}"}, ""},
		{"8 ${PWD}", "stays", []string{"${PWD}"}, "${__dirname}/x/y", nil, nil, []string{"${PWD}"}, "/ext/x/y"},
		{"9 empty list", "goes away", []string{"s", "${user_config.d}"}, "", []manifest.Option{dirs}, set("d", []string{}), []string{"s"}, ""},
	}
	for _, c := range cases {
		m := server("node", c.args, c.options...)
		m.Server.MCPConfig.Env = map[string]string{"E": c.env}
		cmd := expandOK(t, m, linux(c.answers))
		env, ok := cmd.Env["E"]
		if !ok {
			env = "(none)"
		}
		if !slices.Equal(cmd.Argv[1:], c.want) || env != c.wantEnv {
			t.Errorf("%s (reference: %s): got %q and %q, want %q and %q", c.name, c.reference, cmd.Argv[1:], env, c.want, c.wantEnv)
		}
	}
}

// A secret that the manifest puts on the command line is named before it is answered: a person agrees once.
func TestExposedSecretsAreNamedUnanswered(t *testing.T) {
	for _, required := range []bool{true, false} {
		for _, list := range []bool{true, false} {
			secret := with(option("key", manifest.String), func(o *manifest.Option) { o.Sensitive, o.Required, o.Multiple = true, required, list })
			for what, m := range map[string]*manifest.Manifest{
				"argument": server("node", []string{"--key", "${user_config.key}"}, secret),
				"part":     server("node", []string{"--key=x${user_config.key}", "${user_config.key}"}, secret),
			} {
				for _, answers := range []map[string]any{nil, {"key": []string{}}, {"key": ""}} {
					if cmd := expandOK(t, m, linux(answers)); len(cmd.Exposed) != 1 || cmd.Exposed[0].Key != "key" {
						t.Errorf("%s, required %v, list %v, answers %v: exposed %v", what, required, list, answers, cmd.Exposed)
					}
				}
			}
		}
	}
}

func TestSecretsAreShownByTitleAndNamed(t *testing.T) {
	secret := with(option("key", manifest.String), func(o *manifest.Option) { o.Sensitive, o.Title = true, "API key" })
	m := server("node", []string{"--key=${user_config.key}:${user_config.key}"}, secret, option("name", manifest.String))
	m.Server.MCPConfig.Env = map[string]string{"K": "Bearer ${user_config.key}", "N": "${user_config.name}"}
	cmd := expandOK(t, m, linux(map[string]any{"key": "s3cret", "name": "ada"}))
	if want := []string{"node", "--key=<API key>:<API key>"}; !slices.Equal(cmd.Shown, want) {
		t.Errorf("shown %q, want %q", cmd.Shown, want)
	}
	if want := map[string]string{"K": "Bearer <API key>", "N": "ada"}; !maps.Equal(cmd.ShownEnv, want) {
		t.Errorf("environment shown %q, want %q", cmd.ShownEnv, want)
	}
	if cmd.Argv[1] != "--key=s3cret:s3cret" || cmd.Env["K"] != "Bearer s3cret" {
		t.Errorf("runs %q with %q", cmd.Argv, cmd.Env)
	}
	m.Server.MCPConfig.Args = nil
	if only := expandOK(t, m, linux(map[string]any{"key": "s3cret"})); len(only.Exposed) != 0 {
		t.Errorf("a secret in the environment counts as exposed: %v", only.Exposed)
	}
	if len(cmd.Exposed) != 1 || cmd.Exposed[0].Key != "key" {
		t.Errorf("exposed: %v", cmd.Exposed)
	}
	long := with(secret, func(o *manifest.Option) { o.Title = strings.Repeat("é", 500) })
	cmd = expandOK(t, server("node", []string{"${user_config.key}"}, long), linux(map[string]any{"key": "s"}))
	if n := len([]rune(cmd.Shown[1])); n != 63 {
		t.Errorf("a title of 500 letters takes %d", n)
	}
}

func TestPrograms(t *testing.T) {
	cases := []struct {
		name, typ, command string
		in                 Input
		want               string // "" when it is refused
		rule               string
	}{
		{"a bare name is looked for later", "node", "node", linux(nil, "node"), "node", ""},
		{"a bare name of a binary server", "binary", "serve", linux(nil, "serve"), "/ext/serve", ""},
		{"a bare name that the bundle lacks", "binary", "serve", linux(nil), "serve", ""},
		{"in the bundle", "binary", "${__dirname}/bin/x", linux(nil), "/ext/bin/x", ""},
		{"relative", "binary", "bin/x", linux(nil), "/ext/bin/x", ""},
		{"in the bundle, written badly", "binary", "${__dirname}//a/../bin//x", linux(nil), "/ext/bin/x", ""},
		{"relative with dots that stay inside", "binary", "./a/../bin/x", linux(nil), "/ext/bin/x", ""},
		{"absolute", "python", "/usr/bin/python3", linux(nil), "/usr/bin/python3", ""},
		{"home", "node", "${HOME}/bin/x", linux(nil), "/home/ada/bin/x", ""},
		{"outside", "binary", "../x", linux(nil), "", "expand/command-outside"},
		{"outside in the middle", "binary", "a/../../x", linux(nil), "", "expand/command-outside"},
		{"outside through the variable", "binary", "${__dirname}/../../bin/sh", linux(nil), "", "expand/command-outside"},
		{"outside by the bundle's own path", "binary", "/ext/../bin/sh", linux(nil), "", "expand/command-outside"},
		{"a neighbour's folder is elsewhere", "binary", "/extra/x", linux(nil), "/extra/x", ""},
		{"the bundle itself", "binary", "${__dirname}", linux(nil), "", "expand/command-outside"},
		{"nothing", "node", "", linux(nil), "", "expand/no-command"},
		{"a NUL", "node", "a\x00b", linux(nil), "", "expand/nul"},
		{"a backslash is a letter here", "binary", `a\b`, linux(nil), `a\b`, ""},

		{"Windows: .exe", "binary", "${__dirname}/bin/x", windows(nil, "bin/x.exe"), `C:\ext\bin\x.exe`, ""},
		{"Windows: .exe is there", "binary", "bin/x.exe", windows(nil, "bin/x.exe"), `C:\ext\bin\x.exe`, ""},
		{"Windows: no .exe over a file", "binary", "bin/x", windows(nil, "bin/x", "bin/x.exe"), `C:\ext\bin\x`, ""},
		{"Windows: bare with .exe", "binary", "x", windows(nil, "x.exe"), `C:\ext\x.exe`, ""},
		{"Windows: backslashes", "binary", `bin\x.exe`, windows(nil), `C:\ext\bin\x.exe`, ""},
		{"Windows: outside", "binary", `..\x.exe`, windows(nil), "", "expand/command-outside"},
		{"Windows: outside through the variable", "binary", `${__dirname}\..\..\x.exe`, windows(nil), "", "expand/command-outside"},
		{"Windows: absolute", "python", `C:\Python\python.exe`, windows(nil), `C:\Python\python.exe`, ""},
		{"Windows: a share", "binary", `\\host\share\x.exe`, windows(nil), `\\host\share\x.exe`, ""},
		{"Windows: without a drive", "binary", `\x.exe`, windows(nil), "", "expand/command-path"},
		{"Windows: relative to a drive", "binary", `D:x.exe`, windows(nil), "", "expand/command-path"},
		{"Windows: a stream of a file", "binary", `bin/x:y`, windows(nil), "", "expand/command-path"},
		{"Windows: a stream through the variable", "binary", `${__dirname}\x:y`, windows(nil), "", "expand/command-outside"},
	}
	for _, c := range cases {
		m := server(c.command, nil)
		m.Server.Type = c.typ
		cmd, err := Expand(m, c.in)
		if c.rule != "" {
			checkRule(t, c.name, err, c.rule)
			continue
		}
		if err != nil || cmd.Argv[0] != c.want || cmd.Shown[0] != c.want {
			t.Errorf("%s: got %+v, %v; want %q", c.name, cmd, err, c.want)
		}
	}
}

func checkRule(t *testing.T, name string, err error, rule string) {
	t.Helper()
	p, ok := err.(*problem.Problem)
	if !ok || p.Rule != rule {
		t.Errorf("%s: got %v, want a refusal by %s", name, err, rule)
	}
}

func TestAProgramThatIsAnAnswer(t *testing.T) {
	for _, required := range []bool{false, true} {
		bin := with(option("bin", manifest.File), func(o *manifest.Option) { o.Required = required })
		m := server("${user_config.bin}", nil, bin)
		_, err := Expand(m, linux(nil))
		checkRule(t, "no answer", err, "expand/command-answer")
		if problem.CodeOf(err) != problem.NeedsConfig {
			t.Errorf("class %s", problem.CodeOf(err))
		}
		if cmd := expandOK(t, m, linux(map[string]any{"bin": "/opt/x"})); cmd.Argv[0] != "/opt/x" {
			t.Errorf("got %q", cmd.Argv)
		}
		_, err = Expand(server("${__dirname}/${user_config.bin}", nil, bin), linux(map[string]any{"bin": "../../bin/sh"}))
		checkRule(t, "an answer that leads out", err, "expand/command-outside")
	}
}

func TestTheEntryPointAsAnArgument(t *testing.T) {
	cases := []struct {
		arg   string
		files []string
		want  string
	}{
		{"server/index.js", []string{"server/index.js"}, "/ext/server/index.js"},
		{"./server/index.js", []string{"server/index.js"}, "/ext/server/index.js"},
		{"server/index.js", nil, "server/index.js"},
		{"server/other.js", []string{"server/other.js"}, "server/other.js"},
		{"${__dirname}/server/index.js", []string{"server/index.js"}, "/ext/server/index.js"},
	}
	for _, c := range cases {
		if cmd := expandOK(t, server("node", []string{c.arg}), linux(nil, c.files...)); cmd.Argv[1] != c.want {
			t.Errorf("%s: got %q, want %q", c.arg, cmd.Argv[1], c.want)
		}
	}
}

func TestTheEntryPointIsWrittenInSeveralWays(t *testing.T) {
	for _, entry := range []string{"./server/index.js", "${__dirname}/server/index.js"} {
		m := server("node", []string{"server/index.js"})
		m.Server.EntryPoint = entry
		if cmd := expandOK(t, m, linux(nil, "server/index.js")); cmd.Argv[1] != "/ext/server/index.js" {
			t.Errorf("%s: got %q", entry, cmd.Argv[1])
		}
	}
}

func TestPlatformOverrides(t *testing.T) {
	m := server("base", []string{"a"})
	m.Server.MCPConfig.Env = map[string]string{"A": "base", "B": "base"}
	m.Server.MCPConfig.PlatformOverrides = map[string]manifest.Command{
		"win32":        {Command: "w", Args: []string{}, Env: map[string]string{"B": "win32"}},
		"windows":      {Command: "go-name"},
		"win32-arm64":  {Command: "w-arm"},
		"linux-x64":    {Args: []string{"x64"}},
		"linux":        {Command: "l", Env: map[string]string{"B": "linux"}},
		"darwin-arm64": {Command: "m1"},
		"darwin":       {Env: map[string]string{"C": "c"}},
	}
	cases := []struct {
		os, arch string
		argv     []string
		env      map[string]string
	}{
		{"windows", "amd64", []string{"w"}, map[string]string{"A": "base", "B": "win32"}},
		{"windows", "arm64", []string{"w-arm"}, map[string]string{"A": "base", "B": "win32"}},
		{"linux", "amd64", []string{"l", "x64"}, map[string]string{"A": "base", "B": "linux"}},
		{"linux", "arm64", []string{"l", "a"}, map[string]string{"A": "base", "B": "linux"}},
		{"darwin", "arm64", []string{"m1", "a"}, map[string]string{"A": "base", "B": "base", "C": "c"}},
		{"darwin", "amd64", []string{"base", "a"}, map[string]string{"A": "base", "B": "base", "C": "c"}},
		{"freebsd", "amd64", []string{"base", "a"}, map[string]string{"A": "base", "B": "base"}},
	}
	for _, c := range cases {
		in := linux(nil)
		if in.OS, in.Arch = c.os, c.arch; c.os == "windows" {
			in.Dirs = windows(nil).Dirs
		}
		cmd := expandOK(t, m, in)
		if !slices.Equal(cmd.Argv, c.argv) || !maps.Equal(cmd.Env, c.env) {
			t.Errorf("%s-%s: got %q %q, want %q %q", c.os, c.arch, cmd.Argv, cmd.Env, c.argv, c.env)
		}
	}
	if want := map[string]string{"A": "base", "B": "base"}; !maps.Equal(m.Server.MCPConfig.Env, want) {
		t.Errorf("the manifest was changed: %q", m.Server.MCPConfig.Env)
	}
}

func TestUV(t *testing.T) {
	m := &manifest.Manifest{Name: "x", Server: manifest.Server{Type: manifest.UV, EntryPoint: "src/main.py"}}
	cmd := expandOK(t, m, linux(nil))
	if want := []string{"uv", "run", "--directory", "/ext", "src/main.py"}; !slices.Equal(cmd.Argv, want) {
		t.Errorf("got %q, want %q", cmd.Argv, want)
	}
	m.Server.EntryPoint = ""
	_, err := Expand(m, linux(nil))
	checkRule(t, "no entry point", err, "expand/no-command")
	m.Server = manifest.Server{Type: manifest.Node, EntryPoint: "x.js"}
	_, err = Expand(m, linux(nil))
	checkRule(t, "no mcp_config", err, "expand/no-command")
}

func TestWindowsSeparators(t *testing.T) {
	dirs := with(option("d", manifest.Directory), func(o *manifest.Option) { o.Multiple = true })
	m := server("node", []string{"${__dirname}${/}a", "--d=${user_config.d}"}, dirs)
	cmd := expandOK(t, m, windows(map[string]any{"d": []string{`C:\a`, `C:\b`}}))
	if want := []string{"node", `C:\ext\a`, `--d=C:\a;C:\b`}; !slices.Equal(cmd.Argv, want) {
		t.Errorf("got %q, want %q", cmd.Argv, want)
	}
}

// TestLimits holds that a manifest of some megabytes cannot make a command line of gigabytes.
func TestLimits(t *testing.T) {
	list := with(option("l", manifest.String), func(o *manifest.Option) { o.Multiple = true })
	big := map[string]any{"l": slices.Repeat([]string{strings.Repeat("x", 1000)}, 1000)}
	cases := map[string]struct {
		args []string
		env  map[string]string
		ans  map[string]any
		rule string
	}{
		"lists as arguments":       {slices.Repeat([]string{"${user_config.l}"}, 50_000), nil, big, "expand/too-long"},
		"lists in one text":        {[]string{strings.Repeat("${user_config.l}", 50_000)}, nil, big, "expand/too-long"},
		"texts that go away":       {slices.Repeat([]string{"${user_config.l}${user_config.none}"}, 50_000), nil, big, "expand/too-long"},
		"many arguments":           {slices.Repeat([]string{""}, maxArgs+1), nil, nil, "expand/too-long"},
		"many empty variables":     {[]string{strings.Repeat("${user_config.e}", 200_000)}, nil, map[string]any{"e": ""}, ""},
		"a large environment":      {nil, map[string]string{"A": strings.Repeat("${user_config.l}", 50_000)}, big, "expand/too-long"},
		"variables that never end": {[]string{strings.Repeat("${", 400_000)}, nil, nil, ""},
		"ends that never begin":    {[]string{strings.Repeat("}", 800_000)}, nil, nil, ""},
		"a NUL in an argument":     {[]string{"${user_config.e}"}, nil, map[string]any{"e": "\x00"}, "expand/nul"},
		"a NUL in the environment": {nil, map[string]string{"A": "\x00"}, nil, "expand/environment"},
		"an environment's name":    {nil, map[string]string{"A=B": "x"}, nil, "expand/environment"},
		"no environment's name":    {nil, map[string]string{"": "x"}, nil, "expand/environment"},
	}
	for name, c := range cases {
		m := server("node", c.args, list, option("none", manifest.String), option("e", manifest.String))
		m.Server.MCPConfig.Env = c.env
		_, err := Expand(m, linux(c.ans))
		if c.rule != "" {
			checkRule(t, name, err, c.rule)
		} else if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTheExtensionsFolderIsNeeded(t *testing.T) {
	for _, dir := range []string{"", "ext", "./ext"} {
		in := linux(nil)
		in.Dirs.Extension = dir
		_, err := Expand(server("bin/x", nil), in)
		checkRule(t, dir, err, "expand/folder")
	}
}

func TestTheSameInputGivesTheSame(t *testing.T) {
	m := server("node", []string{"${a}", "${b}", "${user_config.k}"}, option("k", manifest.String))
	m.Server.MCPConfig.Env = map[string]string{"A": "${c}", "B": "${user_config.k}", "C": "${user_config.k}", "D": "${d}"}
	first := expandOK(t, m, linux(nil))
	for range 20 {
		if again := expandOK(t, m, linux(nil)); !reflect.DeepEqual(first, again) {
			t.Fatalf("got %+v, then %+v", first, again)
		}
	}
}
