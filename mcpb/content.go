package mcpb

import (
	"bufio"
	"errors"
	"hash"
	"hash/crc32"
	"io"
	"io/fs"
	"sync"

	"github.com/klauspost/compress/flate"
)

// An inflater is what one reader of packed content needs; they are kept for reuse.
type inflater struct {
	in  *bufio.Reader
	out io.ReadCloser // a flate.Resetter as well
}

// inflaters is a pool, not state: what it holds is reset before every use.
var inflaters = sync.Pool{New: func() any {
	in := bufio.NewReaderSize(nil, 32<<10)
	return &inflater{in, flate.NewReader(in)}
}}

// A content reads one file and holds it to what was declared: its size, its checksum, and that the packed bytes end
// where they should. It fails as soon as more bytes come than declared, so a bomb stops while it streams.
type content struct {
	b    *Bundle
	e    *entry
	r    io.Reader
	inf  *inflater // nil for stored content
	sum  hash.Hash32
	left int64
	err  error
}

// OpenFile reads a file's content. The last Read gives a *[Problem] instead of io.EOF when the content is not what was
// declared; until then the bytes are unverified.
func (b *Bundle) OpenFile(name string) (io.ReadCloser, error) {
	e, ok := b.byName[name]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return b.open(e), nil
}

func (b *Bundle) open(e *entry) *content {
	c := &content{b: b, e: e, sum: crc32.NewIEEE(), left: e.size}
	section := io.NewSectionReader(b.r, e.data, e.packed)
	if e.method == methodStore {
		c.r = section
		return c
	}
	c.inf = inflaters.Get().(*inflater)
	c.inf.in.Reset(section)
	// Reset cannot fail without a dictionary.
	_ = c.inf.out.(flate.Resetter).Reset(c.inf.in, nil)
	c.r = c.inf.out
	return c
}

// Read implements io.Reader.
func (c *content) Read(p []byte) (int, error) {
	if c.err != nil {
		return 0, c.err
	}
	n, err := c.r.Read(p)
	if int64(n) > c.left {
		c.err = c.refuse("bundle/size", "has more than the %d bytes that are declared", c.e.size)
		return 0, c.err
	}
	c.left -= int64(n)
	c.sum.Write(p[:n])
	switch {
	case err == io.EOF:
		c.err = c.atEnd()
	case damaged(err):
		c.err = c.refuse("bundle/compressed-data", "is damaged: %v", err)
	case err != nil:
		c.err = c.b.locate(unreadable(err).At(c.e.name))
	}
	return n, c.err
}

// damaged tells the errors of the content from those of reading it.
func damaged(err error) bool {
	_, corrupt := errors.AsType[flate.CorruptInputError](err)
	_, internal := errors.AsType[flate.InternalError](err)
	return corrupt || internal || errors.Is(err, io.ErrUnexpectedEOF)
}

func (c *content) atEnd() error {
	switch {
	case c.left > 0:
		return c.refuse("bundle/size", "ends %d bytes before the declared size of %d", c.left, c.e.size)
	case c.sum.Sum32() != c.e.crc:
		return c.refuse("bundle/checksum", "does not have the declared checksum")
	}
	if c.inf != nil {
		if _, err := c.inf.in.ReadByte(); err != io.EOF {
			return c.refuse("bundle/compressed-data", "has more packed bytes behind its end")
		}
	}
	return io.EOF
}

func (c *content) refuse(rule, format string, args ...any) error {
	return c.b.locate(refuse(rule, c.e.name, format, args...))
}

// Close gives the reader's buffers back.
func (c *content) Close() error {
	if c.inf != nil {
		inflaters.Put(c.inf)
		c.inf = nil
	}
	if c.err == nil {
		c.err = fs.ErrClosed
	}
	return nil
}
