package grant

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"satchel/internal/problem"
)

// socket finds where a granted socket is, and refuses what may not be granted. Whose it is does not count: services have
// users of their own.
func (l *looker) socket(path string) (real string, err error) {
	i := Item{KindSocket, path}
	if clean, err := l.m.clean(path); err != nil || clean != path {
		return "", refuse(i, problem.New(problem.Refused, "grant/path", "is no clean absolute path"))
	}
	if why := l.fence.forbidsSocket(path); why != "" {
		return "", refuse(i, problem.New(problem.Refused, "grant/protected", "%s", why))
	}
	real, err = filepath.EvalSymlinks(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", l.missing(i)
	case err != nil:
		return "", refuse(i, problem.New(problem.Refused, "grant/path", "cannot be looked at").Because(err))
	}
	if why := l.fence.forbidsSocket(real); why != "" {
		return "", refuse(i, problem.New(problem.Refused, "grant/protected", "leads to %s, which %s", real, why))
	}
	info, err := os.Lstat(real)
	switch {
	case err != nil:
		return "", refuse(i, problem.New(problem.Refused, "grant/path", "cannot be looked at").Because(err))
	case info.Mode()&fs.ModeSocket == 0:
		return "", refuse(i, problem.New(problem.Refused, "grant/kind", "is no socket"))
	}
	for _, p := range l.places {
		if p.Secret && os.SameFile(info, p.info) {
			return "", refuse(i, problem.New(problem.Refused, "grant/protected", "is %s under another name, a protected place", p.Path))
		}
	}
	return real, nil
}

// openable refuses what means something to authors, and what no sandbox gives.
func openable(d Desktop) error {
	for _, f := range []struct {
		set  bool
		kind Kind
	}{{d.Clipboard, KindClipboard}, {d.Display, KindDisplay}, {d.DBus, KindDBus}} {
		if f.set {
			return problem.New(problem.Refused, "grant/shut", "%s", shut).At(string(f.kind)).From("docs/permissions.md").
				Try("leave it out: the extension starts without it")
		}
	}
	return nil
}
