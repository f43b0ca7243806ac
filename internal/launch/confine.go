package launch

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"satchel/internal/spec"
)

// Confine holds the server of a plan to a sandbox. passed names the variables of our environment that it was granted; of
// the rest it gets the language, the time zone and, with network, the certificates that this machine trusts beside the
// system's. What describes its world (home, temporary folder, proxies) the sandbox adds.
func (p *Plan) Confine(box spec.Sandbox, passed []string) {
	names := slices.Concat(localeVariables(), passed)
	if !box.Net.None() {
		names = append(names, certificateVariables()...)
	}
	if p.machine.OS == "windows" {
		names = append(names, windowsVariables()...)
	}
	env := map[string]string{"PYTHONPYCACHEPREFIX": filepath.Join(p.ext.DataDir, ".cache", "pycache")}
	copyVariables(env, names, p.machine.Getenv)
	maps.Copy(env, p.Command.Env)
	p.Spec.Env, p.Spec.Sandbox = listed(env), &box
	p.Spec.Runtime = runtimeFolders(append([]string{p.Spec.Argv[0]}, box.Programs.Paths...), p.ext.Dir, p.machine)
}

// runtimeFolders gives the folders that programs were installed to, where those are not the system's: a Node.js or Python
// of a version manager, a virtual environment. A folder that holds more than a runtime is none.
func runtimeFolders(programs []string, bundle string, m Machine) (dirs []string) {
	files := slices.Clone(programs)
	for _, p := range programs {
		if real, err := filepath.EvalSymlinks(p); err == nil {
			files = append(files, real)
		}
	}
	for _, file := range files {
		prefix := filepath.Dir(filepath.Dir(file))
		switch {
		case isBelow(file, bundle), slices.Contains(dirs, prefix):
		case m.User.Home != "" && (isBelow(m.User.Home, prefix) || prefix == filepath.Join(m.User.Home, ".local")):
		case isRuntime(prefix):
			dirs = append(dirs, prefix)
		}
	}
	return dirs
}

// isRuntime tells whether a folder is where Node.js or Python was installed to, and nothing of the system.
func isRuntime(prefix string) bool {
	for _, system := range []string{"/", "/usr", "/usr/local"} {
		if prefix == system {
			return false
		}
	}
	for _, sign := range []string{"lib/node_modules", "include/node/node.h", "pyvenv.cfg", "lib/python3*/os.py"} {
		if found, err := filepath.Glob(filepath.Join(escaped(prefix), filepath.FromSlash(sign))); err == nil && len(found) > 0 {
			return true
		}
	}
	return false
}

// escaped is a path as a pattern that matches only itself.
func escaped(path string) string {
	if os.PathSeparator == '\\' {
		return path // its patterns have no escapes, and [ is rare there
	}
	return strings.NewReplacer(`*`, `\*`, `?`, `\?`, `[`, `\[`, `\`, `\\`).Replace(path)
}

// isBelow tells whether a path is dir or in it.
func isBelow(path, dir string) bool {
	return path == dir || strings.HasPrefix(path, strings.TrimSuffix(dir, string(filepath.Separator))+string(filepath.Separator))
}
