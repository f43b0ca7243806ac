package expand

import "strings"

// A piece is an expanded text, and how it is shown.
type piece struct {
	text, shown string
	incomplete  bool // a required value is missing
}

// text expands one text in one pass; false when it needs an optional value that is not there.
func (e *expander) text(s string) (piece, bool) {
	var text, shown strings.Builder
	var p piece
	complete := true
	for {
		before, name, after, found := cutVariable(s)
		text.WriteString(before)
		shown.WriteString(before)
		e.bytes += len(before) + 1
		if !found || e.tooMuch() {
			break
		}
		s = after
		v, known := e.values[name]
		part := piece{text: "${" + name + "}", shown: "${" + name + "}"}
		switch {
		case !known:
			e.cmd.Unknown = append(e.cmd.Unknown, name)
		case v.missing:
			part.shown, p.incomplete = v.placeholder(), true
		case !v.set:
			complete = false
		default:
			part = v.piece(strings.Join(v.items, listSeparator(e.in.OS)))
		}
		text.WriteString(part.text)
		shown.WriteString(part.shown)
		e.bytes += max(len(part.text), len(part.shown))
	}
	p.text, p.shown = text.String(), shown.String()
	return p, complete
}

// cutVariable cuts s around its first variable. In "${a${b}" that is b: a name holds no "${".
func cutVariable(s string) (before, name, after string, found bool) {
	for from := 0; ; {
		i := strings.IndexByte(s[from:], '}')
		if i < 0 {
			return s, "", "", false
		}
		end := from + i
		if start := strings.LastIndex(s[from:end], "${"); start >= 0 {
			return s[:from+start], s[from+start+2 : end], s[end+1:], true
		}
		from = end + 1
	}
}

// wholeVariable gives the name when s is one variable and nothing else; else "", which is no variable's name.
func wholeVariable(s string) string {
	before, name, after, found := cutVariable(s)
	if !found || before != "" || after != "" {
		return ""
	}
	return name
}
