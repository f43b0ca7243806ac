package sandbox

import (
	"path"
	"path/filepath"
	"slices"
	"strings"

	"satchel/internal/problem"
)

// grantable refuses what a grant of files cannot mean: the parts of the root that a world has of its own.
func grantable(name string) error {
	for _, own := range []string{"/proc", "/sys", "/dev", "/run"} {
		if isBelow(name, own) {
			return problem.New(problem.Refused, "sandbox/system-folder", "cannot be granted").At(name).From("docs/sandbox.md").Try("grant a folder with files of yours")
		}
	}
	if name == "/" || path.Clean(name) != name || !path.IsAbs(name) {
		return problem.New(problem.Refused, "sandbox/system-folder", "cannot be granted").At(name).From("docs/sandbox.md").Try("grant a folder with files of yours")
	}
	return nil
}

// between gives the folders below outer on the way to inner, outer ones first, without both.
func between(outer, inner string) (dirs []string) {
	for dir := path.Dir(inner); isBelow(dir, outer) && dir != outer; dir = path.Dir(dir) {
		dirs = append(dirs, dir)
	}
	slices.Reverse(dirs)
	return dirs
}

// isBelow tells whether a path is another one or below it.
func isBelow(name, dir string) bool {
	return name == dir || dir == "/" || strings.HasPrefix(name, dir+"/")
}

func realPath(name string) (string, error) { return filepath.EvalSymlinks(name) }
