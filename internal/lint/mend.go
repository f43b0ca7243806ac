package lint

import (
	"errors"

	"satchel/internal/jsonedit"
	"satchel/internal/problem"
)

// A mend is a safe way to mend a finding in the manifest.
type mend struct {
	what  string // what was done, as the person reads it
	edits []jsonedit.Edit
}

func mending(what string, edits ...jsonedit.Edit) *mend { return &mend{what, edits} }

// A Mended is one thing that [Fix] mended.
type Mended struct {
	Rule string `json:"rule"`
	What string `json:"what"`
}

// Mendable counts the findings of a report that [Fix] has a safe way for.
func (r *Report) Mendable() (n int) {
	for _, f := range r.Findings {
		if f.mend != nil {
			n++
		}
	}
	return n
}

// Fix mends in the text of the manifest what the findings of a report have a safe way for, and leaves every other byte.
// A finding that cannot be mended together with another one is left for the next run. It changes nothing when there is
// nothing to mend.
func Fix(text []byte, r *Report) ([]byte, []Mended, error) {
	done := []Mended{}
	var edits []jsonedit.Edit
	for _, f := range r.Findings {
		if f.mend == nil {
			continue
		}
		all := append(edits[:len(edits):len(edits)], f.mend.edits...)
		_, err := jsonedit.Apply(text, all...)
		if errors.Is(err, jsonedit.ErrConflict) {
			continue
		}
		if err != nil {
			return nil, nil, problem.New(problem.Failed, "lint/fix", "cannot be mended").At(f.Path).Because(err)
		}
		edits = all
		done = append(done, Mended{f.Rule, f.mend.what})
	}
	if len(edits) == 0 {
		return text, done, nil
	}
	fixed, err := jsonedit.Apply(text, edits...)
	return fixed, done, err
}
