package mcpb

import (
	"context"
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"satchel/internal/problem"
)

// ExtractOptions say how to unpack a bundle. The zero value is right for looking at one.
type ExtractOptions struct {
	Workers    int                     // files written at once; 0: one per processor
	Executable []string                // files that must be executable, whatever the archive says: entry point, command
	ReadOnly   bool                    // write bits are taken from the files: an installed version does not change
	Portable   bool                    // names that Windows reserves are refused on every system
	Sync       bool                    // every file is on the disk before Extract returns
	Progress   func(done, total int64) // called with unpacked bytes, from several goroutines
}

// Extract unpacks the bundle into the folder dir, which must not exist or be empty. It writes through os.Root and
// creates every file anew, so no link in the way is followed. When it fails, or ctx ends, all that it wrote is removed
// again. Modes are those of the archive; set-user-id and its like are never set.
func (b *Bundle) Extract(ctx context.Context, dir string, opts ExtractOptions) (*Tree, error) {
	if opts.Portable {
		for i := range b.entries {
			if err := PortableName(b.entries[i].name); err != nil {
				return nil, b.locate(err)
			}
		}
	}
	target, err := openTarget(dir)
	if err != nil {
		return nil, err
	}
	x := &extraction{b: b, opts: opts, root: target.root, leaves: make([]leaf, len(b.entries))}
	tree, err := x.run(ctx)
	if err = errors.Join(err, target.root.Close()); err != nil {
		return nil, errors.Join(err, target.undo())
	}
	return tree, nil
}

// A target is the folder to unpack into, and what to remove to have it as it was before.
type target struct {
	root *os.Root
	dir  string
	made string // the topmost folder that was made; "" when dir was there
}

func openTarget(dir string) (*target, error) {
	t := &target{dir: dir}
	occupied := problem.New(problem.Failed, "extract/target", "is not an empty folder; nothing is ever overwritten").At(dir).
		Try("name a new folder")
	switch info, err := os.Lstat(dir); {
	case err == nil && !info.IsDir():
		return nil, occupied
	case err == nil:
		if names, err := os.ReadDir(dir); err != nil || len(names) > 0 {
			return nil, occupied
		}
	case errors.Is(err, fs.ErrNotExist):
		t.made = firstMissing(dir)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, errors.Join(problem.New(problem.Failed, "extract/target", "cannot be made").At(dir).Because(err), t.undo())
		}
	default:
		return nil, problem.New(problem.Failed, "extract/target", "cannot be looked at").At(dir).Because(err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, errors.Join(problem.New(problem.Failed, "extract/target", "cannot be opened").At(dir).Because(err), t.undo())
	}
	t.root = root
	return t, nil
}

// firstMissing gives the topmost folder on the way to dir that does not exist.
func firstMissing(dir string) string {
	for {
		parent := filepath.Dir(dir)
		if _, err := os.Lstat(parent); err == nil || parent == dir {
			return dir
		}
		dir = parent
	}
}

func (t *target) undo() error {
	if t.made != "" {
		return os.RemoveAll(t.made)
	}
	names, err := os.ReadDir(t.dir)
	for _, n := range names {
		err = errors.Join(err, os.RemoveAll(filepath.Join(t.dir, n.Name())))
	}
	return err
}

// An extraction is one run of Extract.
type extraction struct {
	b      *Bundle
	opts   ExtractOptions
	root   *os.Root
	leaves []leaf // by entry; those of folders stay empty
	total  int64
	done   atomic.Int64
	kept   atomic.Uint32 // permission bits that the umask is known to let through
}

// perTask bounds the files of one task, so that a large folder does not keep one worker busy at the end.
const perTask = 128

func (x *extraction) run(ctx context.Context) (*Tree, error) {
	if err := x.makeFolders(); err != nil {
		return nil, err
	}
	workers := x.opts.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(workers)
	for _, task := range x.tasks() {
		group.Go(func() error { return x.writeTask(ctx, task) })
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return summarize(slices.DeleteFunc(x.leaves, func(l leaf) bool { return l.path == "" })), nil
}

// makeFolders makes every folder once, parents first.
func (x *extraction) makeFolders() error {
	made := map[string]bool{".": true}
	var mkdir func(dir string) error
	mkdir = func(dir string) error {
		if made[dir] {
			return nil
		}
		if err := mkdir(path.Dir(dir)); err != nil {
			return err
		}
		made[dir] = true
		return x.root.Mkdir(filepath.FromSlash(dir), 0o755)
	}
	for i := range x.b.entries {
		e := &x.b.entries[i]
		dir := path.Dir(e.name)
		if e.dir {
			dir = e.name
		}
		if err := mkdir(dir); err != nil {
			return x.failed(e, err)
		}
		x.total += e.size
	}
	return nil
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

func (x *extraction) writeTask(ctx context.Context, task []int) error {
	dir := path.Dir(x.b.entries[task[0]].name)
	folder, err := x.root.OpenRoot(filepath.FromSlash(dir))
	if err != nil {
		return x.failed(&x.b.entries[task[0]], err)
	}
	defer folder.Close()
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	sum := sha256.New()
	for _, i := range task {
		if err := ctx.Err(); err != nil {
			return err
		}
		sum.Reset()
		if err := x.write(ctx, folder, i, sum, *buf); err != nil {
			return x.failed(&x.b.entries[i], err)
		}
	}
	return nil
}

// buffers is a pool for copying; what it holds carries no meaning.
var buffers = sync.Pool{New: func() any { b := make([]byte, 64<<10); return &b }}

// write writes one file: created anew, hashed on the way, its mode set on the open file.
func (x *extraction) write(ctx context.Context, folder *os.Root, i int, sum hash.Hash, buf []byte) error {
	e := &x.b.entries[i]
	mode := x.mode(e)
	f, err := folder.OpenFile(path.Base(e.name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	c := x.b.open(e)
	_, err = io.CopyBuffer(progressWriter{io.MultiWriter(f, sum), x, ctx}, onlyReader{c}, buf)
	err = errors.Join(err, c.Close())
	if err == nil {
		err = x.setMode(f, mode)
	}
	if err == nil && x.opts.Sync {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	x.leaves[i] = leaf{e.name, mode, e.size, [sha256.Size]byte(sum.Sum(nil))}
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

// failed names the entry in errors of the file system; problems name it already.
func (x *extraction) failed(e *entry, err error) error {
	if _, ok := errors.AsType[*problem.Problem](err); ok || errors.Is(err, context.Canceled) {
		return err
	}
	return x.b.locate(problem.New(problem.Failed, "extract/write", "cannot be written").At(e.name).Because(err))
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
