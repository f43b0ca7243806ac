package mcpb

import (
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"satchel/internal/problem"
)

// checkName refuses names that could be written anywhere but at one place below the folder. raw is the stored name; a
// folder's ends with a slash.
func checkName(raw string) *problem.Problem {
	name := strings.TrimSuffix(raw, "/")
	switch {
	case name == "":
		return refuse("bundle/empty-name", raw, "has an empty name")
	case strings.Contains(name, `\`):
		return refuse("bundle/backslash", raw, "has a backslash in its name")
	case strings.ContainsFunc(name, unicode.IsControl):
		return refuse("bundle/control-character", raw, "has a control character in its name")
	case name[0] == '/', len(name) >= 2 && name[1] == ':' && isLetter(name[0]):
		return refuse("bundle/absolute-name", raw, "has an absolute name")
	case len(name) > maxName:
		return refuse("bundle/long-name", raw[:64]+"...", "has a name of %d bytes, the limit is %d", len(name), maxName)
	}
	for part := range strings.SplitSeq(name, "/") {
		switch {
		case part == "..":
			return refuse("bundle/path-traversal", raw, "leads out of the folder")
		case part == "" || part == ".":
			return refuse("bundle/empty-name", raw, "has an empty or dot part in its name")
		case len(part) > maxPart:
			return refuse("bundle/long-name", part[:64]+"...", "has a part of %d bytes in its name, the limit is %d", len(part), maxPart)
		}
	}
	return nil
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// PortableName tells whether every system can hold name: a *[Problem] when Windows reserves it. Hosts refuse such a
// bundle on installing it; packers warn. The rule is Microsoft's "Naming Files, Paths, and Namespaces".
func PortableName(name string) error {
	for part := range strings.SplitSeq(name, "/") {
		if reserved(part) {
			return refuse("bundle/reserved-name", name, "has a name that Windows cannot hold")
		}
	}
	return nil
}

func reserved(part string) bool {
	if strings.ContainsAny(part, `<>:"|?*`) || strings.HasSuffix(part, ".") || strings.HasSuffix(part, " ") {
		return true
	}
	stem, _, _ := strings.Cut(strings.ToUpper(part), ".")
	switch stem = strings.TrimRight(stem, " "); stem {
	case "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$":
		return true
	}
	digit, isPort := strings.CutPrefix(stem, "COM")
	if !isPort {
		digit, isPort = strings.CutPrefix(stem, "LPT")
	}
	return isPort && strings.Contains("|0|1|2|3|4|5|6|7|8|9|¹|²|³|", "|"+digit+"|") && digit != ""
}

// A nameSet finds names that are one file on some system: the same, or the same but for case or Unicode form.
type nameSet struct {
	fold  cases.Caser
	seen  map[string]seenName // by folded name, of files, folders, and all folders on the way
	known map[string]bool     // folders whose spelling was checked already
}

type seenName struct {
	name     string
	dir      bool
	explicit bool // an entry of its own, not only on the way to another
}

func newNameSet(n int) *nameSet {
	return &nameSet{cases.Fold(), make(map[string]seenName, n), map[string]bool{}}
}

// add takes the entry in, or says what it collides with.
func (s *nameSet) add(e *entry) *problem.Problem {
	parent := strings.LastIndexByte(e.name, '/')
	for i := 1; i <= parent && !s.known[e.name[:parent]]; i++ {
		if e.name[i] != '/' {
			continue
		}
		if p := s.put(seenName{e.name[:i], true, false}); p != nil {
			return p
		}
		if i == parent {
			s.known[e.name[:parent]] = true
		}
	}
	return s.put(seenName{e.name, e.dir, true})
}

func (s *nameSet) put(n seenName) *problem.Problem {
	key := s.key(n.name)
	old, found := s.seen[key]
	switch {
	case !found:
		s.seen[key] = n
	case old.name != n.name:
		return refuse("bundle/name-collision", n.name, "is the same file as %q on systems that ignore case or Unicode form", old.name)
	case old.dir != n.dir:
		return refuse("bundle/file-as-folder", n.name, "is both a file and a folder")
	case old.explicit && n.explicit:
		return refuse("bundle/duplicate-name", n.name, "is in the archive twice")
	case n.explicit:
		s.seen[key] = n
	}
	return nil
}

// key folds case and Unicode form; most names are plain ASCII, for which that is cheap.
func (s *nameSet) key(name string) string {
	for i := range len(name) {
		if name[i] >= 0x80 {
			return norm.NFC.String(s.fold.String(norm.NFC.String(name)))
		}
	}
	return strings.ToLower(name)
}
