package cli

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"satchel/internal/lint"
	"satchel/internal/problem"
	"satchel/internal/term"
)

func (o lintOptions) print(a *app, res *lintResult) error {
	var err error
	if o.sarif {
		err = a.showJSON(res.ToSARIF(strings.TrimPrefix(Version, "v"), res.at), "  ")
	} else {
		err = a.show(res, func() { o.text(a, res) })
	}
	if err != nil || res.OK {
		return err
	}
	return errors.Join(problem.New(problem.Invalid, "lint/found", "%d findings are as bad as %s, or worse", res.Counts.Of(lint.Severity(o.failOn)), o.failOn).At(o.path), errShown)
}

// text groups the findings by file.
func (o lintOptions) text(a *app, res *lintResult) {
	for _, m := range res.Fixed {
		a.out.Printf("%s %s %s\n", a.out.Green("fixed:"), term.VisibleLine(m.What), a.out.Faint("["+m.Rule+"]"))
	}
	file := ""
	for i, f := range res.Findings {
		if i == 0 || f.File != file {
			file = f.File
			a.out.Println(a.out.Bold(term.VisibleLine(lintHeading(file))))
		}
		printFinding(a.out, f)
	}
	for _, rule := range slices.Sorted(maps.Keys(res.More)) {
		a.out.Printf("and %d more of %s\n", res.More[rule], rule)
	}
	for _, rule := range slices.Sorted(maps.Keys(res.Silenced)) {
		a.out.Printf("%s\n", a.out.Faint(fmt.Sprintf("silenced by the author: %d of %s", res.Silenced[rule], rule)))
	}
	c := res.Counts
	word := a.out.Green("ok:")
	if !res.OK {
		word = a.out.Red("found:")
	}
	a.out.Printf("%s %s, %s, %s in %s of %s\n", word, countNoun(c.Error, "error"), countNoun(c.Warning, "warning"), countNoun(c.Hint, "hint"),
		countNoun(res.Files, "file"), term.VisibleLine(res.Subject))
	if n := res.Mendable(); n > 0 && !o.fix && res.at.Archive == "" {
		flags := map[bool]string{true: " --start"}[o.start]
		a.out.Printf("  %s %s: satchel lint %s%s --fix\n", a.out.Faint("mends"), countNoun(n, "finding"), problem.Words(term.VisibleLine(res.Subject)), flags)
	}
	if c.Error+c.Warning+c.Hint > 0 {
		a.out.Printf("  %s satchel lint --explain RULE, or docs/lint.md\n", a.out.Faint("why:"))
	}
}

func lintHeading(file string) string {
	if file == "" {
		return "what the server serves"
	}
	return file
}

func countNoun(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func printFinding(o *term.Out, f lint.Finding) {
	at := ""
	if f.Line > 0 {
		at = fmt.Sprintf("%d:%d: ", f.Line, f.Column)
	}
	o.Printf("  %s%s: %s %s\n", at, lintWord(o, f.Severity), term.VisibleLine(f.Text()), o.Faint("["+f.Rule+"]"))
	if f.Snippet != (term.Snippet{}) {
		o.Snippet(f.Line, f.Snippet)
	}
	if f.Fix != "" {
		o.Printf("      %s %s\n", o.Green("fix:"), term.VisibleLine(f.Fix))
	}
	if f.Silenced != "" {
		o.Printf("      %s %s\n", o.Yellow("the author says:"), term.VisibleLine(f.Silenced))
	}
}

func lintWord(o *term.Out, s lint.Severity) string {
	switch s {
	case lint.Error:
		return o.Red(string(s))
	case lint.Warning:
		return o.Yellow(string(s))
	}
	return o.Faint(string(s))
}

type lintRule struct {
	ID       string        `json:"id"`
	Title    string        `json:"title"`
	Why      string        `json:"why"`
	Fix      string        `json:"fix"`
	Mends    string        `json:"mends,omitempty"`
	Bad      string        `json:"bad"`
	Good     string        `json:"good"`
	Source   string        `json:"source"`
	Author   lint.Severity `json:"author"`
	Reviewer lint.Severity `json:"reviewer"`
	Start    bool          `json:"start"`
}

// about lists the rules, or explains one.
func (o lintOptions) about(a *app) error {
	var list []lintRule
	for _, r := range lint.Rules() {
		list = append(list, lintRule{r.ID, r.Title, r.Why, r.Fix, r.Mends, r.Bad, r.Good, r.Source, r.Author, r.Reviewer, r.Served})
	}
	if o.explain == "" {
		return a.show(map[string]any{"rules": list}, func() { printRules(a, list) })
	}
	r, err := lint.Find(o.explain)
	if err != nil {
		return err
	}
	rule := list[slices.IndexFunc(list, func(l lintRule) bool { return l.ID == r.ID })]
	return a.show(rule, func() { printRule(a, rule) })
}

func printRules(a *app, list []lintRule) {
	rows := make([][]string, len(list))
	for i, r := range list {
		rows[i] = []string{r.ID, string(r.Author), string(r.Reviewer), r.Title}
	}
	_ = a.out.Table([]string{"RULE", "AUTHOR", "REVIEWER", "WHAT"}, rows) // a closed pipe is the reader's wish
}

func printRule(a *app, r lintRule) {
	a.out.Printf("%s: %s\n\n%s\n\n", a.out.Bold(r.ID), r.Title, r.Why)
	a.out.Printf("%s\n  %s\n%s\n  %s\n\n", a.out.Red("bad:"), r.Bad, a.out.Green("good:"), r.Good)
	a.out.Printf("%-9s %s\n", "fix", r.Fix)
	if r.Mends != "" {
		a.out.Printf("%-9s %s\n", "--fix", r.Mends)
	}
	if r.Start {
		a.out.Printf("%-9s only with --start\n", "looks")
	}
	a.out.Printf("%-9s %s for authors, %s for reviewers\n%-9s %s\n", "severity", r.Author, r.Reviewer, "from", r.Source)
}
