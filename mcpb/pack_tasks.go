package mcpb

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/klauspost/compress/flate"
)

// The kinds of tasks.
const (
	batch  = iota // whole small files
	chunk         // a piece of a large file
	stored        // a large file that does not shrink: the writer copies it
)

// A task is some files, or a piece of one, on their way through a worker.
type task struct {
	kind   int
	files  []PackedFile // one but for a batch
	offset int64        // of a chunk in its file
	length int          // of a chunk; 0 for a batch
	tray   *tray

	ready   chan struct{} // closed when the fields below are there
	results []result      // by file
	past    int           // bytes in tray.in that stand before a chunk
	failed  int           // the file that err is about
	err     error
}

// A result is one compressed file or chunk.
type result struct {
	head       [8]byte // the first bytes of the content; only the first chunk's means something
	method     uint16
	crc        uint32 // not for a chunk
	start, end int    // of the packed bytes in tray.out
}

// A tray is the memory of one task, kept for reuse.
type tray struct {
	in  []byte
	out bytes.Buffer
}

func (t *task) last() bool { return t.offset+int64(t.length) == t.files[0].Size }

// An assembly is the workers of one packing and what lies between them.
type assembly struct {
	root  *os.Root
	work  chan *task // to the workers
	queue chan *task // to the writer, in order
	trays chan *tray // those that are free
	group sync.WaitGroup
}

// newAssembly starts the workers, which end with ctx or when work is closed.
func newAssembly(ctx context.Context, root *os.Root, workers int) *assembly {
	n := workers * traysPerWorker
	a := &assembly{root: root, work: make(chan *task), queue: make(chan *task, n), trays: make(chan *tray, n)}
	for range n {
		a.trays <- &tray{}
	}
	for range workers {
		a.group.Go(func() { a.compress(ctx) })
	}
	return a
}

// feed cuts the plan into tasks, until it or ctx ends. The cuts depend on nothing but the plan, so the bytes do not.
func (a *assembly) feed(ctx context.Context, plan *PackPlan) {
	defer close(a.queue)
	defer close(a.work)
	for files := plan.Files; len(files) > 0; {
		if files[0].Size > chunkSize {
			if !a.feedLarge(ctx, files[:1]) {
				return
			}
			files = files[1:]
			continue
		}
		n, size := 0, int64(0)
		for n < len(files) && n < batchFiles && size+files[n].Size <= chunkSize {
			size += files[n].Size
			n++
		}
		if !a.submit(ctx, &task{kind: batch, files: files[:n]}) {
			return
		}
		files = files[n:]
	}
}

func (a *assembly) feedLarge(ctx context.Context, file []PackedFile) bool {
	shrinks, err := worthPacking(a.root, &file[0])
	if err != nil || !shrinks {
		return a.submit(ctx, &task{kind: stored, files: file, err: err})
	}
	for at := int64(0); at < file[0].Size; at += chunkSize {
		length := int(min(chunkSize, file[0].Size-at))
		if !a.submit(ctx, &task{kind: chunk, files: file, offset: at, length: length}) {
			return false
		}
	}
	return true
}

// submit waits for a tray and hands the task on; false when ctx has ended.
func (a *assembly) submit(ctx context.Context, t *task) bool {
	t.ready = make(chan struct{})
	select {
	case t.tray = <-a.trays:
	case <-ctx.Done():
		return false
	}
	a.queue <- t // has a place for every tray
	if t.kind == stored {
		close(t.ready)
		return true
	}
	select {
	case a.work <- t:
		return true
	case <-ctx.Done():
		return false
	}
}

// compress is one worker.
func (a *assembly) compress(ctx context.Context) {
	w := &worker{folder: folder{root: a.root}}
	defer w.folder.close()
	for t := range a.work {
		if t.err = ctx.Err(); t.err == nil {
			t.err = w.do(t)
		}
		close(t.ready)
	}
}

// A worker holds what can be used again for the next task.
type worker struct {
	folder  folder
	writers [10]*flate.Writer // by level
}

func (w *worker) do(t *task) error {
	t.tray.out.Reset()
	t.tray.in = slices.Grow(t.tray.in[:0], dictSize+chunkSize+1)
	for i := range t.files {
		t.failed = i
		r, err := w.one(t, &t.files[i])
		if err != nil {
			return err
		}
		t.results = append(t.results, r)
	}
	return nil
}

func (w *worker) one(t *task, file *PackedFile) (result, error) {
	f, err := w.folder.open(file.sourcePath())
	if err != nil {
		return result{}, err
	}
	defer f.Close()
	if err := checkPlanned(f, file); err != nil {
		return result{}, err
	}
	if t.kind == chunk {
		return w.deflateChunk(t, f, file)
	}
	in := t.tray.in[:file.Size+1]
	if n, err := io.ReadFull(f, in); err != io.EOF && err != io.ErrUnexpectedEOF || int64(n) != file.Size {
		return result{}, changedWhilePacked(file, err)
	}
	return w.deflateWhole(t, in[:file.Size])
}

// A folder is the one that a worker read from last; it is kept open, as files come sorted by folder and opening a path
// through os.Root costs a call for each part of it.
type folder struct {
	root *os.Root
	path string
	sub  *os.Root
}

func (d *folder) close() {
	if d.sub != nil {
		d.sub.Close()
	}
}

// open opens a file by its path below the root.
func (d *folder) open(source string) (*os.File, error) {
	dir, base := filepath.Split(source)
	if d.sub == nil || d.path != dir {
		sub, err := d.root.OpenRoot(filepath.Clean("./" + dir))
		if err != nil {
			return nil, err
		}
		d.close()
		d.path, d.sub = dir, sub
	}
	return d.sub.OpenFile(base, os.O_RDONLY|nonblock, 0)
}
