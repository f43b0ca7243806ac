package mcpb

import (
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"satchel/internal/problem"
)

// checkName holds a name that is to be packed to the default limits.
func checkName(raw string) *problem.Problem { return DefaultLimits().checkName(raw) }

// checkName refuses names that could be written anywhere but at one place below the folder, and names that do not show
// as what they are. raw is the stored name; a folder's ends with a slash.
func (l Limits) checkName(raw string) *problem.Problem {
	name := strings.TrimSuffix(raw, "/")
	switch {
	case name == "":
		return refuse("bundle/empty-name", raw, "has an empty name")
	case len(name) > l.NameBytes:
		return refuse("bundle/long-name", clip(raw), "has a name of %d bytes, the limit is %d", len(name), l.NameBytes)
	case strings.Contains(name, `\`):
		return refuse("bundle/backslash", raw, "has a backslash in its name")
	case strings.ContainsFunc(name, isControl):
		return refuse("bundle/control-character", raw, "has a control or bidirectional character in its name")
	case name[0] == '/', len(name) >= 2 && name[1] == ':' && isLetter(name[0]):
		return refuse("bundle/absolute-name", raw, "has an absolute name")
	}
	for part := range strings.SplitSeq(name, "/") {
		switch {
		case part == "..":
			return refuse("bundle/path-traversal", raw, "leads out of the folder")
		case part == "" || part == ".":
			return refuse("bundle/empty-name", raw, "has an empty or dot part in its name")
		case len(part) > l.ComponentBytes:
			return refuse("bundle/long-name", clip(part), "has a part of %d bytes in its name, the limit is %d", len(part), l.ComponentBytes)
		}
	}
	return nil
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

func isControl(r rune) bool {
	if r < 0x80 {
		return r < 0x20 || r == 0x7f
	}
	return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029'
}

// clip shortens a name for a message.
func clip(name string) string {
	if len(name) > 64 {
		return name[:64] + "..."
	}
	return name
}

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
	stem = strings.TrimRight(stem, " ") // "CON .txt" opens the console too
	switch stem {
	case "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$":
		return true
	}
	if len(stem) < 4 || stem[:3] != "COM" && stem[:3] != "LPT" {
		return false
	}
	switch stem[3:] { // Windows takes superscript digits for digits
	case "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "\u00b9", "\u00b2", "\u00b3":
		return true
	}
	return false
}

// A nameSet finds names that are one file on some system: the same, or the same but for case or Unicode form. Names are
// compared part by part below their folder, so that a deep name costs its length and not its square.
type nameSet struct {
	fold    cases.Caser
	limit   int // of names, with the folders on the way
	seen    map[foldedName]seenName
	folders map[string]folderID // by name as spelt, with the folders on the way
}

// A folderID numbers the folders in the order in which they were met; the top is 0.
type folderID int32

// A foldedName is what names that are one file have in common: their folder, and the last part folded.
type foldedName struct {
	folder folderID
	part   string
}

type seenName struct {
	name     string
	id       folderID // 0 for a file
	explicit bool     // an entry of its own, not only on the way to another
}

// newNameSet makes a set for about so many entries; its limit is the default one.
func newNameSet(entries int) *nameSet {
	return &nameSet{cases.Fold(), DefaultLimits().Entries, make(map[foldedName]seenName, entries), map[string]folderID{}}
}

// add takes the entry in, or says what it collides with. A folder is looked at once, however many files it holds, so
// that the cost is bounded by the number of different names.
func (s *nameSet) add(e *entry) *problem.Problem {
	parent := strings.LastIndexByte(e.name, '/')
	known, in := parent, folderID(0)
	for known > 0 {
		if in = s.folders[e.name[:known]]; in != 0 {
			break
		}
		known = strings.LastIndexByte(e.name[:known], '/')
	}
	for i := known + 1; i <= parent; i++ {
		if e.name[i] != '/' {
			continue
		}
		var p *problem.Problem
		if in, p = s.put(in, e.name[:i], true, false); p != nil {
			return p
		}
	}
	_, p := s.put(in, e.name, e.dir, true)
	return p
}

// put takes a name in a folder in, and gives the number of the folder that it is, if it is one.
func (s *nameSet) put(in folderID, name string, dir, explicit bool) (folderID, *problem.Problem) {
	key := foldedName{in, s.folded(name[strings.LastIndexByte(name, '/')+1:])}
	n, found := s.seen[key]
	switch {
	case !found && len(s.seen) >= s.limit:
		return 0, refuse("bundle/limit-entries", "", "has more files and folders than the limit of %d", s.limit)
	case !found && dir:
		n.id = folderID(len(s.folders) + 1)
		s.folders[name] = n.id
	case !found:
	case n.name != name:
		return 0, refuse("bundle/name-collision", name, "is the same file as %q on systems that ignore case or Unicode form", clip(n.name))
	case n.id != 0 != dir:
		return 0, refuse("bundle/file-as-folder", name, "is both a file and a folder")
	case n.explicit && explicit:
		return 0, refuse("bundle/duplicate-name", name, "is in the archive twice")
	}
	n.name, n.explicit = name, n.explicit || explicit
	s.seen[key] = n
	return n.id, nil
}

// folded folds case and Unicode form (canonical caseless matching, Unicode 3.13 D145) and drops what HFS+ ignores; most
// names are plain ASCII, for which that is cheap.
func (s *nameSet) folded(part string) string {
	for i := range len(part) {
		if part[i] >= 0x80 {
			return norm.NFD.String(s.fold.String(norm.NFD.String(strings.Map(dropIgnored, part))))
		}
	}
	return strings.ToLower(part)
}

// dropIgnored drops the invisible characters that HFS+ does not compare (Apple TN1150) and that names may have.
func dropIgnored(r rune) rune {
	if r == '\u200c' || r == '\u200d' || r >= '\u206a' && r <= '\u206f' || r == '\ufeff' {
		return -1
	}
	return r
}
