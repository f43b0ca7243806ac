package manifest

import (
	"fmt"
	"slices"
	"strings"
)

// A checker collects findings about one manifest.
type checker struct {
	version version
	loose   bool
	out     []Finding
}

func (c *checker) add(rule, path string, start, end int, severity Severity, fix, message string, args ...any) {
	c.out = append(c.out, Finding{
		Rule: rule, Severity: severity, Path: path, Offset: start, EndOffset: end,
		Message: fmt.Sprintf(message, args...), Fix: fix,
	})
}

func (c *checker) at(rule, path string, n *node, severity Severity, fix, message string, args ...any) {
	c.add(rule, path, n.start, n.end, severity, fix, message, args...)
}

// walk holds a value to its shape; a nil shape allows anything.
func (c *checker) walk(s *shape, n *node, path string) {
	c.duplicates(n, path)
	if s == nil {
		c.walkAny(n, path)
		return
	}
	if !slices.Contains(s.kinds, n.kind) {
		c.at("manifest/type", path, n, Error, "", "is %s, expected %s", article(n.kind), anyOf(s.kinds))
		return
	}
	switch n.kind {
	case kString:
		c.walkText(s, n, path)
	case kArray:
		for i, item := range n.items {
			c.walk(s.elem, item, fmt.Sprintf("%s[%d]", path, i))
		}
	case kObject:
		c.walkObject(s, n, path)
	}
}

// walkAny looks for duplicate keys below a value that the schema leaves free.
func (c *checker) walkAny(n *node, path string) {
	for _, m := range n.members {
		c.walk(nil, m.val, join(path, m.key))
	}
	for i, item := range n.items {
		c.walk(nil, item, fmt.Sprintf("%s[%d]", path, i))
	}
}

// duplicates is a warning and not an error, so that a manifest that the reference accepts stays valid.
func (c *checker) duplicates(n *node, path string) {
	seen := map[string]bool{}
	for _, m := range n.members {
		if seen[m.key] {
			c.add("manifest/duplicate-key", join(path, m.key), m.start, m.end, Warning, "delete one of them", "is given twice; the last one counts")
		}
		seen[m.key] = true
	}
}

func (c *checker) walkText(s *shape, n *node, path string) {
	if len(s.enum) > 0 {
		c.walkEnum(s, n, path)
	}
	if s.format == nil {
		return
	}
	if rule, message := s.format(n.str); rule != "" {
		c.at(rule, path, n, Error, "", "%s", message)
	}
}

func (c *checker) walkEnum(s *shape, n *node, path string) {
	var allowed []string
	for _, e := range s.enum {
		if e.since <= c.version {
			allowed = append(allowed, e.value)
		} else if e.value == n.str {
			c.at("manifest/enum", path, n, Error, fmt.Sprintf("set manifest_version to %q", e.since), "%q needs manifest_version %s, this is %s", n.str, e.since, c.version)
			return
		}
	}
	if !slices.Contains(allowed, n.str) {
		fix := "one of " + strings.Join(allowed, ", ")
		if near := nearest(n.str, allowed); near != "" {
			fix = fmt.Sprintf("did you mean %q?", near)
		}
		c.at("manifest/enum", path, n, Error, fix, "is %q, expected %s", n.str, strings.Join(allowed, " or "))
	}
}

func (c *checker) walkObject(s *shape, n *node, path string) {
	if s.fields == nil {
		for _, m := range n.members {
			c.walk(s.elem, m.val, join(path, m.key))
		}
		return
	}
	for i, m := range n.members {
		if n.get(m.key) != m.val && !c.isLast(n, i) {
			continue // a key given twice: the last one counts
		}
		f, known := findField(s, m.key)
		if !known || f.since > c.version {
			c.unknown(s, f, m, path)
			continue
		}
		c.walk(f.shape, m.val, join(path, m.key))
	}
	for _, f := range s.fields {
		if f.required && n.get(f.name) == nil && !(c.loose && f.name == "mcp_config" && c.version >= v4) {
			c.add("manifest/required", join(path, f.name), n.start, n.start+1, Error, "", "is required")
		}
	}
}

func (c *checker) isLast(n *node, i int) bool {
	for _, m := range n.members[i+1:] {
		if m.key == n.members[i].key {
			return false
		}
	}
	return true
}

func findField(s *shape, name string) (field, bool) {
	for _, f := range s.fields {
		if f.name == name {
			return f, true
		}
	}
	return field{}, false
}

// unknown reports a key that the schema of this version does not have; f is the field of a later version, if any.
func (c *checker) unknown(s *shape, f field, m member, path string) {
	severity := Error
	if c.loose {
		severity = Warning
	}
	message, fix := "is not a known key", ""
	if f.since > c.version {
		message, fix = fmt.Sprintf("needs manifest_version %s, this is %s", f.since, c.version), fmt.Sprintf("set manifest_version to %q", f.since)
	} else {
		var names []string
		for _, f := range s.fields {
			names = append(names, f.name)
		}
		if near := nearest(m.key, names); near != "" {
			fix = fmt.Sprintf("did you mean %q?", near)
		}
	}
	c.add("manifest/unknown-key", join(path, m.key), m.start, m.end, severity, fix, "%s", message)
}

// join adds a key to a path: with a dot, or in brackets when the key is no plain word.
func join(path, key string) string {
	plain := key != "" && !strings.ContainsFunc(key, func(r rune) bool { return !isAlnum(r) && r != '_' && r != '-' && r != '$' })
	switch {
	case !plain:
		return fmt.Sprintf("%s[%q]", path, key)
	case path == "":
		return key
	}
	return path + "." + key
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

// nearest gives the candidate that a misspelling most likely meant: at most a third of its letters differ.
func nearest(word string, candidates []string) string {
	best, bestDistance := "", 3
	for _, cand := range candidates {
		if len(word) > 64 {
			break
		}
		d := distance(strings.ToLower(word), strings.ToLower(cand))
		if d < bestDistance && d*3 <= max(len(cand), 3) {
			best, bestDistance = cand, d
		}
	}
	return best
}

// distance is the number of letters to insert, delete, replace or swap with a neighbour (optimal string alignment).
func distance(a, b string) int {
	rows := [3][]int{}
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
	}
	prev2, prev, cur := rows[0], rows[1], rows[2]
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		cur[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				cur[j] = min(cur[j], prev2[j-2]+1)
			}
		}
		prev2, prev, cur = prev, cur, prev2
	}
	return prev[len(b)]
}
