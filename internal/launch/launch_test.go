package launch

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"satchel/internal/answers"
	"satchel/internal/paths"
	"satchel/internal/problem"
	"satchel/internal/spec"
	"satchel/mcpb/manifest"
)

// machine is a Linux whose PATH is one folder with the programs given.
func machine(t *testing.T, env map[string]string, programs ...string) Machine {
	t.Helper()
	bin := t.TempDir()
	for _, name := range programs {
		if err := os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return Machine{OS: "linux", Arch: "amd64", User: paths.User{Home: "/home/u"}, Getenv: func(key string) string {
		if key == "PATH" && env["PATH"] == "" {
			return bin
		}
		return env[key]
	}}
}

func extension(command string, args ...string) Extension {
	m := &manifest.Manifest{Name: "demo", Version: "1.0.0"}
	m.Server.Type = manifest.Node
	m.Server.MCPConfig = &manifest.MCPConfig{Command: manifest.Command{Command: command, Args: args}}
	return Extension{ID: "local/demo", Manifest: m, Dir: "/ext", DataDir: "/data", CacheDir: "/cache", Answers: answers.Values{}}
}

func wantCode(t *testing.T, err error, code problem.Code, says string) {
	t.Helper()
	if problem.CodeOf(err) != code || err == nil || !strings.Contains(err.Error(), says) {
		t.Errorf("got %v, want a problem of class %s that says %q", err, code, says)
	}
}

func TestMake(t *testing.T) {
	t.Parallel()
	m := machine(t, nil, "node")
	plan, err := Make(extension("node", "${__dirname}/index.js"), m)
	if err != nil {
		t.Fatal(err)
	}
	if got := plan.Spec; !filepath.IsAbs(got.Argv[0]) || filepath.Base(got.Argv[0]) != "node" || got.Argv[1] != "/ext/index.js" || got.Dir != "/data" || got.ID != "local/demo" {
		t.Errorf("spec %+v", got)
	}
	if plan.Spec.Shown[0] != plan.Spec.Argv[0] {
		t.Errorf("shown is %q, run is %q", plan.Spec.Shown, plan.Spec.Argv)
	}
	if err := plan.Ready(); err != nil {
		t.Error(err)
	}
}

// A program of the working folder, or of a relative entry of PATH, is never taken for node.
func TestProgramsAreLookedForInAbsolutePlacesOnly(t *testing.T) {
	t.Parallel()
	m := machine(t, map[string]string{"PATH": ".:bin::" + "relative/bin"}, "node")
	_, err := Make(extension("node"), m)
	wantCode(t, err, problem.NotFound, "node")
	if p, ok := err.(*problem.Problem); !ok || !strings.Contains(p.Hint, "nodejs.org") {
		t.Errorf("%v does not say how to get it", err)
	}
}

// So also when there is such a program in the working folder.
func TestARelativeEntryOfPATHIsPassedOver(t *testing.T) {
	good := machine(t, nil, "node").Getenv("PATH")
	evil := machine(t, nil, "node").Getenv("PATH")
	t.Chdir(evil)
	list := string(filepath.ListSeparator)
	for _, first := range []string{".", "", filepath.Join("..", filepath.Base(evil))} {
		if plan, err := Make(extension("node"), machine(t, map[string]string{"PATH": first + list + good})); err != nil || plan.Spec.Argv[0] != filepath.Join(good, "node") {
			t.Errorf("%q first in PATH: %+v, %v", first, plan, err)
		}
		_, err := Make(extension("node"), machine(t, map[string]string{"PATH": first + list}))
		wantCode(t, err, problem.NotFound, "node")
	}
}

func TestPythonStandsInForPython3(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ have, want string }{{"python3", "python"}, {"python", "python3"}, {"python3", "python3"}} {
		plan, err := Make(extension(c.want), machine(t, nil, c.have))
		if err != nil || filepath.Base(plan.Spec.Argv[0]) != c.have {
			t.Errorf("%s wanted, %s there: %v, %v", c.want, c.have, plan, err)
		}
	}
}

func TestNotExecutable(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("skipped: Windows has no executable bit")
	}
	m := machine(t, nil)
	dir := m.Getenv("PATH")
	if err := os.WriteFile(filepath.Join(dir, "node"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "uv"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"node", "uv"} {
		_, err := Make(extension(name), m)
		wantCode(t, err, problem.NotFound, name)
	}
}

func TestWindowsEndings(t *testing.T) {
	t.Parallel()
	m := machine(t, nil, "npx.cmd", "node.exe")
	m.OS = "windows"
	for _, name := range []string{"npx", "node", "node.exe"} {
		if path := lookPath(name, m); !strings.HasPrefix(filepath.Base(path), strings.TrimSuffix(name, ".exe")+".") {
			t.Errorf("%s: %q", name, path)
		}
	}
}

// What may hold a secret does not reach the extension; what the manifest sets does, and counts last.
func TestEnvironment(t *testing.T) {
	t.Parallel()
	e := extension("node")
	e.Manifest.Server.MCPConfig.Env = map[string]string{"LANG": "C", "KEY": "${user_config.key}"}
	e.Manifest.UserConfig = manifest.Options{{Key: "key", Type: manifest.String, Title: "Key", Sensitive: true}}
	e.Answers = answers.Values{"key": "s3cret"}
	m := machine(t, map[string]string{"HOME": "/home/u", "LANG": "de_DE.UTF-8", "AWS_SECRET_ACCESS_KEY": "x", "GITHUB_TOKEN": "x", "LD_PRELOAD": "x", "NODE_OPTIONS": "x", "HTTPS_PROXY": "p"}, "node")
	plan, err := Make(e, m)
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, pair := range plan.Spec.Env {
		key, _, _ := strings.Cut(pair, "=")
		keys = append(keys, key)
	}
	if want := []string{"HOME", "HTTPS_PROXY", "KEY", "LANG", "PATH", "PYTHONPYCACHEPREFIX"}; !slices.Equal(keys, want) {
		t.Errorf("variables %q, want %q", keys, want)
	}
	if !slices.Contains(plan.Spec.Env, "LANG=C") || !slices.Contains(plan.Spec.Env, "KEY=s3cret") {
		t.Errorf("environment %q", plan.Spec.Env)
	}
	r := plan.Review(e)
	for _, text := range append(append(slices.Clone(r.Command), r.Env...), r.Answers[0].Value) {
		if strings.Contains(text, "s3cret") {
			t.Errorf("the review shows the secret: %q", text)
		}
	}
}

func TestPlatform(t *testing.T) {
	t.Parallel()
	e := extension("node")
	e.Manifest.Compatibility = &manifest.Compatibility{Platforms: []string{"darwin", "win32"}}
	_, err := Make(e, machine(t, nil, "node"))
	wantCode(t, err, problem.Refused, "darwin, win32")
	m := machine(t, nil, "node.exe")
	m.OS = "windows"
	e.Dir = `C:\ext`
	if _, err := Make(e, m); err != nil {
		t.Errorf("win32 is windows: %v", err)
	}
}

func TestReadyNamesWhatIsMissing(t *testing.T) {
	t.Parallel()
	e := extension("node", "${user_config.a}")
	e.Manifest.UserConfig = manifest.Options{{Key: "a", Type: manifest.String, Title: "First", Required: true}, {Key: "b", Type: manifest.String, Title: "Second", Required: true}}
	plan, err := Make(e, machine(t, nil, "node"))
	if err != nil {
		t.Fatal(err)
	}
	err = plan.Ready()
	wantCode(t, err, problem.NeedsConfig, "First, Second")
	if p := err.(*problem.Problem); p.Hint != "satchel configure local/demo a=VALUE b=VALUE" {
		t.Errorf("hint %q", p.Hint)
	}
}

func TestRisks(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		command string
		args    []string
		env     map[string]string
		level   spec.Level
		says    string
	}{
		{"npx", []string{"-y", "server"}, nil, spec.High, "downloads the server's code"},
		{"bash", []string{"-c", "x"}, nil, spec.Medium, "shell bash"},
		{"node", []string{"--key", "${user_config.key}"}, nil, spec.High, "onto the command line"},
		{"node", nil, map[string]string{"NODE_OPTIONS": "--require x"}, spec.Medium, "NODE_OPTIONS"},
		{"node", nil, map[string]string{"LD_PRELOAD": "x"}, spec.Medium, "LD_PRELOAD"},
		{"node", []string{"${unknown}"}, nil, spec.Medium, "${unknown}"},
	} {
		e := extension(c.command, c.args...)
		e.Manifest.Server.MCPConfig.Env = c.env
		e.Manifest.UserConfig = manifest.Options{{Key: "key", Type: manifest.String, Title: "Key", Sensitive: true}}
		e.Answers = answers.Values{"key": "s3cret"}
		plan, err := Make(e, machine(t, nil, "npx", "bash", "node"))
		if err != nil {
			t.Fatal(err)
		}
		risks := plan.Review(e).Risks
		if !slices.ContainsFunc(risks, func(r spec.Risk) bool { return r.Level == c.level && strings.Contains(r.Text, c.says) }) {
			t.Errorf("%s %q: risks %v, want one of level %s that says %q", c.command, c.args, risks, c.level, c.says)
		}
	}
}
