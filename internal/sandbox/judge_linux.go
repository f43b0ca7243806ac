package sandbox

import (
	"path"
	"slices"
	"strings"

	"satchel/internal/sandbox/inside"
	"satchel/internal/sandbox/notify"
	"satchel/internal/spec"
)

// A judge says what a sight means under a grant.
type judge struct {
	mode  Mode
	grant spec.Sandbox
	runs  []string // what may be run: programs, and folders of them
	own   []own    // what is the server's own, or everybody's
	shown []string // files and folders of the machine that its world has at the same path
	learn []string // those of them that are no grant
}

// An own place tells nothing of what a server wants from the person.
type own struct {
	path  string
	write bool
}

// newJudge takes what a server is held to from the order of a grant, and what it sees from that of its world.
func newJudge(m Mode, c Command, world, granted inside.Order) *judge {
	j := &judge{mode: m, grant: c.Sandbox, learn: c.Learn, own: []own{{c.Dir, true}, {"/proc", false}, {"/dev", true}, {"/sys", false}}}
	for _, name := range strings.Fields("host.conf gai.conf ld.so.preload services protocols networks") { // C libraries look for them
		j.own = append(j.own, own{"/etc/" + name, false})
	}
	for _, dir := range append([]string{c.Bundle}, c.Runtime...) {
		if dir != "" {
			j.own = append(j.own, own{dir, false})
		}
	}
	for _, r := range granted.Rules {
		if r.Execute {
			j.runs = append(j.runs, r.Path)
		}
		if !r.List && !slices.ContainsFunc(c.Sandbox.Files, func(f spec.File) bool { return isBelow(r.Path, f.Path) }) {
			j.own = append(j.own, own{r.Path, r.Write})
		}
	}
	for _, s := range world.Root {
		if s.Kind == inside.StepBind || s.Kind == inside.StepOver {
			j.shown = append(j.shown, s.Path)
		}
	}
	return j
}

// plain tells of most of what a server does, by its name alone, that it is no event: it reads what it cannot have changed
// a link in.
func (j *judge) plain(t notify.Touch) bool {
	if t.Kind != notify.Read || t.Create {
		return false
	}
	o := j.ownAt(t.Path)
	return o != nil && (!o.write || isBelow(t.Path, "/dev")) && j.askedFor(t.Path) == ""
}

// ownAt gives the innermost own place that a path is in, nil for none.
func (j *judge) ownAt(name string) (in *own) {
	for i, o := range j.own {
		if isBelow(name, o.path) && (in == nil || len(o.path) > len(in.path)) {
			in = &j.own[i]
		}
	}
	return in
}

// granted gives the innermost granted file or folder that a path is in, nil for none.
func (j *judge) granted(name string) (in *spec.File) {
	for i, f := range j.grant.Files {
		if isBelow(name, f.Path) && (in == nil || len(f.Path) > len(in.Path)) {
			in = &j.grant.Files[i]
		}
	}
	return in
}

// askedFor gives the innermost folder of the person's that a path is in, granted or shown to learn; empty for none.
func (j *judge) askedFor(name string) (in string) {
	if g := j.granted(name); g != nil {
		in = g.Path
	}
	for _, dir := range j.learn {
		if isBelow(name, dir) && len(dir) > len(in) {
			in = dir
		}
	}
	return in
}

// ordinary tells whether a place is no event to touch in this way.
func (j *judge) ordinary(name string, write bool) bool {
	o := j.ownAt(name)
	switch {
	case name == "/":
		return !write
	case o == nil, len(j.askedFor(name)) > len(o.path):
		return false
	}
	return !write || o.write || strings.Contains(name+"/", "/__pycache__/") // Python tries to keep what it compiled everywhere
}

// covers tells whether the grant has a file for this.
func (j *judge) covers(name string, write bool) bool {
	g := j.granted(name)
	return g != nil && (g.Write || !write) && !j.protected(name, write)
}

// protected tells whether no grant ever has a file for this.
func (j *judge) protected(name string, write bool) bool {
	return slices.ContainsFunc(j.grant.Protect, func(p spec.Protected) bool { return isBelow(name, p.Path) && (p.Secret || write) })
}

// need says what a grant would have to name. A grant of a file does not let anybody make, remove or replace it.
func (j *judge) need(e *Event, s sight) {
	if e.Real == "" || j.protected(e.Real, e.Kind == WriteEvent) {
		return
	}
	name := e.Real
	if s.Entry {
		name = path.Dir(name)
	}
	for ; name != "/"; name = path.Dir(name) {
		if p, ok := notify.Outside(name, false); ok {
			e.Needs, e.Folder = name, p.Folder
			return
		}
	}
}

// event gives what a sight is, unless it is nobody's business.
func (j *judge) event(s sight) (Event, bool) {
	e := Event{Time: s.at, Path: s.Path, PID: s.PID, Argv: s.Argv}
	if s.Kind == notify.Run {
		j.program(&e, s)
		return e, true
	}
	if !j.file(&e, s) {
		return e, false
	}
	if !e.Allowed {
		j.need(&e, s)
	}
	return e, true
}

// file says what of the machine a sight of a file is about, and whether it is anybody's business.
func (j *judge) file(e *Event, s sight) bool {
	write := s.Kind == notify.Write || (s.Create && !s.place.Exists)
	e.Kind = ReadEvent
	if write {
		e.Kind = WriteEvent
	}
	name := s.Path
	if s.found {
		name = s.place.Path
	}
	if j.ordinary(name, write) {
		return false
	}
	there := s.found && (s.place.Exists || s.Create)
	if there && j.askedFor(name) != "" {
		e.Real, e.Allowed = name, j.covers(name, write)
		return true
	}
	if out, ok := outside(s.Touch); ok {
		e.Real = out.Path
		return !j.ordinary(out.Path, write)
	}
	return there && write // in a place that its world alone has
}

// outside finds on the machine what a server meant; for what is made, its place.
func outside(t notify.Touch) (notify.Place, bool) {
	p, ok := notify.Outside(t.Path, t.Follow)
	if ok || !t.Create {
		return p, ok
	}
	p, ok = notify.Outside(path.Dir(t.Path), true)
	return notify.Place{Path: path.Join(p.Path, path.Base(t.Path))}, ok && p.Folder
}

// program says whether a program may run, and is there to.
func (j *judge) program(e *Event, s sight) {
	e.Kind = RunEvent
	below := func(dir string) bool { return isBelow(s.place.Path, dir) }
	there := s.found && s.place.Exists && !s.place.Folder
	switch {
	case s.Path == "": // hidden: that it is there is all that is known
	case strings.HasPrefix(s.Path, "/memfd:"):
		e.Allowed = true // the server's own code, from its memory
	case there && (j.mode == Landlock || slices.ContainsFunc(j.shown, below)):
		e.Real, e.Allowed = s.place.Path, slices.ContainsFunc(j.runs, below)
	case there:
		e.Allowed = slices.ContainsFunc(j.runs, below) // in a place that its world alone has
	default:
		if out, ok := notify.Outside(s.Path, true); ok && !out.Folder {
			e.Real = out.Path
		}
	}
}
