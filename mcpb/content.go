package mcpb

import (
	"errors"
	"hash/crc32"
	"io"
	"io/fs"
	"sync"

	"satchel/internal/problem"
	"satchel/mcpb/internal/inflate"
)

// inflaters is a pool; what it holds carries no meaning.
var inflaters = sync.Pool{New: func() any { return inflate.NewReader() }}

// A content reads one file and holds it to what was declared: its size, its checksum, and that the packed bytes end
// where they should. It fails as soon as more bytes come than declared, so a bomb stops while it streams.
type content struct {
	b    *Bundle
	e    *entry
	raw  io.SectionReader
	r    io.Reader       // raw or inf
	inf  *inflate.Reader // nil for stored content
	sum  uint32          // CRC-32 so far
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
	return b.open(e, b.r), nil
}

// open opens the content of a file, of which r has the packed bytes.
func (b *Bundle) open(e *entry, r io.ReaderAt) *content {
	c := &content{b: b, e: e, raw: *io.NewSectionReader(r, e.data, e.packed), left: e.size}
	c.r = &c.raw
	if e.method == methodDeflate {
		c.inf = inflaters.Get().(*inflate.Reader)
		c.inf.Reset(&c.raw)
		c.r = c.inf
	}
	return c
}

// Read implements io.Reader.
func (c *content) Read(p []byte) (int, error) {
	if c.err != nil {
		return 0, c.err
	}
	n, err := c.r.Read(p)
	if c.err = c.take(p[:n]); c.err != nil {
		return 0, c.err
	}
	switch {
	case err == io.EOF:
		c.err = c.atEnd()
	case err != nil:
		c.err = c.b.locate(c.e.badContent(err))
	}
	return n, c.err
}

// take counts the next bytes of the content, and refuses more than were declared.
func (c *content) take(p []byte) error {
	if int64(len(p)) > c.left {
		return c.refuse("bundle/size", "has more than the %d bytes that are declared", c.e.size)
	}
	c.left -= int64(len(p))
	c.sum = crc32.Update(c.sum, crc32.IEEETable, p)
	return nil
}

// copyTo writes the content, of which nothing was read yet, to w. What was unpacked is not copied on the way; buf is for
// what is stored.
func (c *content) copyTo(w io.Writer, buf []byte) error {
	if c.inf == nil {
		_, err := io.CopyBuffer(w, onlyReader{c}, buf)
		return err
	}
	t := &taker{c: c, w: w}
	_, err := c.inf.WriteTo(t)
	switch {
	case t.err != nil:
		return t.err
	case err != nil:
		return c.b.locate(c.e.badContent(err))
	}
	if err := c.atEnd(); err != io.EOF {
		return err
	}
	return nil
}

// A taker checks what is written to it, hands it on, and keeps the error.
type taker struct {
	c   *content
	w   io.Writer
	err error
}

// Write implements io.Writer.
func (t *taker) Write(p []byte) (n int, err error) {
	if t.err = t.c.take(p); t.err == nil {
		n, t.err = t.w.Write(p)
	}
	return n, t.err
}

func (c *content) atEnd() error {
	switch {
	case c.left > 0:
		return c.refuse("bundle/size", "ends %d bytes before the declared size of %d", c.left, c.e.size)
	case c.sum != c.e.crc:
		return c.refuse("bundle/checksum", "does not have the declared checksum")
	}
	return io.EOF
}

func (c *content) refuse(rule, format string, args ...any) error {
	return c.b.locate(refuse(rule, c.e.name, format, args...))
}

// Close gives the reader's buffers back.
func (c *content) Close() error {
	if c.inf != nil {
		c.inf.Reset(nil)
		inflaters.Put(c.inf)
		c.inf = nil
	}
	if c.err == nil {
		c.err = fs.ErrClosed
	}
	return nil
}

// badContent makes the problem of what package inflate says; anything else is about reading the bundle.
func (e *entry) badContent(err error) *problem.Problem {
	if p, ok := errors.AsType[*problem.Problem](err); ok {
		return p.At(e.name)
	}
	switch {
	case errors.Is(err, inflate.ErrTrailing):
		return refuse("bundle/compressed-data", e.name, "has more packed bytes behind its end")
	case errors.Is(err, inflate.ErrCorrupt), errors.Is(err, inflate.ErrShort):
		return refuse("bundle/compressed-data", e.name, "is damaged: %v", err)
	}
	return unreadable(err).At(e.name)
}
