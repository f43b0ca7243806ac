package manifest

import (
	"bytes"
	"encoding/json"
)

// decode reads the types from what the schema knows, by exact keys, the last one of a key given twice: encoding/json
// alone would also take "NAME" for "name", which no other reader does, and would merge objects given twice.
func decode(data []byte, root *node) (*Manifest, error) {
	var b bytes.Buffer
	writeKnown(&b, data, root, manifestShape())
	var m Manifest
	return &m, json.Unmarshal(b.Bytes(), &m)
}

// writeKnown writes a value as JSON, without the keys that its shape does not know.
func writeKnown(b *bytes.Buffer, data []byte, n *node, s *shape) {
	switch {
	case s.elem == nil && s.fields == nil:
		b.Write(data[n.start:n.end])
	case n.kind == kArray:
		b.WriteByte('[')
		for i, item := range n.items {
			if i > 0 {
				b.WriteByte(',')
			}
			writeKnown(b, data, item, s.elem)
		}
		b.WriteByte(']')
	case n.kind == kObject:
		writeKnownObject(b, data, n, s)
	default: // the text, number or boolean of a default
		b.Write(data[n.start:n.end])
	}
}

func writeKnownObject(b *bytes.Buffer, data []byte, n *node, s *shape) {
	b.WriteByte('{')
	comma := false
	n.each(func(m *member) {
		elem := s.elem
		if s.fields != nil {
			f, known := s.find(m.key)
			if !known {
				return
			}
			elem = f.shape
		}
		if comma {
			b.WriteByte(',')
		}
		comma = true
		b.Write(data[m.start:m.end])
		b.WriteByte(':')
		writeKnown(b, data, m.val, elem)
	})
	b.WriteByte('}')
}
