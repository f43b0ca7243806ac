package manifest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	// MaxSize is the largest manifest that is read, in bytes. The largest real one that is known has 65,271.
	MaxSize = 4 << 20
	// maxDepth is how deep objects and lists may be nested.
	maxDepth = 100
	// maxValues bounds the memory of the tree, which is many times that of the text "[0,0,0...".
	maxValues = 100_000
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
	num        float64  // infinite when no float64 holds it
	members    []member // of an object, in order
	items      []*node  // of an array
}

// A member is one key of an object. Of a key given twice the last one counts, as for JSON.parse; the others are shadowed.
type member struct {
	key        string
	start, end int // of the key
	val        *node
	shadowed   bool
}

// get finds the value of a key; nil when n is no object or has no such key.
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

// text gives the value of a key when it is a string.
func (n *node) text(key string) (string, bool) {
	v := n.get(key)
	if v == nil || v.kind != kString {
		return "", false
	}
	return v.str, true
}

// isTrue tells whether a key has the value true.
func (n *node) isTrue(key string) bool {
	v := n.get(key)
	return v != nil && v.kind == kBool && v.num == 1
}

// each visits the members that count.
func (n *node) each(visit func(m *member)) {
	if n == nil {
		return
	}
	for i := range n.members {
		if !n.members[i].shadowed {
			visit(&n.members[i])
		}
	}
}

// readTree parses JSON text; a finding says why it is none, or more than is read. Invalid UTF-8 becomes U+FFFD.
func readTree(data []byte) (*node, *Finding) {
	if len(data) > MaxSize {
		return nil, &Finding{Rule: "manifest/size", Message: fmt.Sprintf("has %d bytes, the limit is %d", len(data), MaxSize)}
	}
	if isUTF16(data) {
		return nil, &Finding{Rule: "manifest/encoding", Message: "is UTF-16; JSON is UTF-8", Fix: "save it as UTF-8"}
	}
	var raw json.RawMessage
	if err := json.Unmarshal(data, &raw); err != nil {
		return nil, syntaxFinding(data, err)
	}
	r := &treeReader{data: data, dec: json.NewDecoder(bytes.NewReader(data))}
	r.dec.UseNumber()
	n, err := r.value(0)
	if err != nil {
		return nil, &Finding{Rule: err.rule, Message: err.message, Offset: r.pos(), EndOffset: min(r.pos()+1, len(data))}
	}
	return n, nil
}

func isUTF16(data []byte) bool {
	return bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")) ||
		len(data) > 1 && (data[0] == 0 || data[1] == 0)
}

// A treeReader builds nodes from the tokens of the standard library's decoder, which gives their places.
type treeReader struct {
	data   []byte
	dec    *json.Decoder
	values int
}

// A limit says which bound was reached; the text is known to be JSON.
type limit struct{ rule, message string }

// pos gives where the next token begins.
func (r *treeReader) pos() int {
	i := int(r.dec.InputOffset())
	for i < len(r.data) && strings.IndexByte(" \t\r\n,:", r.data[i]) >= 0 {
		i++
	}
	return i
}

func (r *treeReader) value(depth int) (*node, *limit) {
	if depth > maxDepth {
		return nil, &limit{"manifest/depth", fmt.Sprintf("is nested deeper than %d levels", maxDepth)}
	}
	if r.values++; r.values > maxValues {
		return nil, &limit{"manifest/size", fmt.Sprintf("has more than %d values", maxValues)}
	}
	n := &node{start: r.pos()}
	tok, err := r.dec.Token()
	if err != nil {
		return nil, &limit{"manifest/json", "is not JSON: " + err.Error()}
	}
	var lim *limit
	switch t := tok.(type) {
	case json.Delim:
		lim = r.inside(n, t, depth)
	case string:
		n.kind, n.str = kString, t
	case json.Number:
		n.kind = kNumber
		if n.num, err = strconv.ParseFloat(string(t), 64); err != nil {
			n.num = math.Inf(1)
		}
	case bool:
		n.kind = kBool
		if t {
			n.num = 1
		}
	case nil:
		n.kind = kNull
	}
	n.end = int(r.dec.InputOffset())
	return n, lim
}

func (r *treeReader) inside(n *node, open json.Delim, depth int) *limit {
	n.kind = kArray
	if open == '{' {
		n.kind = kObject
	}
	index := map[string]int{}
	for r.dec.More() {
		var m member
		if n.kind == kObject {
			m.start = r.pos()
			tok, err := r.dec.Token()
			if err != nil {
				return &limit{"manifest/json", "is not JSON: " + err.Error()}
			}
			m.key, _ = tok.(string)
			m.end = int(r.dec.InputOffset())
		}
		val, lim := r.value(depth + 1)
		if lim != nil {
			return lim
		}
		if n.kind == kArray {
			n.items = append(n.items, val)
			continue
		}
		if i, twice := index[m.key]; twice {
			n.members[i].shadowed = true
		}
		m.val, index[m.key] = val, len(n.members)
		n.members = append(n.members, m)
	}
	if _, err := r.dec.Token(); err != nil {
		return &limit{"manifest/json", "is not JSON: " + err.Error()}
	}
	return nil
}

// syntaxFinding says where the text stops being JSON, with the usual causes.
func syntaxFinding(data []byte, err error) *Finding {
	f := &Finding{Rule: "manifest/json", Message: "is not JSON: " + strings.TrimPrefix(err.Error(), "json: ")}
	syntax, ok := errors.AsType[*json.SyntaxError](err)
	switch {
	case len(bytes.TrimSpace(data)) == 0:
		f.Message, f.Fix = "is empty", "a manifest needs at least manifest_version, name, version, description, author and server"
		return f
	case !ok:
		return f
	case strings.Contains(err.Error(), "exceeded max depth"):
		f.Rule, f.Message = "manifest/depth", fmt.Sprintf("is nested deeper than %d levels", maxDepth)
	}
	f.Offset = min(max(int(syntax.Offset)-1, 0), len(data))
	if strings.Contains(err.Error(), "unexpected end") {
		f.Offset = len(bytes.TrimRight(data, " \t\r\n"))
		f.EndOffset, f.Fix = f.Offset, "the end is missing: a closing quote, } or ]"
		return f
	}
	before := bytes.TrimRight(data[:f.Offset], " \t\r\n")
	f.Fix = syntaxFix(before, data[f.Offset:], err.Error())
	if f.Fix == trailingComma {
		f.Offset = len(before) - 1
	}
	_, size := utf8.DecodeRune(data[f.Offset:])
	f.EndOffset = f.Offset + size
	return f
}

const trailingComma = "delete this comma: none may stand before } or ]"

// syntaxFix guesses the mistake from what stands before and after the place where the parser stopped.
func syntaxFix(before, rest []byte, message string) string {
	starts := func(prefixes ...string) bool {
		for _, p := range prefixes {
			if bytes.HasPrefix(rest, []byte(p)) {
				return true
			}
		}
		return false
	}
	switch {
	case strings.Contains(message, "in string escape"), strings.Contains(message, `in \u`):
		return `write a backslash as \\`
	case strings.Contains(message, "in string literal"):
		return `write a line break as \n and a tab as \t`
	case starts("/", "#"):
		return "JSON has no comments: delete it"
	case starts("'", "“", "”", "‘", "`"):
		return `write texts and keys in straight double quotes: "`
	case starts("}", "]") && bytes.HasSuffix(before, []byte(",")):
		return trailingComma
	case strings.Contains(message, "after top-level value"):
		return "a manifest is one JSON object: delete what stands behind it"
	case strings.Contains(message, "after object key:"), strings.Contains(message, "after array element"):
		return "a comma may be missing before it"
	case strings.Contains(message, "after object key"):
		return "a colon belongs between a key and its value"
	case strings.Contains(message, "looking for beginning of object key"):
		return "write keys in double quotes"
	case strings.Contains(message, "looking for beginning of value"), strings.Contains(message, "in literal"):
		return "a value is a text in double quotes, a number, true, false, null, an object or a list"
	}
	return ""
}
