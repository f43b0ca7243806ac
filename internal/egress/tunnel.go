package egress

import (
	"bufio"
	"errors"
	"os"

	"satchel/internal/problem"
)

// open connects the client with t when that is granted, and lets pass what fits. answer tells the client whether it is
// connected; false when that failed.
func (p *Proxy) open(near *link, v *visit, t target, answer func(refused *problem.Problem) bool) {
	raw, refused := p.admit(v, t)
	if refused != nil {
		answer(refused)
		return
	}
	s := &session{p: p, near: near, tunnel: &t, v: v, to: t}
	defer s.drop()
	// A corporate proxy gets requests on port 80 as requests: most make no tunnels there. So it is asked when they come.
	if later := !raw && t.port == 80 && p.config.Upstream.forTarget(t, true) != nil; !later {
		if refused = s.connectTo(v, t, false); refused != nil {
			answer(refused)
			return
		}
	}
	if !answer(nil) {
		v.fail("the client has gone")
		return
	}
	if raw {
		p.tunnel(near, s.far)
		return
	}
	s.firstBytes()
}

// firstBytes judges what the client says first.
func (s *session) firstBytes() {
	isTLS := false
	var h hello
	err := s.near.peek(s.p.limits.head, func(b []byte) (need int, err error) {
		if isTLS = len(b) > 0 && b[0] == recordHandshake; isTLS {
			h, need, err = parseHello(b)
			return need, err
		}
		_, _, need, err = parseHead(b)
		return need, err
	})
	switch {
	case err != nil:
		s.unfit(err)
	case !isTLS:
		s.tunnelled()
	default:
		s.secured(h)
	}
}

// unfit closes a tunnel whose first bytes are neither TLS nor HTTP.
func (s *session) unfit(err error) {
	why := "the first bytes are neither TLS nor an HTTP request"
	switch {
	case errors.Is(err, errHello), errors.Is(err, errHead), errors.Is(err, errNotHTTP):
	case errors.Is(err, bufio.ErrBufferFull):
		why = "the first bytes are too long to be judged"
	case errors.Is(err, os.ErrDeadlineExceeded):
		why = "the client did not say in time what it wants"
	default:
		s.v.fail("ended before the client said what it wants")
		return
	}
	s.v.Grant = grantOf(*s.tunnel, true)
	s.v.refuse(problem.New(problem.Refused, "egress/first-bytes", "%s", why))
}

// secured goes on with TLS when it is for the host of the tunnel.
func (s *session) secured(h hello) {
	if why := fits(h, *s.tunnel); why != nil {
		s.v.refuse(why)
		return
	}
	if s.far == nil {
		if refused := s.connectTo(s.v, *s.tunnel, false); refused != nil {
			return
		}
	}
	g := &gate{to: *s.tunnel}
	s.near.gate = g
	s.p.tunnel(s.near, s.far)
	if g.refused != nil {
		s.v.refuse(g.refused)
	}
}

// fits tells why a ClientHello is not for t; nil when it is.
func fits(h hello, t target) *problem.Problem {
	switch name, err := normalName(h.name); {
	case h.ech:
		return problem.New(problem.Refused, "egress/hidden-name", "the name of the server is hidden in the TLS handshake")
	case h.name == "" && t.name == "": // RFC 6066: an address is not sent
		return nil
	case h.name == "":
		return problem.New(problem.Refused, "egress/server-name", "the TLS handshake names no server")
	case h.name == t.host(), err == nil && name == t.name:
		return nil
	}
	return problem.New(problem.Refused, "egress/server-name", "the TLS handshake names another server: %.100q", h.name)
}
