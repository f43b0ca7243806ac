package mcpb

import (
	"context"
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"satchel/internal/problem"
)

// ExtractOptions say how to unpack a bundle. The zero value is right for looking at one.
type ExtractOptions struct {
	Workers    int                     // files written at once; 0: one per processor
	Executable []string                // files that must be executable, whatever the archive says: entry point, command
	Digest     bool                    // compute the tree digest, which costs about a tenth of the time
	ReadOnly   bool                    // write bits are taken from the files: an installed version does not change
	Portable   bool                    // names that Windows reserves are refused on every system
	Sync       bool                    // every file is on the disk before Extract returns
	Progress   func(done, total int64) // called with unpacked bytes, from several goroutines
}

// Extract unpacks the bundle into the folder dir, which must not exist or be empty. It writes through os.Root and
// creates every file anew, so no link in the way is followed. When it fails, or ctx ends, all that it wrote is removed
// again, and nothing else. Modes are those of the archive; set-user-id and its like are never set. On Windows the names
// that it reserves are always refused.
func (b *Bundle) Extract(ctx context.Context, dir string, opts ExtractOptions) (*Tree, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if opts.Portable || runtime.GOOS == "windows" {
		if err := b.portable(); err != nil {
			return nil, err
		}
	}
	target, err := openTarget(dir)
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

func (b *Bundle) portable() error {
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

// perTask bounds the files of one task, so that a large folder does not keep one worker busy at the end.
const perTask = 128

func (x *extraction) run(ctx context.Context) (*Tree, error) {
	for _, name := range slices.Sorted(maps.Keys(x.b.folders)) { // parents come first
		if err := x.target.mkdir(name); err != nil {
			return nil, x.failed(name, err)
		}
	}
	for i := range x.b.entries {
		x.total += x.b.entries[i].size
	}
	tasks := x.tasks()
	err := inParallel(ctx, len(tasks), x.opts.Workers, func(ctx context.Context, i int) error { return x.writeTask(ctx, tasks[i]) })
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

// tasks groups the files by folder, so that a worker opens each folder once.
func (x *extraction) tasks() [][]int {
	byDir := map[string][]int{}
	var dirs []string
	for i := range x.b.entries {
		e := &x.b.entries[i]
		if e.dir {
			continue
		}
		dir := path.Dir(e.name)
		if byDir[dir] == nil {
			dirs = append(dirs, dir)
		}
		byDir[dir] = append(byDir[dir], i)
	}
	var tasks [][]int
	for _, dir := range dirs {
		tasks = slices.AppendSeq(tasks, slices.Chunk(byDir[dir], perTask))
	}
	return tasks
}

// writeTask writes the files of one folder.
func (x *extraction) writeTask(ctx context.Context, task []int) error {
	dir := path.Dir(x.b.entries[task[0]].name)
	folder, err := openFolder(x.target.root, filepath.FromSlash(dir))
	if err != nil {
		return x.failed(dir, err)
	}
	defer folder.Close()
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	var sum hash.Hash
	if x.opts.Digest {
		sum = sha256.New()
	}
	for _, i := range task {
		if err := x.write(ctx, folder, i, sum, *buf); err != nil {
			return x.failed(x.b.entries[i].name, err)
		}
	}
	return nil
}

// buffers is a pool for copying; what it holds carries no meaning.
var buffers = sync.Pool{New: func() any { b := make([]byte, 64<<10); return &b }}

// write writes one file: created anew, hashed on the way unless sum is nil, its mode set on the open file.
func (x *extraction) write(ctx context.Context, folder *outFolder, i int, sum hash.Hash, buf []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	e := &x.b.entries[i]
	mode := x.mode(e)
	f, err := folder.create(path.Base(e.name), mode)
	if err != nil {
		return err
	}
	x.written[i] = true
	out := progressWriter{f, x, ctx}
	if sum != nil {
		sum.Reset()
		out.Writer = io.MultiWriter(f, sum)
	}
	c := x.b.open(e)
	if err = errors.Join(c.copyTo(out, buf), c.Close()); err == nil {
		err = x.setMode(f, mode)
	}
	if err == nil && x.opts.Sync {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	x.leaves[i] = leaf{path: e.name, mode: mode, size: e.size}
	if sum != nil {
		sum.Sum(x.leaves[i].sum[:0])
	}
	return nil
}

// setMode gives an open file its mode where the umask took something from it. What the umask lets through is learnt
// from the first files, so that the others need no call.
func (x *extraction) setMode(f *os.File, mode fs.FileMode) error {
	if uint32(mode)&^x.kept.Load() == 0 {
		return nil
	}
	info, err := f.Stat()
	if err != nil {
		return err
	}
	x.kept.Or(uint32(info.Mode().Perm()))
	if info.Mode().Perm() == mode {
		return nil
	}
	return f.Chmod(mode)
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

// A progressWriter counts, and stops when the context ends.
type progressWriter struct {
	io.Writer
	x   *extraction
	ctx context.Context
}

// Write implements io.Writer.
func (w progressWriter) Write(p []byte) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := w.Writer.Write(p)
	done := w.x.done.Add(int64(n))
	if w.x.opts.Progress != nil {
		w.x.opts.Progress(done, w.x.total)
	}
	return n, err
}

// onlyReader hides everything but Read, so that io.CopyBuffer uses the buffer it is given.
type onlyReader struct{ io.Reader }
