package expand

import (
	"path"
	"strings"

	"satchel/internal/problem"
	"satchel/mcpb/manifest"
)

// resolve says which program a command means: an absolute path stays; one with a separator is inside the bundle; a bare
// name is looked for on the machine later, unless a binary server has such a file.
func resolve(m *manifest.Manifest, in Input, command string) (string, error) {
	slashed, base := command, in.Dirs.Extension
	if in.OS == "windows" {
		slashed, base = strings.ReplaceAll(command, `\`, "/"), strings.ReplaceAll(base, `\`, "/")
	}
	if rest, ok := strings.CutPrefix(slashed, base); ok && (rest == "" || rest[0] == '/') {
		return inBundle(in, strings.TrimLeft(rest, "/"), command)
	}
	if strings.HasPrefix(slashed, "/") || in.OS == "windows" && len(slashed) > 1 && slashed[1] == ':' {
		return command, nil
	}
	bare := !strings.Contains(slashed, "/")
	if bare && (m.Server.Type != manifest.Binary || !exists(in, slashed) && !exists(in, slashed+".exe")) {
		return command, nil
	}
	return inBundle(in, slashed, command)
}

// inBundle gives the absolute path of a program inside the bundle, with .exe where Windows needs it.
func inBundle(in Input, name, command string) (string, error) {
	clean := path.Clean(name)
	if clean == "." || clean == ".." || strings.HasPrefix(clean, "../") || strings.HasPrefix(clean, "/") {
		return "", problem.New(problem.Invalid, "expand/command-outside", "the command leads out of the bundle").At(command).From("docs/security.md")
	}
	if in.OS == "windows" && !exists(in, clean) && exists(in, clean+".exe") {
		clean += ".exe"
	}
	sep := separator(in.OS)
	return in.Dirs.Extension + sep + strings.ReplaceAll(clean, "/", sep), nil
}

func exists(in Input, name string) bool { return in.Exists != nil && in.Exists(path.Clean(name)) }
