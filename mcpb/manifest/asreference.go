package manifest

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A ReferenceVerdict is what the reference's `mcpb validate` (npm @anthropic-ai/mcpb 2.1.2) says about a manifest, the
// file of its icon aside. Its texts hold text of the manifest as it is: whoever shows them makes them safe first.
type ReferenceVerdict struct {
	Syntax  string           // why it is no JSON, in our words; then nothing else is set
	Version string           // the schema that it is held to; "" when its version is not known
	Issues  []ReferenceIssue // what breaks the schema, in the reference's order
	Icon    string           // the path of the icon, when there are no issues
}

// A ReferenceIssue is one thing that breaks the schema, in the reference's words.
type ReferenceIssue struct {
	Path    []string // keys and indexes
	Message string
}

// AsReference judges a manifest as the reference does, for those who depend on its words; [Validate] says more, and
// where. A manifest beyond [MaxSize], or nested deeper than we read, counts as no JSON.
func AsReference(data []byte) ReferenceVerdict {
	root, f := readTree(data)
	if f != nil {
		text := f.Message
		if f.Rule == "manifest/json" && f.Offset > 0 {
			at := newReport([]Finding{*f}, data).Findings[0]
			text += fmt.Sprintf(" (line %d, column %d)", at.Line, at.Column)
		}
		return ReferenceVerdict{Syntax: text}
	}
	c := &checker{data: data, root: manifestShape()}
	if c.version = c.findVersion(root); c.version == 0 {
		return ReferenceVerdict{}
	}
	j := &judge{version: c.version}
	j.object(c.root, root, nil)
	v := ReferenceVerdict{Version: c.version.String(), Issues: j.issues}
	if len(v.Issues) == 0 {
		v.Icon, _ = root.text("icon")
	}
	return v
}

// A judge collects issues in the order in which the reference's validation library (zod 3) finds them: the fields in
// the order of the schema, then the keys that it does not have.
type judge struct {
	version version
	issues  []ReferenceIssue
}

func (j *judge) add(path []string, format string, args ...any) {
	j.issues = append(j.issues, ReferenceIssue{append([]string{}, path...), fmt.Sprintf(format, args...)})
}

func (j *judge) value(s *shape, n *node, path []string) {
	switch {
	case len(s.kinds) > 1:
		j.union(s, n, path)
	case len(s.kinds) == 1 && s.kinds[0] != n.kind:
		j.add(path, "Expected %s, received %s", j.expected(s), n.kind)
	case n.kind == kString:
		j.text(s, n, path)
	case n.kind == kArray && s.elem != nil:
		for i, item := range n.items {
			j.value(s.elem, item, append(path, strconv.Itoa(i)))
		}
	case n.kind == kObject && len(s.kinds) > 0:
		j.object(s, n, path)
	}
}

// union: the reference does not say which of the types came nearest.
func (j *judge) union(s *shape, n *node, path []string) {
	inside := &judge{version: j.version}
	if slices.Contains(s.kinds, n.kind) {
		inside.value(&shape{kinds: []kind{n.kind}, elem: s.elem}, n, nil)
	}
	if len(inside.issues) > 0 || !slices.Contains(s.kinds, n.kind) {
		j.add(path, "Invalid input")
	}
}

func (j *judge) expected(s *shape) string {
	if len(s.enum) > 0 {
		return strings.Join(j.allowed(s), " | ")
	}
	return string(s.kinds[0])
}

// allowed lists the values of an enumeration in quotes.
func (j *judge) allowed(s *shape) (quoted []string) {
	for _, e := range s.enum {
		if e.since <= j.version {
			quoted = append(quoted, "'"+e.value+"'")
		}
	}
	return quoted
}

func (j *judge) text(s *shape, n *node, path []string) {
	if allowed := j.allowed(s); len(allowed) > 0 && !slices.Contains(allowed, "'"+n.str+"'") {
		j.add(path, "Invalid enum value. Expected %s, received '%s'", strings.Join(allowed, " | "), n.str)
	}
	if s.format != nil && !s.format.ok(n.str) {
		j.add(path, "%s", s.format.reference)
	}
}

func (j *judge) object(s *shape, n *node, path []string) {
	if s.fields == nil {
		for _, m := range scriptOrder(n) {
			j.value(s.elem, m.val, append(path, m.key))
		}
		return
	}
	known := map[string]bool{}
	for _, f := range s.fields {
		if f.since > j.version {
			continue
		}
		known[f.name] = true
		switch val := n.get(f.name); {
		case val == nil && f.required:
			j.add(append(path, f.name), "Required")
		case val == nil:
		case f.literal && (val.kind != kString || val.str != j.version.String()):
			j.add(append(path, f.name), "Invalid literal value, expected %q", j.version)
		case !f.literal:
			j.value(f.shape, val, append(path, f.name))
		}
	}
	var unknown []string
	for _, m := range scriptOrder(n) {
		if !known[m.key] {
			unknown = append(unknown, "'"+m.key+"'")
		}
	}
	if len(unknown) > 0 {
		j.add(path, "Unrecognized key(s) in object: %s", strings.Join(unknown, ", "))
	}
}

// scriptOrder gives an object's members as JavaScript enumerates them: indexes by their value, then the other keys as
// they were first written. Of a key given twice it gives the last value.
func scriptOrder(n *node) []member {
	var indexes, names []member
	at := map[string]int{}
	for i, m := range n.members {
		at[m.key] = i
	}
	for _, m := range n.members {
		last, first := at[m.key]
		if !first {
			continue
		}
		delete(at, m.key)
		if isIndex(m.key) {
			indexes = append(indexes, n.members[last])
		} else {
			names = append(names, n.members[last])
		}
	}
	slices.SortFunc(indexes, func(a, b member) int { // without leading zeros, the longer number is the larger
		return cmp.Or(cmp.Compare(len(a.key), len(b.key)), cmp.Compare(a.key, b.key))
	})
	return append(indexes, names...)
}

// isIndex tells whether a key is what JavaScript takes for the index of an array.
func isIndex(key string) bool {
	i, err := strconv.ParseUint(key, 10, 32)
	return err == nil && i < 1<<32-1 && strconv.FormatUint(i, 10) == key
}
