package grant

import (
	"slices"
	"strings"

	"satchel/internal/spec"
)

// forbidden says why a path may not be granted by its name alone; "" when it may. What follows "which".
func (m Machine) forbidden(f File, protected []spec.Protected) string {
	if why := m.system(f.Path); why != "" {
		return why
	}
	for _, p := range protected {
		switch {
		case m.within(f.Path, p.Path) && p.Secret:
			return "is a protected place: no extension gets it"
		case m.within(f.Path, p.Path) && f.Write:
			return "is a protected place: programs start what is in it"
		case f.Write && p.Secret && m.within(p.Path, f.Path):
			return "has secrets in it, such as " + p.Path
		}
	}
	if f.Write {
		return m.startsByItself(f.Path)
	}
	return ""
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

// nameKey is the form of a file's name that is compared with such names, which are lower case: a system that tells case
// apart has .VSCODE as another name, but what is copied from there to one that does not is the same.
func (m Machine) nameKey(name string) string {
	if plain := strings.ToLower(name); m.OS != "darwin" && m.OS != "windows" || plain == name && isASCII(name) {
		return plain
	}
	return folded(name)
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r > 0x7f })
}
