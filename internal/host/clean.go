package host

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"satchel/internal/atomicfile"
	"satchel/internal/problem"
	"satchel/internal/prune"
	"satchel/internal/spec"
	"satchel/mcpb"
	"satchel/mcpb/manifest"
)

// CleanOptions say how to clean. The zero value is right for most.
type CleanOptions struct {
	Deep      bool      // also tests and documents of dependencies
	Answers   []string  // for the starts, KEY=VALUE
	NoSandbox bool      // the server is started with all rights of the user
	ModTime   time.Time // the date of the entries, as in [mcpb.PackOptions]
}

// A Cleaning is a bundle on its way to lose what its server does not need: [Host.OpenCleaning], show Review, Verify,
// Write, Close. What is verified is what is written, byte for byte. It is not safe for concurrent use.
type Cleaning struct {
	Plan     *prune.Plan  // what can go
	Review   *spec.Review // what Verify runs; nil when it cannot be told here, then Verify says why
	StandIns []string     // keys of required options that the starts get made-up values for
	Warnings []string     // of packing a folder

	host     *Host
	opts     CleanOptions
	path     string // of the file or folder
	file     string // of the bundle: path, or what a folder was packed into
	seen     fs.FileInfo
	bundle   *mcpb.Bundle
	manifest *manifest.Manifest
	tmp      string
	stay     map[string]bool // units that Verify put back
	result   Cleaned
}

// A Size is how much a bundle has.
type Size struct {
	Files    int   `json:"files"`
	Unpacked int64 `json:"unpacked"` // bytes of the files
	Packed   int64 `json:"packed"`   // bytes of the bundle
}

// Cleaned is what cleaning did, or would do when Out is empty.
type Cleaned struct {
	Source    string       `json:"source"`
	Out       string       `json:"out,omitempty"`
	Before    Size         `json:"before"`
	After     Size         `json:"after"`
	Digest    string       `json:"digest"` // of the cleaned bundle
	Dropped   []prune.Unit `json:"dropped"`
	PutBack   []prune.Unit `json:"putBack"` // looked unneeded, but the server did less without
	Notes     []string     `json:"notes"`
	Verified  bool         `json:"verified"` // it was started and offers the same
	Tools     int          `json:"tools"`
	Prompts   int          `json:"prompts"`
	Starts    int          `json:"starts"`    // of the server, in all
	Unsigned  bool         `json:"unsigned"`  // the bundle was signed, the cleaned one is not
	Unchanged bool         `json:"unchanged"` // there was nothing to drop
}

// OpenCleaning reads a bundle, or packs a folder into a temporary one, and decides what can go. Nothing runs and nothing
// is changed. Errors are problems as those of [mcpb.Open], [mcpb.PackFile], [prune.Make] and [answers.Parse].
func (h *Host) OpenCleaning(ctx context.Context, path string, o CleanOptions) (*Cleaning, error) {
	tmp, err := os.MkdirTemp("", "satchel-clean-")
	if err != nil {
		return nil, problem.New(problem.Failed, "clean/temporary", "cannot make a temporary folder").Because(err).Try("set TMPDIR to a folder with space")
	}
	c := &Cleaning{host: h, opts: o, path: path, tmp: tmp, stay: map[string]bool{}}
	if err := c.open(ctx); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

func (c *Cleaning) open(ctx context.Context) error {
	c.file = c.path
	info, err := os.Stat(c.path)
	if err == nil && info.IsDir() {
		if c.file, err = c.pack(ctx); err != nil {
			return err
		}
	} else if err == nil {
		c.seen = info
	}
	if c.bundle, err = mcpb.Open(c.file, mcpb.Limits{}); err != nil {
		return err
	}
	data, err := c.bundle.Manifest()
	if err != nil {
		return err
	}
	m, report, err := manifest.Parse(data)
	if err != nil {
		report.File = c.path + "/manifest.json"
		return report.Err()
	}
	c.manifest = m
	if c.Plan, err = prune.Make(c.bundle.Files(), c.bundle.FS(), m, prune.Options{Deep: c.opts.Deep}); err != nil {
		return err
	}
	c.result = Cleaned{Source: c.path, Notes: c.Plan.Notes, Before: Size{Packed: c.bundle.Size()}}
	for _, f := range c.bundle.Files() {
		c.result.Before.Files++
		c.result.Before.Unpacked += f.Size
	}
	return nil
}

// pack makes a bundle of a folder.
func (c *Cleaning) pack(ctx context.Context) (string, error) {
	data, err := mcpb.ReadFile(c.path, "manifest.json", manifest.MaxSize)
	if err != nil {
		return "", err
	}
	m, report, err := manifest.Parse(data)
	if err != nil {
		report.File = filepath.Join(c.path, "manifest.json")
		return "", report.Err()
	}
	file := filepath.Join(c.tmp, "packed.mcpb")
	packed, err := mcpb.PackFile(ctx, c.path, file, mcpb.PackOptions{Entry: m.EntryFile(), Programs: m.Programs(os.DirFS(c.path)), ModTime: c.opts.ModTime})
	if err != nil {
		return "", err
	}
	c.Warnings = packed.Warnings
	return file, nil
}

// Close removes what is temporary.
func (c *Cleaning) Close() error {
	err := os.RemoveAll(c.tmp)
	if c.bundle != nil {
		err = errors.Join(err, c.bundle.Close())
	}
	return err
}

// keeps tells whether a file stays when the units that are not in stay are dropped.
func (c *Cleaning) keeps(stay map[string]bool) func(name string) bool {
	gone := map[string]bool{}
	for _, u := range c.Plan.Units {
		for _, name := range u.Paths {
			gone[name] = !stay[u.Name]
		}
	}
	return func(name string) bool { return !gone[name] }
}

// Measure gives what cleaning would do as things stand. Nothing is written.
func (c *Cleaning) Measure(ctx context.Context) (*Cleaned, error) {
	report, err := c.bundle.Subset(ctx, io.Discard, c.opts.ModTime, c.keeps(c.stay))
	if err != nil {
		return nil, err
	}
	res := c.done(report)
	if res.Unchanged {
		res.After = res.Before
		res.Digest, _, err = c.bundle.Digests()
	}
	return res, err
}

// copyWhole copies the bundle with its signature.
func (c *Cleaning) copyWhole(w io.Writer) error {
	f, err := os.Open(c.file)
	if err != nil {
		return problem.New(problem.Failed, "clean/write", "cannot be read again").At(c.file).Because(err)
	}
	defer f.Close()
	if _, err := io.Copy(w, f); err != nil {
		return problem.New(problem.Failed, "clean/write", "cannot be copied").At(c.file).Because(err)
	}
	return nil
}

func (c *Cleaning) done(report *mcpb.PackReport) *Cleaned {
	res := c.result
	res.Dropped, res.PutBack = []prune.Unit{}, []prune.Unit{}
	for _, u := range c.Plan.Units {
		if c.stay[u.Name] {
			res.PutBack = append(res.PutBack, u)
		} else {
			res.Dropped = append(res.Dropped, u)
		}
	}
	res.After = Size{report.Files, report.BytesIn, report.Size}
	res.Digest = report.Digest
	res.Unchanged = len(res.Dropped) == 0
	res.Unsigned = c.bundle.Signature() != nil && !res.Unchanged
	return &res
}

// Write writes the cleaned bundle to out, whole or not at all; "" replaces the bundle that was read, and is refused for
// a folder, which is never changed. When nothing is dropped, a bundle that would be replaced stays as it is, signature
// included.
func (c *Cleaning) Write(ctx context.Context, out string) (*Cleaned, error) {
	if out == "" && c.seen == nil {
		return nil, problem.New(problem.Usage, "clean/out", "is a folder, which is never changed").At(c.path).Try("name the cleaned bundle with --out FILE")
	}
	perm := fs.FileMode(0o644)
	if out == "" {
		real, err := filepath.EvalSymlinks(c.path) // a link to the bundle stays one
		if err != nil {
			return nil, problem.New(problem.Failed, "clean/write", "is no longer there").At(c.path).Because(err)
		}
		out, perm = real, c.seen.Mode().Perm()
	}
	if info, err := os.Stat(out); err == nil && !info.Mode().IsRegular() {
		return nil, problem.New(problem.Failed, "clean/write", "is not a regular file; a bundle cannot replace it").At(out)
	}
	res, err := c.Measure(ctx)
	if err != nil {
		return nil, err
	}
	if res.Out = out; res.Unchanged && c.isSource(out) {
		return res, nil
	}
	return res, c.write(ctx, out, perm, res.Unchanged)
}

func (c *Cleaning) isSource(out string) bool {
	info, err := os.Stat(out)
	return err == nil && c.seen != nil && os.SameFile(info, c.seen)
}

func (c *Cleaning) write(ctx context.Context, out string, perm fs.FileMode, whole bool) error {
	cannot := problem.New(problem.Failed, "clean/write", "cannot be written").At(out)
	f, err := atomicfile.Create(out, perm)
	if err != nil {
		return cannot.Because(err)
	}
	defer f.Abort()
	if whole {
		err = c.copyWhole(f)
	} else {
		_, err = c.bundle.Subset(ctx, f, c.opts.ModTime, c.keeps(c.stay))
	}
	if err != nil {
		return err
	}
	if info, err := os.Stat(out); err == nil && c.isSource(out) && (!info.ModTime().Equal(c.seen.ModTime()) || info.Size() != c.seen.Size()) {
		return problem.New(problem.Failed, "clean/changed", "changed while it was cleaned; nothing was written").At(out).Try("clean it again")
	}
	if err := f.Commit(); err != nil {
		return cannot.Because(err)
	}
	return nil
}
