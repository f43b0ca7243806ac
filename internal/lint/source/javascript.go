package source

import (
	"bytes"
	"strings"
)

// JavaScript reads a program or module. calls are the functions whose calls are wanted: a plain name stands for the
// global function, so that obj.fetch(x) is no call of fetch, while globalThis.fetch(x) is one.
func JavaScript(data []byte, calls map[string]bool) Facts {
	j := &javascript{collector: collector{data: data, calls: calls}}
	for j.next() {
	}
	j.settle("")
	return j.facts
}

// A javascript reads tokens and keeps the last few.
type javascript struct {
	collector
	i      int
	last   [4]jsToken // the newest first
	braces []bool     // open braces: whether each belongs to a template literal
	maybe  *Ref       // a call that is none if its closing parenthesis is followed by a brace: then it defines a method
	depth  int        // of parentheses since that call
	wasted int        // bytes that were read as regular expressions which then were none
	closed bool       // that call's parenthesis is closed
}

type jsToken struct {
	text       string // a name or a punctuation mark; the content of a string
	str        bool   // it is a string
	start, end int
}

// maxBraces bounds the memory for braces; a program nested deeper is read as if template literals had no expressions.
const maxBraces = 10_000

// next reads one token; false at the end.
func (j *javascript) next() bool {
	for j.i < len(j.data) && j.data[j.i] <= ' ' {
		j.i++
	}
	if j.i >= len(j.data) {
		return false
	}
	start, c := j.i, j.data[j.i]
	switch {
	case c == '/' && j.comment():
	case c == '/' && j.regexp():
		j.push(jsToken{text: "/", str: true, start: start, end: j.i})
	case c == '#' && start == 0: // #! of a script
		j.line()
	case c == '"' || c == '\'':
		j.quoted(c)
	case c == '`':
		j.i++
		j.template()
	case isNameStart(c):
		for j.i < len(j.data) && isName(j.data[j.i]) {
			j.i++
		}
		j.push(jsToken{text: string(j.data[start:min(j.i, start+maxName)]), start: start, end: j.i})
	case c >= '0' && c <= '9':
		for j.i < len(j.data) && (isName(j.data[j.i]) || j.data[j.i] == '.') {
			j.i++
		}
		j.push(jsToken{text: "0", start: start, end: j.i})
	default:
		j.i++
		j.mark(c, start)
	}
	return true
}

func (j *javascript) line() {
	if n := bytes.IndexByte(j.data[j.i:], '\n'); n >= 0 {
		j.i += n
		return
	}
	j.i = len(j.data)
}

func (j *javascript) comment() bool {
	rest := j.data[j.i:]
	switch {
	case bytes.HasPrefix(rest, []byte("//")):
		j.line()
	case bytes.HasPrefix(rest, []byte("/*")):
		if n := bytes.Index(rest[2:], []byte("*/")); n >= 0 {
			j.i += n + 4
		} else {
			j.i = len(j.data)
		}
	default:
		return false
	}
	return true
}

// regexp reads a regular expression where one can stand; a slash elsewhere divides. One never goes over a line's end.
func (j *javascript) regexp() bool {
	if j.divides() || j.wasted > 4*len(j.data) { // the latter keeps the time linear
		return false
	}
	class := false
	k := j.i + 1
	for ; k < len(j.data) && j.data[k] != '\n'; k++ {
		switch c := j.data[k]; {
		case c == '\\':
			k++
		case c == '[':
			class = true
		case c == ']':
			class = false
		case c == '/' && !class:
			j.i = k + 1
			return true
		}
	}
	j.wasted += k - j.i
	return false
}

// divides tells whether a slash here divides: after a value. After a closing parenthesis it may be either; division is
// far more frequent.
func (j *javascript) divides() bool {
	t := j.last[0]
	switch {
	case t.str || t.text == ")" || t.text == "]" || t.text == "}":
		return true
	case t.text == "" || !isName(t.text[0]):
		return false
	}
	switch t.text {
	case "return", "typeof", "case", "in", "of", "delete", "void", "throw", "new", "else", "do", "await", "yield", "instanceof":
		return false
	}
	return true
}

func (j *javascript) quoted(quote byte) {
	start := j.i + 1
	k := start
	for k < len(j.data) && j.data[k] != quote && j.data[k] != '\n' {
		if j.data[k] == '\\' {
			k++
		}
		k++
	}
	end := min(k, len(j.data))
	j.i = min(k+1, len(j.data))
	j.str(start, end)
}

func (j *javascript) str(start, end int) {
	j.text(start, end)
	j.push(jsToken{text: string(j.data[start:min(end, start+maxName+1)]), str: true, start: start, end: end})
}

// template reads a template literal, or the rest of one behind an expression.
func (j *javascript) template() {
	start := j.i
	for ; j.i < len(j.data); j.i++ {
		switch c := j.data[j.i]; {
		case c == '\\':
			j.i++
		case c == '`':
			j.str(start, j.i)
			j.i++
			return
		case c == '$' && j.i+1 < len(j.data) && j.data[j.i+1] == '{' && len(j.braces) < maxBraces:
			j.str(start, j.i)
			j.i += 2
			j.braces = append(j.braces, true)
			j.push(jsToken{text: "{", start: j.i - 1, end: j.i})
			return
		}
	}
	j.i = len(j.data)
}

func (j *javascript) mark(c byte, start int) {
	switch c {
	case '{':
		if len(j.braces) < maxBraces {
			j.braces = append(j.braces, false)
		}
	case '}':
		if n := len(j.braces); n > 0 {
			inTemplate := j.braces[n-1]
			j.braces = j.braces[:n-1]
			if inTemplate {
				j.push(jsToken{text: "}", start: start, end: j.i})
				j.template()
				return
			}
		}
	}
	j.push(jsToken{text: string(rune(c)), start: start, end: j.i})
}

// push takes a token and looks at what it ends.
func (j *javascript) push(t jsToken) {
	j.settle(t.text)
	copy(j.last[1:], j.last[:])
	j.last[0] = t
	if t.str {
		j.module(t)
		return
	}
	switch b := j.last[1]; {
	case t.text == "(":
		j.called()
	case !b.str && b.text == "new" && j.calls[t.text]: // new X; has no parentheses
		j.call(t.text, t.start, t.end)
	}
}

// module: import "x", from "x", require("x"), import("x").
func (j *javascript) module(t jsToken) {
	a, b, c := j.last[1], j.last[2], j.last[3]
	switch {
	case a.str:
	case (a.text == "from" || a.text == "import") && !b.str && b.text != ".",
		a.text == "(" && !b.str && (b.text == "require" || b.text == "__require" || b.text == "import" || b.text == "getBuiltinModule" && c.text == "."):
		j.imported(t.text, t.start, t.end)
	}
}

// called looks at the name before an opening parenthesis.
func (j *javascript) called() {
	name, before, object := j.last[1], j.last[2], j.last[3]
	if name.str || name.text == "" || !isNameStart(name.text[0]) {
		return
	}
	dotted := name.text
	switch {
	case !before.str && before.text == "function":
		return
	case !before.str && before.text == ".":
		if object.str || object.text != "globalThis" && object.text != "window" && object.text != "global" {
			dotted = object.text + "." + name.text
		}
	}
	if !j.calls[dotted] {
		return
	}
	j.maybe, j.depth, j.closed = &Ref{dotted, name.start, name.end}, 0, false
	if dotted != name.text { // no definition looks like this
		j.call(dotted, name.start, name.end)
		j.maybe = nil
	}
}

// settle decides by the next token whether a name with parentheses was a call or the head of a method.
func (j *javascript) settle(next string) {
	switch {
	case j.maybe == nil:
	case j.closed:
		if next != "{" {
			j.call(j.maybe.Text, j.maybe.Start, j.maybe.End)
		}
		j.maybe = nil
	case next == "(":
		j.depth++
	case next == ")" && j.depth == 0:
		j.closed = true
	case next == ")":
		j.depth--
	case next == "": // the end
		j.call(j.maybe.Text, j.maybe.Start, j.maybe.End)
	}
}

// Package gives the name of the npm package that a module's name belongs to; "" for a path or a URL.
func Package(module string) string {
	if module == "" || strings.HasPrefix(module, ".") || strings.HasPrefix(module, "/") || strings.ContainsAny(module, ":\\ ") {
		return ""
	}
	parts := strings.SplitN(module, "/", 3)
	if strings.HasPrefix(module, "@") {
		if len(parts) < 2 {
			return ""
		}
		return parts[0] + "/" + parts[1]
	}
	return parts[0]
}
