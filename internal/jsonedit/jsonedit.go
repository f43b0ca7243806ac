// Package jsonedit changes places of a JSON text that a person wrote, and leaves every other byte as it is: order,
// indentation, line ends, escapes, the end of the file. Use it to mend a manifest; use encoding/json to write a new one.
//
// All edits of one [Apply] are about the text as it was given. What they mean is what the same change means to the
// decoded value: of a key given twice the last one counts, as for JSON.parse. A byte order mark is no JSON: the caller
// cuts it and puts it back. The functions keep no state and are safe for concurrent use.
package jsonedit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// The errors of [Apply]; they are wrapped, with the path.
var (
	ErrSyntax   = errors.New("is not JSON")
	ErrPath     = errors.New("is not there")
	ErrExists   = errors.New("is there already")
	ErrConflict = errors.New("is changed by two edits")
)

// A Path leads to a value: a string is a key of an object, an int the index of an item of a list. The empty path is the
// whole text.
type Path []any

// Key gives the path of a key below p. It shares nothing with p.
func (p Path) Key(key string) Path { return append(slices.Clone(p), key) }

// Item gives the path of a list's item below p. It shares nothing with p.
func (p Path) Item(i int) Path { return append(slices.Clone(p), i) }

type operation int

const (
	set operation = iota
	remove
	rename
	dedupe
)

// An Edit is one change; make it with [Set], [Delete], [Rename] or [Dedupe].
type Edit struct {
	op    operation
	path  Path
	value any
	key   string
}

// Set gives a place a value: anything that encoding/json can write, or a [json.RawMessage] to be put there as it is. A
// key that is not there is added at the end of its object; an index that is the list's length (and the next one, with
// the next edit) at the end of the list. The object or list itself must be there.
func Set(path Path, value any) Edit { return Edit{op: set, path: path, value: value} }

// Delete takes a key (each time that it is given) or an item away, with its comma.
func Delete(path Path) Edit { return Edit{op: remove, path: path} }

// Rename gives a key another name at the same place. The object must not have a key of that name.
func Rename(path Path, key string) Edit { return Edit{op: rename, path: path, key: key} }

// Dedupe takes a key that is given several times away, but for the last time.
func Dedupe(path Path) Edit { return Edit{op: dedupe, path: path} }

// Apply makes all the edits, and gives a new text. After an error nothing was changed. Two edits of one place are an
// error, but for a Rename with a Set or a Dedupe; so is an edit inside what another one replaces or takes away.
func Apply(data []byte, edits ...Edit) ([]byte, error) {
	if !json.Valid(data) {
		return nil, ErrSyntax
	}
	root := parse(data)
	for _, e := range edits {
		if err := root.plan(e); err != nil {
			return nil, fmt.Errorf("%v: %w", e.path, err)
		}
	}
	w := writer{data: data}
	if err := w.value(root); err != nil {
		return nil, err
	}
	w.out.Write(data[w.at:])
	return w.out.Bytes(), nil
}

// plan notes an edit at the place that it is about.
func (n *node) plan(e Edit) error {
	if len(e.path) == 0 {
		if e.op != set {
			return ErrPath
		}
		return n.replace(e.value)
	}
	parent, err := n.find(e.path[:len(e.path)-1])
	if err != nil {
		return err
	}
	switch last := e.path[len(e.path)-1].(type) {
	case string:
		return parent.planKey(e, last)
	case int:
		return parent.planItem(e, last)
	}
	return ErrPath
}

func (n *node) planKey(e Edit, key string) error {
	if n.open != '{' {
		return ErrPath
	}
	same := n.members(key)
	switch {
	case len(same) == 0 && e.op != set:
		return ErrPath
	case len(same) == 0 && n.adds(key):
		return ErrConflict
	case len(same) == 0:
		n.added = append(n.added, addition{key, e.value})
		return nil
	}
	last := same[len(same)-1]
	switch e.op {
	case set:
		return last.replace(e.value)
	case rename:
		if last.newKey != nil || len(n.members(e.key)) > 0 || n.adds(e.key) {
			return ErrExists
		}
		for _, m := range same {
			m.newKey = &e.key
		}
		return nil
	case dedupe:
		same = same[:len(same)-1]
	}
	return deleteAll(same)
}

func (n *node) planItem(e Edit, i int) error {
	switch {
	case n.open != '[' || i < 0 || e.op == rename || e.op == dedupe:
		return ErrPath
	case i >= len(n.below):
		if e.op != set || i != len(n.below)+len(n.added) {
			return ErrPath
		}
		n.added = append(n.added, addition{value: e.value})
		return nil
	case e.op == set:
		return n.below[i].replace(e.value)
	}
	return deleteAll(n.below[i : i+1])
}

func deleteAll(list []*node) error {
	for _, m := range list {
		if m.deleted || m.replaced {
			return ErrConflict
		}
		m.deleted = true
	}
	return nil
}

func (n *node) replace(value any) error {
	if n.replaced || n.deleted {
		return ErrConflict
	}
	n.replaced, n.value = true, value
	return nil
}

// adds tells whether a key will be there by another edit, by name or by renaming.
func (n *node) adds(key string) bool {
	return slices.ContainsFunc(n.added, func(a addition) bool { return a.key == key }) ||
		slices.ContainsFunc(n.below, func(m *node) bool { return m.newKey != nil && *m.newKey == key })
}

// encode writes a value on one line, with blanks behind colons and commas when the text around it has them.
func encode(value any, spaced bool) ([]byte, error) {
	if raw, ok := value.(json.RawMessage); ok {
		if !json.Valid(raw) {
			return nil, ErrSyntax
		}
		return raw, nil
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(value); err != nil {
		return nil, err
	}
	text := bytes.TrimSuffix(b.Bytes(), []byte("\n"))
	if !spaced {
		return text, nil
	}
	return spread(text), nil
}

// spread puts a blank behind each colon and comma of compact JSON.
func spread(text []byte) []byte {
	var out []byte
	inText := false
	for i := 0; i < len(text); i++ {
		c := text[i]
		out = append(out, c)
		switch {
		case inText && c == '\\':
			i++
			out = append(out, text[i])
		case c == '"':
			inText = !inText
		case !inText && (c == ':' || c == ','):
			out = append(out, ' ')
		}
	}
	return out
}
