package sandbox

import (
	"errors"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"satchel/internal/problem"
)

// grantable refuses what a grant of files cannot mean: the parts of the root that a world has of its own.
func grantable(name string) error {
	for _, own := range []string{"/proc", "/sys", "/dev", "/run"} { // a world of its own has others
		if isBelow(name, own) {
			return notGrantable(name)
		}
	}
	if filepath.Dir(name) == name || filepath.Clean(name) != name || !filepath.IsAbs(name) {
		return notGrantable(name)
	}
	return nil
}

func notGrantable(name string) error {
	return problem.New(problem.Refused, "sandbox/system-folder", "cannot be granted").At(name).From("docs/sandbox.md").Try("grant a folder with files of yours")
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
	const separator = string(filepath.Separator)
	if separator == `\` { // Windows tells no cases apart
		name, dir = strings.ToLower(name), strings.ToLower(dir)
	}
	return name == dir || strings.HasPrefix(name, strings.TrimSuffix(dir, separator)+separator)
}

func realPath(name string) (string, error) { return filepath.EvalSymlinks(name) }

// The limits where a grant names none.
const (
	defaultProcesses = 256
	defaultFiles     = 4096
)

func or[T int | int64](v, def T) T {
	if v > 0 {
		return v
	}
	return def
}

func failed(c Command, err error) error {
	if p, ok := errors.AsType[*problem.Problem](err); ok {
		return p
	}
	return problem.New(problem.Failed, "sandbox/start", "the server cannot be started in its sandbox").At(c.Path).Because(err).Try("satchel doctor --sandbox")
}
