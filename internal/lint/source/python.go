package source

import (
	"bytes"
	"strings"
)

// Python reads a module. calls are the dotted names of functions whose calls are wanted, such as os.system.
func Python(data []byte, calls map[string]bool) Facts {
	p := &python{collector: collector{data: data, calls: calls}}
	for p.i < len(p.data) {
		p.statement()
	}
	return p.facts
}

// A python reads statements by their first words. Strings and comments are passed over wherever they stand.
type python struct {
	collector
	i int
}

// statement reads to the end of a line or past a semicolon.
func (p *python) statement() {
	first := true
	name := ""
	start := p.i
	for p.i < len(p.data) {
		c := p.data[p.i]
		switch {
		case c == '\n' || c == ';':
			p.i++
			return
		case c == '#':
			p.line()
		case c == '\\':
			p.i += 2
		case c == '"' || c == '\'':
			p.quoted(c)
			name, first = "", false
		case isNameStart(c):
			word, at := p.word()
			if first && (word == "import" || word == "from") {
				p.imports(word)
				return
			}
			if name == "" {
				start = at
			}
			name, first = name+word, false
		case c == '.' && name != "" && len(name) < maxName:
			name += "."
			p.i++
		default:
			if c == '(' && p.calls[name] {
				p.call(name, start, p.i)
			}
			if c > ' ' {
				first = c == ':'
			}
			name = ""
			p.i++
		}
	}
}

func (p *python) line() {
	if n := bytes.IndexByte(p.data[p.i:], '\n'); n >= 0 {
		p.i += n
		return
	}
	p.i = len(p.data)
}

func (p *python) word() (string, int) {
	start := p.i
	for p.i < len(p.data) && isName(p.data[p.i]) {
		p.i++
	}
	return string(p.data[start:min(p.i, start+maxName)]), start
}

// quoted reads a string, one of three quotes too.
func (p *python) quoted(quote byte) {
	long := bytes.Repeat([]byte{quote}, 3)
	end, width := []byte{quote}, 1
	if bytes.HasPrefix(p.data[p.i:], long) {
		end, width = long, 3
	}
	start := p.i + width
	for p.i = start; p.i < len(p.data); p.i++ {
		switch c := p.data[p.i]; {
		case c == '\\':
			p.i++
		case c == '\n' && width == 1:
			p.text(start, p.i)
			return
		case c == quote && bytes.HasPrefix(p.data[p.i:], end):
			p.text(start, p.i)
			p.i += width
			return
		}
	}
	p.i = len(p.data)
}

// imports reads the rest of "import a.b, c as d" or "from a.b import c, d"; the latter gives a.b and a.b.c, because c may
// be a module.
func (p *python) imports(word string) {
	start := p.i
	list := p.logicalLine()
	if word == "from" {
		module, names, _ := strings.Cut(strings.Trim(list, blanks), " ")
		names = strings.TrimPrefix(strings.Trim(names, blanks), "import")
		at := start + max(0, bytes.Index(p.data[start:p.i], []byte(module)))
		p.imported(module, at, at+len(module))
		for _, name := range splitNames(names) {
			p.imported(strings.TrimSuffix(module, ".")+"."+name, at, at+len(module))
		}
		return
	}
	for _, name := range splitNames(list) {
		at := start + max(0, bytes.Index(p.data[start:p.i], []byte(name)))
		p.imported(name, at, at+len(name))
	}
}

const (
	blanks       = " \t\r\n()\\"
	maxStatement = 16 << 10
)

// logicalLine gives the rest of a statement: over the lines of parentheses and behind a backslash, without comments.
func (p *python) logicalLine() string {
	var b strings.Builder
	open := false
	for p.i < len(p.data) {
		c := p.data[p.i]
		switch {
		case c == '#':
			p.line()
			continue
		case c == '\\' && p.i+1 < len(p.data):
			p.i++ // and the line's end
			c = ' '
		case c == '(' || c == ')':
			open = c == '('
		case c == ';' || c == '\n' && !open, b.Len() > maxStatement:
			return b.String()
		}
		if c == '\t' || c == '\n' {
			c = ' '
		}
		b.WriteByte(c)
		p.i++
	}
	return b.String()
}

// splitNames gives the names of a list such as "a.b, c as d".
func splitNames(list string) (names []string) {
	for part := range strings.SplitSeq(list, ",") {
		name, _, _ := strings.Cut(strings.Trim(part, blanks), " ")
		if name != "" && name != "*" {
			names = append(names, name)
		}
	}
	return names
}
