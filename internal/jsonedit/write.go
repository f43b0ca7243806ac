package jsonedit

import (
	"bytes"
	"fmt"
	"slices"
)

// A writer copies the text and leaves out, or puts in, what was planned.
type writer struct {
	data []byte
	at   int // what is before it was written or left out
	out  bytes.Buffer
}

// splice copies what is before start, and writes text for what is between start and end.
func (w *writer) splice(start, end int, text []byte) {
	w.out.Write(w.data[w.at:start])
	w.out.Write(text)
	w.at = end
}

func (w *writer) value(n *node) error {
	if n.replaced {
		if n.touchedBelow() {
			return ErrConflict
		}
		text, err := encode(n.value, w.spaced(n))
		if err != nil {
			return err
		}
		w.splice(n.start, n.end, text)
		return nil
	}
	kept := slices.IndexFunc(n.below, func(m *node) bool { return !m.deleted })
	if len(n.below) > 0 && kept < 0 {
		return w.emptied(n)
	}
	for i, m := range n.below {
		if err := w.member(n, i, m, i < kept); err != nil {
			return err
		}
	}
	return w.additions(n, kept < 0)
}

// member writes one member or item; leading tells that no other one before it stays.
func (w *writer) member(n *node, i int, m *node, leading bool) error {
	switch {
	case m.deleted && (m.touchedBelow() || m.newKey != nil && !n.keeps(m)):
		return fmt.Errorf("%q: %w", m.key, ErrConflict)
	case m.deleted && leading:
		w.splice(m.first(), n.below[i+1].first(), nil)
		return nil
	case m.deleted:
		w.splice(n.below[i-1].end, m.end, nil)
		return nil
	case m.newKey != nil:
		key, err := encode(*m.newKey, false)
		if err != nil {
			return err
		}
		w.splice(m.keyStart, m.keyEnd, key)
	}
	return w.value(m)
}

// keeps tells whether of the key of a member that goes another one stays, which is renamed.
func (n *node) keeps(gone *node) bool {
	return slices.ContainsFunc(n.below, func(m *node) bool { return m.key == gone.key && !m.deleted })
}

func (n *node) touchedBelow() bool {
	return len(n.added) > 0 || slices.ContainsFunc(n.below, func(m *node) bool {
		return m.replaced || m.deleted || m.newKey != nil || m.touchedBelow()
	})
}

// emptied writes an object or a list of which nothing stays.
func (w *writer) emptied(n *node) error {
	for _, m := range n.below {
		if m.touchedBelow() || m.newKey != nil {
			return fmt.Errorf("%q: %w", m.key, ErrConflict)
		}
	}
	if len(n.added) == 0 {
		w.splice(n.start+1, n.end-1, nil)
		return nil
	}
	first, last := n.below[0], n.below[len(n.below)-1]
	w.splice(first.first(), first.first(), nil)
	w.at = last.end
	return w.joined(n, w.data[n.start+1:first.first()], false)
}

// additions writes what is new behind the last member.
func (w *writer) additions(n *node, empty bool) error {
	if len(n.added) == 0 {
		return nil
	}
	if !empty {
		last := n.below[len(n.below)-1]
		w.splice(max(w.at, last.end), max(w.at, last.end), nil)
		return w.joined(n, w.gap(n), true)
	}
	inside := w.data[n.start+1 : n.end-1]
	if i := bytes.LastIndexByte(inside, '\n'); i >= 0 {
		return w.onLines(n, bytes.Clone(inside[i+1:]), lineEnd(inside))
	}
	w.splice(n.start+1, n.end-1, nil)
	return w.joined(n, w.blank(n), false)
}

// onLines writes the members of an object that had none, but whose closing bracket stands on a line of its own.
func (w *writer) onLines(n *node, closing, end []byte) error {
	unit := []byte("  ")
	if bytes.Contains(w.data, []byte("\n\t")) {
		unit = []byte("\t")
	}
	gap := slices.Concat(end, closing, unit)
	w.splice(n.start+1, n.end-1, gap)
	err := w.joined(n, gap, false)
	w.out.Write(end)
	w.out.Write(closing)
	return err
}

func lineEnd(text []byte) []byte {
	if bytes.Contains(text, []byte("\r\n")) {
		return []byte("\r\n")
	}
	return []byte("\n")
}

// joined writes the new members with a comma and the gap between them; comma tells that one stands before the first.
func (w *writer) joined(n *node, gap []byte, comma bool) error {
	for _, a := range n.added {
		if comma {
			w.out.WriteByte(',')
			w.out.Write(gap)
		}
		comma = true
		if n.open == '{' {
			key, err := encode(a.key, false)
			if err != nil {
				return err
			}
			w.out.Write(key)
			w.out.WriteByte(':')
			w.out.Write(w.blank(n))
		}
		text, err := encode(a.value, w.spaced(n))
		if err != nil {
			return err
		}
		w.out.Write(text)
	}
	return nil
}

// gap is what stands before the last member, or would if there were two: a line break and the indentation, a blank, or
// nothing.
func (w *writer) gap(n *node) []byte {
	last := n.below[len(n.below)-1]
	start := last.first()
	for start > n.start+1 && isBlank(w.data[start-1]) {
		start--
	}
	gap := w.data[start:last.first()]
	if len(gap) == 0 && len(n.below) == 1 {
		return w.blank(n)
	}
	return gap
}

// blank is a blank where the text has one behind its colons and commas.
func (w *writer) blank(n *node) []byte {
	if w.spaced(n) {
		return []byte(" ")
	}
	return nil
}

// spaced tells whether there are blanks behind the colons of an object: its own, or the first of the whole text.
func (w *writer) spaced(n *node) bool {
	for _, m := range n.below {
		if m.keyEnd > 0 {
			return isBlank(w.data[m.start-1])
		}
	}
	colon := bytes.Index(w.data, []byte(`":`))
	return colon < 0 || colon+2 < len(w.data) && isBlank(w.data[colon+2])
}
