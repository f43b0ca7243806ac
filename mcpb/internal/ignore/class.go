package ignore

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// A class is a bracket expression, in the grammar of git's wildmatch: ] right after the opening is a member, \ quotes a
// member, and [:alpha:] and its like name sets of ASCII characters.
type class struct {
	negated bool
	ranges  [][2]rune
}

// matches tells whether one of the cases of a folded character is a member.
func (c *class) matches(folded rune) bool {
	return c.has(folded) != c.negated
}

func (c *class) has(r rune) bool {
	for _, f := range c.ranges {
		for s := r; ; {
			if f[0] <= s && s <= f[1] && fold(s) == r {
				return true
			}
			if s = unicode.SimpleFold(s); s == r {
				break
			}
		}
	}
	return false
}

// parseClass reads the class at the start of text. It is not ok when the class has no end or names an unknown set: git
// then gives the whole pattern up.
func parseClass(text string) (*class, string, bool) {
	c := &class{}
	text = text[1:]
	if text != "" && (text[0] == '!' || text[0] == '^') {
		c.negated, text = true, text[1:]
	}
	for first := true; ; first = false {
		switch {
		case text == "":
			return nil, "", false
		case text[0] == ']' && !first:
			return c, text[1:], true
		case strings.HasPrefix(text, "[:"):
			name, rest, found := strings.Cut(text[2:], "]")
			if !found {
				return nil, "", false
			}
			if name, found = strings.CutSuffix(name, ":"); found {
				set, known := posix(name)
				if !known {
					return nil, "", false
				}
				c.ranges, text = append(c.ranges, set...), rest
				continue
			}
		}
		var ok bool
		if text, ok = c.member(text); !ok {
			return nil, "", false
		}
	}
}

// member reads one character, or a range of them. A range the wrong way round is its first character only.
func (c *class) member(text string) (rest string, ok bool) {
	from, text, ok := classChar(text)
	if !ok {
		return "", false
	}
	to := from
	if len(text) > 1 && text[0] == '-' && text[1] != ']' {
		if to, text, ok = classChar(text[1:]); !ok {
			return "", false
		}
	}
	c.ranges = append(c.ranges, [2]rune{from, max(from, to)})
	return text, true
}

// classChar reads one character, perhaps escaped.
func classChar(text string) (r rune, rest string, ok bool) {
	text = strings.TrimPrefix(text, `\`)
	if text == "" {
		return 0, "", false
	}
	r, size := utf8.DecodeRuneInString(text)
	return r, text[size:], true
}

// posix gives the members of a named set, in ASCII.
func posix(name string) ([][2]rune, bool) {
	switch name {
	case "alnum":
		return [][2]rune{{'0', '9'}, {'A', 'Z'}, {'a', 'z'}}, true
	case "alpha":
		return [][2]rune{{'A', 'Z'}, {'a', 'z'}}, true
	case "blank":
		return [][2]rune{{' ', ' '}, {'\t', '\t'}}, true
	case "cntrl":
		return [][2]rune{{0, 0x1f}, {0x7f, 0x7f}}, true
	case "digit":
		return [][2]rune{{'0', '9'}}, true
	case "graph":
		return [][2]rune{{'!', '~'}}, true
	case "lower":
		return [][2]rune{{'a', 'z'}}, true
	case "print":
		return [][2]rune{{' ', '~'}}, true
	case "punct":
		return [][2]rune{{'!', '/'}, {':', '@'}, {'[', '`'}, {'{', '~'}}, true
	case "space":
		return [][2]rune{{' ', ' '}, {'\t', '\n'}, {'\r', '\r'}}, true
	case "upper":
		return [][2]rune{{'A', 'Z'}}, true
	case "xdigit":
		return [][2]rune{{'0', '9'}, {'A', 'F'}, {'a', 'f'}}, true
	}
	return nil, false
}
