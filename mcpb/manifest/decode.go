package manifest

import (
	"bytes"
	"encoding/json"
	"slices"
)

// decode reads the types from what the schema knows, by exact keys, the last one of a key given twice: encoding/json
// alone would also take "NAME" for "name", which no other reader does. Lists in defaults become []string.
func decode(data []byte, root *node) (*Manifest, error) {
	var b bytes.Buffer
	writeKnown(&b, data, root, manifestShape())
	var m Manifest
	if err := json.Unmarshal(b.Bytes(), &m); err != nil {
		return nil, err
	}
	for i := range m.UserConfig {
		if list, ok := m.UserConfig[i].Default.([]any); ok {
			texts := make([]string, len(list))
			for j, v := range list {
				texts[j], _ = v.(string)
			}
			m.UserConfig[i].Default = texts
		}
	}
	return &m, nil
}

// writeKnown writes a value as JSON, without the keys that its shape does not know.
func writeKnown(b *bytes.Buffer, data []byte, n *node, s *shape) {
	switch {
	case s == nil || n.kind != kObject && n.kind != kArray:
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
	default:
		writeKnownObject(b, data, n, s)
	}
}

func writeKnownObject(b *bytes.Buffer, data []byte, n *node, s *shape) {
	b.WriteByte('{')
	var written []string
	for _, m := range n.members {
		f, known := findField(s, m.key)
		elem := s.elem
		if s.fields != nil {
			elem = f.shape
		}
		if s.fields != nil && !known || slices.Contains(written, m.key) {
			continue
		}
		if len(written) > 0 {
			b.WriteByte(',')
		}
		written = append(written, m.key)
		key, _ := json.Marshal(m.key) // a string always has a JSON form
		b.Write(append(key, ':'))
		writeKnown(b, data, n.get(m.key), elem)
	}
	b.WriteByte('}')
}
