package grant

import (
	"os"
	"path/filepath"

	"satchel/internal/problem"
)

// mostHops bounds links to links.
const mostHops = 16

// programs finds the granted programs: the path that each has in PATH or was granted by. Links are left in them: inside,
// a server calls a program by that name.
func (l *looker) programs(g Grant) ([]string, error) {
	var found []string
	for _, name := range g.Programs.Names {
		at := name
		if !filepath.IsAbs(name) {
			at = l.lookUp(name)
		}
		if at == "" {
			return nil, l.noProgram(name, "is not in PATH")
		}
		if err := l.program(g, name, at); err != nil {
			return nil, err
		}
		found = append(found, at)
	}
	return found, nil
}

func (l *looker) noProgram(name, why string) error {
	word := Item{KindRun, name}.String()
	p := problem.New(problem.NotFound, "grant/program", "%s", why).At(word).From("docs/permissions.md")
	if l.id == "" {
		return p.Try("install it first, or grant it by its path")
	}
	return p.Try("install it, or: %s", problem.Words("satchel", "permissions", l.id, "--revoke", word))
}

func (l *looker) lookUp(name string) string {
	endings := []string{""}
	if l.m.OS == "windows" {
		endings = []string{".exe", ".com", ".cmd", ".bat"}
	}
	for _, dir := range filepath.SplitList(l.m.env("PATH")) {
		for _, e := range endings {
			at := filepath.Join(dir, name+e)
			if filepath.IsAbs(dir) && l.runs(at) {
				return at
			}
		}
	}
	return ""
}

func (l *looker) runs(at string) bool {
	info, err := os.Stat(at)
	return err == nil && info.Mode().IsRegular() && (l.m.OS == "windows" || info.Mode()&0o111 != 0)
}

// program follows the links to a program. None may lie where the extension can write: it could lead to any program then.
func (l *looker) program(g Grant, name, at string) error {
	if !l.runs(at) {
		return l.noProgram(name, "is no program")
	}
	word := Item{KindRun, name}
	for range mostHops {
		dir, err := filepath.EvalSymlinks(filepath.Dir(at))
		if err != nil {
			return l.noProgram(name, "cannot be looked at")
		}
		at = filepath.Join(dir, filepath.Base(at))
		if Of(g.writes()...).Covers(Item{KindRead, at}) {
			return refuse(word, problem.New(problem.Refused, "grant/program-writable", "cannot run from a folder that the extension writes to: it could put any program there"))
		}
		for _, p := range l.protected {
			if p.Secret && l.m.within(at, p.Path) {
				return refuse(word, problem.New(problem.Refused, "grant/protected", "is in a protected place"))
			}
		}
		to, err := os.Readlink(at)
		if err != nil {
			return nil
		}
		if !filepath.IsAbs(to) {
			to = filepath.Join(dir, to)
		}
		at = filepath.Clean(to)
	}
	return l.noProgram(name, "is behind too many links")
}
