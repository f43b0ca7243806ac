// Package expand makes the command line of a server from its manifest, the person's answers and the folders of the
// machine. It is pure: it looks at nothing but its input, and never involves a shell.
//
// Every text is read once, from left to right. A value is inserted literally and never looked at again, so that an
// answer such as "${user_config.other}" or "$&" stays text and cannot pull in another answer. A list that is a whole
// argument becomes that many arguments; a list inside a longer text or in the environment is joined by the system's
// path-list separator. An optional option without a value takes its argument, or its environment entry, away, and the
// flag directly before an argument that was nothing but the option goes with it, since it would swallow the next one.
// An unknown variable stays as it is.
//
// What the reference does differently is listed in docs/compatibility.md.
package expand

import (
	"maps"
	"slices"
	"strings"

	"satchel/internal/problem"
	"satchel/mcpb/manifest"
)

// Input is all that a command line depends on beside the manifest.
type Input struct {
	Answers map[string]any // string, float64, bool or []string, by the option's key
	Dirs    Dirs
	OS      string // a GOOS
	Arch    string // a GOARCH
	// Exists tells whether the bundle has a file, by its slash-separated path; nil: it has none.
	Exists func(name string) bool
}

// Dirs are absolute paths in the system's form.
type Dirs struct {
	Extension                                 string // of the unpacked bundle: ${__dirname}
	Home, Desktop, Documents, Downloads, Temp string
}

// A Command is a server's command line. Shown and ShownEnv are for people: a secret's value is replaced by its title.
type Command struct {
	Argv     []string
	Shown    []string
	Env      map[string]string // only what the manifest sets
	ShownEnv map[string]string
	Missing  []manifest.Option // required options without a value; then the rest is incomplete
	Dropped  []string          // arguments and environment entries that were taken away, as in the manifest
	Unknown  []string          // variables that nothing declares
	Exposed  []manifest.Option // secrets that are on the command line, where other programs can see them
}

// Expand makes the command line. The error is a problem of class Invalid: no command, or one outside the bundle.
func Expand(m *manifest.Manifest, in Input) (*Command, error) {
	base := commandOf(m, in)
	if base.Command == "" {
		return nil, problem.New(problem.Invalid, "expand/no-command", "says no command to run").At(m.Name).From("MCPB MANIFEST.md, server.mcp_config")
	}
	e := &expander{values: valuesOf(m, in), listSep: listSeparator(in.OS), cmd: &Command{Env: map[string]string{}, ShownEnv: map[string]string{}}}
	for _, o := range m.UserConfig {
		if v := e.values["user_config."+o.Key]; o.Required && (!v.set || v.empty()) {
			e.cmd.Missing = append(e.cmd.Missing, o)
		}
	}
	program, _ := e.text(base.Command)
	path, err := resolve(m, in, program.text)
	if err != nil {
		return nil, err
	}
	shown := path
	if program.text != program.shown {
		shown = program.shown
	}
	e.cmd.Argv, e.cmd.Shown = []string{path}, []string{shown}
	e.arguments(base.Args)
	for _, key := range slices.Sorted(maps.Keys(base.Env)) {
		e.environment(key, base.Env[key])
	}
	slices.Sort(e.cmd.Unknown)
	e.cmd.Unknown = slices.Compact(e.cmd.Unknown)
	return e.cmd, nil
}

// commandOf applies the overrides of the system, then those of the system with its processor. They replace command and
// arguments and are merged into the environment.
func commandOf(m *manifest.Manifest, in Input) manifest.Command {
	if m.Server.MCPConfig == nil {
		if m.Server.Type == manifest.UV {
			return manifest.Command{Command: "uv", Args: []string{"run", "--directory", "${__dirname}", m.Server.EntryPoint}}
		}
		return manifest.Command{}
	}
	c := m.Server.MCPConfig.Command
	c.Env = maps.Clone(c.Env)
	for _, key := range platformKeys(in.OS, in.Arch) {
		over, ok := m.Server.MCPConfig.PlatformOverrides[key]
		if !ok {
			continue
		}
		if over.Command != "" {
			c.Command = over.Command
		}
		if over.Args != nil {
			c.Args = over.Args
		}
		if c.Env == nil {
			c.Env = map[string]string{}
		}
		maps.Copy(c.Env, over.Env)
	}
	return c
}

// platformKeys names a platform the ways manifests do: Node's names and Go's.
func platformKeys(os, arch string) []string {
	systems := []string{os}
	if os == "windows" {
		systems = []string{"windows", "win32"}
	}
	keys := slices.Clone(systems)
	for _, s := range systems {
		keys = append(keys, s+"-"+arch)
		if arch == "amd64" {
			keys = append(keys, s+"-x64")
		}
	}
	return keys
}

// A piece is a text, and how it is shown.
type piece struct{ text, shown string }

// An expander is one run of Expand.
type expander struct {
	values  map[string]value
	listSep string
	cmd     *Command
}

// arguments expands the arguments one by one.
func (e *expander) arguments(args []string) {
	for i, arg := range args {
		name, whole := wholeVariable(arg)
		v, known := e.values[name]
		if whole && known && v.set && v.list {
			for _, item := range v.items {
				e.argument(piece{item, v.shown(item)}, v)
			}
			continue
		}
		p, ok := e.text(arg)
		if !ok {
			if whole && i > 0 && isFlag(args[i-1]) && len(e.cmd.Argv) > 1 && e.cmd.Argv[len(e.cmd.Argv)-1] == args[i-1] {
				e.cmd.Argv, e.cmd.Shown = e.cmd.Argv[:len(e.cmd.Argv)-1], e.cmd.Shown[:len(e.cmd.Shown)-1]
				e.cmd.Dropped = append(e.cmd.Dropped, args[i-1])
			}
			e.cmd.Dropped = append(e.cmd.Dropped, arg)
			continue
		}
		e.cmd.Argv, e.cmd.Shown = append(e.cmd.Argv, p.text), append(e.cmd.Shown, p.shown)
		for _, name := range variables(arg) {
			e.expose(e.values[name])
		}
	}
}

func (e *expander) argument(p piece, v value) {
	e.cmd.Argv, e.cmd.Shown = append(e.cmd.Argv, p.text), append(e.cmd.Shown, p.shown)
	e.expose(v)
}

func (e *expander) expose(v value) {
	if v.set && v.option.Sensitive && !slices.ContainsFunc(e.cmd.Exposed, func(o manifest.Option) bool { return o.Key == v.option.Key }) {
		e.cmd.Exposed = append(e.cmd.Exposed, v.option)
	}
}

// isFlag tells whether an argument is a flag that takes the next argument as its value, as far as one can tell.
func isFlag(arg string) bool {
	return len(arg) > 1 && arg[0] == '-' && arg != "--" && !strings.Contains(arg, "=") && !strings.Contains(arg, "${")
}

func (e *expander) environment(key, text string) {
	p, ok := e.text(text)
	if !ok {
		e.cmd.Dropped = append(e.cmd.Dropped, key+"="+text)
		return
	}
	e.cmd.Env[key], e.cmd.ShownEnv[key] = p.text, p.shown
}

// text expands one text in one pass; false when it needs a value that is not there.
func (e *expander) text(s string) (piece, bool) {
	var text, shown strings.Builder
	complete := true
	for s != "" {
		before, rest, found := strings.Cut(s, "${")
		name, after, closed := strings.Cut(rest, "}")
		text.WriteString(before)
		shown.WriteString(before)
		if !found || !closed {
			text.WriteString(s[len(before):])
			shown.WriteString(s[len(before):])
			break
		}
		s = after
		v, known := e.values[name]
		switch {
		case !known: // a variable may begin inside: only the opening is passed over
			s = rest
			text.WriteString("${")
			shown.WriteString("${")
			if !strings.Contains(name, "${") {
				e.cmd.Unknown = append(e.cmd.Unknown, name)
			}
		case !v.set:
			complete = false
		default:
			joined := strings.Join(v.items, e.listSep)
			text.WriteString(joined)
			shown.WriteString(v.shown(joined))
		}
	}
	return piece{text.String(), shown.String()}, complete
}

// wholeVariable gives the name when s is one variable and nothing else.
func wholeVariable(s string) (string, bool) {
	name, ok := strings.CutPrefix(s, "${")
	if !ok {
		return "", false
	}
	name, after, ok := strings.Cut(name, "}")
	return name, ok && after == ""
}

// variables gives the names of the variables in s.
func variables(s string) (names []string) {
	for {
		_, rest, found := strings.Cut(s, "${")
		name, _, closed := strings.Cut(rest, "}")
		if !found || !closed {
			return names
		}
		if !strings.Contains(name, "${") {
			names = append(names, name)
		}
		s = rest
	}
}
