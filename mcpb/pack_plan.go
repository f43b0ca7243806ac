package mcpb

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"satchel/internal/problem"
	"satchel/mcpb/internal/ignore"
)

// nonblock keeps an open from waiting when a file was swapped for a pipe after it was looked at.
const nonblock = syscall.O_NONBLOCK

// PackOptions say how to pack. The zero value packs everything that the ignore rules let through, dated 1980.
type PackOptions struct {
	Entry    string    // the manifest's entry point: it cannot be ignored away; "" when there is none
	Include  []string  // files to pack although they look like secrets or are ignored; paths as in the bundle
	Follow   bool      // pack what links inside the folder point to, instead of refusing them
	ModTime  time.Time // the date of every entry; before 1980: 1980-01-01
	Workers  int       // files compressed at once; 0: one per processor. The bytes are the same for any number
	Progress func(done, total int64)
	except   string // a file that is never packed: the bundle itself
}

// A PackedFile is one file that goes in.
type PackedFile struct {
	Name   string      `json:"name"`
	Size   int64       `json:"size"`
	Mode   fs.FileMode `json:"mode"`
	source string      // where it is below the root, when a link was followed another path than Name
}

// An Excluded is a file or a folder that stays out.
type Excluded struct {
	Name   string `json:"name"` // a folder's ends with a slash
	Reason string `json:"reason"`
	Secret bool   `json:"secret,omitempty"`
}

// A PackPlan is what goes into a bundle, sorted by name, and what does not and why.
type PackPlan struct {
	Dir      string       `json:"dir"`
	Files    []PackedFile `json:"files"`
	Excluded []Excluded   `json:"excluded"`
	Warnings []string     `json:"warnings"`
	Bytes    int64        `json:"bytes"`
}

// Plan walks the folder dir and decides what goes in. It refuses what must not be packed: a link that leads out of the
// folder, a link at all without Follow, pipes and devices, names that no bundle can hold, a missing manifest.json.
func Plan(dir string, opts PackOptions) (*PackPlan, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, cannotRead(dir, err)
	}
	defer root.Close()
	return planRoot(root, dir, opts)
}

func planRoot(root *os.Root, dir string, opts PackOptions) (*PackPlan, error) {
	own, err := root.ReadFile(ignore.File)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, problem.New(problem.Failed, "pack/ignore", "cannot be read").At(filepath.Join(dir, ignore.File)).Because(err)
	}
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return nil, cannotRead(dir, err)
	}
	if real, err = filepath.Abs(real); err != nil {
		return nil, cannotRead(dir, err)
	}
	w := &planner{root: root, real: real, opts: opts, ignored: ignore.New(string(own)), plan: &PackPlan{Dir: dir, Files: []PackedFile{}, Excluded: []Excluded{}, Warnings: []string{}}}
	w.forced = append(slices.Clone(opts.Include), "manifest.json", path.Clean(opts.Entry))
	if err := w.folder("", "", "", []string{real}); err != nil {
		return nil, err
	}
	return w.plan, w.finish()
}

// A planner is one run of Plan.
type planner struct {
	root    *os.Root
	real    string // the folder's absolute path without links
	opts    PackOptions
	ignored *ignore.List
	forced  []string
	plan    *PackPlan
}

// folder walks one folder: name is its path in the bundle, source its path below the root. A reason says that the
// folder itself is left out, and is walked only for the files that are forced in. Trail holds the real paths of the
// folders on the way, against loops of links.
func (w *planner) folder(name, source, reason string, trail []string) error {
	entries, err := fs.ReadDir(w.root.FS(), path.Clean("./"+source))
	if err != nil {
		return cannotRead(w.show(name), err)
	}
	for _, d := range entries {
		childName, childSource := path.Join(name, d.Name()), path.Join(source, d.Name())
		if err := w.child(childName, childSource, reason, d, trail); err != nil {
			return err
		}
	}
	return nil
}

func (w *planner) show(name string) string {
	return filepath.Join(w.plan.Dir, filepath.FromSlash(name))
}

func (w *planner) child(name, source, reason string, d fs.DirEntry, trail []string) error {
	forced := slices.Contains(w.forced, name)
	if origin, out := w.ignored.Match(name, d.IsDir()); reason == "" && out && !forced {
		reason = origin
		w.exclude(name, origin, d.IsDir())
	}
	if reason != "" && !forced && !w.leadsToForced(name) {
		return nil
	}
	switch {
	case d.Type()&fs.ModeSymlink != 0:
		return w.link(name, source, reason, trail)
	case d.IsDir():
		return w.folder(name, source, reason, append(slices.Clone(trail), filepath.Join(w.real, filepath.FromSlash(source))))
	case reason != "" && !forced:
		return nil
	}
	info, err := d.Info()
	if err != nil {
		return cannotRead(w.show(name), err)
	}
	return w.file(name, source, info, forced)
}

// leadsToForced tells whether a folder that is left out holds a file that is forced in.
func (w *planner) leadsToForced(name string) bool {
	return slices.ContainsFunc(w.forced, func(f string) bool { return strings.HasPrefix(f, name+"/") })
}

func (w *planner) exclude(name, reason string, dir bool) {
	x := Excluded{Name: name, Reason: reason}
	if dir {
		x.Name += "/"
	} else if why := secretReason(w.root, name, name); why != "" {
		x.Reason, x.Secret = why+" ("+reason+")", true
	}
	w.plan.Excluded = append(w.plan.Excluded, x)
}

func (w *planner) file(name, source string, info fs.FileInfo, forced bool) error {
	if !info.Mode().IsRegular() {
		return problem.New(problem.Invalid, "pack/special-file", "is a %s, which a bundle cannot hold", kind(info.Mode())).At(w.show(name)).
			Try("remove it, or leave it out: echo '/%s' >> %s", name, ignore.File)
	}
	if w.opts.except != "" && filepath.Join(w.real, filepath.FromSlash(source)) == w.opts.except {
		w.exclude(name, "the bundle that is being written", false)
		return nil
	}
	if why := secretReason(w.root, source, name); why != "" && !forced {
		w.plan.Excluded = append(w.plan.Excluded, Excluded{name, why, true})
		return nil
	}
	w.plan.Files = append(w.plan.Files, PackedFile{name, info.Size(), info.Mode().Perm(), source})
	w.plan.Bytes += info.Size()
	return nil
}

func kind(m fs.FileMode) string {
	switch {
	case m&fs.ModeNamedPipe != 0:
		return "named pipe"
	case m&fs.ModeSocket != 0:
		return "socket"
	case m&fs.ModeDevice != 0:
		return "device"
	}
	return "special file"
}

// link packs what a link inside the folder points to, or says why it cannot.
func (w *planner) link(name, source, reason string, trail []string) error {
	at := w.show(name)
	to, _ := os.Readlink(filepath.Join(w.real, filepath.FromSlash(source)))
	real, err := filepath.EvalSymlinks(filepath.Join(w.real, filepath.FromSlash(source)))
	if err != nil {
		return problem.New(problem.Invalid, "pack/broken-link", "is a link to %s, which leads nowhere", to).At(at).
			Try("remove it, or leave it out: echo '/%s' >> %s", name, ignore.File)
	}
	rel, err := filepath.Rel(w.real, real)
	if err != nil || !filepath.IsLocal(rel) {
		return problem.New(problem.Invalid, "pack/link-outside", "is a link to %s, outside the folder", to).At(at).
			From("docs/security.md").Try("copy the file into the folder, or leave the link out: echo '/%s' >> %s", name, ignore.File)
	}
	if !w.opts.Follow {
		return problem.New(problem.Invalid, "pack/link", "is a link to %s; a bundle holds no links", to).At(at).
			Try("pack what it points to: satchel pack --follow")
	}
	info, err := os.Stat(real)
	if err != nil {
		return cannotRead(at, err)
	}
	if !info.IsDir() {
		return w.file(name, filepath.ToSlash(rel), info, slices.Contains(w.forced, name))
	}
	for _, t := range trail {
		if t == real || strings.HasPrefix(t, real+string(filepath.Separator)) {
			return problem.New(problem.Invalid, "pack/link-loop", "is a link to %s, a folder that it is in", to).At(at).
				Try("leave it out: echo '/%s' >> %s", name, ignore.File)
		}
	}
	return w.folder(name, filepath.ToSlash(rel), reason, append(slices.Clone(trail), real))
}

// finish sorts, checks the names as a reader will, and collects the warnings.
func (w *planner) finish() error {
	p := w.plan
	slices.SortFunc(p.Files, func(a, b PackedFile) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(p.Excluded, func(a, b Excluded) int { return strings.Compare(a.Name, b.Name) })
	names := newNameSet(len(p.Files))
	for _, f := range p.Files {
		if bad := checkName(f.Name); bad != nil {
			return bad.At(w.show(f.Name))
		}
		if bad := names.add(&entry{name: f.Name}); bad != nil {
			return bad.At(w.show(f.Name)).Try("rename one of them")
		}
		if PortableName(f.Name) != nil {
			p.Warnings = append(p.Warnings, fmt.Sprintf("%s: Windows cannot hold this name; installing is refused", f.Name))
		}
	}
	for _, x := range p.Excluded {
		if x.Secret {
			p.Warnings = append(p.Warnings, fmt.Sprintf("%s is left out (%s); --include %s packs it", x.Name, x.Reason, x.Name))
		}
	}
	return w.checkForced()
}

// checkForced makes sure that what must be in the bundle is.
func (w *planner) checkForced() error {
	for _, name := range w.forced {
		_, found := slices.BinarySearchFunc(w.plan.Files, name, func(f PackedFile, n string) int { return strings.Compare(f.Name, n) })
		if found || name == "." {
			continue
		}
		if name == "manifest.json" {
			return problem.New(problem.Invalid, "bundle/no-manifest", "has no manifest.json").At(w.plan.Dir)
		}
		return problem.New(problem.NotFound, "pack/include", "is to be packed but is not there").At(w.show(name))
	}
	return nil
}
