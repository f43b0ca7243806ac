package mcpb

import (
	"context"
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"io/fs"
	"path"
	"runtime"
)

// workersOr gives the number of goroutines that were asked for, or one for each processor.
func workersOr(n int) int {
	if n > 0 {
		return n
	}
	return runtime.GOMAXPROCS(0)
}

// An extractWorker writes files, with what can be used again for the next one.
type extractWorker struct {
	x     *extraction
	ctx   context.Context
	sum   hash.Hash // nil when no digest is wanted
	buf   []byte
	ahead *readAhead
}

func newExtractWorker(ctx context.Context, x *extraction) *extractWorker {
	w := &extractWorker{x: x, ctx: ctx, buf: make([]byte, 64<<10), ahead: newReadAhead(x.b.r, 128<<10)}
	if x.opts.Digest {
		w.sum = sha256.New()
	}
	return w
}

// work writes the files of tasks until there are no more, or one cannot be written.
func (w *extractWorker) work(tasks <-chan extractTask) error {
	for t := range tasks {
		err := w.files(t)
		t.folder.release()
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *extractWorker) files(t extractTask) error {
	for _, i := range t.files {
		if err := w.file(t.folder.outFolder, i); err != nil {
			return w.x.failed(w.x.b.entries[i].name, err)
		}
	}
	return nil
}

// file writes one file: created anew, hashed on the way, its mode set on the open file.
func (w *extractWorker) file(folder *outFolder, i int) error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	x, e := w.x, &w.x.b.entries[i]
	mode := x.mode(e)
	f, err := folder.create(path.Base(e.name), mode)
	if x.opts.Merge && errors.Is(err, fs.ErrExist) {
		return w.compare(folder, i)
	}
	if err != nil {
		return err
	}
	x.written[i] = true
	c := x.b.open(e, w.ahead)
	err = errors.Join(c.copyTo(w.into(f), w.buf), c.Close())
	if err == nil {
		err = x.setMode(f, mode)
	}
	if err == nil && x.opts.Sync {
		err = f.sync()
	}
	if err = errors.Join(err, f.close()); err != nil {
		return err
	}
	w.note(i, mode)
	return nil
}

// note keeps what the tree digest is made of.
func (w *extractWorker) note(i int, mode fs.FileMode) {
	e := &w.x.b.entries[i]
	w.x.leaves[i] = leaf{path: e.name, mode: mode, size: e.size}
	if w.sum != nil {
		w.sum.Sum(w.x.leaves[i].sum[:0])
	}
}

// into gives what the content of a file is written to.
func (w *extractWorker) into(f io.Writer) io.Writer {
	if w.sum == nil {
		return progressWriter{f, w.x, w.ctx}
	}
	w.sum.Reset()
	return progressWriter{io.MultiWriter(f, w.sum), w.x, w.ctx}
}

// setMode gives an open file its mode where the umask took something from it. What the umask lets through is learnt
// from the first files, so that the others need no call.
func (x *extraction) setMode(f outFile, mode fs.FileMode) error {
	if uint32(mode)&^x.kept.Load() == 0 {
		return nil
	}
	has, err := f.mode()
	if err != nil {
		return err
	}
	x.kept.Or(uint32(has))
	if has == mode {
		return nil
	}
	return f.chmod(mode)
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
