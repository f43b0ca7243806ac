package learn

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"satchel/internal/grant"
	"satchel/internal/sandbox"
	"satchel/internal/spec"
)

// A Question is who asks.
type Question struct {
	Granted grant.Grant   // what the extension has; proposed is what it does not cover
	Named   []string      // real paths of files and folders that the person named in answers
	Machine grant.Machine // whose home it is
}

// A Proposal is the least grant that would have sufficed, beside the one that is there.
type Proposal struct {
	Items []Suggestion `json:"items"` // in canonical order
	Never []Refusal    `json:"never"` // what it wanted and nobody is granted, at most 100
	Lost  int          `json:"lost"`  // things it did that nobody saw: there may be more to grant
}

// A Suggestion is one item with the reason for it.
type Suggestion struct {
	Item  grant.Item `json:"item"`
	Level spec.Level `json:"level,omitempty"`
	Why   string     `json:"why"`
	Risk  string     `json:"risk,omitempty"`
}

// A Refusal is something that a server wanted and no grant gives.
type Refusal struct {
	Path  string `json:"path"`
	Write bool   `json:"write"`
	Why   string `json:"why"`
}

// What is folded and shown.
const (
	foldAt    = 3 // so many of a folder stand for the folder
	mostNever = 100
	mostWants = 1000 // of files to read, and to write
	mostNamed = 1000 // of places for one of them
)

// A Learner takes events one by one, and keeps of them what a proposal needs: no more than a bounded amount. It is not safe
// for concurrent use.
type Learner struct {
	Question
	reads, writes wants
	runs          map[string]want
	reached       map[string]string // by word: who was tried
	out           Proposal
}

// New makes a Learner that has seen nothing.
func New(q Question) *Learner {
	return &Learner{Question: q, reads: wants{}, writes: wants{}, runs: map[string]want{}, reached: map[string]string{}}
}

// Propose makes the proposal. The Learner is of no use afterwards.
func (p *Learner) Propose() Proposal {
	p.fold(p.writes, true)
	p.fold(p.reads, false)
	p.suggest()
	return p.out
}

// A want is what has to be granted for some of what was done.
type want struct {
	folder bool
	places []string // what was touched, each once
}

type wants map[string]want

func (w wants) add(name string, folder bool, places ...string) {
	have := w[name]
	for _, p := range places {
		if !slices.Contains(have.places, p) && len(have.places) < mostNamed {
			have.places = append(have.places, p)
		}
	}
	w[name] = want{have.folder || folder, have.places}
}

// Add sorts an event in.
func (p *Learner) Add(e sandbox.Event) {
	switch {
	case e.Kind == sandbox.LostEvent:
		p.out.Lost += e.Count
	case e.Allowed, e.Real == "":
	case e.Kind == sandbox.RunEvent && len(p.runs) == mostWants:
		p.out.Lost++
	case e.Kind == sandbox.RunEvent:
		name := programName(e)
		p.runs[name] = want{places: []string{e.Real}}
	case e.Needs == "":
		p.never(e.Real, e.Kind == sandbox.WriteEvent, "is a protected place, or one of the system's own: no extension gets it")
	default:
		into := p.reads
		if e.Kind == sandbox.WriteEvent {
			into = p.writes
		}
		if _, known := into[e.Needs]; !known && len(into) == mostWants {
			p.out.Lost++
			return
		}
		into.add(e.Needs, e.Folder, e.Real)
	}
}

// Reach sorts in that it tried to reach somebody, host:port, which a word would grant; "" when none would.
func (p *Learner) Reach(word, who string) {
	switch _, known := p.reached[word]; {
	case word == "":
		p.never(who, false, "nobody is let reach that")
	case !known && len(p.reached) == mostWants:
		p.out.Lost++
	case !known:
		p.reached[word] = who
	}
}

// programName is how a program is granted: by its name where it is found under it, else by its path.
func programName(e sandbox.Event) string {
	for _, dir := range []string{"/bin", "/usr/bin", "/usr/local/bin"} {
		if path.Dir(e.Path) == dir {
			return path.Base(e.Path)
		}
	}
	return e.Real
}

func (p *Learner) never(name string, write bool, why string) {
	r := Refusal{name, write, why}
	if len(p.out.Never) < mostNever && !slices.Contains(p.out.Never, r) {
		p.out.Never = append(p.out.Never, r)
	}
}

// fold puts folders in the place of several things in them, as long as that widens nothing that a person would mind.
func (p *Learner) fold(w wants, write bool) {
	for again := true; again; {
		again = false
		for _, dir := range parents(w) {
			files, all := children(w, dir)
			switch {
			case w[dir].folder && p.grantable(dir, write): // it is wanted itself
			case len(files) >= foldAt && p.mayFold(dir, write):
			case len(all) >= foldAt && p.mayFold(dir, write) && p.deep(dir):
			default:
				continue
			}
			for _, c := range all {
				w.add(dir, true, w[c].places...)
				delete(w, c)
			}
			again = true
		}
	}
}

// parents gives the folders of what is wanted, the deepest first.
func parents(w wants) (dirs []string) {
	for name := range w {
		if dir := path.Dir(name); !slices.Contains(dirs, dir) && dir != name {
			dirs = append(dirs, dir)
		}
	}
	slices.SortFunc(dirs, func(a, b string) int {
		return cmp.Or(cmp.Compare(strings.Count(b, "/"), strings.Count(a, "/")), strings.Compare(a, b))
	})
	return dirs
}

// children gives what is wanted right below a folder, sorted: the files, and all.
func children(w wants, dir string) (files, all []string) {
	for name, have := range w {
		if path.Dir(name) == dir && name != dir {
			all = append(all, name)
			if !have.folder {
				files = append(files, name)
			}
		}
	}
	slices.Sort(all)
	return files, all
}

// grantable tells whether a folder may be granted at all.
func (p *Learner) grantable(dir string, write bool) bool {
	_, level, _ := p.weigh(fileWord(dir, write))
	return level != grant.Refused && dir != p.Machine.User.Home
}

// mayFold tells whether a folder may stand for what is in it: none that is high risk, none of the person's big ones, and
// none that is wider than what the person named.
func (p *Learner) mayFold(dir string, write bool) bool {
	u := p.Machine.User
	if slices.Contains([]string{u.Home, u.Desktop, u.Documents, u.Downloads, u.Temp}, dir) {
		return false
	}
	if slices.ContainsFunc(p.Named, func(n string) bool { return n != dir && inside(n, dir) }) {
		return false
	}
	_, level, _ := p.weigh(fileWord(dir, write))
	return level == grant.None || level == spec.Medium
}

// deep tells whether a folder is far enough down for several folders in it to stand for it, or was named by the person.
func (p *Learner) deep(dir string) bool {
	if slices.ContainsFunc(p.Named, func(n string) bool { return inside(dir, n) }) {
		return true
	}
	if rest, below := strings.CutPrefix(dir, p.Machine.User.Home+"/"); below {
		return strings.Contains(rest, "/")
	}
	return strings.Count(dir, "/") >= 3
}

func inside(name, dir string) bool {
	return name == dir || dir == "/" || strings.HasPrefix(name, dir+"/")
}

func fileWord(name string, write bool) string {
	if write {
		return string(grant.KindWrite) + ":" + name
	}
	return string(grant.KindRead) + ":" + name
}

// weigh reads a word and says what it would mean to grant it.
func (p *Learner) weigh(word string) (i grant.Item, level spec.Level, text string) {
	i, err := grant.Parse(word, p.Machine)
	if err != nil {
		return i, grant.Refused, "cannot be written as a permission"
	}
	if r := grant.Risks(grant.Of(i), grant.Grant{}, p.Machine); len(r) > 0 {
		return i, r[0].Level, r[0].Text
	}
	return i, grant.None, ""
}

// suggest makes the items of what is left.
func (p *Learner) suggest() {
	found := map[grant.Item]Suggestion{}
	add := func(word, name string, write bool, why string) {
		i, level, risk := p.weigh(word)
		switch {
		case level == grant.Refused:
			p.never(name, write, risk)
		case name == p.Machine.User.Home:
			p.never(name, write, "is your whole home: grant the folders in it that are needed")
		case !p.Granted.Covers(i):
			found[i] = Suggestion{Item: i, Level: level, Why: why, Risk: risk}
		}
	}
	for _, name := range sorted(p.writes) {
		add(fileWord(name, true), name, true, "writes "+such(name, p.writes[name].places))
	}
	for _, name := range sorted(p.reads) {
		add(fileWord(name, false), name, false, "reads "+such(name, p.reads[name].places))
	}
	for _, name := range sorted(p.runs) {
		add(string(grant.KindRun)+":"+name, name, false, "runs "+p.runs[name].places[0])
	}
	for _, word := range slices.Sorted(maps.Keys(p.reached)) {
		add(word, p.reached[word], false, "tried to reach "+p.reached[word])
	}
	for _, i := range grant.Of(slices.Collect(maps.Keys(found))...).Items() { // what write covers of read is not among them
		if s, ok := found[i]; ok && !above(found, i) {
			p.out.Items = append(p.out.Items, s)
		}
	}
}

// above tells whether a folder that an item is in is among what is proposed.
func above(found map[grant.Item]Suggestion, i grant.Item) bool {
	if i.Kind() != grant.KindRead && i.Kind() != grant.KindWrite {
		return false
	}
	for dir := i.Value(); dir != path.Dir(dir); {
		dir = path.Dir(dir)
		for _, write := range []bool{false, true} {
			o, err := grant.Parse(fileWord(dir, write), grant.Machine{OS: "linux"})
			if _, ok := found[o]; err == nil && ok && (write || i.Kind() == grant.KindRead) {
				return true
			}
		}
	}
	return false
}

func sorted(w map[string]want) []string {
	var names []string
	for name := range w {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// such names what was touched below a path.
func such(name string, places []string) string {
	switch {
	case len(places) == 1 && places[0] == name:
		return "it"
	case len(places) == 1:
		return places[0]
	}
	return fmt.Sprintf("%d places in it, such as %s", len(places), places[0])
}
