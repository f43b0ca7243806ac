package inflate

import "io"

const (
	readAhead = 32 << 10
	window    = 64 << 10 // bytes that are unpacked at once, beside those that matches may go back to
)

// A Reader unpacks a stream piece by piece. [NewReader] makes one, Reset gives it a stream. It is not safe for
// concurrent use.
type Reader struct {
	d     *decoder
	from  io.Reader
	pull  func() bool // more
	ahead []byte
	body  []byte
	given int   // how much of what is unpacked in body was handed out
	ended bool  // the stream has ended
	err   error // what every further Read gives
}

// NewReader makes a reader without a stream.
func NewReader() *Reader {
	r := &Reader{d: newDecoder(), ahead: make([]byte, readAhead), body: make([]byte, maxOffset+window+fastOut), err: io.ErrClosedPipe}
	r.pull = r.more
	return r
}

// Reset begins with another stream. With nil the reader lets go of the one before.
func (r *Reader) Reset(from io.Reader) {
	r.from, r.given, r.ended, r.err = from, 0, false, nil
	if from == nil {
		r.err = io.ErrClosedPipe
	}
	r.d.reset(r.body, r.ahead[:0], r.pull)
}

// Read implements [io.Reader]. The stream ends with io.EOF, or with ErrTrailing when bytes are behind it. Errors of reading
// the stream are handed on.
func (r *Reader) Read(p []byte) (int, error) {
	part, err := r.next(len(p))
	return copy(p, part), err
}

// WriteTo implements [io.WriterTo], which saves copying what is unpacked. The end of the stream is no error.
func (r *Reader) WriteTo(w io.Writer) (written int64, err error) {
	for {
		part, err := r.next(window + maxOffset)
		if err == io.EOF {
			return written, nil
		}
		if err != nil {
			return written, err
		}
		n, err := w.Write(part)
		written += int64(n)
		if err != nil {
			return written, err
		}
	}
}

// next gives the next bytes, at least one and at most so many. They are valid until the next call.
func (r *Reader) next(most int) ([]byte, error) {
	for r.given == r.d.out && r.err == nil {
		r.unpack()
	}
	part := r.body[r.given:min(r.d.out, r.given+most)]
	r.given += len(part)
	if len(part) == 0 && most > 0 {
		return nil, r.err
	}
	return part, nil
}

// unpack fills the window anew.
func (r *Reader) unpack() {
	if r.ended {
		if r.err = io.EOF; r.d.unread() || r.more() {
			r.err = ErrTrailing
		}
		return
	}
	if r.d.out > maxOffset {
		copy(r.body, r.body[r.d.out-maxOffset:r.d.out])
		r.d.out, r.given = maxOffset, maxOffset
	}
	ended, err := r.d.run()
	r.ended = ended
	if r.err == nil { // else the stream could not be read, which is why it seems to be cut
		r.err = err
	}
}

// more reads on; what is not used yet moves to the front.
func (r *Reader) more() bool {
	kept := copy(r.ahead, r.d.src[r.d.in:])
	r.d.src, r.d.in = r.ahead[:kept], 0
	for range 100 {
		n, err := r.from.Read(r.ahead[kept:])
		r.d.src = r.ahead[:kept+n]
		switch {
		case n > 0:
			return true
		case err == io.EOF:
			return false
		case err != nil:
			r.err = err
			return false
		}
	}
	r.err = io.ErrNoProgress
	return false
}
