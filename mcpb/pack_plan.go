package mcpb

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"satchel/internal/problem"
	"satchel/internal/spell"
	"satchel/mcpb/internal/ignore"
)

// A PackedFile is one file that goes in.
type PackedFile struct {
	Name   string      `json:"name"` // in the bundle: slash-separated, relative
	Size   int64       `json:"size"` // bytes
	Mode   fs.FileMode `json:"mode"` // permission bits on disk
	source string      // its path below the folder, slash-separated and without links; another than Name where a link was followed
}

// An Excluded is a file or a folder that stays out.
type Excluded struct {
	Name   string `json:"name"`   // a folder's ends with a slash
	Reason string `json:"reason"` // the pattern and where it comes from, or what kind of secret the file is
	Secret bool   `json:"secret,omitempty"`
}

// A PackPlan is what goes into a bundle and what does not and why, both sorted by the bytes of their names.
type PackPlan struct {
	Dir      string       `json:"dir"`
	Files    []PackedFile `json:"files"`
	Excluded []Excluded   `json:"excluded"`
	Warnings []string     `json:"warnings"`
	Bytes    int64        `json:"bytes"` // of all files
}

const (
	manifestName  = "manifest.json"
	maxIgnoreFile = 1 << 20 // bytes of .mcpbignore
	longName      = 180     // bytes of a name beyond which Windows' limit of 260 characters for a path is near
)

// Plan walks the folder dir and decides what goes in. Problems are of class Invalid: a link that leads out of the folder,
// a link at all without Follow, pipes and devices, names that no bundle can hold or that collide, no manifest.json, more
// files than hosts accept. Nothing is an error that the ignore rules leave out. The errors of opts.Check are given as
// they are.
func Plan(dir string, opts PackOptions) (*PackPlan, error) {
	root, err := openFolder(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	real, err := realPath(dir)
	if err != nil {
		return nil, cannotReadInput(dir, err)
	}
	own, err := readIgnoreFile(root, dir)
	if err != nil {
		return nil, err
	}
	w := newPlanner(root, dir, real, ignore.New(own), opts)
	defer w.last.close()
	if err := w.folder(place{}); err != nil {
		return nil, err
	}
	if err := w.finish(); err != nil {
		return nil, err
	}
	if opts.Check != nil {
		if err := opts.Check(w.plan); err != nil {
			return nil, err
		}
	}
	return w.plan, nil
}

// readIgnoreFile gives the content of .mcpbignore, "" when there is none. It does not wait for a pipe, and does not
// follow a link out of the folder.
func readIgnoreFile(root *os.Root, dir string) (string, error) {
	refused := problem.New(problem.Invalid, "pack/ignore-file", "must be a regular file of at most %d bytes", maxIgnoreFile).At(filepath.Join(dir, ignore.File))
	f, err := root.OpenFile(ignore.File, os.O_RDONLY|nonblock, 0)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", nil
	case err != nil:
		return "", refused.Because(err)
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() || info.Size() > maxIgnoreFile {
		return "", refused
	}
	data, err := io.ReadAll(io.LimitReader(f, maxIgnoreFile))
	if err != nil {
		return "", refused.Because(err)
	}
	return string(data), nil
}

// A planner is one run of Plan.
type planner struct {
	root     *os.Root
	real     string // the folder's absolute path without links
	opts     PackOptions
	last     folder // the one in which a file was opened last
	ignored  *ignore.List
	required []string // files that cannot be ignored away: manifest.json, the entry point, and what is included by name
	included []string // files that may be secrets as well
	folders  int
	plan     *PackPlan
}

func newPlanner(root *os.Root, dir, real string, ignored *ignore.List, opts PackOptions) *planner {
	w := &planner{root: root, last: folder{root: root}, real: real, opts: opts, ignored: ignored}
	w.plan = &PackPlan{Dir: dir, Files: []PackedFile{}, Excluded: []Excluded{}, Warnings: []string{}}
	for _, name := range opts.Include {
		w.included = append(w.included, path.Clean(filepath.ToSlash(name)))
	}
	w.required = append(slices.Clone(w.included), manifestName)
	if opts.Entry != "" {
		w.required = append(w.required, path.Clean(opts.Entry))
	}
	w.required = append(w.required, opts.Programs...)
	return w
}

// show gives the path of a file of the bundle as the caller would write it.
func (w *planner) show(name string) string {
	return filepath.Join(w.plan.Dir, filepath.FromSlash(name))
}

// finish sorts, holds the names to the rules for reading them, and collects the warnings.
func (w *planner) finish() error {
	p := w.plan
	slices.SortFunc(p.Files, func(a, b PackedFile) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(p.Excluded, func(a, b Excluded) int { return strings.Compare(a.Name, b.Name) })
	if err := w.checkRequired(); err != nil {
		return err
	}
	if err := w.checkNames(); err != nil {
		return err
	}
	w.warn()
	return nil
}

// checkRequired makes sure that what must be in the bundle is.
func (w *planner) checkRequired() error {
	for _, name := range w.required {
		_, found := slices.BinarySearchFunc(w.plan.Files, name, func(f PackedFile, n string) int { return strings.Compare(f.Name, n) })
		if found {
			continue
		}
		at := slices.IndexFunc(w.plan.Excluded, func(x Excluded) bool { return x.Name == name })
		switch {
		case at >= 0: // the entry point or the manifest is a secret, or the bundle itself
			return problem.New(problem.Invalid, "pack/required", "must be in the bundle, but is left out: %s", w.plan.Excluded[at].Reason).At(w.show(name))
		case name == manifestName:
			return problem.New(problem.Invalid, "bundle/no-manifest", "has no manifest.json").At(w.plan.Dir).Try("satchel init %s writes one; or pack the folder that has it", problem.Words(w.plan.Dir))
		case slices.Contains(w.included, name):
			return w.notIncluded(name)
		}
		return problem.New(problem.Invalid, "pack/entry-point", "is what the manifest starts but is not there").At(w.show(name)).
			Try("build it first, or correct server in manifest.json")
	}
	return nil
}

// notIncluded says why a file that is to be packed by name is not.
func (w *planner) notIncluded(name string) error {
	p := problem.New(problem.NotFound, "pack/include", "is to be packed but is not there").At(w.show(name)).Try("%s", spell.Hint(w.show(name)))
	info, err := os.Stat(w.show(name))
	if err != nil || !info.IsDir() {
		return p
	}
	p = problem.New(problem.NotFound, "pack/include", "is a folder; --include takes files").At(w.show(name)).Try("name each file of it, such as those of satchel pack --list")
	for _, f := range w.plan.Files {
		if strings.HasPrefix(f.Name, name+"/") {
			return p.Try("name each file of it: --include %s", f.Name)
		}
	}
	return p
}

// checkNames refuses names that no reader accepts.
func (w *planner) checkNames() error {
	names := newNameSet(len(w.plan.Files))
	for _, f := range w.plan.Files {
		if !utf8.ValidString(f.Name) {
			return refuse("bundle/name-encoding", "", "has a name that is not UTF-8").At(fmt.Sprintf("%q", w.show(f.Name))).Try("rename it")
		}
		if bad := checkName(f.Name); bad != nil {
			return bad.At(w.show(f.Name)).Try("rename it, or leave it out by a line in %s", ignore.File)
		}
		if bad := names.add(&entry{name: f.Name}); bad != nil {
			return bad.At(w.show(f.Name)).Try("rename one of them")
		}
	}
	return nil
}

// warn collects what the author should know and nothing refuses.
func (w *planner) warn() {
	p, limits := w.plan, DefaultLimits()
	add := func(format string, args ...any) { p.Warnings = append(p.Warnings, fmt.Sprintf(format, args...)) }
	for _, x := range p.Excluded {
		switch {
		case x.Secret && strings.HasSuffix(x.Name, "/"):
			add("%s is left out: %s; satchel pack --include with the name of each file packs it", x.Name, x.Reason)
		case x.Secret:
			add("%s is left out: %s; satchel pack --include %s packs it", x.Name, x.Reason, x.Name)
		}
	}
	long, longest := 0, ""
	for _, f := range p.Files {
		if PortableName(f.Name) != nil {
			add("%s: Windows cannot hold this name; installing is refused", f.Name)
		}
		if f.Size > limits.FileBytes {
			add("%s has %d bytes; hosts refuse files of more than %d", f.Name, f.Size, limits.FileBytes)
		}
		if len(f.Name) > longName {
			if long++; len(f.Name) > len(longest) {
				longest = f.Name
			}
		}
	}
	if long > 0 {
		add("%d names have more than %d bytes, which may be too long for Windows; the longest is %s", long, longName, longest)
	}
	if p.Bytes > limits.TotalBytes {
		add("the bundle unpacks to %d bytes; hosts refuse more than %d", p.Bytes, limits.TotalBytes)
	}
}
