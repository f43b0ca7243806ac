package launch

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"satchel/internal/problem"
)

// findProgram gives the absolute path of a program. A bare name is looked for in PATH, of which only absolute entries
// count: the working folder and the bundle never provide "node". python and python3 stand in for each other.
func findProgram(name string, m Machine) (string, error) {
	if filepath.IsAbs(name) {
		return name, nil
	}
	names := []string{name}
	switch name {
	case "python":
		names = []string{"python3", "python"}
	case "python3":
		names = []string{"python3", "python"}
	}
	for _, n := range names {
		if path := lookPath(n, m); path != "" {
			return path, nil
		}
	}
	p := problem.New(problem.NotFound, "launch/program", "the extension needs this program, and this machine has none").At(name)
	return "", p.Try("%s", howToGet(name))
}

// lookPath passes a version manager's stand-in by when it cannot tell what that starts, as long as there is another one.
func lookPath(name string, m Machine) string {
	standIn := ""
	endings := []string{""}
	if m.OS == "windows" && filepath.Ext(name) == "" {
		endings = []string{".exe", ".cmd", ".bat", ".com"}
	}
	for _, dir := range filepath.SplitList(m.Getenv("PATH")) {
		if !filepath.IsAbs(dir) {
			continue
		}
		for _, end := range endings {
			path := filepath.Join(dir, name+end)
			if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && (m.OS == "windows" || info.Mode()&0o111 != 0) {
				if program := behindShim(path, m); program != "" {
					return program
				}
				if standIn == "" {
					standIn = path
				}
			}
		}
	}
	return standIn
}

func howToGet(name string) string {
	switch name {
	case "node", "npx", "npm":
		return "install Node.js: https://nodejs.org (Debian: apt-get install nodejs npm)"
	case "python", "python3":
		return "install Python: https://www.python.org (Debian: apt-get install python3)"
	case "uv", "uvx":
		return "install uv: https://docs.astral.sh/uv"
	}
	return "install it, or add its folder to PATH"
}

// telling are variables that change which code runs: a manifest that sets one is worth a line in the review.
func telling(key string) bool {
	upper := strings.ToUpper(key)
	return slices.Contains([]string{"PATH", "NODE_OPTIONS", "PYTHONSTARTUP", "PYTHONHOME", "BASH_ENV", "ENV", "PERL5OPT", "RUBYOPT"}, upper) ||
		strings.HasPrefix(upper, "LD_") || strings.HasPrefix(upper, "DYLD_")
}
