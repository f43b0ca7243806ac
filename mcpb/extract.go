package mcpb

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"runtime"
	"slices"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"satchel/internal/problem"
)

// ExtractOptions say how to unpack a bundle. The zero value is right for looking at one.
type ExtractOptions struct {
	Workers    int                     // files written at once; 0: one per processor
	Executable []string                // files that must be executable, whatever the archive says: entry point, command
	Digest     bool                    // compute the tree digest, which reads no file again but costs a fifth of the time
	ReadOnly   bool                    // write bits are taken from the files: an installed version does not change
	Merge      bool                    // the folder may hold other files; a file that is there already must be the same
	Portable   bool                    // names that Windows reserves are refused on every system
	Sync       bool                    // every file is on the disk before Extract returns
	Progress   func(done, total int64) // called with unpacked bytes, from several goroutines
}

// Extract unpacks the bundle into the folder dir, which must not exist or be empty, unless Merge is set. It writes through os.Root and
// creates every file anew, so no link in the way is followed. When it fails, or ctx ends, all that it wrote is removed
// again, and nothing else. Modes are those of the archive, but for [ExtractOptions.Executable]; set-user-id and its like are never set. On Windows the names
// that it reserves are always refused.
func (b *Bundle) Extract(ctx context.Context, dir string, opts ExtractOptions) (*Tree, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if opts.Portable || runtime.GOOS == "windows" {
		if err := b.Portable(); err != nil {
			return nil, err
		}
	}
	target, err := openTarget(dir, opts.Merge)
	if err != nil {
		return nil, err
	}
	x := &extraction{b: b, opts: opts, target: target, leaves: make([]leaf, len(b.entries)), written: make([]bool, len(b.entries))}
	tree, err := x.run(ctx)
	if err != nil {
		if left := target.undo(x.files()); left != nil {
			err = errors.Join(err, left)
		}
		return nil, err
	}
	return tree, target.root.Close()
}

// Portable gives a *[Problem] for the first name that Windows reserves, nil when every system can hold the bundle.
// Hosts ask before they show a bundle to anybody; Extract asks again.
func (b *Bundle) Portable() error {
	for i := range b.entries {
		if err := PortableName(b.entries[i].name); err != nil {
			return b.locate(err)
		}
	}
	return nil
}

// An extraction is one run of Extract.
type extraction struct {
	b       *Bundle
	opts    ExtractOptions
	target  *target
	leaves  []leaf // by entry; those of folders stay empty
	written []bool // by entry: a file was created
	total   int64
	done    atomic.Int64
	kept    atomic.Uint32 // permission bits that the umask is known to let through
}

func (x *extraction) run(ctx context.Context) (*Tree, error) {
	for i := range x.b.entries {
		x.total += x.b.entries[i].size
	}
	tasks := make(chan extractTask, 16)
	group, inner := errgroup.WithContext(ctx)
	group.Go(func() error { defer close(tasks); return x.makeFolders(inner, tasks) })
	for range workersOr(x.opts.Workers) {
		group.Go(func() error { return newExtractWorker(inner, x).work(tasks) })
	}
	err := group.Wait()
	for t := range tasks { // what nobody took after an error
		t.folder.release()
	}
	if err != nil {
		return nil, err
	}
	if x.opts.Sync && runtime.GOOS != "windows" {
		if err := x.target.sync(); err != nil {
			return nil, x.failed("", err)
		}
	}
	return x.tree(), nil
}

func (x *extraction) tree() *Tree {
	if x.opts.Digest {
		t := summarize(slices.DeleteFunc(x.leaves, func(l leaf) bool { return l.path == "" }))
		return &t
	}
	return &Tree{Files: len(x.b.byName), Bytes: x.total}
}

// files lists what was created.
func (x *extraction) files() []string {
	var names []string
	for i, created := range x.written {
		if created {
			names = append(names, x.b.entries[i].name)
		}
	}
	return names
}

func (x *extraction) mode(e *entry) fs.FileMode {
	mode := e.mode | 0o400 // what its owner cannot read, nobody can start
	if slices.Contains(x.opts.Executable, e.name) {
		mode |= 0o111 & (mode >> 2) // executable for those who can read it
	}
	if x.opts.ReadOnly {
		mode &^= 0o222
	}
	return mode
}

// failed names the file in errors of the file system; problems with the content name it already.
func (x *extraction) failed(name string, err error) error {
	if _, ok := errors.AsType[*problem.Problem](err); ok || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return problem.New(problem.Failed, "extract/write", "cannot be written").At(filepath.Join(x.target.dir, filepath.FromSlash(name))).Because(err)
}
