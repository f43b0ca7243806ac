package manifest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"
)

const (
	// MaxSize is the largest manifest that is read, in bytes. The largest real one that is known has 65,271.
	MaxSize = 4 << 20
	// maxDepth is how deep objects and lists may be nested.
	maxDepth = 100
)

// A kind is a JSON type.
type kind string

const (
	kObject kind = "object"
	kArray  kind = "array"
	kString kind = "string"
	kNumber kind = "number"
	kBool   kind = "boolean"
	kNull   kind = "null"
)

// A node is a JSON value with its place in the text: bytes start to end.
type node struct {
	kind       kind
	start, end int
	str        string
	num        float64
	members    []member // of an object, in order
	items      []*node  // of an array
}

// A member is one key of an object.
type member struct {
	key        string
	start, end int // of the key
	val        *node
}

// get finds the value of a key: of a key given twice, the last, as JSON.parse does.
func (n *node) get(key string) *node {
	if n == nil {
		return nil
	}
	for i := len(n.members) - 1; i >= 0; i-- {
		if n.members[i].key == key {
			return n.members[i].val
		}
	}
	return nil
}

// item gives the i-th item of a list.
func (n *node) item(i int) *node {
	if n == nil || i >= len(n.items) {
		return nil
	}
	return n.items[i]
}

// readTree parses the text; a finding says why it is no JSON, or more than is read.
func readTree(data []byte) (*node, *Finding) {
	if f := checkEncoding(data); f != nil {
		return nil, f
	}
	if len(data) > MaxSize {
		return nil, &Finding{Rule: "manifest/size", Message: fmt.Sprintf("has %d bytes, the limit is %d", len(data), MaxSize)}
	}
	var raw json.RawMessage
	if err := json.Unmarshal(data, &raw); err != nil {
		return nil, syntaxFinding(data, err)
	}
	r := &treeReader{data: data, dec: json.NewDecoder(bytes.NewReader(data))}
	n, err := r.value(0)
	if err != nil {
		return nil, &Finding{Rule: "manifest/depth", Message: err.Error(), Offset: r.pos(), EndOffset: r.pos() + 1}
	}
	return n, nil
}

func checkEncoding(data []byte) *Finding {
	switch {
	case bytes.HasPrefix(data, []byte("\xef\xbb\xbf")):
		return &Finding{
			Rule: "manifest/bom", Message: "begins with a byte order mark, which JSON does not allow",
			Fix: `save it as "UTF-8" without BOM`, EndOffset: 3,
		}
	case bytes.HasPrefix(data, []byte("\xff\xfe")), bytes.HasPrefix(data, []byte("\xfe\xff")), len(data) > 1 && (data[0] == 0 || data[1] == 0):
		return &Finding{Rule: "manifest/encoding", Message: "is UTF-16; JSON is UTF-8", Fix: "save it as UTF-8"}
	}
	return nil
}

// A treeReader builds nodes from the tokens of the standard library's decoder, which gives their places.
type treeReader struct {
	data []byte
	dec  *json.Decoder
}

// pos gives where the next token begins.
func (r *treeReader) pos() int {
	i := int(r.dec.InputOffset())
	for i < len(r.data) && strings.IndexByte(" \t\r\n,:", r.data[i]) >= 0 {
		i++
	}
	return i
}

func (r *treeReader) value(depth int) (*node, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("is nested deeper than %d levels", maxDepth)
	}
	n := &node{start: r.pos()}
	tok, err := r.dec.Token()
	if err != nil {
		return nil, err
	}
	switch t := tok.(type) {
	case json.Delim:
		err = r.inside(n, t, depth)
	case string:
		n.kind, n.str = kString, t
	case float64:
		n.kind, n.num = kNumber, t
	case bool:
		n.kind = kBool
	case nil:
		n.kind = kNull
	}
	n.end = int(r.dec.InputOffset())
	return n, err
}

func (r *treeReader) inside(n *node, open json.Delim, depth int) error {
	n.kind = kArray
	if open == '{' {
		n.kind = kObject
	}
	for r.dec.More() {
		var m member
		if n.kind == kObject {
			m.start = r.pos()
			tok, err := r.dec.Token()
			if err != nil {
				return err
			}
			m.key, _ = tok.(string)
			m.end = int(r.dec.InputOffset())
		}
		val, err := r.value(depth + 1)
		if err != nil {
			return err
		}
		if n.kind == kObject {
			m.val = val
			n.members = append(n.members, m)
		} else {
			n.items = append(n.items, val)
		}
	}
	_, err := r.dec.Token()
	return err
}

// syntaxFinding says where the text stops being JSON, with the usual causes.
func syntaxFinding(data []byte, err error) *Finding {
	f := &Finding{Rule: "manifest/json", Message: "is not JSON: " + strings.TrimPrefix(err.Error(), "json: ")}
	if len(bytes.TrimSpace(data)) == 0 {
		f.Message = "is empty"
		return f
	}
	syntax, ok := err.(*json.SyntaxError)
	if !ok {
		return f
	}
	f.Offset = min(max(int(syntax.Offset)-1, 0), len(data))
	f.EndOffset = min(f.Offset+1, len(data))
	rest := data[f.Offset:]
	before := bytes.TrimRight(data[:f.Offset], " \t\r\n")
	switch {
	case bytes.HasPrefix(rest, []byte("/")), bytes.HasPrefix(rest, []byte("#")):
		f.Fix = "JSON has no comments: delete it"
	case bytes.HasPrefix(rest, []byte("'")):
		f.Fix = `write text in double quotes: "`
	case (bytes.HasPrefix(rest, []byte("}")) || bytes.HasPrefix(rest, []byte("]"))) && bytes.HasSuffix(before, []byte(",")):
		f.Fix = "delete the comma before it"
	case bytes.HasPrefix(rest, []byte(`"`)):
		f.Fix = "a comma may be missing before it"
	case f.Offset >= len(data)-1:
		f.Fix = "the end is missing: a closing } or ]"
	}
	return f
}

// place gives line and column, from 1, the column in characters.
func place(data []byte, offset int) (line, column int) {
	offset = min(offset, len(data))
	start := bytes.LastIndexByte(data[:offset], '\n') + 1
	return bytes.Count(data[:offset], []byte("\n")) + 1, utf8.RuneCount(data[start:offset]) + 1
}
