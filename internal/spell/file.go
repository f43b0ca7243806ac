package spell

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
)

// Hint says what to do about a path that is not there: take the one that was most likely meant, or correct it.
func Hint(path string) string {
	if near := beside(path); near != "" {
		return "did you mean " + near + "?"
	}
	return "correct the name; it was looked for in " + folder(path)
}

// beside gives the path of the file or folder that was most likely meant by a path that is not there: one in the same
// folder whose name is near, or that is the same but for the ending. It is "" when there is none.
func beside(path string) string {
	names := namesIn(filepath.Dir(path))
	base := filepath.Base(path)
	near := Nearest(base, names)
	for _, name := range names {
		if near == "" && stem(name) == stem(base) && stem(name) != "" {
			near = name
		}
	}
	if near == "" || near == base {
		return ""
	}
	return filepath.Join(filepath.Dir(path), near)
}

func stem(name string) string { return name[:len(name)-len(filepath.Ext(name))] }

// namesIn lists some of a folder; what cannot be read has no names, and names that would break a line are nobody's wish.
func namesIn(dir string) []string {
	info, err := os.Stat(dir)
	if err != nil || !info.IsDir() { // to open a pipe would wait for its writer
		return nil
	}
	f, err := os.Open(dir)
	if err != nil {
		return nil
	}
	defer f.Close()
	names, err := f.Readdirnames(maxWords)
	if err != nil {
		return nil
	}
	slices.Sort(names)
	return slices.DeleteFunc(names, func(name string) bool { return strings.ContainsFunc(name, unicode.IsControl) })
}

// folder gives the absolute path of the nearest folder above a path that is there.
func folder(path string) string {
	abs, err := filepath.Abs(path)
	if err != nil {
		return filepath.Dir(path)
	}
	for dir := filepath.Dir(abs); ; dir = filepath.Dir(dir) {
		if info, err := os.Stat(dir); err == nil && info.IsDir() || dir == filepath.Dir(dir) {
			return dir
		}
	}
}
