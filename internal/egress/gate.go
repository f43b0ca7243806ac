package egress

import (
	"errors"
	"math"

	"satchel/internal/problem"
)

// A gate lets a client's TLS pass as long as it is for one host. A server can ask for a second ClientHello
// (HelloRetryRequest), which may not name another server than the first, though not every server looks. So the records
// are followed, up to the first that carries a handshake message of another kind: from there on all is encrypted.
type gate struct {
	to      target
	left    int // bytes that may pass
	refused *problem.Problem
}

var errGate = errors.New("a second ClientHello does not fit")

// open tells how many bytes may pass, at least one. After an error of reading it can be called again.
func (g *gate) open(l *link) (int, error) {
	for g.left <= 0 {
		b, _ := l.r.Peek(l.r.Buffered())
		need, err := g.next(b)
		if err == nil && need > clientBuffer {
			err = errHello
		}
		if err != nil {
			if g.refused == nil {
				g.refused = problem.New(problem.Refused, "egress/first-bytes", "a second ClientHello that cannot be read")
			}
			return 0, errGate
		}
		if need > 0 {
			if _, err := l.r.Peek(need); err != nil {
				return 0, err
			}
		}
	}
	return g.left, nil
}

// next judges the record at the beginning of b; need is how many bytes it takes to go on.
func (g *gate) next(b []byte) (need int, err error) {
	if len(b) < recordHeader {
		return recordHeader, nil
	}
	size := int(b[3])<<8 | int(b[4])
	switch b[0] {
	case recordChangeCipher, recordAlert, recordData: // also before a second hello: data may have been sent early
		g.left = recordHeader + size
		return 0, nil
	case recordHandshake:
		if seen := recordHeader + min(size, 4); len(b) < seen {
			return seen, nil
		}
		if size == 0 || likeHello(b[recordHeader:recordHeader+min(size, 4)]) {
			return g.hello(b)
		}
	}
	g.left = math.MaxInt
	return 0, nil
}

// likeHello tells whether a message can be a ClientHello of a size that is accepted. What is encrypted already is taken
// for one, and refused, once in some 260,000 resumed sessions of TLS 1.2.
func likeHello(message []byte) bool {
	most := []byte{clientHello, 0, maxHello >> 8}
	for i, c := range message[:min(len(message), len(most))] {
		if c > most[i] || i == 0 && c != clientHello {
			return false
		}
	}
	return true
}

func (g *gate) hello(b []byte) (need int, err error) {
	h, need, err := parseHello(b)
	if err != nil || need > 0 {
		return need, err
	}
	if g.refused = fits(h, g.to); g.refused != nil {
		return 0, errGate
	}
	g.left = h.size
	return 0, nil
}
