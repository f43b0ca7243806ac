package manifest

import (
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"satchel/internal/jsonedit"
	"satchel/internal/spell"
)

// A repair is the change that mends a finding. A finding has one only where nobody would read the manifest otherwise: no
// text is invented, and of two ways none is taken.
type repair struct {
	edits         []jsonedit.Edit
	cuts          [][2]int // bytes to take out
	before, after string   // for the person, as JSON
	touches       []string // the paths that it changes; the second is a new name
}

// by puts a repair beside a finding, which may be one that is not kept.
func (f *Finding) by(r *repair) {
	if f != nil && r != nil {
		f.repair, f.Fixable = r, true
	}
}

// trailingCommas takes out every comma before } or ]; the text is no JSON, but its strings end where they do in JSON.
func trailingCommas(data []byte) *repair {
	r := &repair{}
	comma, inText := -1, false // where a comma is, behind which only blanks have come
	for i := 0; i < len(data); i++ {
		switch b := data[i]; {
		case inText && b == '\\':
			i++
		case b == '"':
			inText, comma = !inText, -1
		case inText || b == ' ' || b == '\t' || b == '\r' || b == '\n':
		case b == ',':
			comma = i
		default:
			if comma >= 0 && (b == '}' || b == ']') {
				r.cuts = append(r.cuts, [2]int{comma, comma + 1})
			}
			comma = -1
		}
	}
	r.before = fmt.Sprintf("%d commas before } or ]", len(r.cuts))
	return r
}

// set gives a place another value.
func (c *checker) set(n *node, p *place, value any) *repair {
	if n.kind == kObject || n.kind == kArray {
		return nil // too much to throw away
	}
	return &repair{
		edits: []jsonedit.Edit{jsonedit.Set(p.path(), value)}, touches: []string{p.String()},
		before: c.raw(n), after: asJSON(value),
	}
}

func (c *checker) raw(n *node) string { return string(c.data[n.start:n.end]) }

func asJSON(value any) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if enc.Encode(value) != nil {
		return ""
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func (c *checker) deleted(m *member, p *place) *repair {
	return &repair{edits: []jsonedit.Edit{jsonedit.Delete(p.path())}, touches: []string{p.String()}, before: string(c.data[m.start:m.val.end])}
}

// saidBefore tells whether another item of the list that n is in says meant, or stands before n and means it.
func (c *checker) saidBefore(s *shape, n *node, meant string) bool {
	const most = 100 // a list of more is no list of platforms
	return len(c.list.items) <= most && slices.ContainsFunc(c.list.items, func(other *node) bool {
		return other.kind == kString && (other.str == meant || other.start < n.start && s.meant(other.str, c.version) == meant)
	})
}

// dropped takes an item of a list away.
func (c *checker) dropped(n *node, p *place) *repair {
	return &repair{edits: []jsonedit.Edit{jsonedit.Delete(p.path())}, touches: []string{p.String()}, before: c.raw(n)}
}

// deduped takes away what a key given several times says before the last time, when it says the same each time.
func (c *checker) deduped(n *node, m *member, p *place) *repair {
	if c.others > maxFindings {
		return nil // nobody will see it
	}
	last := n.get(m.key)
	for i := range n.members {
		if other := &n.members[i]; other.key == m.key && !c.sameValue(other.val, last) {
			return nil
		}
	}
	at := p.key(m.key)
	return &repair{edits: []jsonedit.Edit{jsonedit.Dedupe(at.path())}, touches: []string{at.String()}, before: string(c.data[m.start:m.val.end])}
}

// sameValue compares two values; numbers as they are written, because a float64 does not tell all of them apart.
func (c *checker) sameValue(a, b *node) bool {
	if a.kind != b.kind || a.str != b.str || len(a.items) != len(b.items) || len(a.members) != len(b.members) {
		return false
	}
	if a.kind == kNumber || a.kind == kBool {
		return c.raw(a) == c.raw(b)
	}
	for i := range a.items {
		if !c.sameValue(a.items[i], b.items[i]) {
			return false
		}
	}
	for i := range a.members {
		if a.members[i].key != b.members[i].key || !c.sameValue(a.members[i].val, b.members[i].val) {
			return false
		}
	}
	return true
}

// renamed gives a misspelt key the name that was meant: it is no key of a later version, one name only is near, no key
// has it, and the value fits or can be made to.
func (c *checker) renamed(s *shape, n *node, m *member, p *place) *repair {
	var names []string
	for _, f := range s.fields {
		if f.since <= c.version {
			names = append(names, f.name)
		}
	}
	near := spell.Only(m.key, names)
	f, known := s.find(near)
	if _, later := s.find(m.key); later || !known || n.get(near) != nil {
		return nil
	}
	at := p.key(m.key)
	r := c.renamedTo(near, m, at, p.key(near))
	if len(f.shape.kinds) == 0 || slices.Contains(f.shape.kinds, m.val.kind) {
		return r
	}
	more := c.converted(f.shape, m.val, at)
	if more == nil {
		return nil
	}
	r.edits = append(r.edits, more.edits...)
	r.before, r.after = r.before+": "+more.before, r.after+": "+more.after
	return r
}

func (c *checker) renamedTo(name string, m *member, from, to *place) *repair {
	return &repair{
		edits: []jsonedit.Edit{jsonedit.Rename(from.path(), name)}, touches: []string{from.String(), to.String()},
		before: string(c.data[m.start:m.end]), after: asJSON(name),
	}
}

// converted writes a value of the wrong type as one of the right type, where it has one reading.
func (c *checker) converted(s *shape, n *node, p *place) *repair {
	value := c.reading(s, n)
	if value == nil {
		return nil
	}
	return c.set(n, p, value)
}

// reading gives a value as its shape wants it; nil when there is none, or more than one.
func (c *checker) reading(s *shape, n *node) any {
	takes := func(k kind) bool { return slices.Contains(s.kinds, k) }
	raw := c.raw(n)
	switch {
	case n.kind == kString && takes(kBool) && (n.str == "true" || n.str == "false"),
		n.kind == kString && takes(kNumber) && isPlainNumber(n.str):
		return json.RawMessage(n.str)
	case (n.kind == kNumber && isPlainNumber(raw) || n.kind == kBool && s.asWritten) && takes(kString) && s.takesText(raw, c.version):
		return raw
	case n.kind == kString && takes(kArray) && slices.Contains(s.elem.kinds, kString) && !strings.ContainsAny(n.str, " ,;\t\r\n"):
		return c.listOf(s.elem, n.str)
	case n.kind == kString && takes(kObject) && s.form != nil:
		return s.form(n.str)
	}
	return nil
}

func (c *checker) listOf(elem *shape, text string) any {
	if meant := elem.meant(text, c.version); meant != "" {
		text = meant
	}
	if text == "" || !elem.takesText(text, c.version) {
		return nil
	}
	return []string{text}
}

// takesText tells whether the shape has nothing against a text.
func (s *shape) takesText(text string, v version) bool {
	allowed := len(s.enum) == 0 || slices.ContainsFunc(s.enum, func(e enumValue) bool { return e.value == text && e.since <= v })
	return allowed && (s.format == nil || s.format.ok(text))
}

// meant gives the allowed value that a text stands for: one of its other names, or the only one that is near.
func (s *shape) meant(text string, v version) string {
	var allowed []string
	for _, e := range s.enum {
		if e.since > v {
			continue
		}
		if slices.Contains(e.also, strings.ToLower(strings.TrimSpace(text))) {
			return e.value
		}
		allowed = append(allowed, e.value)
	}
	return spell.Only(text, allowed)
}

// isPlainNumber takes a number as people write it, without an exponent or needless zeros.
func isPlainNumber(s string) bool {
	return len(s) <= 20 && regexp.MustCompile(`^-?(0|[1-9]\d*)(\.\d+)?$`).MatchString(s)
}

// convertedDefault writes a default as its option's type wants it.
func (c *checker) convertedDefault(d *node, typ string, p *place) *repair {
	wants := map[string]*shape{String: text(), Number: of(kNumber), Boolean: of(kBool)}[typ]
	if wants == nil || slices.Contains(wants.kinds, d.kind) {
		return nil
	}
	return c.converted(wants, d, p)
}

// authorOf reads an author as package.json has it: Name <email> (url).
func authorOf(text string) any {
	author := Author{Name: strings.TrimSpace(text)}
	m := regexp.MustCompile(`^([^<>()]+?)\s*(?:<([^<>()]*)>)?\s*(?:\(([^<>()]*)\))?$`).FindStringSubmatch(author.Name)
	if m != nil && (m[2] == "" || isEmail(m[2])) && (m[3] == "" || isURL(m[3])) {
		author = Author{Name: m[1], Email: m[2], URL: m[3]}
	}
	if author.Name == "" {
		return nil
	}
	return author
}

// repositoryOf takes the address of a repository; short forms such as "user/name" say too little.
func repositoryOf(text string) any {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || !isURL(text) || !slices.Contains([]string{"https", "http", "git", "ssh", "git+https", "git+ssh"}, u.Scheme) {
		return nil
	}
	return Repository{Type: "git", URL: text}
}

// versionKey takes the version from a key whose name is misspelt.
func (c *checker) versionKey(root *node) *repair {
	var found []*repair
	root.each(func(m *member) {
		_, known := versionOf(m.val.str)
		near := spell.Only(m.key, []string{"manifest_version", "dxt_version"})
		if known && m.val.kind == kString && near != "" {
			found = append(found, c.renamedTo(near, m, top(m.key), top(near)))
		}
	})
	if len(found) != 1 {
		return nil
	}
	return found[0]
}

// versionValue reads a version that is written as a number, with a v before it or with a third number.
func (c *checker) versionValue(n *node, p *place) *repair {
	text := strings.TrimPrefix(strings.TrimSpace(n.str), "v")
	if n.kind == kNumber {
		text = c.raw(n)
	}
	if strings.Count(text, ".") == 2 {
		text = strings.TrimSuffix(text, ".0")
	}
	if _, known := versionOf(text); !known {
		return nil
	}
	return c.set(n, p, text)
}

// variable writes another name into ${}.
func (c *checker) variable(n *node, p *place, name, meant string) *repair {
	if meant == "" {
		return nil
	}
	from, to := "${"+name+"}", "${"+meant+"}"
	text := strings.ReplaceAll(n.str, from, to)
	if text == n.str {
		return nil
	}
	var value any = text
	raw, check := strings.ReplaceAll(c.raw(n), from, to), "" // the escapes of the rest stay as they are
	if json.Unmarshal([]byte(raw), &check) == nil && check == text {
		value = json.RawMessage(raw)
	}
	r := c.set(n, p, value)
	r.before, r.after = from, to
	return r
}
