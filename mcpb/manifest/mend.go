package manifest

import (
	"bytes"
	"slices"

	"satchel/internal/jsonedit"
)

// A Change is one thing that [Mend] changed.
type Change struct {
	Rule   string `json:"rule"`
	Path   string `json:"path"`   // as in [Finding]; empty for the whole
	Line   int    `json:"line"`   // in the text as it was before this round of changes
	Before string `json:"before"` // the author's text, as JSON
	After  string `json:"after"`  // empty when it was taken away
}

// Mended is what [Mend] made.
type Mended struct {
	Data    []byte // the text; the one that was given when there are no changes
	Changes []Change
	Report  *Report // what is left to do by hand
}

// maxSingle bounds how many repairs are tried one by one when they do not go together.
const maxSingle = 64

// Mend makes the changes of all findings that are [Finding.Fixable], and leaves every other byte of the text as it is.
// What it made is validated again: changes that leave as many errors, and as many other findings, are not made. Mending
// what was mended changes nothing.
func Mend(data []byte, checks Checks) *Mended {
	m := &Mended{Data: data, Changes: []Change{}}
	now := assess(data, checks)
	for m.round(&now, checks) {
	}
	m.Report = now.report
	return m
}

// An assessment is a report, and how much there is against the manifest, uncut.
type assessment struct {
	report         *Report
	errors, others int
	seen           int // how far it was looked at: 0 it is no JSON, 1 it has no known version, 2 all
}

func assess(data []byte, checks Checks) assessment {
	c, root := check(data, checks)
	a := assessment{report: newReport(c.out, data), errors: c.errors, others: c.others}
	if root != nil {
		a.seen++
	}
	if c.version != 0 {
		a.seen++
	}
	return a
}

// better tells that a changed text can be looked at further, has fewer errors than before, or as many and fewer other
// findings.
func (a assessment) better(before assessment) bool {
	if before.seen != a.seen {
		return before.seen < a.seen
	}
	return a.errors < before.errors || a.errors == before.errors && a.others < before.others
}

// round makes all repairs that can be made at once, or as many of them as make it better; it tells whether any did.
func (m *Mended) round(now *assessment, checks Checks) bool {
	chosen := compatible(now.report.Findings)
	if m.try(chosen, now, checks) {
		return true
	}
	for _, f := range chosen[:min(len(chosen), maxSingle)] {
		if len(chosen) > 1 && m.try([]Finding{f}, now, checks) {
			return true // the places of the others may not be the same any more
		}
	}
	return false
}

// compatible takes the repairs that touch different places. Of several keys that would get one name none is taken.
func compatible(findings []Finding) (chosen []Finding) {
	wanted := map[string]int{}
	for _, f := range findings {
		if f.repair != nil && len(f.repair.touches) == 2 {
			wanted[f.repair.touches[1]]++
		}
	}
	taken := map[string]bool{}
	for _, f := range findings {
		if f.repair == nil || slices.ContainsFunc(f.repair.touches, func(t string) bool { return taken[t] || wanted[t] > 1 }) {
			continue
		}
		for _, t := range f.repair.touches {
			taken[t] = true
		}
		chosen = append(chosen, f)
	}
	return chosen
}

// try makes the repairs, and keeps what they give when it is better.
func (m *Mended) try(chosen []Finding, now *assessment, checks Checks) bool {
	if len(chosen) == 0 {
		return false
	}
	text, err := repaired(m.Data, chosen)
	if err != nil {
		return false
	}
	next := assess(text, checks)
	if !next.better(*now) {
		return false
	}
	for _, f := range chosen {
		m.Changes = append(m.Changes, Change{f.Rule, f.Path, f.Line, f.repair.before, f.repair.after})
	}
	m.Data, *now = text, next
	return true
}

// repaired makes the repairs of findings, which are in the order of the text.
func repaired(data []byte, findings []Finding) ([]byte, error) {
	var edits []jsonedit.Edit
	var out []byte
	at := 0
	for _, f := range findings {
		edits = append(edits, f.repair.edits...)
		for _, c := range f.repair.cuts {
			out = append(out, data[at:c[0]]...)
			at = c[1]
		}
	}
	out = append(out, data[at:]...)
	if len(edits) == 0 {
		return out, nil
	}
	inner, marked := bytes.CutPrefix(out, []byte(bom))
	inner, err := jsonedit.Apply(inner, edits...)
	if marked {
		inner = append([]byte(bom), inner...)
	}
	return inner, err
}
