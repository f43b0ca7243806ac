package grant

import (
	"errors"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"

	"satchel/internal/paths"
)

// A Machine is what words of paths mean: which system it is, and whose folders there are.
type Machine struct {
	OS     string // a GOOS
	User   paths.User
	Dir    string                   // where relative paths start; empty: they are refused
	Own    []string                 // Satchel's own folders
	Getenv func(key string) string  // nil: nothing is set
	Real   func(path string) string // gives a path that answers name without links; nil: paths stay as they are
}

// Here is the machine that this program runs on. Its folders are the real ones, so that what was resolved is compared
// with them: /home is a link on some systems.
func Here(home paths.Home, dir string, getenv func(key string) string) Machine {
	m := Machine{OS: runtime.GOOS, User: paths.Real(runtime.GOOS, getenv), Dir: dir, Getenv: getenv, Real: realPath}
	f := finder{m: m, dirs: map[string]*folder{}}
	for _, p := range []*string{&m.User.Home, &m.User.Desktop, &m.User.Documents, &m.User.Downloads} {
		if m.absolute(*p) {
			*p, _ = f.find(filepath.Clean(*p))
		}
	}
	for _, p := range []string{home.Data, home.Config, home.Cache} {
		if m.absolute(p) {
			real, _ := f.find(filepath.Clean(p))
			m.Own = append(m.Own, real)
		}
	}
	return m
}

// realPath gives a path without links; as it is when nothing is there.
func realPath(path string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	return path
}

func (m Machine) real(path string) string {
	if m.Real == nil {
		return path
	}
	return m.Real(path)
}

func (m Machine) env(key string) string {
	if m.Getenv == nil {
		return ""
	}
	return m.Getenv(key)
}

// path gives the absolute and clean form of a path that a person typed. It looks at no file.
func (m Machine) path(v string) (string, error) {
	if rest, ok := strings.CutPrefix(v, "~"); ok {
		if rest != "" && !m.separates(rest[0]) {
			return "", errors.New("the home of another user cannot be granted")
		}
		v = m.User.Home + rest
	} else if m.Dir != "" && !m.absolute(v) && !m.separates(v[0]) && !strings.Contains(v, ":") {
		v = m.join(m.Dir, v)
	}
	return m.clean(v)
}

func (m Machine) separates(c byte) bool { return c == '/' || m.OS == "windows" && c == '\\' }

func (m Machine) absolute(v string) bool {
	if m.OS != "windows" {
		return strings.HasPrefix(v, "/")
	}
	return len(v) > 2 && (v[0]|0x20) >= 'a' && (v[0]|0x20) <= 'z' && v[1] == ':' && m.separates(v[2])
}

// join puts a slash-separated path below a folder.
func (m Machine) join(dir, below string) string {
	if m.OS == "windows" {
		return strings.TrimSuffix(dir, `\`) + `\` + strings.ReplaceAll(below, "/", `\`)
	}
	return strings.TrimSuffix(dir, "/") + "/" + below
}

// clean gives the one form of an absolute path. Forms that name something else than what they show are refused.
func (m Machine) clean(v string) (string, error) {
	const most = 4096
	if len(v) > most {
		return "", errors.New("is longer than any path")
	}
	if err := plainText(v); err != nil {
		return "", err
	}
	if m.OS == "windows" && (strings.HasPrefix(v, `\\`) || strings.HasPrefix(v, "//")) {
		return "", errors.New("a folder of the network or a device cannot be granted")
	}
	if !m.absolute(v) {
		return "", errors.New("is no absolute path")
	}
	if m.OS != "windows" {
		return path.Clean(v), nil
	}
	names := strings.FieldsFunc(v[2:], func(r rune) bool { return r == '/' || r == '\\' })
	for _, n := range names {
		if n != "." && n != ".." && windowsTrap(n) {
			return "", errors.New("has a name that Windows reads as another one")
		}
	}
	clean := path.Clean("/" + strings.Join(names, "/"))
	return strings.ToUpper(v[:2]) + strings.ReplaceAll(clean, "/", `\`), nil
}

// windowsTrap tells whether Windows takes a name for another one: it drops dots and spaces at the end, reads a colon as
// a stream of the file, and CON.txt as a device.
func windowsTrap(name string) bool {
	if strings.ContainsAny(name, `<>:"|?*`) || strings.HasSuffix(name, ".") || strings.HasSuffix(name, " ") {
		return true
	}
	stem, _, _ := strings.Cut(strings.ToUpper(name), ".")
	stem = strings.TrimRight(stem, " ")
	if len(stem) > 3 && (strings.HasPrefix(stem, "COM") || strings.HasPrefix(stem, "LPT")) {
		return strings.Contains("0123456789¹²³", stem[3:])
	}
	return slices.Contains([]string{"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"}, stem)
}

// inside tells whether a clean path is another one or below it. The form of the paths says which system's they are.
func inside(p, dir string) bool {
	if p == dir {
		return true
	}
	sep := "/"
	if !strings.HasPrefix(dir, "/") {
		sep = `\`
	}
	return strings.HasPrefix(p, strings.TrimSuffix(dir, sep)+sep)
}

// within is inside as the system's files are named: on macOS and Windows in any case and composition.
func (m Machine) within(p, dir string) bool { return inside(m.key(p), m.key(dir)) }

// key is the one form of a path's names that the system takes for the same. Upper case first: it takes the long s and the
// like to the plain letter.
func (m Machine) key(p string) string {
	switch {
	case m.OS != "darwin" && m.OS != "windows":
		return p
	case isASCII(p):
		return strings.ToLower(p)
	}
	return strings.ToLower(strings.ToUpper(norm.NFD.String(p)))
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] > 0x7f {
			return false
		}
	}
	return true
}

// parent gives the folder above; a root is its own.
func (m Machine) parent(p string) string {
	if m.OS != "windows" {
		return path.Dir(p)
	}
	i := strings.LastIndexByte(p, '\\')
	return p[:max(i, min(3, len(p)))]
}
