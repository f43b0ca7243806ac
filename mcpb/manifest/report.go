package manifest

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"satchel/internal/problem"
	"satchel/internal/term"
)

// A Severity is how bad a finding is.
type Severity string

// The severities. Only errors make a manifest invalid.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
	Hint    Severity = "hint"
)

// A Finding is one thing that is wrong with a manifest, or may be.
type Finding struct {
	Rule      string   `json:"rule"`
	Severity  Severity `json:"severity"`
	Path      string   `json:"path,omitempty"` // such as server.mcp_config.args[2]; empty for the whole
	Line      int      `json:"line"`           // from 1
	Column    int      `json:"column"`         // from 1, in characters
	Offset    int      `json:"offset"`         // in bytes, from 0
	EndOffset int      `json:"endOffset"`
	Message   string   `json:"message"`
	Fix       string   `json:"fix,omitempty"`
}

// A Report is all that was found in a manifest, in the order of the text.
type Report struct {
	File     string    `json:"-"` // for messages; set by the caller
	Findings []Finding `json:"findings"`
}

// OK tells whether there is no error among the findings.
func (r *Report) OK() bool {
	return !slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Severity == Error })
}

// Err gives nil when the manifest is valid, else a problem of class Invalid that names the first error.
func (r *Report) Err() error {
	errs := slices.DeleteFunc(slices.Clone(r.Findings), func(f Finding) bool { return f.Severity != Error })
	if len(errs) == 0 {
		return nil
	}
	first := errs[0]
	text := first.Message
	if first.Path != "" {
		text = first.Path + " " + text
	}
	if len(errs) > 1 {
		text = fmt.Sprintf("%s (and %d more)", text, len(errs)-1)
	}
	p := problem.New(problem.Invalid, first.Rule, "%s", text).At(fmt.Sprintf("%s:%d:%d", r.name(), first.Line, first.Column)).From(sourceOf(first.Rule))
	if first.Fix != "" {
		p = p.Try("%s", first.Fix)
	}
	return p
}

func (r *Report) name() string {
	if r.File == "" {
		return "manifest.json"
	}
	return r.File
}

// finish puts the findings into the order of the text and fills in lines and columns.
func (r *Report) finish(data []byte) {
	if r.Findings == nil {
		r.Findings = []Finding{}
	}
	for i := range r.Findings {
		f := &r.Findings[i]
		f.Line, f.Column = place(data, f.Offset)
		if f.Severity == "" {
			f.Severity = Error
		}
	}
	slices.SortStableFunc(r.Findings, func(a, b Finding) int { return a.Offset - b.Offset })
}

// maxShown is how many characters of a source line are shown.
const maxShown = 120

// Render writes each finding with its place, the source line, and a mark under the place. Text of the manifest is made
// safe for a terminal.
func (r *Report) Render(w io.Writer, source []byte, color bool) {
	o := &term.Out{Writer: w, Color: color}
	for _, f := range r.Findings {
		word := o.Red("error")
		switch f.Severity {
		case Warning:
			word = o.Yellow("warning")
		case Hint:
			word = o.Faint("hint")
		}
		where := f.Path
		if where != "" {
			where += " "
		}
		o.Printf("%s:%d:%d: %s: %s%s %s\n", term.VisibleLine(r.name()), f.Line, f.Column, word, term.VisibleLine(where), term.VisibleLine(f.Message), o.Faint("["+f.Rule+"]"))
		if len(source) > 0 {
			renderLine(o, f, source)
		}
		if f.Fix != "" {
			o.Printf("      %s %s\n", o.Green("fix:"), term.VisibleLine(f.Fix))
		}
	}
}

// renderLine shows the line of a finding, cut to the part around it, with carets below.
func renderLine(o *term.Out, f Finding, source []byte) {
	offset := min(f.Offset, len(source))
	start := bytes.LastIndexByte(source[:offset], '\n') + 1
	end := len(source)
	if i := bytes.IndexByte(source[offset:], '\n'); i >= 0 {
		end = offset + i
	}
	before, marked, after := string(source[start:offset]), "", ""
	stop := max(offset, min(f.EndOffset, end))
	marked, after = string(source[offset:stop]), string(source[stop:end])
	before, marked, after = shown(before), shown(marked), shown(after)
	if n := utf8.RuneCountInString(before); n > maxShown/2 {
		before = "…" + string([]rune(before)[n-maxShown/2:])
	}
	marked = cut(marked, maxShown)
	after = cut(after, max(0, maxShown-utf8.RuneCountInString(before+marked)))
	o.Printf("%5d | %s%s%s\n", f.Line, before, marked, strings.TrimRight(after, " "))
	carets := strings.Repeat("^", max(1, utf8.RuneCountInString(marked)))
	o.Printf("      | %s%s\n", strings.Repeat(" ", utf8.RuneCountInString(before)), o.Red(carets))
}

func shown(s string) string {
	return term.VisibleLine(strings.ReplaceAll(strings.TrimSuffix(s, "\r"), "\t", "    "))
}

func cut(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n]) + "…"
	}
	return s
}
