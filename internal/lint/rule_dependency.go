package lint

import (
	"encoding/json"
	"io"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"

	"satchel/internal/jsonedit"
	"satchel/internal/lint/source"
	"satchel/mcpb/manifest"
)

func dependencyRules() []Rule {
	return []Rule{{
		ID: "lint/unpinned", Title: "Dependencies that are whatever is newest",
		Why: "What runs on the person's machine is then not what the author tested and a reviewer saw: a new version, or a taken-over package, " +
			"arrives without a new version of the extension.",
		Fix:    "name an exact version, or pack the dependency",
		Bad:    `"command": "npx", "args": ["-y", "some-server"]`,
		Good:   `"command": "npx", "args": ["-y", "some-server@1.4.2"]`,
		Source: ours, Author: Warning, Reviewer: Error,
		Mends: "writes the version that the folder's package-lock.json has behind the name of a package that npx starts", check: checkUnpinned,
	}}
}

func checkUnpinned(c *check) {
	c.unpinnedCommands()
	c.unpinnedPackages()
	c.unpinnedRequirements()
	c.unpinnedProject()
}

// unpinnedCommands looks at commands that fetch what they run.
func (c *check) unpinnedCommands() {
	config := c.manifest.Server.MCPConfig
	if config == nil {
		return
	}
	c.unpinnedCommand(config.Command.Command, config.Args, []any{"server", "mcp_config"})
	for _, key := range slices.Sorted(maps.Keys(config.PlatformOverrides)) {
		o := config.PlatformOverrides[key]
		command, args := o.Command, o.Args
		if command == "" {
			command = config.Command.Command
		}
		if args == nil && o.Command == "" {
			continue // the same as above
		}
		c.unpinnedCommand(command, args, []any{"server", "mcp_config", "platform_overrides", key})
	}
}

func (c *check) unpinnedCommand(command string, args []string, at []any) {
	base := programName(command)
	for offset := 0; ; offset++ { // cmd /c npx ..., env A=1 npx ...: what is started starts another
		next := startsOther(base, args[offset:])
		if next < 0 {
			args = slices.Clone(args)
			clear(args[:offset])
			c.unpinnedArguments(base, args, offset, at)
			return
		}
		offset += next
		base = programName(args[offset])
	}
}

func programName(command string) string {
	base := strings.ToLower(command[strings.LastIndexAny(command, `/\`)+1:])
	for _, end := range []string{".cmd", ".exe", ".ps1", ".bat"} {
		base = strings.TrimSuffix(base, end)
	}
	return base
}

// startsOther gives the index of the argument that is the program which cmd or env start; -1 for other programs.
func startsOther(base string, args []string) int {
	switch base {
	case "cmd":
		if len(args) > 1 && strings.EqualFold(args[0], "/c") {
			return 1
		}
	case "env":
		return slices.IndexFunc(args, func(a string) bool { return !strings.HasPrefix(a, "-") && !strings.Contains(a, "=") })
	}
	return -1
}

// unpinnedArguments looks at the arguments from offset on.
func (c *check) unpinnedArguments(base string, args []string, offset int, at []any) {
	for _, i := range fetched(base, args[offset:]) {
		i += offset
		spec := args[i]
		if option, value, ok := strings.Cut(spec, "="); ok && strings.HasPrefix(option, "--") {
			spec = value
		}
		isPython := base == "uvx" || base == "pipx" || base == "uv"
		if isPinned(spec, isPython) || strings.Contains(spec, "${") {
			continue
		}
		keys := slices.Concat(at, []any{"args", i})
		f := c.at(keys, "%s fetches %s: whatever is newest when it starts", base, quote(spec))
		if version := c.locked(spec); version != "" && !isPython {
			fixed := packageOf(spec) + "@" + version
			f.Fix = "write " + quote(fixed) + ", the version in package-lock.json"
			f.mend = mending("pinned "+quote(fixed), jsonedit.Set(keys, strings.TrimSuffix(args[i], spec)+fixed))
		}
		c.add(f)
	}
}

// fetched gives the indexes of the arguments that name what is fetched.
func fetched(command string, args []string) (list []int) {
	verb := slices.IndexFunc(args, func(a string) bool { return !strings.HasPrefix(a, "-") })
	is := func(words ...string) bool { return verb >= 0 && slices.Contains(words, args[verb]) }
	switch {
	case command == "npx" || command == "bunx" || command == "pnpx" || command == "uvx":
		verb = -1
	case command == "pnpm" || command == "yarn" || command == "npm" || command == "bun":
		if !is("dlx", "exec", "x") {
			return nil
		}
	case command == "pipx":
		if !is("run") {
			return nil
		}
	case command == "uv":
		return uvFetched(args)
	case command == "deno":
		for i, a := range args {
			if strings.HasPrefix(a, "npm:") || strings.HasPrefix(a, "jsr:") {
				return []int{i}
			}
		}
		return nil
	default:
		return nil
	}
	if slices.ContainsFunc(args, func(a string) bool { return a == "--no-install" || a == "--no" || a == "--offline" }) {
		return nil // nothing is fetched: it must be there
	}
	for _, i := range packageArguments(args[verb+1:]) {
		list = append(list, i+verb+1)
	}
	return list
}

// packageArguments finds --package X and --from X, or else the first argument that is no flag.
func packageArguments(args []string) (list []int) {
	first := -1
	for i := 0; i < len(args); i++ {
		option, _, joined := strings.Cut(args[i], "=")
		switch a := args[i]; {
		case a == "":
		case option == "-p" || option == "--package" || option == "--from" || option == "--spec" || option == "--with":
			if !joined {
				i++
			}
			if i < len(args) {
				list = append(list, i)
			}
		case a == "--python" || a == "--index-url" || a == "--registry" || a == "-c" || a == "--call" || a == "--index" || a == "--default-index" || a == "--refresh-package":
			i++
		case strings.HasPrefix(a, "-"):
		case first < 0:
			first = i
			i = len(args) // what follows is the server's own
		}
	}
	if len(list) > 0 || first < 0 {
		return list
	}
	return []int{first}
}

// uvFetched: uv tool run X, and uv run --with X, behind options of uv itself.
func uvFetched(args []string) (list []int) {
	if i := slices.Index(args, "tool"); i >= 0 && i+1 < len(args) && args[i+1] == "run" {
		for _, k := range packageArguments(args[i+2:]) {
			list = append(list, k+i+2)
		}
		return list
	}
	run := slices.Index(args, "run")
	for i := run + 1; run >= 0 && i < len(args); i++ {
		switch {
		case args[i] == "--with" && i+1 < len(args):
			i++
			list = append(list, i)
		case strings.HasPrefix(args[i], "--with="):
			list = append(list, i)
		}
	}
	return list
}

var (
	exactVersion = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^v?\d+(\.\d+)*([.+-]?[0-9A-Za-z.+-]*)?$`) })
	commit       = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`[@#][0-9a-f]{40}$`) })
	digest       = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(@[0-9a-f]{40}|#sha256=[0-9a-f]{64})\s*$`) })
)

// isPinned tells whether what is fetched is always the same: an exact version, or a commit of a repository.
func isPinned(spec string, python bool) bool {
	if strings.Contains(spec, "://") || strings.HasPrefix(spec, "git+") || strings.HasPrefix(spec, "github:") {
		return commit().MatchString(spec)
	}
	if strings.HasPrefix(spec, ".") || strings.HasPrefix(spec, "/") || strings.HasPrefix(spec, "file:") || strings.HasSuffix(spec, ".whl") || strings.HasSuffix(spec, ".tgz") {
		return true // a file of the bundle
	}
	if python {
		if _, version, ok := strings.Cut(spec, "=="); ok {
			return !strings.Contains(version, "*")
		}
	}
	i := strings.LastIndexByte(spec, '@')
	return i > 0 && exactVersion().MatchString(spec[i+1:]) && (python || strings.Count(spec[i+1:], ".") >= 2)
}

// packageOf gives a package's name without its version.
func packageOf(spec string) string {
	if i := strings.LastIndexByte(spec, '@'); i > 0 {
		return spec[:i]
	}
	return spec
}

// locked gives the version of a package in the lock file of the author's folder or of the bundle.
func (r *run) locked(spec string) string {
	var lock struct {
		Packages map[string]struct{ Version string }
	}
	for _, name := range []string{"package-lock.json", "npm-shrinkwrap.json"} {
		if data := r.read(name); data != nil && json.Unmarshal(data, &lock) == nil {
			if v := lock.Packages["node_modules/"+packageOf(spec)].Version; exactVersion().MatchString(v) {
				return v
			}
		}
	}
	return ""
}

// maxLock is how many bytes of a lock file are read.
const maxLock = 8 << 20

// read reads a file beside the manifest, of the bundle or only of the author's folder; nil when there is none that can be
// read whole.
func (r *run) read(name string) []byte {
	for _, fsys := range []fs.FS{r.subject.Files, r.subject.Beside} {
		if fsys == nil {
			continue
		}
		if info, err := fs.Stat(fsys, name); err != nil || !info.Mode().IsRegular() || info.Size() > maxLock {
			continue
		}
		f, err := fsys.Open(name)
		if err != nil {
			continue
		}
		data, err := io.ReadAll(io.LimitReader(f, maxLock))
		if f.Close() == nil && err == nil {
			return data
		}
	}
	return nil
}

// has tells whether one of some files is in the bundle or beside it.
func (r *run) has(dir string, names ...string) bool {
	return slices.ContainsFunc(names, func(n string) bool {
		for _, fsys := range []fs.FS{r.subject.Files, r.subject.Beside} {
			if fsys == nil {
				continue
			}
			if _, err := fs.Stat(fsys, path.Join(dir, n)); err == nil {
				return true
			}
		}
		return false
	})
}

// unpinnedPackages: the server imports a package that is neither in the bundle nor locked.
func (c *check) unpinnedPackages() {
	root := c.root()
	if root == nil || c.has(path.Dir(root.name), "package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", "bun.lock", "bun.lockb") {
		return
	}
	packed := map[string]bool{}
	for _, f := range c.installed() {
		packed[packageName(f)] = true
	}
	imported := c.imported()
	var loose []string
	var first spot
	for _, d := range root.pkg.Dependencies {
		if imported[d.name] && !packed[d.name] && !exactVersion().MatchString(d.wanted) && c.once(root.name+d.name) {
			loose = append(loose, d.name+" "+d.wanted)
			if at := d.locate(root.data); first.line == 0 || at.line < first.line {
				first = at
			}
		}
	}
	if len(loose) > 0 {
		c.add(inFile(root.name, first, "the server imports %s: not in the bundle, and no exact version", list(loose)))
	}
}

// imported gives the packages that the author's own programs import.
func (r *run) imported() map[string]bool {
	imported := map[string]bool{}
	for _, f := range r.tree.files {
		if f.source != nil {
			for _, i := range f.source.imports {
				imported[source.Package(i.what)] = true
			}
		}
	}
	return imported
}

// isKept tells which files a rule reads itself.
func isKept(name string) bool {
	base := strings.ToLower(path.Base(name))
	return base == "pyproject.toml" || strings.HasPrefix(base, "requirements") && path.Ext(base) == ".txt"
}

// vendored tells whether the bundle has Python packages in it.
func (r *run) vendored() bool {
	return slices.ContainsFunc(r.tree.files, func(f *file) bool { return f.dep && strings.Contains(f.name, ".dist-info/") })
}

func (c *check) unpinnedRequirements() {
	if c.vendored() {
		return
	}
	for _, f := range c.tree.files {
		base := strings.ToLower(path.Base(f.name))
		if f.data == nil || path.Ext(base) != ".txt" || strings.Contains(base, "dev") || strings.Contains(base, "test") {
			continue
		}
		p, offset := &placer{data: f.data}, 0
		for line := range strings.SplitAfterSeq(string(f.data), "\n") {
			start := offset
			offset += len(line)
			if spec := requirement(line); spec != "" && !pinnedRequirement(spec) {
				start += strings.Index(line, spec)
				c.add(inFile(f.name, p.at(start, start+len(spec)), "%s is no exact version", quote(spec)))
			}
		}
	}
}

// requirement gives the requirement of a line of a requirements file; "" for comments and options.
func requirement(line string) string {
	line, _, _ = strings.Cut(line, " #")
	line, _, _ = strings.Cut(line, " --")
	line = strings.Trim(line, " \t\r\n\\\ufeff")
	for _, editable := range []string{"-e ", "--editable "} {
		line = strings.TrimSpace(strings.TrimPrefix(line, editable))
	}
	if line == "" || strings.HasPrefix(line, "#") || strings.HasPrefix(line, "-") {
		return ""
	}
	return line
}

func pinnedRequirement(spec string) bool {
	name, _, _ := strings.Cut(spec, ";")
	if strings.Contains(name, "://") || strings.HasPrefix(name, ".") {
		return digest().MatchString(name) || strings.HasPrefix(name, ".")
	}
	_, version, ok := strings.Cut(name, "==")
	return ok && !strings.Contains(version, "*")
}

// unpinnedProject: uv resolves the dependencies of a pyproject.toml when the server starts, unless uv.lock says which.
func (c *check) unpinnedProject() {
	if !usesUV(c.manifest) || c.vendored() {
		return
	}
	for _, f := range c.tree.files {
		if f.data == nil || path.Base(f.name) != "pyproject.toml" || c.has(path.Dir(f.name), "uv.lock") && c.packs(path.Join(path.Dir(f.name), "uv.lock")) {
			continue
		}
		p := &placer{data: f.data}
		for _, d := range projectDependencies(f.data) {
			if !pinnedRequirement(d.name) {
				f := inFile(f.name, p.at(d.start, d.start+len(d.name)), "%s is no exact version, and there is no uv.lock", quote(d.name))
				f.Fix = "pack uv.lock (uv lock writes it)"
				c.add(f)
			}
		}
	}
}

// packs tells whether a file goes into the bundle.
func (r *run) packs(name string) bool { return r.tree.byName[name] != nil }

func usesUV(m *manifest.Manifest) bool {
	return m.Server.Type == manifest.UV || m.Server.MCPConfig != nil && strings.TrimSuffix(path.Base(m.Server.MCPConfig.Command.Command), ".exe") == "uv"
}

type requirementAt struct {
	name  string
	start int
}

// projectDependencies gives the texts of the list "dependencies" in the table [project] (PEP 621). It reads the few forms
// that TOML has for that and gives nothing for a file that is none.
func projectDependencies(data []byte) (list []requirementAt) {
	text, inProject, inList, offset := string(data), false, false, 0
	for line := range strings.SplitAfterSeq(text, "\n") {
		start := offset
		offset += len(line)
		trimmed := strings.TrimSpace(line)
		if !inList {
			if strings.HasPrefix(trimmed, "[") {
				inProject = trimmed == "[project]"
			}
			key, rest, ok := strings.Cut(line, "=")
			if !inProject || !ok || strings.TrimSpace(key) != "dependencies" {
				continue
			}
			inList, start, line = true, start+len(key)+1, rest
		}
		found, ended := quotedIn(line, start)
		list = append(list, found...)
		inList = !ended
	}
	return list
}

// quotedIn gives the strings of a line of a list, and whether the list ends in it.
func quotedIn(line string, start int) (list []requirementAt, ended bool) {
	for i := 0; i < len(line); i++ {
		switch c := line[i]; c {
		case '#':
			return list, false
		case ']':
			return list, true
		case '"', '\'':
			n := strings.IndexByte(line[i+1:], c)
			if n < 0 {
				return list, false
			}
			if n > 0 {
				list = append(list, requirementAt{line[i+1 : i+1+n], start + i + 1})
			}
			i += n + 1
		}
	}
	return list, false
}
