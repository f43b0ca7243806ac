package jsonedit

import "encoding/json"

// A node is a value with its place in the text, and what the edits make of it. As a member of an object it has a key.
type node struct {
	start, end       int // of the value
	keyStart, keyEnd int // of the key, quotes included
	key              string
	open             byte // '{', '[', or 0 for other values
	below            []*node

	newKey   *string
	replaced bool
	value    any
	deleted  bool
	added    []addition
}

type addition struct {
	key   string // of an object's member
	value any
}

// first is where a member or an item begins.
func (n *node) first() int {
	if n.keyEnd > 0 {
		return n.keyStart
	}
	return n.start
}

// find follows a path; of a key given twice to the last one.
func (n *node) find(path Path) (*node, error) {
	for _, step := range path {
		switch step := step.(type) {
		case string:
			same := n.members(step)
			if n.open != '{' || len(same) == 0 {
				return nil, ErrPath
			}
			n = same[len(same)-1]
		case int:
			if n.open != '[' || step < 0 || step >= len(n.below) {
				return nil, ErrPath
			}
			n = n.below[step]
		default:
			return nil, ErrPath
		}
	}
	return n, nil
}

func (n *node) members(key string) (same []*node) {
	for _, m := range n.below {
		if m.key == key {
			same = append(same, m)
		}
	}
	return same
}

// parse finds the places in a text that is known to be JSON.
func parse(data []byte) *node {
	p := &parser{data: data}
	p.blanks()
	n := &node{}
	p.value(n)
	return n
}

type parser struct {
	data []byte
	at   int
}

func (p *parser) blanks() {
	for p.at < len(p.data) && isBlank(p.data[p.at]) {
		p.at++
	}
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

func (p *parser) value(n *node) {
	n.start = p.at
	switch c := p.data[p.at]; c {
	case '{', '[':
		n.open = c
		p.inside(n)
	case '"':
		p.text()
	default:
		for p.at < len(p.data) && !isBlank(p.data[p.at]) && p.data[p.at] != ',' && p.data[p.at] != '}' && p.data[p.at] != ']' {
			p.at++
		}
	}
	n.end = p.at
}

// inside reads what is between the brackets, and both of them. The depth is bounded: [json.Valid] takes 10,000 levels.
func (p *parser) inside(n *node) {
	for p.at++; ; p.at++ {
		p.blanks()
		if c := p.data[p.at]; c == '}' || c == ']' {
			break
		}
		m := &node{}
		if n.open == '{' {
			p.keyOf(m)
		}
		p.value(m)
		n.below = append(n.below, m)
		p.blanks()
		if p.data[p.at] != ',' {
			break
		}
	}
	p.at++
}

func (p *parser) keyOf(m *node) {
	m.keyStart = p.at
	p.text()
	m.keyEnd = p.at
	_ = json.Unmarshal(p.data[m.keyStart:m.keyEnd], &m.key) // the text is JSON
	p.blanks()
	p.at++ // the colon
	p.blanks()
}

func (p *parser) text() {
	for p.at++; p.data[p.at] != '"'; p.at++ {
		if p.data[p.at] == '\\' {
			p.at++
		}
	}
	p.at++
}
