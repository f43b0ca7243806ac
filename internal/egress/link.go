package egress

import (
	"bufio"
	"errors"
	"io"
	"math"
	"net"
	"os"
	"sync"
	"time"
)

// A link is a connection that can be looked into before it is read.
type link struct {
	net.Conn
	r      *bufio.Reader
	meter  *meter // counts, when there is one; the far side's link has one
	budget int64  // bytes that may still be read
	gate   *gate  // looks at a client's TLS, when there is one
}

func newLink(c net.Conn, size int) *link {
	l := &link{Conn: c, budget: math.MaxInt64}
	l.r = bufio.NewReaderSize((*raw)(l), size)
	return l
}

// raw is a link below its buffer.
type raw link

var errTooLong = errors.New("the head of the answer is too long")

func (l *raw) Read(b []byte) (int, error) {
	if l.budget <= 0 {
		return 0, errTooLong
	}
	n, err := l.Conn.Read(b)
	l.budget -= int64(n)
	if l.meter != nil {
		l.meter.received.Add(int64(n))
	}
	return n, err
}

// Read reads what was looked at, then the rest.
func (l *link) Read(b []byte) (int, error) {
	if l.gate == nil {
		return l.r.Read(b)
	}
	most, err := l.gate.open(l)
	if err != nil {
		return 0, err
	}
	n, err := l.r.Read(b[:min(len(b), most)])
	l.gate.left -= n
	return n, err
}

// Write writes and counts.
func (l *link) Write(b []byte) (int, error) {
	n, err := l.Conn.Write(b)
	if l.meter != nil {
		l.meter.sent.Add(int64(n))
	}
	return n, err
}

// endWriting tells the other side that nothing more comes.
func (l *link) endWriting() {
	if c, ok := l.Conn.(interface{ CloseWrite() error }); ok {
		c.CloseWrite()
		return
	}
	l.Close()
}

// hangUp lets the other side read what was written last: closing with unread bytes would throw it away.
func (l *link) hangUp(linger time.Duration) {
	l.endWriting()
	l.SetReadDeadline(time.Now().Add(linger))
	io.CopyN(io.Discard, l.r, 256<<10)
	l.Close()
}

// peek shows look the bytes that have come, more each time, until it says that it has seen enough; look tells how many
// bytes it must see next. Nothing is taken from the link. The time is for all of it.
func (l *link) peek(limit time.Duration, look func(b []byte) (need int, err error)) error {
	l.SetReadDeadline(time.Now().Add(limit))
	defer l.SetReadDeadline(time.Time{})
	for {
		b, _ := l.r.Peek(l.r.Buffered())
		need, err := look(b)
		if err != nil || need == 0 {
			return err
		}
		if _, err := l.r.Peek(need); err != nil {
			return err
		}
	}
}

// A flow is a tunnel's two halves, whose idle time is one.
type flow struct {
	limits limits
	mu     sync.Mutex
	last   time.Time // of the last byte in either direction
	half   bool      // one half has ended
}

func (f *flow) moved() {
	f.mu.Lock()
	f.last = time.Now()
	f.mu.Unlock()
}

// arm lets reading from l end when the flow has been idle for too long, and tells when that is.
func (f *flow) arm(l *link) time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	until := f.last.Add(f.limits.idle)
	if f.half {
		until = f.last.Add(f.limits.halfOpen)
	}
	l.SetReadDeadline(until)
	return until
}

// tunnel copies in both directions until both have ended, one has failed, or nothing has come for too long.
func (p *Proxy) tunnel(near, far *link) {
	f := &flow{limits: p.limits, last: time.Now()}
	done := make(chan struct{})
	go func() {
		defer close(done)
		f.pour(far, near)
	}()
	f.pour(near, far)
	<-done
}

// pour copies one half. A slow reader holds the writer back: no more than one buffer is held.
func (f *flow) pour(to, from *link) {
	buf := make([]byte, copyBuffer)
	for {
		f.arm(from)
		n, err := from.Read(buf)
		if n > 0 {
			f.moved()
			to.SetWriteDeadline(time.Now().Add(f.limits.idle))
			if _, werr := to.Write(buf[:n]); werr != nil {
				err = net.ErrClosed
			}
		}
		switch {
		case err == nil:
		case errors.Is(err, io.EOF):
			f.ended(to)
			return
		case errors.Is(err, os.ErrDeadlineExceeded) && time.Now().Before(f.arm(from)):
		default:
			to.Close()
			from.Close()
			return
		}
	}
}

// ended passes the end of one half on. The other half's time is shorter from now on.
func (f *flow) ended(to *link) {
	to.endWriting()
	f.mu.Lock()
	f.half, f.last = true, time.Now()
	f.mu.Unlock()
	f.arm(to)
}
