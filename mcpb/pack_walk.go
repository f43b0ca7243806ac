package mcpb

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"unicode"

	"satchel/internal/problem"
	"satchel/mcpb/internal/ignore"
)

// nonblock keeps an open from waiting for the other end when a file was swapped for a pipe after it was looked at.
const nonblock = syscall.O_NONBLOCK

// A place is a folder that the walk has come to.
type place struct {
	name   string   // its path in the bundle; "" for the top
	source string   // its path below the folder that is packed, without links
	via    []string // the sources of the folders whose links led here
	out    bool     // left out: walked only for the required files in it
}

// folder walks one folder.
func (w *planner) folder(p place) error {
	if w.folders++; w.folders > DefaultLimits().Entries {
		return w.tooMany("folders")
	}
	entries, err := readFolder(w.root, p.source)
	if err != nil {
		return cannotReadInput(w.show(p.name), err)
	}
	for _, d := range entries {
		if err := w.child(p, d); err != nil {
			return err
		}
	}
	return nil
}

// readFolder lists a folder by name. It does not use [os.Root.FS], which refuses names that are not UTF-8: those are
// only refused when they are to go in.
func readFolder(root *os.Root, source string) ([]fs.DirEntry, error) {
	f, err := root.OpenFile(filepath.Clean("./"+filepath.FromSlash(source)), os.O_RDONLY|nonblock, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	entries, err := f.ReadDir(-1)
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return entries, err
}

func (w *planner) tooMany(what string) error {
	return problem.New(problem.Invalid, "bundle/limit-entries", "has more than %d %s, which hosts refuse", DefaultLimits().Entries, what).
		At(w.plan.Dir).Try("leave out what is not needed by lines in %s", ignore.File)
}

func (w *planner) child(p place, d fs.DirEntry) error {
	name, source := path.Join(p.name, d.Name()), path.Join(p.source, d.Name())
	required := slices.Contains(w.required, name)
	dir, link := d.IsDir(), d.Type()&fs.ModeSymlink != 0
	if link { // a pattern for folders is about links to folders too
		info, err := os.Stat(w.path(source))
		dir = err == nil && info.IsDir()
	}
	out := p.out
	if origin, match := w.ignored.Match(name, dir); !out && match && !required {
		out = true
		w.excludeBy(name, origin, dir)
	}
	if out && !required && !w.leadsToRequired(name) {
		return nil
	}
	switch {
	case link:
		return w.link(place{name, source, slices.Concat(p.via, []string{p.source}), out})
	case dir:
		return w.folder(place{name, source, p.via, out})
	}
	info, err := d.Info()
	if err != nil {
		return cannotReadInput(w.show(name), err)
	}
	return w.file(name, source, info)
}

// path gives the path on disk of a source.
func (w *planner) path(source string) string {
	return filepath.Join(w.real, filepath.FromSlash(source))
}

// leadsToRequired tells whether a folder that is left out holds a required file.
func (w *planner) leadsToRequired(name string) bool {
	return slices.ContainsFunc(w.required, func(f string) bool { return strings.HasPrefix(f, name+"/") })
}

// excludeBy leaves out what a pattern says. A secret of the default list is one that its author may not know to be there.
func (w *planner) excludeBy(name, origin string, dir bool) {
	why := secretName(strings.ToLower(name))
	if why == "" || !ignore.IsDefault(origin) {
		w.exclude(name, origin, dir)
		return
	}
	if dir {
		name, why = name+"/", "secret: a folder with the name of a secret file"
	}
	w.plan.Excluded = append(w.plan.Excluded, Excluded{name, why, true})
}

func (w *planner) exclude(name, reason string, dir bool) {
	if dir {
		name += "/"
	}
	w.plan.Excluded = append(w.plan.Excluded, Excluded{Name: name, Reason: reason})
}

// file takes a file in, or leaves it out as a secret or as the bundle that is being written.
func (w *planner) file(name, source string, info fs.FileInfo) error {
	if !info.Mode().IsRegular() {
		return problem.New(problem.Invalid, "pack/special-file", "is a %s, which a bundle cannot hold", kindOf(info.Mode())).
			At(w.show(name)).Try("%s", w.leaveOut(name))
	}
	if own, err := w.isOutput(name, source); own || err != nil {
		return err
	}
	if !slices.Contains(w.included, name) {
		why, err := findSecret(w.last.open, source, name, info.Size())
		if err != nil {
			return cannotReadInput(w.show(name), err)
		}
		if why != "" {
			w.plan.Excluded = append(w.plan.Excluded, Excluded{name, why, true})
			return nil
		}
	}
	w.plan.Files = append(w.plan.Files, PackedFile{name, info.Size(), info.Mode().Perm(), source})
	w.plan.Bytes += info.Size()
	if len(w.plan.Files) > DefaultLimits().Entries {
		return w.tooMany("files")
	}
	return nil
}

// leaveOut is the hint for what cannot be packed.
func (w *planner) leaveOut(name string) string {
	if strings.ContainsFunc(name, unicode.IsControl) { // no pattern, and no line of a shell, says it in one line
		return "remove it, or rename it"
	}
	return "remove it, or leave it out: echo '/" + name + "' >> " + filepath.Join(w.plan.Dir, ignore.File)
}

func kindOf(m fs.FileMode) string {
	switch {
	case m.IsDir():
		return "folder"
	case m&fs.ModeNamedPipe != 0:
		return "named pipe"
	case m&fs.ModeSocket != 0:
		return "socket"
	case m&fs.ModeDevice != 0:
		return "device"
	}
	return "special file"
}

// isOutput leaves out the bundle that will be replaced, and what a killed run left beside it. Any other file at its
// place is somebody's work: to overwrite it is refused.
func (w *planner) isOutput(name, source string) (bool, error) {
	if w.opts.output == nil {
		return false, nil
	}
	dir, base := path.Split(w.opts.output.name)
	if strings.HasPrefix(source, dir+"."+base+".") && strings.HasSuffix(source, ".tmp") && path.Dir(source) == path.Clean("./"+dir) {
		w.exclude(name, "what a run that was stopped has left", false)
		return true, nil
	}
	if source != w.opts.output.name {
		return false, nil
	}
	if archive, err := w.isArchive(source); err != nil || !archive {
		return false, problem.New(problem.Invalid, "pack/output-inside", "is a file of the extension; the bundle would overwrite it").
			At(w.show(name)).Try("name another file for the bundle").Because(err)
	}
	w.exclude(name, "the bundle that is being written", false)
	return true, nil
}

// isArchive tells whether a file is empty or begins like a ZIP archive.
func (w *planner) isArchive(source string) (bool, error) {
	f, err := w.root.OpenFile(filepath.FromSlash(source), os.O_RDONLY|nonblock, 0)
	if err != nil {
		return false, err
	}
	defer f.Close()
	var head [4]byte
	switch n, err := io.ReadFull(f, head[:]); {
	case err == io.EOF:
		return true, nil
	case err != nil && err != io.ErrUnexpectedEOF:
		return false, err
	default:
		magic := string(head[:n])
		return magic == localMagic || magic == "PK\x05\x06", nil
	}
}

// link packs what a link inside the folder points to, or says why it cannot. p is the place of the link itself.
func (w *planner) link(p place) error {
	at := w.show(p.name)
	to, err := os.Readlink(w.path(p.source))
	if err != nil {
		return cannotReadInput(at, err)
	}
	real, err := filepath.EvalSymlinks(w.path(p.source))
	if err != nil {
		why := "which cannot be followed"
		if errors.Is(err, fs.ErrNotExist) {
			why = "which is not there"
		}
		return problem.New(problem.Invalid, "pack/broken-link", "is a link to %s, %s", to, why).At(at).Try("%s", w.leaveOut(p.name)).Because(err)
	}
	source, err := filepath.Rel(w.real, real)
	if err != nil || !filepath.IsLocal(source) {
		return problem.New(problem.Invalid, "pack/link-outside", "is a link to %s, outside the folder", to).At(at).
			From("docs/security.md").Try("copy what it points to into the folder, or %s", w.leaveOut(p.name))
	}
	if !w.opts.Follow {
		return problem.New(problem.Invalid, "pack/link", "is a link to %s; a bundle holds no links", to).At(at).
			Try("pack what it points to: satchel pack --follow")
	}
	info, err := os.Lstat(real)
	if err != nil {
		return cannotReadInput(at, err)
	}
	source = path.Clean(filepath.ToSlash(source))
	if !info.IsDir() {
		return w.file(p.name, source, info)
	}
	for _, s := range p.via {
		if source == "." || s == source || strings.HasPrefix(s, source+"/") {
			return problem.New(problem.Invalid, "pack/link-loop", "is a link to %s, a folder that it is in", to).At(at).Try("%s", w.leaveOut(p.name))
		}
	}
	return w.folder(place{p.name, source, p.via, p.out})
}
