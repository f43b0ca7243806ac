package mcpb

import (
	"bytes"
	"context"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sync"

	"github.com/klauspost/compress/flate"

	"satchel/internal/problem"
)

// level is the deflate level: within about 1 % of the reference's level 9, at a third of the cost.
const level = 6

// A job is one file, or one chunk of a large file, on its way through a compressor.
type job struct {
	file  *PackedFile
	size  int64 // of the file
	large bool  // too large to be held: only looked at so far
	chunk bool  // in holds a chunk already
	last  bool  // of the file's chunks
	in    []byte
	out   []byte // nil: store
	crc   uint32 // of in
	err   error
	ready chan struct{}
	room  *room
}

// A room is the memory of one job, kept for reuse.
type room struct {
	in  []byte
	out bytes.Buffer
}

// compressors are the workers of one packing.
type compressors struct {
	root  *os.Root
	jobs  chan *job
	group sync.WaitGroup
	rooms sync.Pool
}

func newCompressors(ctx context.Context, root *os.Root, workers int) *compressors {
	c := &compressors{root: root, jobs: make(chan *job, workers), rooms: sync.Pool{New: func() any { return &room{in: make([]byte, chunkSize+1)} }}}
	for range workers {
		c.group.Go(func() { c.work(ctx) })
	}
	return c
}

// submit hands a job to the workers and puts it into the queue that keeps the order; false when ctx has ended.
func (c *compressors) submit(ctx context.Context, queue chan<- *job, j *job) bool {
	j.ready = make(chan struct{})
	if j.room == nil {
		j.room = c.rooms.Get().(*room)
	}
	for _, ch := range []chan<- *job{queue, c.jobs} {
		select {
		case ch <- j:
		case <-ctx.Done():
			return false
		}
	}
	return true
}

func (c *compressors) release(j *job) {
	c.rooms.Put(j.room)
	j.room, j.in, j.out = nil, nil, nil
}

func (c *compressors) wait() { c.group.Wait() }

// work compresses jobs until ctx ends. It keeps the folder of the last file open: files come sorted by folder.
func (c *compressors) work(ctx context.Context) {
	deflater, _ := flate.NewWriter(nil, level) // fails only for an unknown level
	var folder opened
	defer folder.close()
	for {
		select {
		case <-ctx.Done():
			return
		case j := <-c.jobs:
			if !j.chunk {
				j.err = j.read(c.root, &folder)
			}
			if j.err == nil && !j.large {
				j.err = j.deflate(deflater)
			}
			close(j.ready)
		}
	}
}

// An opened is the folder that a worker read from last.
type opened struct {
	dir  string
	root *os.Root
}

func (o *opened) close() {
	if o.root != nil {
		o.root.Close()
	}
}

// open opens a file below root, through the folder it is in.
func (o *opened) open(root *os.Root, source string) (*os.File, error) {
	if dir := path.Dir(source); o.root == nil || o.dir != dir {
		sub, err := root.OpenRoot(filepath.FromSlash(dir))
		if err != nil {
			return nil, err
		}
		o.close()
		o.dir, o.root = dir, sub
	}
	return o.root.OpenFile(path.Base(source), os.O_RDONLY|nonblock, 0)
}

// read reads a whole file that is no larger than a chunk. What is no longer as planned is an error.
func (j *job) read(root *os.Root, folder *opened) error {
	if j.size > chunkSize {
		j.large = true
		return nil
	}
	f, err := folder.open(root, j.file.source)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := unchanged(f, j.file); err != nil {
		return err
	}
	n, err := io.ReadFull(f, j.room.in)
	if err != io.EOF && err != io.ErrUnexpectedEOF && err != nil {
		return err
	}
	if int64(n) != j.size {
		return changed(j.file)
	}
	j.in = j.room.in[:n]
	return nil
}

func unchanged(f *os.File, file *PackedFile) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() || info.Size() != file.Size || hasModes && info.Mode().Perm() != file.Mode&fs.ModePerm {
		return changed(file)
	}
	return nil
}

func changed(file *PackedFile) error {
	return problem.New(problem.Failed, "pack/changed", "changed while it was packed").At(file.Name).Try("pack again when nothing writes to the folder")
}

// deflate compresses in. A chunk that is not the last ends on a byte boundary, so that the next can follow it.
func (j *job) deflate(w *flate.Writer) error {
	if !j.chunk { // the writer sums up the chunks of a file
		j.crc = crc32.ChecksumIEEE(j.in)
		if len(j.in) == 0 {
			return nil
		}
	}
	j.room.out.Reset()
	w.Reset(&j.room.out)
	if _, err := w.Write(j.in); err != nil {
		return err
	}
	end := w.Close
	if j.chunk && !j.last {
		end = w.Flush
	}
	if err := end(); err != nil {
		return err
	}
	j.out = j.room.out.Bytes()
	return nil
}
