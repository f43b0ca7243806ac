package grant

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"satchel/internal/problem"
	"satchel/internal/spec"
)

// Resolve looks at what a person is about to agree to: paths become real ones, and which file each is, is kept. What may
// not be granted is refused with a problem, and so is what was agreed to earlier and is another file now: agreeing to one
// thing must not agree to another. What it gives is what is shown, agreed to and recorded.
func Resolve(g Grant, m Machine) (Grant, error) {
	l, err := newLooker(g, m)
	if err != nil {
		return Grant{}, err
	}
	out := g.Canonical()
	for n, f := range out.Files {
		seen, err := l.look(f)
		if err != nil {
			return Grant{}, err
		}
		if err := l.unchanged(f, seen); f.Inode != 0 && err != nil {
			return Grant{}, err
		}
		out.Files[n] = File{Path: seen.real, Write: f.Write, Inode: seen.lasting()}
	}
	for n, path := range out.Net.Sockets {
		if out.Net.Sockets[n], err = l.socket(path); err != nil {
			return Grant{}, err
		}
	}
	if err := openable(out.Desktop); err != nil {
		return Grant{}, err
	}
	if _, err := l.programs(out); err != nil {
		return Grant{}, err
	}
	return out.Canonical(), nil
}

// Sandbox gives what a launcher holds a server to. It looks again at every path: one that leads elsewhere than when it
// was agreed to, or is another file now, is refused, and the problem says how extension id gets it back. The notes say
// what could not be looked at to the end. Desktop, client features, variables and secrets are not the operating system's
// matter: whoever starts the server sees to them.
func Sandbox(g Grant, id string, m Machine) (box spec.Sandbox, notes []string, err error) {
	l, err := newLooker(g, m)
	if err != nil {
		return box, nil, err
	}
	l.id = id
	g = g.Canonical()
	for _, f := range g.Files {
		if !f.Write && Of(g.writes()...).Covers(Item{KindRead, f.Path}) {
			continue // one mount on top of the other would take the writing away
		}
		seen, err := l.look(f)
		if err != nil {
			return box, nil, err
		}
		if err := l.unchanged(f, seen); err != nil {
			return box, nil, err
		}
		box.Files = append(box.Files, spec.File{Path: seen.real, Write: f.Write, Dev: seen.dev, Ino: seen.ino})
	}
	if box.Programs.Paths, err = l.programs(g); err != nil {
		return box, nil, err
	}
	for _, path := range g.Net.Sockets {
		real, err := l.socket(path)
		if p, ok := errors.AsType[*problem.Problem](err); ok && p.Code == problem.NotFound {
			continue // its service is not running: whoever connects is told so
		}
		if err == nil && real != path {
			err = l.changed(Item{KindSocket, path}, "leads to "+real+" now")
		}
		if err != nil {
			return box, nil, err
		}
	}
	box.Programs.Any = g.Programs.Any
	if box.Protect, notes, err = l.protect(g); err != nil {
		return box, nil, err
	}
	box.Net, box.Limits = g.Net.spec(), g.Limits.spec()
	return box, notes, nil
}

func (g Grant) writes() (items []Item) {
	for _, f := range g.Files {
		if f.Write {
			items = append(items, Item{KindWrite, f.Path})
		}
	}
	return items
}

func (n Net) spec() spec.Net {
	out := spec.Net{Any: n.Any, Ports: slices.Clone(n.Ports), Sockets: slices.Clone(n.Sockets)}
	for _, h := range n.Hosts {
		out.Hosts = append(out.Hosts, spec.Host(h))
	}
	return out
}

func (l Limits) spec() spec.Limits {
	g := Grant{Limits: l}
	for _, f := range limits(&g) {
		if *f.value == 0 {
			*f.value = f.usual
		}
	}
	l = g.Limits
	return spec.Limits{Memory: l.Memory, Temp: l.Temp, Processes: int(l.Processes), Files: int(l.OpenFiles), CPU: l.seconds()}
}

// A looker looks at the file system.
type looker struct {
	m         Machine
	id        string
	protected []spec.Protected // by name, and where links on the way to them lead
	fence     fence
	places    []place // those that are there
	above     []place // the folders above secrets
}

// A place is a path that is there.
type place struct {
	spec.Protected
	info fs.FileInfo
}

func newLooker(g Grant, m Machine) (*looker, error) {
	if len(g.Items()) > mostItems {
		return nil, tooMany()
	}
	if len(g.Files) == 0 && len(g.Programs.Names) == 0 && len(g.Net.Sockets) == 0 {
		return &looker{m: m}, nil // nothing that a protected place could be in
	}
	l := &looker{m: m, protected: Protected(m)}
	at := finder{m: m, dirs: map[string]*folder{}}
	home := at.folder(m.User.Home).real
	for _, p := range slices.Clone(l.protected) {
		real, info := at.find(p.Path)
		if info != nil {
			l.places = append(l.places, place{p, info})
		}
		if real != p.Path && !m.within(home, real) {
			l.protected = append(l.protected, spec.Protected{Path: real, Secret: p.Secret})
		}
	}
	l.addAbove(at.dirs)
	l.fence = m.fence(l.protected)
	return l, nil
}

// addAbove keeps the folders above protected places, to know them under another name.
func (l *looker) addAbove(dirs map[string]*folder) {
	seen := map[string]bool{}
	for _, d := range dirs {
		if d.info != nil && !seen[d.real] && d.real != filepath.Dir(d.real) {
			seen[d.real] = true
			l.above = append(l.above, place{spec.Protected{Path: d.real}, d.info})
		}
	}
}

// A sight is what was seen at a path.
type sight struct {
	real     string
	info     fs.FileInfo
	dev, ino uint64
}

// lasting is the inode where the file system gives a file the same one for ever; zero where it does not.
func (s sight) lasting() uint64 {
	if s.ino == 0 || !lastingInodes(s.real) {
		return 0
	}
	return s.ino
}

// look finds what a file of a grant is, and refuses what may not be granted.
func (l *looker) look(f File) (sight, error) {
	if clean, err := l.m.clean(f.Path); err != nil || clean != f.Path {
		return sight{}, refuse(f.item(), problem.New(problem.Refused, "grant/path", "is no clean absolute path"))
	}
	if why := l.fence.forbids(f); why != "" {
		return sight{}, refuse(f.item(), problem.New(problem.Refused, "grant/protected", "%s", why))
	}
	real, err := filepath.EvalSymlinks(f.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return sight{}, l.missing(f.item())
	}
	if err != nil {
		return sight{}, refuse(f.item(), problem.New(problem.Refused, "grant/path", "cannot be looked at").Because(err))
	}
	s := sight{real: real}
	if why := l.fence.forbids(File{Path: real, Write: f.Write}); why != "" {
		return s, refuse(f.item(), problem.New(problem.Refused, "grant/protected", "leads to %s, which %s", real, why))
	}
	if s.info, err = os.Lstat(real); err != nil {
		return s, refuse(f.item(), problem.New(problem.Refused, "grant/path", "cannot be looked at").Because(err))
	}
	s.dev, s.ino = identity(s.info)
	if !s.info.IsDir() && !s.info.Mode().IsRegular() {
		return s, refuse(f.item(), problem.New(problem.Refused, "grant/kind", "is neither a folder nor a regular file"))
	}
	if foreign(s.info) {
		return s, refuse(f.item(), problem.New(problem.Refused, "grant/owner", "belongs to another user of this machine"))
	}
	return s, l.samePlace(f, s)
}

// samePlace refuses a path that is a protected place under another name: in other letters on a system that does not tell
// them apart, by a second mount, or by a second name of the same file.
func (l *looker) samePlace(f File, s sight) error {
	for _, p := range l.above {
		if os.SameFile(s.info, p.info) && !l.m.within(s.real, p.Path) {
			return refuse(f.item(), problem.New(problem.Refused, "grant/protected", "is %s under another name: grant it by that one", p.Path))
		}
	}
	real := s.real
	for dir := real; ; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err != nil {
			return refuse(f.item(), problem.New(problem.Refused, "grant/path", "cannot be looked at").Because(err))
		}
		for _, p := range l.places {
			if (p.Secret || f.Write) && os.SameFile(info, p.info) {
				return refuse(f.item(), problem.New(problem.Refused, "grant/protected", "is %s under another name, a protected place", p.Path))
			}
		}
		if dir == filepath.Dir(dir) {
			return nil
		}
	}
}

func refuse(i Item, p *problem.Problem) *problem.Problem {
	return p.At(i.String()).From("docs/permissions.md").Try("grant a folder with nothing in it but what is needed")
}

func (f File) item() Item {
	if f.Write {
		return Item{KindWrite, f.Path}
	}
	return Item{KindRead, f.Path}
}

// missing: a launcher cannot show what is not there, and what comes there later was not agreed to.
func (l *looker) missing(i Item) error {
	p := problem.New(problem.NotFound, "grant/missing", "is not there").At(i.String()).From("docs/permissions.md")
	if l.id == "" {
		return p.Try("make it first, or correct the name")
	}
	return p.Try("make it again, or: %s", problem.Words("satchel", "permissions", l.id, "--revoke", i.String()))
}

// unchanged refuses what is not what was agreed to any more.
func (l *looker) unchanged(f File, now sight) error {
	switch {
	case now.real != f.Path:
		return l.changed(f.item(), "leads to "+now.real+" now")
	case f.Inode != 0 && now.lasting() != 0 && now.ino != f.Inode:
		return l.changed(f.item(), "is another one now")
	}
	return nil
}

func (l *looker) changed(i Item, why string) error {
	command := problem.Words("--grant", i.String())
	if l.id != "" {
		command = problem.Words("satchel", "permissions", l.id) + " " + command
	}
	return problem.New(problem.Refused, "grant/changed", "is not what was agreed to: it %s", why).At(i.String()).
		From("docs/permissions.md").Try("look at it; if that is meant: %s", command)
}

// protect gives the protected places with those inside the folders to write to.
func (l *looker) protect(g Grant) (all []spec.Protected, notes []string, err error) {
	all = slices.Clone(l.protected)
	for _, f := range g.Files {
		if !f.Write {
			continue
		}
		found := Nested(f.Path, l.m, UsualBounds())
		for _, p := range found.Paths {
			all = append(all, spec.Protected{Path: p})
		}
		if found.GaveUp != "" {
			notes = append(notes, fmt.Sprintf("%s: %s", f.item(), found.GaveUp))
		}
		if len(found.Links) > 0 {
			return nil, nil, refuse(f.item(), problem.New(problem.Refused, "grant/protected-link", "%s is a link in place of what tools start: it could be exchanged", found.Links[0]))
		}
	}
	return distinct(all), notes, nil
}

// distinct sorts protected places and merges those that are there twice.
func distinct(list []spec.Protected) []spec.Protected {
	return merged(list, func(a, b spec.Protected) int { return strings.Compare(a.Path, b.Path) }, func(a *spec.Protected, b spec.Protected) { a.Secret = a.Secret || b.Secret })
}
