package dropin

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"satchel/internal/term"
	"satchel/mcpb"
	"satchel/mcpb/manifest"
)

// sayPacked prints what the reference prints of a bundle that was packed. Warnings, which it has none of, go to the
// error stream.
func (s *session) sayPacked(m *manifest.Manifest, r *mcpb.PackReport, sum, out string) {
	for _, w := range r.Warnings {
		s.complain("warning: %s", term.VisibleLine(w))
	}
	name, version := term.VisibleLine(m.Name), term.VisibleLine(m.Version)
	s.say("\n📦  %s@%s", name, version)
	s.say("Archive Contents")
	for _, l := range listing(r.Plan.Files) {
		s.say("%8s %s", fileSize(l.size), term.VisibleLine(l.path))
	}
	s.say("\nArchive Details")
	s.say("name: %s", name)
	s.say("version: %s", version)
	s.say("filename: %s-%s.mcpb", fileName(m.Name), version)
	s.say("package size: %s", fileSize(r.Size))
	s.say("unpacked size: %s", fileSize(r.BytesIn))
	s.say("shasum: %s", sum)
	s.say("total files: %d", r.Files)
	s.say("ignored (.mcpbignore) files: %d", r.Ignored)
	s.say("\nOutput: %s", term.VisibleLine(out))
}

// A listed is a line of the list of files: a file, or all files of a deep folder.
type listed struct {
	path  string
	size  int64
	files int
}

// listing gives the lines: files in at most two folders first, then one line for the files of each third folder.
func listing(files []mcpb.PackedFile) []listed {
	order, keys := newCollation(), make(map[string]sortKey, len(files))
	for _, f := range files {
		keys[f.Name] = order.key(f.Name)
	}
	files = slices.SortedStableFunc(slices.Values(files), func(a, b mcpb.PackedFile) int { return keys[a.Name].compare(keys[b.Name]) })
	var shallow, groups []listed
	at := map[string]int{}
	for _, f := range files {
		parts := strings.Split(f.Name, "/")
		if len(parts) <= 3 {
			shallow = append(shallow, listed{f.Name, f.Size, 1})
			continue
		}
		key := strings.Join(parts[:3], "/")
		i, known := at[key]
		if !known {
			i, at[key] = len(groups), len(groups)
			groups = append(groups, listed{path: f.Name})
		}
		groups[i].size += f.Size
		groups[i].files++
	}
	for i, g := range groups {
		if g.files > 1 {
			key := strings.Join(strings.Split(g.path, "/")[:3], "/")
			groups[i].path = fmt.Sprintf("%s/ [and %d more files]", key, g.files)
		}
	}
	return append(shallow, groups...)
}

// fileSize writes bytes as the reference does: in units of 1024, with one decimal, a half rounded up.
func fileSize(n int64) string {
	switch {
	case n < 1<<10:
		return fmt.Sprintf("%dB", n)
	case n < 1<<20:
		return decimal(n, 1<<10, 1) + "kB"
	}
	return decimal(n, 1<<20, 1) + "MB"
}

// decimal writes n/unit with some decimals, a half rounded up.
func decimal(n, unit int64, decimals int) string {
	scale := int64(1)
	for range decimals {
		scale *= 10
	}
	v := n/unit*scale + (n%unit*scale+unit/2)/unit
	return fmt.Sprintf("%d.%0*d", v/scale, decimals, v%scale)
}

// fileName makes of an extension's name what the reference proposes as the name of the bundle.
func fileName(name string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(name) {
		if unicode.IsSpace(r) {
			r = '-'
		}
		known := r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '_' || r == '.'
		if known || r == '-' && !strings.HasSuffix(b.String(), "-") {
			b.WriteRune(r)
		}
	}
	text := strings.Trim(b.String(), "-")
	return text[:min(len(text), 100)]
}

// alphabet is how Unicode's collation orders ASCII; case counts only between what is else the same, small letters first.
const alphabet = " _-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$0123456789aAbBcCdDeEfFgGhHiIjJkKlLmMnNoOpPqQrRsStTuUvVwWxXyYzZ"

// A collation gives the weight of each ASCII character: the first of its letter, the second of its case.
type collation [128][2]int

func newCollation() *collation {
	var c collation
	for i, r := range alphabet {
		c[r] = [2]int{i, 0}
		if r >= 'A' && r <= 'Z' {
			c[r] = [2]int{c[r-'A'+'a'][0], 1}
		}
	}
	return &c
}

// A sortKey is what a name is sorted by: its letters, then their marks, then their case.
type sortKey struct{ letters, marks, cases []int }

// key makes the sort key of a name, as the reference's localeCompare does; letters beyond ASCII that are not such a one
// with a mark come last, by code point.
func (c *collation) key(name string) (k sortKey) {
	for _, r := range norm.NFD.String(name) {
		switch {
		case unicode.Is(unicode.Mn, r) && len(k.marks) > 0:
			k.marks[len(k.marks)-1] = k.marks[len(k.marks)-1]*31 + int(r)
			continue
		case r < 128:
			k.letters, k.cases = append(k.letters, c[r][0]), append(k.cases, c[r][1])
		default:
			k.letters, k.cases = append(k.letters, len(alphabet)+int(r)), append(k.cases, 0)
		}
		k.marks = append(k.marks, 0)
	}
	return k
}

func (k sortKey) compare(l sortKey) int {
	return cmp.Or(slices.Compare(k.letters, l.letters), slices.Compare(k.marks, l.marks), slices.Compare(k.cases, l.cases))
}
