package expand

import (
	"io/fs"
	"path"
	"strings"

	"satchel/internal/problem"
	"satchel/mcpb/manifest"
)

// resolve says which program a command means: an absolute path stays; one with a separator is inside the bundle; a bare
// name is looked for on the machine later, unless a binary server has such a file.
func resolve(m *manifest.Manifest, in Input, command string) (string, error) {
	slashed, root := in.slashes(command), strings.TrimRight(in.slashes(in.Dirs.Extension), "/")
	if name, inside := strings.CutPrefix(slashed, root); inside && (name == "" || name[0] == '/') {
		return in.inBundle(strings.TrimLeft(name, "/"), command)
	}
	switch {
	case in.isAbs(command):
		return command, nil
	case in.OS == "windows" && (strings.HasPrefix(slashed, "/") || strings.Contains(slashed, ":")):
		return "", problem.New(problem.Invalid, "expand/command-path", "the command is neither a full path nor one inside the bundle").At(command).
			From("docs/security.md").Try("begin it with ${__dirname}, or with a drive and a backslash")
	case strings.Contains(slashed, "/"), m.Server.Type == manifest.Binary && (in.exists(slashed) || in.exists(slashed+".exe")):
		return in.inBundle(slashed, command)
	}
	return command, nil
}

// inBundle gives the absolute path of a program inside the bundle, with .exe where Windows needs it.
func (in Input) inBundle(name, command string) (string, error) {
	clean := path.Clean(name)
	if clean == "." || !fs.ValidPath(clean) || in.OS == "windows" && strings.Contains(clean, ":") {
		return "", problem.New(problem.Invalid, "expand/command-outside", "the command leads out of the bundle").At(command).From("docs/security.md").
			Try("tell its author: begin it with ${__dirname}, without .. in it")
	}
	if in.OS == "windows" && !in.exists(clean) && in.exists(clean+".exe") {
		clean += ".exe"
	}
	return in.join(clean), nil
}

// entryPath gives the absolute path of the entry point for an argument that names it relative to the bundle. Such an
// argument works in hosts that start the server in the bundle's folder; ours is another.
func (in Input) entryPath(entry, arg string) (string, bool) {
	if arg == "" || strings.Contains(arg, "${") {
		return "", false
	}
	clean := path.Clean(arg)
	if clean == "." || clean != entry || !fs.ValidPath(clean) || !in.exists(clean) {
		return "", false
	}
	return in.join(clean), true
}

// join puts a slash-separated path below the extension's folder.
func (in Input) join(name string) string {
	sep := separator(in.OS)
	return strings.TrimRight(in.Dirs.Extension, sep) + sep + strings.ReplaceAll(name, "/", sep)
}

func (in Input) exists(name string) bool { return in.Exists != nil && in.Exists(path.Clean(name)) }

// slashes writes a path with the separator that all systems' rules are checked with.
func (in Input) slashes(p string) string {
	if in.OS == "windows" {
		return strings.ReplaceAll(p, `\`, "/")
	}
	return p
}

// isAbs is filepath.IsAbs for any system: on Windows a drive with a separator, or a share.
func (in Input) isAbs(p string) bool {
	p = in.slashes(p)
	if in.OS != "windows" {
		return strings.HasPrefix(p, "/")
	}
	return len(p) > 2 && p[1] == ':' && p[2] == '/' || strings.HasPrefix(p, "//")
}
