package scaffold

import (
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"satchel/internal/problem"
	"satchel/internal/scaffold/detect"
	"satchel/mcpb/manifest"
)

// A Started is a command line that starts a server on this machine, to be made one that starts it on every machine.
type Started struct {
	Dir  string            // the folder of the extension, absolute
	Cwd  string            // where the command is typed, absolute: what relative paths in it are relative to
	Argv []string          // the command
	Env  map[string]string // variables for it
}

// An Adopted is what became of a command.
type Adopted struct {
	Answers  []string // KEY=VALUE for the options that were made, so that the server can be started here
	Warnings []string // what keeps it from running on another machine
}

// Adopt makes s the command of the draft's manifest. Paths below the folder begin with ${__dirname}; values that look
// like secrets and folders elsewhere become options of user_config, so that neither is written down. Errors are
// problems of class Usage for no command, and those of [FromProject] for a manifest version that does not know the type.
func (d *Draft) Adopt(s Started, asked Settled) (*Adopted, error) {
	if len(s.Argv) == 0 || s.Argv[0] == "" {
		return nil, problem.New(problem.Usage, "init/from", "no command follows --from").Try("satchel init --from -- node server/index.js")
	}
	a := &adopter{Started: s, out: &Adopted{}, options: d.Manifest.UserConfig}
	config := &manifest.MCPConfig{}
	config.Command.Command = a.program(s.Argv[0])
	config.Args, config.Env = a.args(s.Argv[1:]), a.env()
	setDefault(&a.entry, a.module())
	m := &d.Manifest
	m.Server = manifest.Server{Type: serverType(s.Argv[0]), EntryPoint: a.entry, MCPConfig: config}
	m.UserConfig = a.options
	a.carriesCode(s.Argv[0])
	if !fetches(s.Argv[0]) { // a manifest has to name a file; that it is not there is told
		setDefault(&m.Server.EntryPoint, DefaultEntry(m.Server.Type, m.Name))
	}
	d.Sources = append(d.Sources, detect.Source{Field: "server", From: "the command"})
	var err error
	m.ManifestVersion, err = versionFor(asked.ManifestVersion, m.Server.Type)
	return a.out, err
}

type adopter struct {
	Started
	out     *Adopted
	options manifest.Options
	entry   string // the first file of the folder that the command names
}

func (a *adopter) warn(format string, args ...any) {
	a.out.Warnings = append(a.out.Warnings, fmt.Sprintf(format, args...))
}

// base is the name of a program without folder and ending.
func base(program string) string {
	name := strings.ToLower(path.Base(filepath.ToSlash(program)))
	return strings.TrimSuffix(strings.TrimSuffix(name, ".exe"), ".cmd")
}

func serverType(program string) string {
	switch name := base(program); {
	case name == "node" || name == "npx" || name == "npm":
		return manifest.Node
	case regexp.MustCompile(`^python[0-9.]*$`).MatchString(name) || name == "uvx" || name == "pipx":
		return manifest.Python
	case name == "uv":
		return manifest.UV
	}
	return manifest.Binary
}

// fetches tells whether a program gets the server from elsewhere when it starts.
func fetches(program string) bool {
	return slices.Contains([]string{"npx", "npm", "bunx", "pnpm", "pnpx", "yarn", "uvx", "pipx", "docker", "podman"}, base(program))
}

// module gives the file of the folder that "python -m NAME" runs; "" when there is none, or another command.
func (a *adopter) module() string {
	i := slices.Index(a.Argv, "-m")
	if serverType(a.Argv[0]) != manifest.Python || i < 1 || i+1 == len(a.Argv) {
		return ""
	}
	name := strings.ReplaceAll(a.Argv[i+1], ".", "/")
	for _, file := range []string{name + ".py", name + "/__main__.py", "src/" + name + ".py", "src/" + name + "/__main__.py"} {
		if info, err := os.Stat(filepath.Join(a.Dir, filepath.FromSlash(file))); err == nil && info.Mode().IsRegular() && filepath.IsLocal(file) {
			return file
		}
	}
	return ""
}

// carriesCode warns when the bundle would hold no program.
func (a *adopter) carriesCode(program string) {
	switch {
	case fetches(program):
		a.warn("%s fetches the server when it starts: a bundle must carry the code, so install the package into the folder and start its file", base(program))
	case a.entry == "":
		a.warn("the command names no file of the folder: a bundle must carry the code of its server")
	}
}

func (a *adopter) program(name string) string {
	if !strings.ContainsAny(name, `/\`) {
		return name
	}
	if rel, ok := a.inside(name); ok {
		a.entry = rel
		return "${__dirname}/" + rel
	}
	if slices.Contains([]string{"node", "python", "python3", "uv"}, base(name)) {
		return base(name)
	}
	a.warn("%q is a program of this machine, not of the folder", name)
	return a.absolute(name)
}

// absolute gives a path of the command line, which is relative to where it was typed; the server starts elsewhere.
func (a *adopter) absolute(p string) string {
	if filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(a.Cwd, p)
}

// inside gives a path below the folder, as the bundle has it.
func (a *adopter) inside(p string) (rel string, ok bool) {
	full := a.absolute(p)
	if rel, err := filepath.Rel(a.Dir, full); err == nil && filepath.IsLocal(rel) {
		return filepath.ToSlash(rel), true
	}
	dir, err := filepath.EvalSymlinks(a.Dir) // one of the two may be named by a link
	if err != nil {
		return "", false
	}
	if full, err = filepath.EvalSymlinks(full); err != nil {
		return "", false
	}
	rel, err = filepath.Rel(dir, full)
	if err != nil || !filepath.IsLocal(rel) {
		return "", false
	}
	return filepath.ToSlash(rel), true
}

// args takes the arguments over; folders elsewhere that stand side by side become one option.
func (a *adopter) args(args []string) []string {
	out := []string{}
	var folders []string
	flush := func() {
		if len(folders) > 0 {
			out, folders = append(out, a.folder(folders)), nil
		}
	}
	after := "" // the flag whose value is the next argument
	for _, arg := range args {
		text, folder := a.arg(arg, after)
		after = arg
		if folder != "" {
			folders = append(folders, folder)
			continue
		}
		flush()
		out = append(out, text)
	}
	flush()
	return out
}

// arg gives an argument as the manifest has it, or the folder elsewhere that it is.
func (a *adopter) arg(arg, after string) (text, folder string) {
	flag, value, joined := cutFlag(arg)
	isFlag := strings.HasPrefix(arg, "-")
	switch {
	case joined && secretFlag(flag):
		return flag + "=" + a.secret(flag, value), ""
	case joined:
		text, folder = a.path(value)
		if folder != "" {
			text = a.folder([]string{folder})
		}
		return flag + "=" + text, ""
	case isFlag:
		return arg, ""
	case strings.HasPrefix(after, "-") && secretFlag(after):
		return a.secret(after, arg), ""
	}
	return a.path(arg)
}

// secretFlag goes by whole words: --keyboard is no key.
func secretFlag(flag string) bool {
	words := regexp.MustCompile(`[-_]+`).Split(strings.ToLower(flag), -1)
	return slices.ContainsFunc(words, func(word string) bool {
		return slices.Contains([]string{"key", "apikey", "token", "secret", "password", "passphrase", "credential", "credentials"}, word)
	})
}

// cutFlag splits --flag=value; of anything else the whole is the value.
func cutFlag(arg string) (flag, value string, joined bool) {
	if flag, value, joined = strings.Cut(arg, "="); joined && strings.HasPrefix(flag, "-") {
		return flag, value, true
	}
	return "", arg, false
}

// path gives a path as the manifest has it, or the folder elsewhere that it is.
func (a *adopter) path(word string) (text, folder string) {
	full := a.absolute(word)
	info, err := os.Stat(full)
	named := strings.ContainsAny(word, `/\`) || word == "." || word == ".."
	if err != nil || word == "" || !named && !info.Mode().IsRegular() {
		return word, ""
	}
	if rel, ok := a.inside(full); ok {
		if info.Mode().IsRegular() && a.entry == "" {
			a.entry = rel
		}
		return strings.TrimSuffix("${__dirname}/"+rel, "/."), ""
	}
	if info.IsDir() {
		return "", full
	}
	a.warn("%q is a file of this machine, not of the folder", word)
	return full, ""
}

// folder makes an option of folders and gives the argument that stands for it.
func (a *adopter) folder(folders []string) string {
	o := manifest.Option{Type: manifest.Directory, Title: "Folder", Description: "A folder that the server works with.", Required: true, Multiple: len(folders) > 1}
	o.Key = "folder"
	if o.Multiple {
		o.Key, o.Title, o.Description = "folders", "Folders", "The folders that the server works with."
	}
	return a.option(o, folders)
}

// option adds an option under a key that is free.
func (a *adopter) option(o manifest.Option, values []string) string {
	key := o.Key
	for i := 2; ; i++ {
		if _, taken := a.options.Get(o.Key); !taken {
			break
		}
		o.Key = fmt.Sprintf("%s_%d", key, i)
	}
	a.options = append(a.options, o)
	for _, v := range values {
		a.out.Answers = append(a.out.Answers, o.Key+"="+v)
	}
	return "${user_config." + o.Key + "}"
}

// looksSecret goes by the name of a variable or a flag.
func looksSecret(name string) bool {
	upper := strings.ToUpper(name)
	return slices.ContainsFunc([]string{"KEY", "TOKEN", "SECRET", "PASSWORD", "PASSPHRASE", "CREDENTIAL"}, func(word string) bool {
		return strings.Contains(upper, word)
	})
}

// secret makes an option of a secret. A reference that the person has written is no secret.
func (a *adopter) secret(name, value string) string {
	if value == "" || strings.Contains(value, "${user_config.") {
		return value
	}
	name = strings.TrimLeft(name, "-")
	key := strings.Trim(regexp.MustCompile(`[^a-z0-9]+`).ReplaceAllString(strings.ToLower(name), "_"), "_")
	return a.option(manifest.Option{
		Key: key, Type: manifest.String, Title: name, Description: "The value of " + name + ", which the server needs.", Required: true, Sensitive: true,
	}, []string{value})
}

func (a *adopter) env() map[string]string {
	env := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(a.Env)) {
		value := a.Env[name]
		if looksSecret(name) {
			value = a.secret(name, value)
		} else if text, folder := a.path(value); folder != "" {
			value = a.folder([]string{folder})
		} else {
			value = text
		}
		env[name] = value
	}
	if len(env) == 0 {
		return nil
	}
	return env
}

// Serves puts what the started server says into the draft. A prompt's text is known to the server only; the manifest
// has to have one, so that it says what the prompt is for.
func (d *Draft) Serves(name, version string, tools []manifest.Tool, prompts []manifest.Prompt) {
	m := &d.Manifest
	m.Tools, m.Prompts, m.ToolsGenerated, m.PromptsGenerated = tools, prompts, false, false
	for i, p := range m.Prompts {
		m.Prompts[i].Text = p.Description
		setDefault(&m.Prompts[i].Text, p.Name)
	}
	unknown := func(field string) bool {
		return !slices.ContainsFunc(d.Sources, func(s detect.Source) bool { return s.Field == field })
	}
	if name = strings.TrimSpace(name); unknown("name") && name != "" {
		m.Name = detect.SafeName(name)
		d.Sources = append(d.Sources, detect.Source{Field: "name", From: "the server"})
	}
	if version = strings.TrimPrefix(version, "v"); unknown("version") && detect.Refusal(func(m *manifest.Manifest) { m.Version = version }) == "" {
		m.Version = version
		d.Sources = append(d.Sources, detect.Source{Field: "version", From: "the server"})
	}
	if len(tools) > 0 {
		d.Sources = append(d.Sources, detect.Source{Field: "tools", From: "the server"})
	}
	if len(prompts) > 0 {
		d.Sources = append(d.Sources, detect.Source{Field: "prompts", From: "the server"})
	}
}
