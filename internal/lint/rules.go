package lint

import (
	"slices"
	"strings"

	"satchel/internal/problem"
	"satchel/internal/spell"
)

// A Rule is one thing to look for, as data: its page in docs/lint is made from it.
type Rule struct {
	ID       string   // such as "lint/secret"
	Title    string   // what is wrong, in a few words
	Why      string   // why it matters, a few sentences
	Fix      string   // how to mend it
	Bad      string   // an example that the rule finds
	Good     string   // the same, mended
	Source   string   // where the rule comes from
	Author   Severity // for the author's profile
	Reviewer Severity // for the reviewer's profile
	Served   bool     // it needs what the started server serves
	Mends    string   // what --fix does; empty when it is not safe to do anything

	check func(*check)
}

// Severity gives how bad a finding is for a profile.
func (r Rule) Severity(p Profile) Severity {
	if p == Reviewer {
		return r.Reviewer
	}
	return r.Author
}

const (
	ours       = "Satchel's own experience"
	mcpbSource = "MCPB MANIFEST.md"
)

// Rules lists every rule, in a fixed order.
func Rules() []Rule {
	return slices.Concat(
		secretRules(), answerRules(), privacyRules(), textRules(), toolRules(), servedRules(), nameRules(), callRules(),
		dependencyRules(), packageRules(), nativeRules(), licenseRules(), pictureRules(), sizeRules(), permissionRules(), silenceRules(),
	)
}

// Find gives the rule of an id, which may lack its "lint/". The error is a problem of class Usage.
func Find(id string) (Rule, error) {
	var ids []string
	for _, r := range Rules() {
		if r.ID == fullID(id) {
			return r, nil
		}
		ids = append(ids, r.ID)
	}
	p := problem.New(problem.Usage, "lint/rule", "there is no rule %s", quote(id)).Try("satchel lint --rules")
	if near := spell.Nearest(fullID(id), ids); near != "" {
		p = p.Try("did you mean %s?", near)
	}
	return Rule{}, p
}

func fullID(id string) string {
	if strings.HasPrefix(id, "lint/") {
		return id
	}
	return "lint/" + id
}
