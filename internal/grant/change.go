package grant

import (
	"cmp"
	"slices"
	"strconv"

	"satchel/internal/problem"
	"satchel/internal/spec"
)

// With gives the grant with some items more. An item of a limit takes the place of the limit that was there; a path that
// is granted again is whatever is there now, see [Resolve].
func (g Grant) With(items ...Item) Grant {
	g = g.Canonical() // also a copy: what is appended does not reach into g
	for _, i := range items {
		g.add(i)
	}
	return g.Canonical()
}

func (g *Grant) add(i Item) {
	switch i.kind {
	case KindRead, KindWrite:
		for n, f := range g.Files {
			if f.Path == i.value {
				g.Files[n].Inode = 0
			}
		}
		g.Files = append(g.Files, File{Path: i.value, Write: i.kind == KindWrite})
	case KindNet:
		if i.value == anything {
			g.Net.Any = true
		} else if h, err := parseHost(i.value); err == nil { // Parse saw to it
			g.Net.Hosts = append(g.Net.Hosts, h)
		}
	case KindPort:
		n, _ := strconv.Atoi(i.value) // Parse saw to it
		g.Net.Ports = append(g.Net.Ports, n)
	case KindSocket:
		g.Net.Sockets = append(g.Net.Sockets, i.value)
	case KindRun:
		if i.value == anything {
			g.Programs.Any = true
		} else {
			g.Programs.Names = append(g.Programs.Names, i.value)
		}
	case KindEnv:
		g.Env = append(g.Env, i.value)
	case KindSecret:
		g.Secrets = append(g.Secrets, i.value)
	default:
		if f := flagOf(g, i.kind); f != nil {
			*f = true
		} else if l, ok := limitOf(g, i.kind); ok {
			*l.value = l.number(i.value)
		}
	}
}

func flagOf(g *Grant, k Kind) *bool {
	for _, f := range flags(g) {
		if f.kind == k {
			return f.set
		}
	}
	return nil
}

// Covers tells whether an item adds nothing to the grant.
func (g Grant) Covers(i Item) bool {
	switch i.kind {
	case KindRead, KindWrite:
		return slices.ContainsFunc(g.Files, func(f File) bool { return (f.Write || i.kind == KindRead) && inside(i.value, f.Path) })
	case KindNet:
		return g.Net.covers(i.value)
	case KindPort:
		return slices.ContainsFunc(g.Net.Ports, func(p int) bool { return strconv.Itoa(p) == i.value })
	case KindSocket:
		return slices.Contains(g.Net.Sockets, i.value)
	case KindRun:
		return g.Programs.Any || slices.Contains(g.Programs.Names, i.value)
	case KindEnv:
		return slices.Contains(g.Env, i.value)
	case KindSecret:
		return slices.Contains(g.Secrets, i.value)
	}
	if f := flagOf(&g, i.kind); f != nil {
		return *f
	}
	l, ok := limitOf(&g, i.kind)
	return ok && cmp.Or(l.number(i.value), noLimit) <= l.effective()
}

// covers: every host is every public host with TLS and HTTP. An address of the inner network, and other protocols, need
// a name.
func (n Net) covers(word string) bool {
	h, err := parseHost(word)
	if err != nil || n.Any && !h.Raw && h.public() {
		return n.Any
	}
	return slices.ContainsFunc(n.Hosts, func(x Host) bool { return x.Name == h.Name && x.Port == h.Port && (x.Raw || !h.Raw) })
}

// Without gives the grant without an item. Without writing to a path, reading it stays; without reading, nothing does.
// The error is a problem of class Usage when the item is not there as such, or something wider covers it.
func (g Grant) Without(i Item) (Grant, error) {
	if l, ok := limitOf(&g, i.kind); ok {
		return g, problem.New(problem.Usage, "grant/limit", "a limit is not taken away, it is set").At(i.String()).From("docs/permissions.md").
			Try("grant another one, such as %s:%s", l.kind, l.word(l.least))
	}
	var left Grant
	found := false
	for _, have := range g.Items() {
		switch {
		case have == i, have == Item{KindWrite, i.value} && i.kind == KindRead:
			found = true
		default:
			left.add(have)
		}
	}
	if i.kind == KindWrite && found {
		left.add(Item{KindRead, i.value})
	}
	left = left.Canonical()
	left.keepInodes(g)
	if left.Covers(i) {
		return g, problem.New(problem.Usage, "grant/covered", "is part of %s", left.coverOf(i)).At(i.String()).From("docs/permissions.md").
			Try("take that away, then grant what is left of it")
	}
	if !found {
		return g, problem.New(problem.Usage, "grant/not-granted", "is not granted").At(i.String()).From("docs/permissions.md")
	}
	return left, nil
}

// coverOf names the item that covers another one.
func (g Grant) coverOf(i Item) Item {
	for _, have := range g.Items() {
		if Of(have).Covers(i) {
			return have
		}
	}
	return i
}

func (g *Grant) keepInodes(from Grant) {
	for i, f := range g.Files {
		for _, old := range from.Files {
			if old.Path == f.Path {
				g.Files[i].Inode = old.Inode
			}
		}
	}
}

// A Difference is what another version of an extension would get more and less.
type Difference struct {
	More []Item `json:"more"` // what the old grant does not cover: held until it is agreed to
	Less []Item `json:"less"` // what the new one does not cover any more
	Same []Item `json:"same"` // what is new and covered by the old
}

// Diff compares two grants item by item. Write covers read, a folder what is in it, every host each one.
func Diff(old, new Grant) Difference {
	var d Difference
	for _, i := range new.permissions() {
		if old.Covers(i) {
			d.Same = append(d.Same, i)
		} else {
			d.More = append(d.More, i)
		}
	}
	for _, i := range old.permissions() {
		if !new.Covers(i) {
			d.Less = append(d.Less, i)
		}
	}
	before, after := limits(&old), limits(&new)
	for n, b := range before {
		a := after[n]
		switch was, is := b.effective(), a.effective(); {
		case is > was:
			d.More = append(d.More, a.item())
		case is < was:
			d.Less, d.Same = append(d.Less, b.item()), append(d.Same, a.item())
		case *a.value > 0:
			d.Same = append(d.Same, a.item())
		}
	}
	return d
}

// Carry is what another bundle of the same name takes over of what was granted: all when the same signer vouches for it,
// else neither secrets nor what is high risk. Hosts beside files count as high, as nobody knows who named them.
func Carry(g Grant, sameSigner bool, m Machine) Grant {
	if sameSigner {
		return g
	}
	levels := levelsOf(Risks(g, Grant{}, m))
	var left Grant
	for _, i := range g.Items() {
		if i.kind != KindSecret && rank(levels[i]) < rank(spec.High) {
			left.add(i)
		}
	}
	left = left.Canonical()
	left.keepInodes(g)
	return left
}

// permissions are the items but for the limits.
func (g Grant) permissions() []Item {
	g.Limits = Limits{}
	return g.Items()
}

// Hold is what is in force for a new version until what it asks for is agreed to: what both cover, and the lower limits.
func Hold(old, new Grant) Grant {
	both := Of()
	for _, i := range new.permissions() {
		if old.Covers(i) {
			both.add(i)
		}
	}
	for _, i := range old.permissions() {
		if new.Covers(i) {
			both.add(i)
		}
	}
	both = both.Canonical()
	before, after, lower := limits(&old), limits(&new), limits(&both)
	for n, l := range lower {
		if v := min(before[n].effective(), after[n].effective()); v != cmp.Or(l.usual, noLimit) {
			*l.value = v
		}
	}
	both.keepInodes(old)
	return both
}
