package ignore

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A pattern is one line of gitignore syntax, made ready for matching against folded paths.
type pattern struct {
	negated  bool   // it takes back in
	dirOnly  bool   // it ended with a slash
	baseOnly bool   // without a slash inside, it is about the last part of a path
	literal  string // the whole pattern when it has no wildcard
	parts    []part // otherwise; between slashes
}

// A part is what stands between two slashes of a pattern.
type part struct {
	anyDepth bool // **: any number of parts of a path, also none
	tokens   []token
}

// A token matches one character, or with star any number of them.
type token struct {
	star  bool
	any   bool   // ?
	class *class // [...]
	char  rune   // itself, folded
}

// parse reads a pattern; it is not ok when it can never match.
func parse(text string) (*pattern, bool) {
	p := &pattern{}
	text, p.negated = strings.CutPrefix(text, "!")
	text, p.dirOnly = strings.CutSuffix(text, "/")
	if endsEscaping(text) {
		return nil, false
	}
	p.baseOnly = !strings.Contains(text, "/")
	parts, ok := split(strings.TrimPrefix(text, "/"))
	if !ok {
		return nil, false
	}
	if last := parts[len(parts)-1]; last.anyDepth { // a/** is what is in a, not a
		parts = append(parts, part{tokens: []token{{star: true}}})
		p.baseOnly = false
	}
	p.parts = parts
	p.literal = literal(parts)
	return p, true
}

// endsEscaping tells whether text ends with a backslash that quotes what would follow.
func endsEscaping(text string) bool {
	return (len(text)-len(strings.TrimRight(text, `\`)))%2 == 1
}

// split reads the parts of a pattern. A slash inside brackets does not separate.
func split(text string) ([]part, bool) {
	parts := []part{{}}
	for text != "" {
		if text[0] == '/' || strings.HasPrefix(text, `\/`) {
			parts = append(parts, part{})
			text = text[strings.IndexByte(text, '/')+1:]
			continue
		}
		t, rest, ok := nextToken(text)
		if !ok {
			return nil, false
		}
		last := &parts[len(parts)-1]
		last.tokens, text = append(last.tokens, t), rest
	}
	for i := range parts {
		switch tokens := parts[i].tokens; {
		case len(tokens) == 0: // a//b, or nothing at all
			return nil, false
		case len(tokens) > 1 && !slices.ContainsFunc(tokens, func(t token) bool { return !t.star }):
			parts[i] = part{anyDepth: true}
		}
	}
	return parts, true
}

// nextToken reads one token off the start of text, which is not empty and ends with no open escape.
func nextToken(text string) (t token, rest string, ok bool) {
	switch text[0] {
	case '*':
		return token{star: true}, text[1:], true
	case '?':
		return token{any: true}, text[1:], true
	case '[':
		c, rest, ok := parseClass(text)
		return token{class: c}, rest, ok
	case '\\':
		text = text[1:]
	}
	r, size := utf8.DecodeRuneInString(text)
	return token{char: fold(r)}, text[size:], true
}

// literal gives the text of parts without wildcards; "" when there are any.
func literal(parts []part) string {
	var b strings.Builder
	for i, p := range parts {
		if i > 0 {
			b.WriteByte('/')
		}
		for _, t := range p.tokens {
			if t.star || t.any || t.class != nil {
				return ""
			}
			b.WriteRune(t.char)
		}
		if p.anyDepth {
			return ""
		}
	}
	return b.String()
}

// matches tells whether a folded path is meant; base is its last part.
func (p *pattern) matches(path, base string) bool {
	if p.baseOnly {
		path = base
	}
	if p.literal != "" {
		return path == p.literal
	}
	return matchParts(p.parts, path)
}

// matchParts goes along path and parts together. When a part does not match, it goes back to the last ** and lets that
// take one part of the path more; an earlier one need not be tried again, as the last takes whatever is between.
func matchParts(parts []part, path string) bool {
	i, back, more := 0, -1, true
	var again string // the path behind what the last ** has taken
	for more {
		if i < len(parts) && parts[i].anyDepth {
			i, back, again = i+1, i+1, path
			continue
		}
		head, rest, found := strings.Cut(path, "/")
		if i < len(parts) && matchTokens(parts[i].tokens, head) {
			i, path, more = i+1, rest, found
			continue
		}
		if back < 0 {
			return false
		}
		_, again, more = strings.Cut(again, "/")
		i, path = back, again
	}
	return i == len(parts)
}

// matchTokens matches one part of a path, by the same method, with stars for ** and characters for parts.
func matchTokens(tokens []token, s string) bool {
	i, back := 0, -1
	var again string
	for {
		if i < len(tokens) && tokens[i].star {
			i, back, again = i+1, i+1, s
			continue
		}
		if s == "" && i == len(tokens) {
			return true
		}
		r, size := utf8.DecodeRuneInString(s)
		if i < len(tokens) && s != "" && tokens[i].matches(r) {
			i, s = i+1, s[size:]
			continue
		}
		if back < 0 || again == "" {
			return false
		}
		_, size = utf8.DecodeRuneInString(again)
		again = again[size:]
		i, s = back, again
	}
}

func (t token) matches(r rune) bool {
	switch {
	case t.any:
		return true
	case t.class != nil:
		return t.class.matches(r)
	}
	return t.char == r
}

// fold maps a character to the one that stands for all its cases, as regular expressions of JavaScript do: through
// upper case, and never from outside ASCII into it (ECMA-262, Canonicalize).
func fold(r rune) rune {
	if r < utf8.RuneSelf {
		return rune(foldByte(byte(r)))
	}
	if upper := unicode.ToUpper(r); upper >= utf8.RuneSelf {
		return upper
	}
	return r
}

func foldByte(c byte) byte {
	if 'a' <= c && c <= 'z' {
		return c - 'a' + 'A'
	}
	return c
}

// foldString folds a path; invalid UTF-8 becomes U+FFFD, which no name in a bundle has.
func foldString(s string) string { return strings.Map(fold, s) }
