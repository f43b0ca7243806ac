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
				add(&p.facts.Calls, name, start, p.i)
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
	end := bytes.IndexAny(p.data[start:], "\n;#")
	if end < 0 {
		end = len(p.data) - start
	}
	list := string(p.data[start : start+end])
	p.i = start + end
	if word == "from" {
		module, names, _ := strings.Cut(list, " import ")
		module = strings.TrimSpace(module)
		at := start + strings.Index(list, module)
		add(&p.facts.Imports, module, at, at+len(module))
		for _, name := range splitNames(names) {
			add(&p.facts.Imports, module+"."+name, at, at+len(module))
		}
		return
	}
	for _, name := range splitNames(list) {
		at := start + strings.Index(list, name)
		add(&p.facts.Imports, name, at, at+len(name))
	}
}

// splitNames gives the names of a list such as "a.b, c as d", few enough for a line that a person wrote.
func splitNames(list string) (names []string) {
	for part := range strings.SplitSeq(list[:min(len(list), 4*maxName)], ",") {
		name, _, _ := strings.Cut(strings.Trim(part, " \t\r()\\"), " ")
		if name != "" {
			names = append(names, name)
		}
	}
	return names
}
