// Package source finds what JavaScript and Python programs import, which built-in functions for the network and for
// other programs they call, and which hosts their texts name. Use it to tell a reviewer what to look at: it reads
// tokens, not meanings, so a program that hides what it does is not found out.
//
// Comments are passed over, and so is what stands in strings, but for the addresses. Time is linear in the text, memory
// is bounded, and no text makes it panic: what is no program at all gives some list or none.
package source

import "strings"

// A Ref is a name that a program uses, at the bytes Start to End.
type Ref struct {
	Text       string
	Start, End int
}

// Facts are what was found, in the order of the text: each name once, where it is first, and at most [MaxRefs] in a list.
type Facts struct {
	Imports []Ref // modules, as the program names them
	Calls   []Ref // dotted names of functions that are called, such as os.system; only those asked for
	URLs    []Ref // addresses in strings that begin with http, https, ws or wss
}

const (
	// MaxRefs bounds each list of [Facts].
	MaxRefs = 500
	maxName = 300 // bytes of a module's name or an address
)

// A collector gathers facts.
type collector struct {
	data  []byte
	calls map[string]bool // the names whose calls are wanted
	facts Facts
	seen  [3]map[string]bool
}

func (c *collector) imported(module string, start, end int) {
	c.add(0, &c.facts.Imports, module, start, end)
}

func (c *collector) call(name string, start, end int) { c.add(1, &c.facts.Calls, name, start, end) }

func (c *collector) add(kind int, list *[]Ref, text string, start, end int) {
	if len(*list) >= MaxRefs || text == "" || len(text) > maxName || c.seen[kind][text] {
		return
	}
	if c.seen[kind] == nil {
		c.seen[kind] = map[string]bool{}
	}
	c.seen[kind][text] = true
	*list = append(*list, Ref{text, start, end})
}

// text takes a string of the program, which stands at the bytes start to end.
func (c *collector) text(start, end int) {
	for _, scheme := range []string{"http://", "https://", "ws://", "wss://"} {
		head := c.data[start:min(end, start+len(scheme))]
		if strings.EqualFold(string(head), scheme) {
			stop := start + len(scheme)
			for stop < end && stop-start < maxName && !strings.ContainsRune(" \t\r\n\"'`<>{}$\\", rune(c.data[stop])) {
				stop++
			}
			c.add(2, &c.facts.URLs, string(c.data[start:stop]), start, stop)
			return
		}
	}
}

func isNameStart(c byte) bool {
	return c == '_' || c == '$' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

func isName(c byte) bool { return isNameStart(c) || c >= '0' && c <= '9' }
