// Package expand makes the command line of a server from its manifest, the person's answers and the folders of the
// machine. It is pure: it looks at nothing but its input, and never involves a shell. Use it wherever a manifest's
// command is run or shown; [Expand] is all of it.
//
// The rules are those of MCPB's MANIFEST.md. Where its reference implementation (npm @anthropic-ai/mcpb 2.1.2,
// getMcpConfigForManifest) does something else, this package differs on purpose:
//
//   - Every text is read once, from left to right. A value is inserted literally and never looked at again: an answer
//     such as "${user_config.other}" or "$&" stays text and cannot pull in another answer. The reference re-reads values
//     for variables declared later and interprets "$&".
//   - A list inside a longer text or in the environment is joined by the system's path-list separator; the reference
//     leaves the variable there. A list that is a whole argument becomes that many arguments, in both.
//   - An optional option without a value takes its argument, or its environment entry, away; the reference passes the
//     text "${user_config.x}". An empty path counts as no value. An answered empty string stays: also as a whole
//     argument, where the reference passes the variable's text.
//   - A flag directly before an argument that went away goes with it (["--key", "${user_config.key}"]): left alone, it
//     would swallow the argument after it. A flag is a literal such as -k or --key; "--", "-1" and "--a=b" are none. A
//     flag that takes no value is lost by this too, so [Command.Dropped] names each one, for the review.
//   - Defaults: folders and separators are replaced in them, other options are not; a default that is not empty
//     satisfies "required".
//   - platform_overrides: the system's (win32 or windows, darwin, linux) count before those of system and processor
//     (linux-x64, linux-amd64, darwin-arm64); env is merged, command and args replace.
//   - ${TEMP} is known. A folder that the machine does not have stays an unknown variable, so that "${DESKTOP}/x" never
//     turns into "/x".
//   - A relative command is inside the bundle, and one that leads out of it is refused. An argument that is just the
//     entry point, relative, becomes its absolute path: the server does not start in the bundle's folder.
//   - For a uv server without mcp_config the command is uv run --directory ${__dirname} and the entry point.
//   - Whole numbers are written without an exponent, whatever their size.
package expand

import (
	"maps"
	"slices"
	"strings"

	"satchel/internal/problem"
	"satchel/mcpb/manifest"
)

// Limits of a command line. Systems take less than a megabyte in all (macOS: 1 MiB with the environment).
const (
	maxArgs  = 10_000
	maxBytes = 1 << 20
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

// Dirs are absolute paths in the system's form. Extension must be given; the others may be empty.
type Dirs struct {
	Extension                                 string // of the unpacked bundle: ${__dirname}
	Home, Desktop, Documents, Downloads, Temp string
}

// A Command is a server's command line. Shown and ShownEnv are for people: a secret's value, and a required one that is
// missing, stand there as their option's title in angle brackets.
type Command struct {
	Argv     []string
	Shown    []string
	Env      map[string]string // only what the manifest sets
	ShownEnv map[string]string
	Missing  []manifest.Option // required options without a value; unless it is empty, Argv and Env must not be run
	Dropped  []string          // arguments, with the flags before them, and environment entries that were taken away, as in the manifest
	Unknown  []string          // variables that nothing declares, sorted
	Exposed  []manifest.Option // secrets that the manifest puts on the command line, where other programs can see them, answered or not
}

// Expand makes the command line. The same input gives the same result. Errors are problems: Invalid for no command, one
// outside the bundle, or a command line that no system takes; NeedsConfig when the program itself is an answer that is
// not there. A missing answer elsewhere is no error, see [Command.Missing].
func Expand(m *manifest.Manifest, in Input) (*Command, error) {
	if !in.isAbs(in.Dirs.Extension) {
		return nil, problem.New(problem.Failed, "expand/folder", "the extension's folder is not an absolute path").At(in.Dirs.Extension)
	}
	base := commandOf(m, in)
	if base.Command == "" {
		return nil, noCommand(m)
	}
	e := &expander{
		in: in, entry: m.EntryFile(), values: valuesOf(m, in), exposed: map[string]bool{},
		cmd: &Command{Env: map[string]string{}, ShownEnv: map[string]string{}},
	}
	for _, o := range m.UserConfig {
		if e.values[optionPrefix+o.Key].missing {
			e.cmd.Missing = append(e.cmd.Missing, o)
		}
	}
	if err := e.program(m, base.Command); err != nil {
		return nil, err
	}
	e.arguments(base.Args)
	for _, key := range slices.Sorted(maps.Keys(base.Env)) {
		if e.environment(key, base.Env[key]); e.tooMuch() {
			break
		}
	}
	slices.Sort(e.cmd.Unknown)
	e.cmd.Unknown = slices.Compact(e.cmd.Unknown)
	if err := e.check(); err != nil {
		return nil, err
	}
	return e.cmd, nil
}

func noCommand(m *manifest.Manifest) error {
	return problem.New(problem.Invalid, "expand/no-command", "says no command to run").At(m.Name).From("MCPB MANIFEST.md, server.mcp_config").
		Try("its author gives it server.mcp_config.command")
}

// commandOf applies the overrides of the system, then those of the system with its processor. They replace command and
// arguments and are merged into the environment.
func commandOf(m *manifest.Manifest, in Input) manifest.Command {
	if m.Server.MCPConfig == nil {
		if m.Server.Type == manifest.UV && m.Server.EntryPoint != "" {
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

// platformKeys names a platform the ways manifests do: Node's names, which count last, and Go's.
func platformKeys(os, arch string) []string {
	systems, archs := []string{os}, []string{arch}
	if os == "windows" {
		systems = append(systems, "win32")
	}
	if arch == "amd64" {
		archs = append(archs, "x64")
	}
	keys := slices.Clone(systems)
	for _, s := range systems {
		for _, a := range archs {
			keys = append(keys, s+"-"+a)
		}
	}
	return keys
}

// An expander is one run of Expand.
type expander struct {
	in      Input
	entry   string // the manifest's entry point, as a path in the bundle
	values  map[string]value
	cmd     *Command
	exposed map[string]bool // variables that are in Command.Exposed
	bytes   int             // made so far, what was dropped again included: the measure of memory and time
}

func (e *expander) program(m *manifest.Manifest, command string) error {
	e.expose(command)
	p, ok := e.text(command)
	if p.text == "" && ok {
		return noCommand(m)
	}
	if !ok || p.incomplete {
		return problem.New(problem.NeedsConfig, "expand/command-answer", "the program to run is an answer that is not there").At(command).
			From("the manifest: server.mcp_config.command").Try("answer it: --config KEY=VALUE when installing, satchel configure later")
	}
	path, err := resolve(m, e.in, p.text)
	if err != nil {
		return err
	}
	shown := path
	if p.text != p.shown {
		shown = p.shown
	}
	e.add(piece{text: path, shown: shown})
	return nil
}

// expose notes the secrets that a part of the command line holds, or will when they are answered.
func (e *expander) expose(text string) {
	for {
		_, name, after, found := cutVariable(text)
		if !found {
			return
		}
		o := e.values[name].option
		if o.Sensitive && !e.exposed[name] {
			e.exposed[name] = true
			e.cmd.Exposed = append(e.cmd.Exposed, o)
		}
		text = after
	}
}

// arguments expands the arguments one by one. It stops when there are too many, which check then refuses.
func (e *expander) arguments(args []string) {
	flag := "" // the argument before this one, if it is a flag and was added last
	for _, arg := range args {
		if e.tooMuch() {
			return
		}
		e.expose(arg)
		pieces, ok := e.argument(arg)
		if !ok {
			e.drop(arg, flag)
			flag = ""
			continue
		}
		for _, p := range pieces {
			e.add(p)
		}
		if flag = ""; isFlag(arg) {
			flag = arg
		}
	}
}

// argument gives what one argument becomes: several for a list, false for nothing.
func (e *expander) argument(arg string) ([]piece, bool) {
	if path, ok := e.in.entryPath(e.entry, arg); ok {
		return []piece{{text: path, shown: path}}, true
	}
	if v := e.values[wholeVariable(arg)]; v.list && !v.missing {
		pieces := make([]piece, 0, len(v.items))
		for _, item := range v.items {
			p := v.piece(item)
			e.bytes += max(len(p.text), len(p.shown)) + 1
			pieces = append(pieces, p)
		}
		return pieces, len(pieces) > 0
	}
	p, ok := e.text(arg)
	return []piece{p}, ok
}

func (e *expander) add(p piece) {
	e.cmd.Argv, e.cmd.Shown = append(e.cmd.Argv, p.text), append(e.cmd.Shown, p.shown)
}

// drop notes that an argument went away, and takes the flag before it away too.
func (e *expander) drop(arg, flag string) {
	if flag != "" {
		last := len(e.cmd.Argv) - 1
		e.cmd.Argv, e.cmd.Shown = e.cmd.Argv[:last], e.cmd.Shown[:last]
		e.cmd.Dropped = append(e.cmd.Dropped, flag)
	}
	e.cmd.Dropped = append(e.cmd.Dropped, arg)
}

// isFlag tells whether an argument is a flag that takes the next argument as its value, as far as one can tell.
func isFlag(arg string) bool {
	name := strings.TrimPrefix(strings.TrimPrefix(arg, "-"), "-")
	if name == arg || name == "" || strings.Contains(name, "=") || strings.Contains(name, "${") {
		return false
	}
	first := name[0] | 0x20
	return first >= 'a' && first <= 'z'
}

func (e *expander) environment(key, text string) {
	p, ok := e.text(text)
	if !ok {
		e.cmd.Dropped = append(e.cmd.Dropped, key+"="+text)
		return
	}
	e.bytes += len(key) + 2
	e.cmd.Env[key], e.cmd.ShownEnv[key] = p.text, p.shown
}

// tooMuch tells whether no system takes the command line.
func (e *expander) tooMuch() bool { return e.bytes > maxBytes || len(e.cmd.Argv) > maxArgs }

// check refuses what no program can be given.
func (e *expander) check() error {
	const source = "execve(2)"
	if e.tooMuch() {
		return problem.New(problem.Invalid, "expand/too-long", "the command line is longer than %d arguments or %d bytes", maxArgs, maxBytes).From(source).
			Try("give shorter answers; if there are none, tell the author")
	}
	for _, arg := range e.cmd.Argv {
		if strings.Contains(arg, "\x00") {
			return problem.New(problem.Invalid, "expand/nul", "an argument holds a NUL, which no program can be given").From(source).
				Try("answer without it; if no answer has one, tell the author")
		}
	}
	for key, val := range e.cmd.Env {
		if key == "" || strings.ContainsAny(key, "=\x00") || strings.Contains(val, "\x00") {
			return problem.New(problem.Invalid, "expand/environment", "is no name or no value for an environment variable").At(key).From("environ(7)").
				Try("tell its author: server.mcp_config.env")
		}
	}
	return nil
}
