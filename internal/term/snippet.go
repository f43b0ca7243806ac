package term

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/width"
)

// A Snippet is the part of a line of somebody else's text around a place: what stands before it, in it and behind it.
type Snippet struct{ Before, Marked, After string }

// The columns of a terminal that are shown of a line before the mark, under it, and behind it.
const (
	maxBefore = 60
	maxMarked = 60
	maxAfter  = 30
)

// CutSnippet cuts the line of the bytes start to end out of source, looking only so far that a line of megabytes costs
// nothing. Places outside source are moved into it.
func CutSnippet(source []byte, start, end int) Snippet {
	start = max(0, min(start, len(source)))
	end = max(start, min(end, len(source)))
	before, marked, after := lineAround(source, start, end)
	return Snippet{string(before), string(marked), string(after)}
}

// Snippet shows a line with a mark below the place. The text is made safe; what is long is cut.
func (o *Out) Snippet(line int, s Snippet) {
	head := cutLeft(shown(s.Before), maxBefore)
	mark := cutRight(shown(s.Marked), maxMarked)
	tail := cutRight(shown(s.After), maxAfter)
	o.Printf("%5d | %s\n", line, strings.TrimRight(head+mark+tail, " "))
	o.Printf("      | %s%s\n", strings.Repeat(" ", columns(head)), o.Red(strings.Repeat("^", max(1, columns(mark)))))
}

// lineAround cuts the line of a range into what stands before, in and behind it, looking only so far that a line of
// megabytes costs nothing.
func lineAround(source []byte, start, end int) (before, marked, after []byte) {
	const far = 4 * (maxBefore + maxMarked + maxAfter)
	before = source[max(0, start-far):start]
	if i := bytes.LastIndexByte(before, '\n'); i >= 0 {
		before = before[i+1:]
	}
	for len(before) > 0 && start > far && !utf8.RuneStart(before[0]) {
		before = before[1:]
	}
	marked, after = source[start:min(end, start+far)], source[end:min(len(source), end+far)]
	if i := bytes.IndexByte(marked, '\n'); i >= 0 {
		marked, after = marked[:i], nil
	}
	if i := bytes.IndexByte(after, '\n'); i >= 0 {
		after = after[:i]
	}
	return before, marked, bytes.TrimSuffix(after, []byte("\r"))
}

func shown(s string) string {
	return VisibleLine(strings.ReplaceAll(strings.TrimSuffix(s, "\r"), "\t", "    "))
}

// cutLeft keeps the end of s, at most n columns wide.
func cutLeft(s string, n int) string {
	if columns(s) <= n {
		return s
	}
	for columns(s) > n-1 {
		_, size := utf8.DecodeRuneInString(s)
		s = s[size:]
	}
	return "…" + s
}

// cutRight keeps the beginning of s, at most n columns wide.
func cutRight(s string, n int) string {
	if columns(s) <= n {
		return s
	}
	for columns(s) > n-1 {
		_, size := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-size]
	}
	return s + "…"
}

// columns is how wide a terminal shows s: marks that combine take no column, East Asian wide characters two.
func columns(s string) (n int) {
	for _, r := range s {
		switch k := width.LookupRune(r).Kind(); {
		case unicode.In(r, unicode.Mn, unicode.Me):
		case k == width.EastAsianWide, k == width.EastAsianFullwidth:
			n += 2
		default:
			n++
		}
	}
	return n
}
