package manifest

import (
	"iter"
	"slices"

	"satchel/internal/problem"
)

// An Outline knows where each value of a manifest stands in its text, for tools that look at more than [Validate]. It
// does not change and is safe for concurrent use.
type Outline struct{ root *node }

// A Value is a value of a manifest with its place: the bytes Offset to EndOffset.
type Value struct {
	Keys              []any  // how it is reached: a string is a key, an int the index of an item
	Path              string // the same as [Finding].Path has it
	Offset, EndOffset int
	Text              string // what a string holds; "" for other values
	IsText            bool
}

// ReadOutline reads the places of a manifest, which need not be valid but must be JSON. The error is a problem of class
// Invalid. A byte order mark is no JSON here.
func ReadOutline(data []byte) (*Outline, error) {
	root, f := readTree(data)
	if f != nil {
		return nil, problem.New(problem.Invalid, f.Rule, "%s", f.Message).At("manifest.json").From(sourceOf(f.Rule))
	}
	return &Outline{root}, nil
}

// Find gives the value that keys lead to: strings are keys, ints indexes. Of a key given twice the last one counts.
func (o *Outline) Find(keys ...any) (Value, bool) {
	n, p := o.find(keys)
	if n == nil {
		return Value{}, false
	}
	return valueOf(n, p, keys), true
}

func (o *Outline) find(keys []any) (n *node, p *place) {
	n = o.root
	for _, k := range keys {
		switch k := k.(type) {
		case string:
			n, p = n.get(k), p.key(k)
		case int:
			if n == nil || k < 0 || k >= len(n.items) {
				return nil, nil
			}
			n, p = n.items[k], p.index(k)
		}
		if n == nil {
			return nil, nil
		}
	}
	return n, p
}

func valueOf(n *node, p *place, keys []any) Value {
	return Value{Keys: slices.Clone(keys), Path: p.String(), Offset: n.start, EndOffset: n.end, Text: n.str, IsText: n.kind == kString}
}

// Texts gives every string at and below the value that keys lead to, in the order of the text; keys of objects are none.
func (o *Outline) Texts(keys ...any) iter.Seq[Value] {
	return func(yield func(Value) bool) {
		if n, p := o.find(keys); n != nil {
			eachText(n, p, keys, yield)
		}
	}
}

func eachText(n *node, p *place, keys []any, yield func(Value) bool) bool {
	if n.kind == kString {
		return yield(valueOf(n, p, keys))
	}
	for i, item := range n.items {
		if !eachText(item, p.index(i), append(keys[:len(keys):len(keys)], i), yield) {
			return false
		}
	}
	for i := range n.members {
		if m := &n.members[i]; !m.shadowed && !eachText(m.val, p.key(m.key), append(keys[:len(keys):len(keys)], m.key), yield) {
			return false
		}
	}
	return true
}

// PathOf gives the path of a place as [Finding].Path has it: a string is a key, an int the index of an item.
func PathOf(keys ...any) string {
	var p *place
	for _, k := range keys {
		switch k := k.(type) {
		case string:
			p = p.key(k)
		case int:
			p = p.index(k)
		}
	}
	return p.String()
}
