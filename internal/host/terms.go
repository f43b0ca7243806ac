package host

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"satchel/internal/answers"
	"satchel/internal/grant"
	"satchel/internal/problem"
	"satchel/internal/sandbox"
	"satchel/internal/spec"
	"satchel/internal/store"
	"satchel/mcpb/manifest"
)

// Terms are what a person says about permissions before a bundle is reviewed.
type Terms struct {
	Grant     []string // words, see package grant: what is granted by name
	NoSandbox bool     // it is to run with all rights of the user
}

// terms are what is asked for, what is granted, and where each of it comes from.
type terms struct {
	asked     grant.Asked
	kept      grant.Grant  // of what the version that is there was granted
	refused   []grant.Item // what that version asked for and was not granted: agreeing to an update does not grant it
	more      []grant.Item // what that version did not ask for
	named     []grant.Item // by the person
	noSandbox bool
	machine   grant.Machine
}

// newTerms finds what an extension asks for. The errors are problems.
func (h *Host) newTerms(m *manifest.Manifest, given answers.Values, t Terms) (*terms, error) {
	machine := h.grants()
	named, err := grant.ParseAll(t.Grant, machine)
	if err != nil {
		return nil, err
	}
	machine.Dir = ""
	asked, err := grant.Ask(m, given, machine)
	if err != nil {
		return nil, err
	}
	return &terms{asked: asked, named: named, noSandbox: t.NoSandbox, machine: machine}, nil
}

// inheritTerms takes over what the version that is there was granted: all for the same content or by the same signer; else
// neither secrets nor what is high risk. What the new version does not ask for any more goes, what the person had added
// on top stays.
func (h *Host) inheritTerms(t *terms, old *store.Installation, next *store.Installation) {
	if old == nil {
		return
	}
	rec, err := h.agreed(old)
	if err != nil {
		return // it is agreed to anew
	}
	before, err := h.askedBy(old)
	if err != nil {
		return
	}
	same := contentOf(old) == contentOf(next)
	g := rec.Grant
	if !same {
		g = grant.Carry(g, next.Signer != "" && next.Signer == old.Signer, t.machine)
	}
	wants, wanted := t.asked.Grant(), before.Grant()
	t.more = grant.Diff(wanted, wants).More
	for _, i := range g.Items() {
		if !wants.Covers(i) && wanted.Covers(i) {
			g = without(g, i, wants)
		}
	}
	t.kept = g
	for _, w := range before.Wishes {
		if !rec.Grant.Covers(w.Item) {
			t.refused = append(t.refused, w.Item)
		}
	}
	t.noSandbox = t.noSandbox || rec.NoSandbox && same
}

// askedBy gives what an installed extension asks for.
func (h *Host) askedBy(in *store.Installation) (grant.Asked, error) {
	m, err := manifestOf(in)
	if err != nil {
		return grant.Asked{}, err
	}
	machine := h.grants()
	machine.Dir = ""
	return grant.Ask(m, values(in), machine)
}

// grant is what is granted when the person agrees: what is kept, what follows from answers and is not high risk, and what
// was named.
func (t *terms) grant() grant.Grant {
	g := t.kept
	yes, _ := t.asked.Split()
	for _, w := range yes {
		if !slices.Contains(t.refused, w.Item) && !g.Covers(w.Item) {
			g = g.With(w.Item)
		}
	}
	for _, i := range t.named {
		g = g.With(i)
	}
	return g
}

// resolved is the grant with real paths. What follows from an answer and may not be granted is left out, and said in
// notes; what was named is refused with a problem.
func (t *terms) resolved() (g grant.Grant, notes []string, err error) {
	g, err = grant.Resolve(t.grant(), t.machine)
	if err == nil {
		return g, nil, nil
	}
	g = grant.Grant{}
	for _, i := range t.grant().Items() {
		one, err := grant.Resolve(grant.Of(i), t.machine)
		switch {
		case err == nil:
			g = join(g, one)
		case slices.Contains(t.named, i):
			return grant.Grant{}, nil, err
		default:
			notes = append(notes, "not granted: "+err.Error())
		}
	}
	g, err = grant.Resolve(g, t.machine)
	return g, notes, err
}

// join adds what was resolved to a grant, with which file each path is.
func join(g, more grant.Grant) grant.Grant {
	files := slices.Concat(g.Files, more.Files)
	g = g.With(more.Items()...)
	g.Files = files
	return g.Canonical()
}

// Asks are the wishes of a candidate that --yes does not agree to, and that were not granted by name.
func (c *Candidate) Asks() []grant.Wish {
	_, named := c.terms.asked.Split()
	g := c.terms.grant()
	for _, w := range c.terms.asked.Suggested {
		if w.From == grant.FromAnswer {
			named = append(named, w) // the person named the place: only what is done with it is open
		}
	}
	return slices.DeleteFunc(named, func(w grant.Wish) bool { return g.Covers(w.Item) || w.Level == grant.Refused })
}

// Sets are the grants to choose from, where nothing follows from the answers; none when something was chosen.
func (c *Candidate) Sets() []grant.Set {
	if !c.terms.grant().IsZero() || len(c.terms.named) > 0 {
		return nil
	}
	return c.terms.asked.Sets
}

// Grant grants something by name, before the candidate is installed. The review follows.
func (c *Candidate) Grant(items ...grant.Item) error {
	before := c.terms.named
	c.terms.named = append(slices.Clone(before), items...)
	if err := c.weigh(); err != nil {
		c.terms.named = before
		return err
	}
	return nil
}

// weigh writes into the review what is asked for and granted.
func (c *Candidate) weigh() error {
	g, notes, err := c.terms.resolved()
	if err != nil {
		return err
	}
	c.granted = g
	c.Review.Permissions, c.Review.Notes = c.terms.permissions(g), append(notes, c.terms.notes()...)
	risks := slices.Clone(c.risks)
	if c.terms.noSandbox {
		risks = append(risks, spec.Risk{Level: spec.High, Text: spec.NotSandboxed})
	}
	for _, r := range grant.Risks(g, c.terms.asked.Answered(), c.terms.machine) {
		risks = append(risks, r.Risk)
	}
	slices.SortStableFunc(risks, func(a, b spec.Risk) int { return strings.Compare(string(a.Level), string(b.Level)) })
	c.Review.Risks = risks
	return nil
}

// permissions are what was asked for and what was granted, as a review shows them.
func (t *terms) permissions(g grant.Grant) []spec.Permission {
	list, seen := []spec.Permission{}, map[grant.Item]bool{}
	for _, w := range t.asked.Wishes {
		seen[w.Item] = true
		list = append(list, spec.Permission{Word: w.Item.String(), Text: w.Text, From: string(w.From), Level: w.Level, Asked: true, New: slices.Contains(t.more, w.Item), Granted: g.Covers(w.Item)})
	}
	for _, w := range t.asked.Suggested {
		if !seen[w.Item] {
			seen[w.Item] = true
			list = append(list, spec.Permission{Word: w.Item.String(), Text: w.Text, From: string(w.From), Level: w.Level, Granted: g.Covers(w.Item)})
		}
	}
	levels := levelsOf(grant.Risks(g, t.asked.Answered(), t.machine))
	for _, i := range g.Items() {
		if !seen[i] {
			list = append(list, spec.Permission{Word: i.String(), Text: grant.Plain(i), From: "person", Level: levels[i], Granted: true})
		}
	}
	return list
}

// levelsOf gives the worst risk of each item; risks come the worst first.
func levelsOf(risks []grant.Risk) map[grant.Item]spec.Level {
	levels := map[grant.Item]spec.Level{}
	for _, r := range risks {
		for _, i := range r.Items {
			if levels[i] == "" {
				levels[i] = r.Level
			}
		}
	}
	return levels
}

func (t *terms) notes() (list []string) {
	for _, n := range t.asked.Notes {
		list = append(list, fmt.Sprintf("%s: %s", n.Key, n.Why))
	}
	return list
}

// enforced says in a review what this machine holds a server to.
func enforced(report sandbox.Report, noSandbox bool) (mode, text string, open []string) {
	if noSandbox {
		return NotSandboxed, "", nil
	}
	for _, l := range report.Lines {
		if l.State == sandbox.Open {
			open = append(open, l.Group+": "+l.Name)
		}
	}
	tried := report.Count("", sandbox.Enforced) + len(open)
	if tried == 0 {
		return "", "", nil // nobody has looked yet
	}
	return string(report.Mode), fmt.Sprintf("%s: %d of %d attacks refused on this machine", report.Mode, tried-len(open), tried), open
}

// noSandboxHere is the problem of a machine without a sandbox, for somebody who installs.
func noSandboxHere(err error, command string) error {
	if p, ok := errors.AsType[*problem.Problem](err); ok && p.Rule == "sandbox/none" {
		return p.Try("satchel doctor --sandbox shows why; to run it with all your rights: %s --no-sandbox", command)
	}
	return err
}
