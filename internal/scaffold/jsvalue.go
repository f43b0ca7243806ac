package scaffold

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// maxJSDepth is how deep objects and lists may be nested. JSON.parse has no limit, JSON.stringify ends somewhere in the
// thousands.
const maxJSDepth = 500

type jsKind byte

const (
	jsUndef jsKind = iota
	jsNull
	jsBool
	jsNumber
	jsString
	jsArray
	jsObject
)

// A jsValue is a value as JavaScript has it after JSON.parse. Texts are UTF-8, but that a lone half of a surrogate pair
// is its three bytes, which UTF-8 proper does not allow.
type jsValue struct {
	kind  jsKind
	str   string
	num   float64 // 1 for true
	items []*jsValue
	keys  []string // of an object, in the order in which JavaScript visits them after sorted
	byKey map[string]*jsValue
}

func jsUndefined() *jsValue                { return &jsValue{} }
func jsText(s string) *jsValue             { return &jsValue{kind: jsString, str: s} }
func jsListOf(items ...*jsValue) *jsValue  { return &jsValue{kind: jsArray, items: items} }
func (v *jsValue) is(kind jsKind) bool     { return v.kind == kind }
func (v *jsValue) or(text string) *jsValue { return v.orElse(jsText(text)) }
func (v *jsValue) orNothing() *jsValue     { return v.orElse(jsUndefined()) }

// jsObjectOf makes an object of names and values in turn; undefined values are left out.
func jsObjectOf(members ...any) *jsValue {
	o := &jsValue{kind: jsObject, byKey: map[string]*jsValue{}}
	for i := 0; i < len(members); i += 2 {
		if val := members[i+1].(*jsValue); !val.is(jsUndef) {
			o.set(members[i].(string), val)
		}
	}
	return o
}

func (v *jsValue) set(key string, val *jsValue) {
	if _, again := v.byKey[key]; !again {
		v.keys = append(v.keys, key)
	}
	v.byKey[key] = val
}

// get is v.key, or v?.key: undefined where there is no such property.
func (v *jsValue) get(key string) *jsValue {
	if val, ok := v.byKey[key]; ok {
		return val
	}
	return jsUndefined()
}

// orElse is v || other.
func (v *jsValue) orElse(other *jsValue) *jsValue {
	switch v.kind {
	case jsUndef, jsNull:
		return other
	case jsBool, jsNumber:
		if v.num == 0 {
			return other
		}
	case jsString:
		if v.str == "" {
			return other
		}
	}
	return v
}

// text is what "" + v gives; false where that is a TypeError, for an object with a toString of its own.
func (v *jsValue) text() (string, bool) {
	switch v.kind {
	case jsUndef:
		return "undefined", true
	case jsNull:
		return "null", true
	case jsBool:
		return strconv.FormatBool(v.num == 1), true
	case jsNumber:
		return numberText(v.num), true
	case jsString:
		return v.str, true
	case jsObject:
		_, own := v.byKey["toString"]
		return "[object Object]", !own
	}
	parts := make([]string, len(v.items))
	for i, item := range v.items {
		if item.is(jsNull) {
			continue
		}
		var ok bool
		if parts[i], ok = item.text(); !ok {
			return "", false
		}
	}
	return strings.Join(parts, ","), true
}

// numberText is JavaScript's form of a number, which encoding/json has too, but for what JSON cannot say.
func numberText(f float64) string {
	switch {
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	case f == 0:
		return "0" // also for -0
	}
	b, _ := json.Marshal(f) // a finite number always has a JSON form
	return string(b)
}

// write is JSON.stringify(v, null, 2).
func (v *jsValue) write(b *bytes.Buffer, indent string) {
	deeper := indent + "  "
	switch v.kind {
	case jsNumber:
		if math.IsInf(v.num, 0) {
			b.WriteString("null")
			return
		}
		b.WriteString(numberText(v.num))
	case jsString:
		writeJSString(b, v.str)
	case jsArray:
		writeJSList(b, '[', ']', len(v.items), indent, func(i int) { v.items[i].write(b, deeper) })
	case jsObject:
		keys := sortedJSKeys(v.keys)
		writeJSList(b, '{', '}', len(keys), indent, func(i int) {
			writeJSString(b, keys[i])
			b.WriteString(": ")
			v.byKey[keys[i]].write(b, deeper)
		})
	default:
		text, _ := v.text() // true, false and null have one
		b.WriteString(text)
	}
}

func writeJSList(b *bytes.Buffer, begin, end byte, n int, indent string, item func(i int)) {
	b.WriteByte(begin)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString("\n" + indent + "  ")
		item(i)
	}
	if n > 0 {
		b.WriteString("\n" + indent)
	}
	b.WriteByte(end)
}

// sortedJSKeys gives keys in the order of JavaScript's properties: array indices by number, then the others as they came.
func sortedJSKeys(keys []string) []string {
	keys = slices.Clone(keys)
	slices.SortStableFunc(keys, func(a, b string) int {
		m, aIndex := arrayIndex(a)
		n, bIndex := arrayIndex(b)
		switch {
		case aIndex && bIndex:
			return cmp.Compare(m, n)
		case aIndex:
			return -1
		case bIndex:
			return 1
		}
		return 0
	})
	return keys
}

func arrayIndex(key string) (int64, bool) {
	n, err := strconv.ParseInt(key, 10, 64)
	return n, err == nil && n >= 0 && n < math.MaxUint32 && strconv.FormatInt(n, 10) == key
}

// writeJSString writes a text as JSON.stringify does: few escapes, and one for each lone half of a surrogate pair.
func writeJSString(b *bytes.Buffer, s string) {
	b.WriteByte('"')
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch short := strings.IndexRune("\b\f\n\r\t\"\\", r); {
		case r == utf8.RuneError && size == 1:
			half := rune(s[i]&0x0f)<<12 | rune(s[i+1]&0x3f)<<6 | rune(s[i+2]&0x3f)
			fmt.Fprintf(b, `\u%04x`, half)
			size = 3
		case short >= 0:
			b.WriteString(`\` + `bfnrt"\`[short:short+1])
		case r < 0x20:
			fmt.Fprintf(b, `\u%04x`, r)
		default:
			b.WriteString(s[i : i+size])
		}
		i += size
	}
	b.WriteByte('"')
}

// parseJS is JSON.parse of valid UTF-8: nil when it is no JSON. deep tells that it is nested deeper than we read.
func parseJS(text []byte) (v *jsValue, deep bool) {
	if tooDeep(text) {
		return nil, true
	}
	if !json.Valid(text) {
		return nil, false
	}
	p := &jsParser{text: text}
	return p.value(), false
}

// tooDeep looks only at brackets, so that no parser is asked about a text that could exhaust its stack.
func tooDeep(text []byte) bool {
	depth, inString := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && inString:
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == '[' || c == '{':
			if depth++; depth > maxJSDepth {
				return true
			}
		case c == ']' || c == '}':
			depth--
		}
	}
	return false
}

// A jsParser reads text that json.Valid has agreed to, so that it looks for no errors.
type jsParser struct {
	text []byte
	at   int
}

func (p *jsParser) peek() byte {
	for p.text[p.at] == ' ' || p.text[p.at] == '\t' || p.text[p.at] == '\n' || p.text[p.at] == '\r' {
		p.at++
	}
	return p.text[p.at]
}

// more tells whether another item follows, before or after a comma; it takes the comma, or the end bracket.
func (p *jsParser) more(end byte) bool {
	switch p.peek() {
	case end:
		p.at++
		return false
	case ',':
		p.at++
	}
	return true
}

func (p *jsParser) value() *jsValue {
	switch p.peek() {
	case '{':
		p.at++
		o := jsObjectOf()
		for p.more('}') {
			p.peek()
			key := p.stringText()
			p.peek()
			p.at++ // the colon
			o.set(key, p.value())
		}
		return o
	case '[':
		p.at++
		list := jsListOf()
		for p.more(']') {
			list.items = append(list.items, p.value())
		}
		return list
	case '"':
		return jsText(p.stringText())
	}
	start := p.at
	for p.at < len(p.text) && !bytes.ContainsRune([]byte(",]} \t\r\n"), rune(p.text[p.at])) {
		p.at++
	}
	return jsWord(string(p.text[start:p.at]))
}

func jsWord(word string) *jsValue {
	switch word {
	case "null":
		return &jsValue{kind: jsNull}
	case "true":
		return &jsValue{kind: jsBool, num: 1}
	case "false":
		return &jsValue{kind: jsBool}
	}
	n, _ := strconv.ParseFloat(word, 64) // infinite when no float64 holds it, as in JavaScript
	return &jsValue{kind: jsNumber, num: n}
}

// stringText reads a text in quotes.
func (p *jsParser) stringText() string {
	var b []byte
	p.at++
	for p.text[p.at] != '"' {
		if p.text[p.at] != '\\' {
			b = append(b, p.text[p.at])
			p.at++
			continue
		}
		b = p.escape(b)
	}
	p.at++
	return string(b)
}

func (p *jsParser) escape(b []byte) []byte {
	c := p.text[p.at+1]
	if c != 'u' {
		p.at += 2
		if i := strings.IndexByte("bfnrt", c); i >= 0 {
			c = "\b\f\n\r\t"[i]
		}
		return append(b, c)
	}
	r := p.unit()
	if !utf16.IsSurrogate(r) {
		return utf8.AppendRune(b, r)
	}
	if p.text[p.at] == '\\' && p.text[p.at+1] == 'u' {
		before := p.at
		if pair := utf16.DecodeRune(r, p.unit()); pair != utf8.RuneError {
			return utf8.AppendRune(b, pair)
		}
		p.at = before
	}
	return append(b, 0xe0|byte(r>>12), 0x80|byte(r>>6)&0x3f, 0x80|byte(r)&0x3f)
}

// unit reads \uXXXX.
func (p *jsParser) unit() rune {
	n, _ := strconv.ParseUint(string(p.text[p.at+2:p.at+6]), 16, 16) // json.Valid has seen four digits
	p.at += 6
	return rune(n)
}
