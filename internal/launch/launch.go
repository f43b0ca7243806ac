// Package launch makes a [spec.Spec] of an extension: its manifest, the person's answers, and the programs and
// environment of this machine. It starts nothing.
package launch

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"satchel/internal/answers"
	"satchel/internal/paths"
	"satchel/internal/problem"
	"satchel/internal/spec"
	"satchel/mcpb/expand"
	"satchel/mcpb/manifest"
)

// A Machine is what a command line depends on beside the extension.
type Machine struct {
	OS, Arch string // GOOS, GOARCH
	User     paths.User
	Getenv   func(string) string
}

// An Extension is what is to be launched.
type Extension struct {
	ID       string
	Manifest *manifest.Manifest
	Dir      string // of the unpacked files, absolute
	DataDir  string // its own folder, absolute: where it starts
	CacheDir string // for bytecode and the like, absolute
	Answers  answers.Values
	Exists   func(name string) bool // whether the bundle has a file
}

// A Plan is a command line ready to run, or what is missing for that.
type Plan struct {
	Spec    spec.Spec // without a sandbox, see [Plan.Confine]
	Command *expand.Command
	Missing []manifest.Option

	ext     Extension
	machine Machine
}

// Make makes the plan. Errors are problems: Refused when the extension is not for this system, Invalid for a command
// that cannot be, NotFound when this machine lacks the program. A missing answer is no error here: see [Plan.Ready].
func Make(e Extension, m Machine) (*Plan, error) {
	if err := checkPlatform(e.Manifest, m.OS); err != nil {
		return nil, err
	}
	cmd, err := expand.Expand(e.Manifest, expand.Input{
		Answers: e.Answers, OS: m.OS, Arch: m.Arch, Exists: e.Exists,
		Dirs: expand.Dirs{Extension: e.Dir, Home: m.User.Home, Desktop: m.User.Desktop, Documents: m.User.Documents, Downloads: m.User.Downloads, Temp: m.User.Temp},
	})
	if err != nil {
		return nil, err
	}
	program, err := findProgram(cmd.Argv[0], m)
	if err != nil {
		return nil, err
	}
	argv, shown := slices.Clone(cmd.Argv), slices.Clone(cmd.Shown)
	if argv[0] == shown[0] {
		shown[0] = program
	}
	argv[0] = program
	return &Plan{
		Spec:    spec.Spec{ID: e.ID, Argv: argv, Env: environment(cmd.Env, e, m), Dir: e.DataDir, Shown: shown, Bundle: e.Dir},
		Command: cmd, Missing: cmd.Missing, ext: e, machine: m,
	}, nil
}

// Ready gives a problem of class NeedsConfig that names every answer that is missing; nil when there is none.
func (p *Plan) Ready() error {
	if len(p.Missing) == 0 {
		return nil
	}
	var titles, keys []string
	for _, o := range p.Missing {
		titles, keys = append(titles, o.Title), append(keys, o.Key+"=VALUE")
	}
	return problem.New(problem.NeedsConfig, "launch/missing", "needs an answer: %s", strings.Join(titles, ", ")).At(p.Spec.ID).
		Try("satchel configure %s %s", p.Spec.ID, strings.Join(keys, " "))
}

func checkPlatform(m *manifest.Manifest, os string) error {
	if m.Compatibility == nil || len(m.Compatibility.Platforms) == 0 {
		return nil
	}
	name := os
	if os == "windows" {
		name = "win32"
	}
	if slices.Contains(m.Compatibility.Platforms, name) {
		return nil
	}
	return problem.New(problem.Refused, "launch/platform", "runs on %s, this is %s", strings.Join(m.Compatibility.Platforms, ", "), name).
		At(m.Name).From("manifest: compatibility.platforms").Try("ask its author for one that runs on %s", name)
}

// passed are the variables of the environment that an extension without a sandbox gets from ours, beside those of the
// manifest: where things are, the language, the time zone, and how to reach the network. Nothing else: the rest may hold
// secrets.
func passed() []string {
	return slices.Concat([]string{
		"PATH", "HOME", "USER", "LOGNAME", "SHELL", "TMPDIR",
		"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "no_proxy", "all_proxy",
		"DISPLAY", "WAYLAND_DISPLAY", "XDG_RUNTIME_DIR", "XAUTHORITY", "DBUS_SESSION_BUS_ADDRESS",
	}, localeVariables(), certificateVariables(), windowsVariables())
}

func localeVariables() []string {
	return []string{
		"LANG", "LANGUAGE", "TZ", "TERM",
		"LC_ALL", "LC_CTYPE", "LC_MESSAGES", "LC_TIME", "LC_NUMERIC", "LC_COLLATE", "LC_MONETARY",
	}
}

func certificateVariables() []string {
	return []string{"SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE"}
}

func windowsVariables() []string {
	return []string{
		"SystemRoot", "SystemDrive", "windir", "ComSpec", "PATHEXT", "TEMP", "TMP", "USERPROFILE", "USERNAME", "HOMEDRIVE", "HOMEPATH",
		"APPDATA", "LOCALAPPDATA", "ProgramData", "ProgramFiles", "ProgramFiles(x86)", "NUMBER_OF_PROCESSORS", "PROCESSOR_ARCHITECTURE",
	}
}

// environment gives the whole environment, sorted. What the manifest sets counts last.
func environment(set map[string]string, e Extension, m Machine) []string {
	env := map[string]string{"PYTHONPYCACHEPREFIX": filepath.Join(e.CacheDir, "pycache")}
	copyVariables(env, passed(), m.Getenv)
	maps.Copy(env, set)
	return listed(env)
}

func copyVariables(env map[string]string, names []string, getenv func(string) string) {
	for _, key := range names {
		if v := getenv(key); v != "" {
			env[key] = v
		}
	}
}

func listed(env map[string]string) []string {
	list := make([]string, 0, len(env))
	for _, key := range slices.Sorted(maps.Keys(env)) {
		list = append(list, key+"="+env[key])
	}
	return list
}
