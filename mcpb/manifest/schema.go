package manifest

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"satchel/internal/spell"
)

// maxFindings bounds the findings that are kept: this many errors, and this many others. Which of a million findings
// are dropped changes no verdict.
const maxFindings = 500

// A checker collects findings about one manifest.
type checker struct {
	data           []byte // the text, a byte order mark as blanks
	root           *shape
	version        version
	loose          bool
	list           *node // whose items are walked
	out            []Finding
	errors, others int
}

// add keeps a finding, so that a repair can be put beside it; it gives nil when there are too many.
func (c *checker) add(f Finding) *Finding {
	count := &c.others
	if f.Severity == Error {
		count = &c.errors
	}
	if *count++; *count > maxFindings {
		return nil
	}
	c.out = append(c.out, f)
	return &c.out[len(c.out)-1]
}

// full tells that no further finding of a severity is kept, so that costly hints need not be made.
func (c *checker) full(s Severity) bool {
	if s == Error {
		return c.errors >= maxFindings
	}
	return c.others >= maxFindings
}

// at adds a finding about a value: about its first character when it is an object or a list.
func (c *checker) at(rule string, severity Severity, p *place, n *node, fix, message string) *Finding {
	end := n.end
	if n.kind == kObject || n.kind == kArray {
		end = n.start + 1
	}
	return c.add(Finding{Rule: rule, Severity: severity, Path: p.String(), Offset: n.start, EndOffset: end, Message: message, Fix: fix})
}

// atKey adds a finding about a key.
func (c *checker) atKey(rule string, severity Severity, p *place, m *member, fix, message string) *Finding {
	return c.add(Finding{Rule: rule, Severity: severity, Path: p.key(m.key).String(), Offset: m.start, EndOffset: m.end, Message: message, Fix: fix})
}

// walk holds a value to its shape.
func (c *checker) walk(s *shape, n *node, p *place) {
	if len(s.kinds) > 0 && !slices.Contains(s.kinds, n.kind) {
		c.wrongType(s, n, p).by(c.converted(s, n, p))
		return
	}
	elem := s.elem
	if elem == nil {
		elem = &shape{}
	}
	switch n.kind {
	case kString:
		c.walkText(s, n, p)
	case kNumber:
		if math.IsInf(n.num, 0) && len(s.kinds) > 0 {
			c.at("manifest/type", Error, p, n, "", "is a number that does not fit into 64 bits (IEEE 754)")
		}
	case kArray:
		for i, item := range n.items {
			c.list = n
			c.walk(elem, item, p.index(i))
		}
	case kObject:
		c.walkObject(s, elem, n, p)
	}
}

func (c *checker) walkObject(s, elem *shape, n *node, p *place) {
	for i := range n.members {
		m := &n.members[i]
		if m.shadowed {
			c.atKey("manifest/duplicate-key", Warning, p, m, "delete one of them", "is given twice; the last one counts").by(c.deduped(n, m, p))
			continue
		}
		if s.fields == nil {
			c.walk(elem, m.val, p.key(m.key))
		} else if f, known := s.find(m.key); known && f.since <= c.version {
			c.walkField(f, m, p.key(m.key))
		} else {
			c.unknown(s, f, n, m, p)
		}
	}
	for _, f := range s.fields {
		if f.required && n.get(f.name) == nil && !c.doesWithout(f, n) {
			fix := fmt.Sprintf("add %q: %s", f.name, f.shape.example())
			c.at("manifest/required", Error, p.key(f.name), n, fix, "is required")
		}
	}
}

// walkField holds a member to its field. A null where the key may be left out is left out.
func (c *checker) walkField(f field, m *member, p *place) {
	if m.val.kind == kNull && !f.required {
		c.wrongType(f.shape, m.val, p).by(c.deleted(m, p))
		return
	}
	c.walk(f.shape, m.val, p)
}

func (c *checker) wrongType(s *shape, n *node, p *place) *Finding {
	return c.at("manifest/type", Error, p, n, typeFix(s, n), fmt.Sprintf("is %s, expected %s", article(n.kind), anyOf(s.kinds)))
}

// doesWithout: the host makes the command of a uv server itself. The reference's loose schema goes further and lets
// every type do without; such a manifest cannot be run.
func (c *checker) doesWithout(f field, n *node) bool {
	typ, _ := n.text("type")
	return c.loose && f.uvLoose && c.version >= v4 && typ == UV
}

func (c *checker) walkText(s *shape, n *node, p *place) {
	if len(s.enum) > 0 {
		c.walkEnum(s, n, p)
	}
	if s.format != nil && !s.format.ok(n.str) {
		c.at(s.format.rule, Error, p, n, s.format.fix, s.format.message)
	}
}

func (c *checker) walkEnum(s *shape, n *node, p *place) {
	var allowed []string
	for _, e := range s.enum {
		switch {
		case e.since <= c.version && e.value == n.str:
			return
		case e.since <= c.version:
			allowed = append(allowed, e.value)
		case e.value == n.str:
			c.at("manifest/enum", Error, p, n, fmt.Sprintf("set manifest_version to %q", e.since),
				fmt.Sprintf("%q needs manifest_version %s, this is %s", n.str, e.since, c.version))
			return
		}
	}
	fix, meant := didYouMean(n.str, allowed), s.meant(n.str, c.version)
	var r *repair
	if meant != "" {
		fix, r = fmt.Sprintf("did you mean %q?", meant), c.set(n, p, meant)
		if p.item && c.saidBefore(s, n, meant) {
			r = c.dropped(n, p)
		}
	}
	c.at("manifest/enum", Error, p, n, fix, fmt.Sprintf("is %s, expected %s", quote(n.str), strings.Join(allowed, " or "))).by(r)
}

// unknown reports a key that the schema of this version does not have; f is the field of a later version, if any.
func (c *checker) unknown(s *shape, f field, n *node, m *member, p *place) {
	severity := Error
	if c.loose {
		severity = Warning
	}
	if c.full(severity) {
		c.add(Finding{Severity: severity})
		return
	}
	message, fix := "is not a known key", ""
	if f.since > c.version {
		message, fix = fmt.Sprintf("needs manifest_version %s, this is %s", f.since, c.version), fmt.Sprintf("set manifest_version to %q", f.since)
	} else {
		fix = c.unknownFix(s, m.key)
	}
	c.atKey("manifest/unknown-key", severity, p, m, fix, message).by(c.renamed(s, n, m, p))
}

// unknownFix proposes the key that was meant, of any version, or the object that has such a key.
func (c *checker) unknownFix(s *shape, key string) string {
	var names []string
	for _, f := range s.fields {
		names = append(names, f.name)
	}
	if near := spell.Nearest(key, names); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	if path, ok := c.root.home(key); ok {
		return "it belongs into " + path
	}
	return didYouMean(key, names)
}

// typeFix shows how a value of the right type looks.
func typeFix(s *shape, n *node) string {
	switch {
	case n.kind == kNull:
		return "leave it out, or write it like " + s.example()
	case n.kind == kString && slices.Contains([]string{"true", "false"}, n.str) && slices.Contains(s.kinds, kBool):
		return "write " + n.str + " without quotes"
	case n.kind == kString && s.kinds[0] == kNumber:
		if _, err := strconv.ParseFloat(n.str, 64); err == nil {
			return "write the number without quotes"
		}
	case n.kind != kString && s.kinds[0] == kString && n.kind != kObject && n.kind != kArray:
		return "write it in double quotes"
	}
	return "write it like " + s.example()
}

func article(k kind) string {
	switch k {
	case kNull:
		return "null"
	case kObject, kArray:
		return "an " + string(k)
	}
	return "a " + string(k)
}

func anyOf(kinds []kind) string {
	words := make([]string, len(kinds))
	for i, k := range kinds {
		words[i] = article(k)
	}
	return strings.Join(words, " or ")
}
