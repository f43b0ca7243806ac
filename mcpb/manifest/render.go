package manifest

import (
	"bytes"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/width"

	"satchel/internal/term"
)

// Render writes each finding with its place, the source line and a mark under the place. Text of the manifest is made
// safe for a terminal; a long line is cut to the part around the place. Without the source, lines are left out.
func (r *Report) Render(w io.Writer, source []byte, color bool) {
	o := &term.Out{Writer: w, Color: color}
	for _, f := range r.Findings {
		word := o.Red(string(Error))
		switch f.Severity {
		case Warning:
			word = o.Yellow(string(Warning))
		case Hint:
			word = o.Faint(string(Hint))
		}
		text := strings.TrimSpace(f.Path + " " + f.Message)
		o.Printf("%s:%d:%d: %s: %s %s\n", term.VisibleLine(r.name()), f.Line, f.Column, word, term.VisibleLine(text), o.Faint("["+f.Rule+"]"))
		if len(source) > 0 {
			renderLine(o, f, source)
		}
		if f.Fix != "" {
			o.Printf("      %s %s\n", o.Green("fix:"), term.VisibleLine(f.Fix))
		}
	}
}

// The columns of a terminal that are shown of a line before the mark, under it, and behind it.
const (
	maxBefore = 60
	maxMarked = 60
	maxAfter  = 30
)

// renderLine shows the line of a finding with a mark below.
func renderLine(o *term.Out, f Finding, source []byte) {
	offset := min(f.Offset, len(source))
	before, marked, after := lineAround(source, offset, min(max(f.EndOffset, offset), len(source)))
	head := cutLeft(shown(before), maxBefore)
	mark := cutRight(shown(marked), maxMarked)
	tail := cutRight(shown(after), maxAfter)
	o.Printf("%5d | %s\n", f.Line, strings.TrimRight(head+mark+tail, " "))
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

func shown(b []byte) string {
	return term.VisibleLine(strings.ReplaceAll(strings.TrimSuffix(string(b), "\r"), "\t", "    "))
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
