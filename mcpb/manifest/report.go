package manifest

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"unicode/utf8"

	"satchel/internal/problem"
)

// A Severity is how bad a finding is.
type Severity string

// The severities. Only errors make a manifest invalid.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
	Hint    Severity = "hint"
)

// A Finding is one thing that is wrong with a manifest, or may be. Its JSON form is stable: keys may be added, and never
// change their meaning. Message and Fix may hold text of the manifest, shortened and quoted as Go quotes strings; Path
// may hold its keys.
type Finding struct {
	Rule      string   `json:"rule"` // the id of a [Rule], such as "manifest/unknown-key"
	Severity  Severity `json:"severity"`
	Path      string   `json:"path,omitempty"`    // such as server.mcp_config.args[2]; empty for the whole
	Line      int      `json:"line"`              // from 1
	Column    int      `json:"column"`            // from 1, in characters (Unicode code points)
	Offset    int      `json:"offset"`            // in bytes, from 0
	EndOffset int      `json:"endOffset"`         // in bytes, the first behind it
	Message   string   `json:"message"`           // what is wrong; a sentence together with the path as its subject
	Fix       string   `json:"fix,omitempty"`     // how to mend it
	Source    string   `json:"source"`            // where the rule comes from
	Fixable   bool     `json:"fixable,omitempty"` // [Mend] has a repair
	repair    *repair
}

// A Report is what was found in a manifest, in the order of the text: at most 500 errors, and 500 warnings and hints.
// Its JSON form is {"findings": [...]}, the list never null.
type Report struct {
	File     string    `json:"-"` // for messages; set by the caller
	Findings []Finding `json:"findings"`
}

// newReport puts the findings into the order of the text and fills in lines, columns and sources.
func newReport(findings []Finding, data []byte) *Report {
	if findings == nil {
		findings = []Finding{}
	}
	slices.SortStableFunc(findings, func(a, b Finding) int { return cmp.Compare(a.Offset, b.Offset) })
	line, column, at := 1, 1, 0
	for i := range findings {
		f := &findings[i]
		between := data[at:f.Offset]
		if n := bytes.Count(between, []byte("\n")); n > 0 {
			line, column = line+n, 1
			between = between[bytes.LastIndexByte(between, '\n')+1:]
		}
		column, at = column+utf8.RuneCount(between), f.Offset
		f.Line, f.Column, f.Source = line, column, sourceOf(f.Rule)
	}
	return &Report{Findings: findings}
}

// OK tells whether there is no error among the findings.
func (r *Report) OK() bool {
	return !slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Severity == Error })
}

// Err gives nil when the manifest is valid, else a problem of class Invalid with the file, the first error and how many
// more there are.
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
	p := problem.New(problem.Invalid, first.Rule, "%s", text).At(fmt.Sprintf("%s:%d:%d", r.name(), first.Line, first.Column)).From(first.Source)
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
