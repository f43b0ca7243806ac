package mcpb

import (
	"bytes"
	"context"
	"errors"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"

	"github.com/klauspost/compress/flate"
)

// putLarge writes a file that is larger than a chunk: stored when samples of it do not shrink, else deflated in chunks
// that are compressed in parallel and follow each other in one deflate stream.
func (p *packing) putLarge(ctx context.Context, pool *compressors, file *PackedFile) error {
	f, err := p.root.OpenFile(filepath.FromSlash(file.source), os.O_RDONLY|nonblock, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := unchanged(f, file); err != nil {
		return err
	}
	head, shrinks, err := sample(f, file.Size)
	if err != nil {
		return err
	}
	e := zipEntry{name: file.Name, mode: p.mode(file, head), size: file.Size}
	if shrinks {
		e.method = methodDeflate
		return p.putChunks(ctx, pool, file, f, e)
	}
	return p.putStored(ctx, file, f, e)
}

// sample compresses a piece of the start, the middle and the end; it also gives the first bytes.
func sample(f io.ReaderAt, size int64) (head []byte, shrinks bool, err error) {
	const piece = 64 << 10
	w, err := flate.NewWriter(io.Discard, 1)
	if err != nil {
		return nil, false, err
	}
	buf := make([]byte, piece)
	var in, out int
	for _, at := range []int64{0, size / 2, size - piece} {
		if _, err := f.ReadAt(buf, at); err != nil && err != io.EOF {
			return nil, false, err
		}
		if head == nil {
			head = bytes.Clone(buf[:4])
		}
		var packed bytes.Buffer
		w.Reset(&packed)
		if _, err := w.Write(buf); err != nil {
			return nil, false, err
		}
		if err := w.Close(); err != nil {
			return nil, false, err
		}
		in, out = in+piece, out+packed.Len()
	}
	return head, out < in*99/100, nil
}

// putStored reads the file twice: once for the checksum, which stands before the content, and once to copy it.
func (p *packing) putStored(ctx context.Context, file *PackedFile, f *os.File, e zipEntry) error {
	sum := crc32.NewIEEE()
	if _, err := io.Copy(stopping{sum, ctx}, io.NewSectionReader(f, 0, e.size)); err != nil {
		return err
	}
	e.crc, e.packed = sum.Sum32(), e.size
	at, err := p.zip.begin(e, false)
	if err != nil {
		return err
	}
	sum.Reset()
	n, err := io.Copy(stopping{io.MultiWriter(sum, zipContent{p.zip}), ctx}, io.NewSectionReader(f, 0, e.size))
	if err != nil {
		return err
	}
	if n != e.size || sum.Sum32() != e.crc || unchanged(f, file) != nil {
		return changed(file)
	}
	p.zip.addCentral(e, at, false)
	return nil
}

func (p *packing) putChunks(ctx context.Context, pool *compressors, file *PackedFile, f *os.File, e zipEntry) error {
	wide := needs64(e)
	at, err := p.zip.begin(e, true)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	queue := make(chan *job, cap(pool.jobs)*window)
	go readChunks(ctx, pool, queue, file, f)
	read := int64(0)
	for j := range queue {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-j.ready:
		}
		if j.err != nil {
			return j.err
		}
		if err := p.zip.write(j.out); err != nil {
			return err
		}
		e.crc = crc32.Update(e.crc, crc32.IEEETable, j.in)
		read, e.packed = read+int64(len(j.in)), e.packed+int64(len(j.out))
		pool.release(j)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if read != e.size || unchanged(f, file) != nil {
		return changed(file)
	}
	return p.zip.end(e, at, wide)
}

// readChunks reads the file in order and hands the chunks to the workers. The last chunk, perhaps empty, ends the
// deflate stream. A read error goes to the writer as a job of its own.
func readChunks(ctx context.Context, pool *compressors, queue chan<- *job, file *PackedFile, f io.Reader) {
	defer close(queue)
	for last := false; !last; {
		j := &job{file: file, chunk: true, room: pool.rooms.Get().(*room)}
		n, err := io.ReadFull(f, j.room.in[:chunkSize])
		if last = errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF); last {
			err = nil
		}
		j.in, j.last, j.err = j.room.in[:n], last, err
		if !pool.submit(ctx, queue, j) || err != nil {
			return
		}
	}
}

// zipContent writes content into the archive.
type zipContent struct{ z *zipWriter }

// Write implements io.Writer.
func (w zipContent) Write(b []byte) (int, error) { return len(b), w.z.write(b) }

// stopping is a writer that ends with its context.
type stopping struct {
	io.Writer
	ctx context.Context
}

// Write implements io.Writer.
func (w stopping) Write(b []byte) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	return w.Writer.Write(b)
}
