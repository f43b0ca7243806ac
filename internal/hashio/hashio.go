// Package hashio hashes large files as fast as a processor hashes: reading and copying go on meanwhile. Use it where the
// digest of a file of any size is wanted and its bytes need not be kept.
package hashio

import (
	"cmp"
	"errors"
	"hash"
	"io"
	"os"
)

// A part is read, and copied, while the one before is hashed. A few are under way, so that neither side waits for each.
const (
	partSize = 1 << 20
	parts    = 4
)

// Hash hashes all of r.
func Hash(h hash.Hash, r io.Reader) error {
	if s, ok := r.(interface{ Size() int64 }); ok && s.Size() <= partSize {
		_, err := io.CopyBuffer(h, r, make([]byte, s.Size()+1)) // not worth a second goroutine
		return err
	}
	return ahead(h, func(buf []byte) (int, error) { return io.ReadFull(r, buf) })
}

// Copy makes dst, an empty file, begin with the first n bytes of src, and hashes the copy: what was hashed is in dst
// whatever happens to src meanwhile. Where the file system can share the bytes of two files nothing is copied; dst may
// then be longer. The offset of dst is left anywhere.
func Copy(h hash.Hash, dst *os.File, src io.ReaderAt, n int64) error {
	if f, ok := src.(*os.File); ok {
		if shareBytes(dst, f) == nil {
			return whole(h, io.NewSectionReader(dst, 0, n))
		}
		if first, err := copyBytes(dst, f, 0, min(n, copyStep)); err == nil && first > 0 {
			return follow(h, dst, f, first, n)
		}
	}
	return through(h, dst, src, n)
}

// copyStep is how many bytes the system copies in one call: enough for the call not to count, and few enough to be in the
// processor's cache still when they are read.
const copyStep = 4 << 20

// follow hashes what the system copies, behind it. The first bytes are there already.
func follow(h hash.Hash, dst, src *os.File, first, n int64) error {
	copied := make(chan int64, n/copyStep+1)
	copied <- first
	var failed error // written before copied is closed, read after
	go func() {
		defer close(copied)
		for at := first; at < n; {
			more, err := copyBytes(dst, src, at, min(n-at, copyStep))
			if err != nil || more == 0 {
				failed = err
				return
			}
			at += more
			copied <- more
		}
	}()
	at, have := int64(0), int64(0)
	err := ahead(h, func(buf []byte) (int, error) {
		buf = buf[:min(int64(len(buf)), n-at)]
		for have < at+int64(len(buf)) {
			more, ok := <-copied
			if !ok {
				return 0, cmp.Or(failed, io.EOF)
			}
			have += more
		}
		if len(buf) == 0 {
			return 0, io.EOF
		}
		read, err := dst.ReadAt(buf, at)
		at += int64(read)
		return read, err
	})
	for range copied { // the copying ends before the files can be closed
	}
	if err == nil && at != n {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// through copies and hashes bytes that pass through this process.
func through(h hash.Hash, dst *os.File, src io.ReaderAt, n int64) error {
	off, from := int64(0), io.NewSectionReader(src, 0, n)
	err := ahead(h, func(buf []byte) (int, error) {
		read, err := io.ReadFull(from, buf)
		if _, bad := dst.WriteAt(buf[:read], off); bad != nil {
			return 0, bad
		}
		off += int64(read)
		return read, err
	})
	if err == nil && off != n {
		err = io.ErrUnexpectedEOF
	}
	return err
}

func whole(h hash.Hash, r *io.SectionReader) error {
	c := &counter{r: r}
	if err := Hash(h, c); err != nil {
		return err
	}
	if c.n != r.Size() {
		return io.ErrUnexpectedEOF
	}
	return nil
}

// A counter counts what is read.
type counter struct {
	r io.Reader
	n int64
}

// Read implements io.Reader.
func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// ahead hashes what fill puts into buffers until it gives io.EOF or, with the last bytes, io.ErrUnexpectedEOF.
func ahead(h hash.Hash, fill func(buf []byte) (int, error)) error {
	full, empty := make(chan []byte, parts), make(chan []byte, parts)
	for range parts {
		empty <- make([]byte, partSize)
	}
	var failed error // written before full is closed, read after
	go func() {
		defer close(full)
		for buf := range empty {
			n, err := fill(buf)
			full <- buf[:n]
			if err != nil {
				failed = err
				return
			}
		}
	}()
	for buf := range full {
		h.Write(buf)
		empty <- buf[:cap(buf)]
	}
	if errors.Is(failed, io.EOF) || errors.Is(failed, io.ErrUnexpectedEOF) {
		return nil
	}
	return failed
}
