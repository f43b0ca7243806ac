package manifest

import (
	"io"
	"strings"

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
			o.Snippet(f.Line, term.CutSnippet(source, f.Offset, f.EndOffset))
		}
		if f.Fix != "" {
			o.Printf("      %s %s\n", o.Green("fix:"), term.VisibleLine(f.Fix))
		}
	}
}
