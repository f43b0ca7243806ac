package host

import (
	"runtime"
	"slices"
	"time"

	"satchel/internal/grant"
	"satchel/internal/problem"
	"satchel/internal/sandbox"
	"satchel/internal/spec"
	"satchel/internal/store"
)

// Permissions are what an extension asks for, what it was granted, and what this machine makes of that.
type Permissions struct {
	ID       string            `json:"id"`
	By       string            `json:"by,omitempty"` // who agreed
	At       *time.Time        `json:"at,omitempty"`
	Problem  string            `json:"problem,omitempty"` // why nothing counts as granted
	Sandbox  string            `json:"sandbox"`           // how it is held; "none" when it is not, "" when nobody has looked yet
	Enforced string            `json:"enforced"`          // what the probe found of that
	Open     []string          `json:"open"`              // what it found open
	Items    []PermissionState `json:"items"`
	Risks    []spec.Risk       `json:"risks"`
	Notes    []string          `json:"notes"`
}

// A PermissionState is one item side by side: asked, granted, enforced.
type PermissionState struct {
	spec.Permission
	Enforced string `json:"enforced"`
}

// A Change is what a person changes of what an extension may do.
type Change struct {
	Grant, Revoke []string // words, see package grant
	NoSandbox     *bool    // nil: as it is
}

// Permissions gives what an extension may do. A grant that does not count is said in Problem; it is no error.
func (h *Host) Permissions(id string) (*Permissions, error) {
	in, err := h.store.Get(id)
	if err != nil {
		return nil, err
	}
	rec, bad := h.agreed(in)
	asked, err := h.askedBy(in)
	if err != nil {
		return nil, err
	}
	t := &terms{asked: asked, kept: rec.Grant, noSandbox: rec.NoSandbox, machine: h.grants()}
	p := &Permissions{ID: in.ID, Items: []PermissionState{}, Open: []string{}, Risks: []spec.Risk{}, Notes: append([]string{}, t.notes()...)}
	if bad != nil {
		p.Problem = bad.Error()
	} else {
		p.By, p.At = rec.By, &rec.At
		_, more, err := grant.Sandbox(rec.Grant, in.ID, h.grants())
		if err != nil {
			p.Problem = "it does not start: " + err.Error()
		}
		p.Notes = append(p.Notes, more...)
	}
	report, _ := h.Proof()
	mode, text, open := enforced(report, rec.NoSandbox)
	p.Sandbox, p.Enforced, p.Open = mode, text, append(p.Open, open...)
	for _, one := range t.permissions(rec.Grant) {
		p.Items = append(p.Items, PermissionState{one, enforcement(one, mode)})
	}
	if rec.NoSandbox {
		p.Risks = append(p.Risks, spec.Risk{Level: spec.High, Text: spec.NotSandboxed})
	}
	for _, r := range grant.Risks(rec.Grant, asked.Answered(), t.machine) {
		p.Risks = append(p.Risks, r.Risk)
	}
	return p, nil
}

// enforcement says what this machine makes of an item.
func enforcement(p spec.Permission, mode string) string {
	item, err := grant.Parse(p.Word, grant.Machine{})
	kind := grant.Kind("")
	if err == nil {
		kind = item.Kind()
	}
	switch {
	case mode == NotSandboxed:
		return "no: it is not sandboxed"
	case kind == grant.KindClipboard, kind == grant.KindDisplay, kind == grant.KindDBus:
		return "it stays shut: no launcher opens this door yet"
	case kind == grant.KindSampling, kind == grant.KindElicitation, kind == grant.KindRoots:
		return "not yet: apps speak with the server directly"
	case mode == "":
		return "not tried yet: satchel doctor"
	case kind == grant.KindMemory && mode != string(sandbox.Seatbelt) && !sandbox.BoundsMemory():
		return "no: this machine lets us make no control group"
	}
	if how := enforcedIn(sandbox.Mode(mode), kind); p.Granted || how != "yes" {
		return how
	}
	return "held back"
}

// enforcedIn says what a way to hold a server makes of a kind of item.
func enforcedIn(m sandbox.Mode, kind grant.Kind) string {
	switch m {
	case sandbox.Landlock:
		return "yes, limited"
	case sandbox.Seatbelt:
		switch kind {
		case grant.KindMemory, grant.KindProcesses, grant.KindTemp:
			return "no: macOS has no such limit"
		}
	case sandbox.Restricted:
		switch kind {
		case grant.KindWrite:
			return "yes, limited"
		case grant.KindRead, grant.KindNet, grant.KindPort, grant.KindRun, grant.KindTemp, grant.KindOpenFiles:
			return "no: Windows does not hold it to that"
		}
	}
	return "yes"
}

// Permit changes what an extension may do. Nothing changes when one of the words is refused. A grant that did not count
// any more is made anew from what is granted here. Running servers of it end, see [Host.Run].
func (h *Host) Permit(id string, c Change) error {
	if len(c.Grant)+len(c.Revoke) == 0 && c.NoSandbox == nil {
		return nil
	}
	found, err := h.store.Get(id)
	if err != nil {
		return err
	}
	more, err := grant.ParseAll(c.Grant, h.grants())
	if err != nil {
		return err
	}
	less, err := grant.ParseAll(c.Revoke, h.grants())
	if err != nil {
		return err
	}
	return h.store.Update(found.ID, func(in *store.Installation) error {
		rec, bad := h.agreed(in)
		if bad != nil && (problem.CodeOf(bad) != problem.Refused || len(less) > 0) {
			return bad
		}
		g := rec.Grant
		for _, i := range less {
			if g, err = g.Without(i); err != nil {
				return err
			}
		}
		// What is granted now is looked at now; the rest stays what it was, and is looked at before each start.
		fresh, err := grant.Resolve(grant.Of(more...), h.grants())
		if err != nil {
			return err
		}
		free := rec.NoSandbox
		if c.NoSandbox != nil {
			free = *c.NoSandbox
		}
		return h.seal(in, join(g, fresh), free)
	})
}

// without takes an item out of a grant, and with a place to write to the reading of it, unless that is asked for.
func without(g grant.Grant, i grant.Item, asked grant.Grant) grant.Grant {
	if less, err := g.Without(i); err == nil {
		g = less
	}
	if i.Kind() != grant.KindWrite {
		return g
	}
	read, err := grant.Parse(string(grant.KindRead)+":"+i.Value(), grant.Machine{OS: runtime.GOOS})
	if err == nil && !asked.Covers(read) {
		if less, err := g.Without(read); err == nil {
			return less
		}
	}
	return g
}

// follow changes a grant as the answers changed: what only followed from an answer goes with it, what follows from a new
// one comes when --yes would agree to it. It gives what else the new answers ask for, to be granted by name.
func follow(g grant.Grant, before, after grant.Asked, m grant.Machine) (next grant.Grant, left []grant.Wish) {
	was, is := before.Grant(), after.Grant()
	for _, w := range before.Wishes {
		if w.Key != "" && !is.Covers(w.Item) {
			g = without(g, w.Item, is)
		}
	}
	yes, named := after.Split()
	for _, w := range yes {
		if was.Covers(w.Item) || g.Covers(w.Item) {
			continue // a person may have revoked it
		}
		if one, err := grant.Resolve(grant.Of(w.Item), m); err == nil {
			g = join(g, one)
		} else {
			left = append(left, w)
		}
	}
	for _, w := range named {
		if !was.Covers(w.Item) && !g.Covers(w.Item) {
			left = append(left, w)
		}
	}
	return g, slices.Clip(left)
}
