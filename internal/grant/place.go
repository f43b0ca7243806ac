package grant

import (
	"slices"
	"strings"

	"satchel/internal/spec"
)

// A fence is the protected places in the form that is compared.
type fence struct {
	m      Machine
	places []spec.Protected
	keys   []string
}

func (m Machine) fence(places []spec.Protected) fence {
	f := fence{m: m, places: places}
	for _, p := range places {
		f.keys = append(f.keys, m.key(p.Path))
	}
	return f
}

// forbids says why a path may not be granted by its name alone; "" when it may. What follows "which".
func (x fence) forbids(f File) string {
	if why := x.m.system(f.Path); why != "" {
		return why
	}
	key := x.m.key(f.Path)
	for n, p := range x.places {
		switch {
		case p.Secret && inside(key, x.keys[n]):
			return "is a protected place: no extension gets it"
		case f.Write && inside(key, x.keys[n]):
			return "is a protected place: programs start what is in it"
		case f.Write && p.Secret && inside(x.keys[n], key):
			return "has secrets in it, such as " + p.Path
		}
	}
	if f.Write {
		return x.m.startsByItself(f.Path)
	}
	return ""
}

// forbidsSocket says why a socket may not be granted by its name alone; "" when it may. Services have theirs in /run.
func (x fence) forbidsSocket(path string) string {
	for _, dir := range []string{"/proc", "/sys", "/dev"} {
		if inside(path, dir) {
			return "is the system's own"
		}
	}
	key := x.m.key(path)
	for n, p := range x.places {
		if p.Secret && inside(key, x.keys[n]) {
			return "is a protected place: no extension gets it"
		}
	}
	return ""
}

// secretBelow finds a secret inside a path.
func (x fence) secretBelow(path string) (string, bool) {
	key := x.m.key(path)
	for n, p := range x.places {
		if p.Secret && inside(x.keys[n], key) {
			return p.Path, true
		}
	}
	return "", false
}

// system says why a path belongs to the machine and not to a person.
func (m Machine) system(p string) string {
	if m.parent(p) == p && (m.OS != "windows" || m.within(m.User.Home, p)) {
		return "is the whole machine"
	}
	if m.User.Home != "" && m.within(m.User.Home, p) && !m.within(p, m.User.Home) {
		return "holds the homes of all users"
	}
	if m.OS == "windows" {
		return ""
	}
	for _, dir := range []string{"/proc", "/sys", "/dev", "/run", "/var/run", "/private/var/run"} {
		if m.within(p, dir) {
			return "is made by the system and holds its controls"
		}
	}
	return ""
}

// Names of files and folders in which tools look for what to run, anywhere: opening a project starts it.
func startNames() []string {
	return []string{
		".vscode", ".idea", ".husky", ".githooks", ".devcontainer", ".envrc", ".mcp.json", ".cursor", ".claude", ".codex", ".gemini",
		".kiro", ".amp", ".warp", ".crush.json", ".qoder", ".roo", ".factory", ".vibe", ".zed", ".windsurf",
	}
}

// What git runs or reads commands from, in the folder of a repository.
func gitNames() []string { return []string{"hooks", "config", "config.worktree"} }

// startsByItself says why writing to a place below such a name is refused.
func (m Machine) startsByItself(p string) string {
	names := strings.FieldsFunc(p, func(r rune) bool { return r == '/' || m.OS == "windows" && r == '\\' })
	for i, name := range names {
		key := m.nameKey(name)
		if slices.Contains(startNames(), key) {
			return "is a protected place: tools start what is in " + name
		}
		if key == ".git" && i+1 < len(names) && slices.Contains(gitNames(), m.nameKey(names[i+1])) {
			return "is a protected place: git starts what is in it"
		}
	}
	return ""
}

// nameKey is the form of a file's name that is compared with such names, which are lower case. In any case on every
// system: what is written on Linux may be opened elsewhere.
func (m Machine) nameKey(name string) string { return strings.ToLower(m.key(name)) }
