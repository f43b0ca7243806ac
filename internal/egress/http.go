package egress

import (
	"bufio"
	"errors"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"satchel/internal/problem"
)

// A session is a connection over which HTTP requests come, each of which is judged: to the HTTP proxy, or in a tunnel.
type session struct {
	p      *Proxy
	near   *link
	tunnel *target // where the requests of a tunnel must go; nil at the proxy
	v      *visit  // of the tunnel
	far    *link   // the connection that the last request went over
	to     target  // where far leads
	proxy  *url.URL
	// The address that far is connected to, or the proxy that it goes through, for the attempts after the first.
	address, through string
}

func (p *Proxy) serveHTTP(c *link, pass password) {
	s := &session{p: p, near: c}
	defer s.drop()
	for s.awaitRequest() {
		h, err := s.read()
		if err != nil {
			s.malformed(err)
			return
		}
		if !pass.admits(h) {
			s.stranger(h)
			return
		}
		if h.method == http.MethodConnect {
			s.connect(h)
			return
		}
		if !s.proxied(h) {
			return
		}
	}
}

// awaitRequest waits for the first byte of the next request.
func (s *session) awaitRequest() bool {
	return s.near.peek(s.p.limits.keepAlive, func(b []byte) (int, error) { return max(0, 1-len(b)), nil }) == nil
}

// read takes the head of the next request.
func (s *session) read() (*head, error) {
	var h *head
	var size int
	err := s.near.peek(s.p.limits.head, func(b []byte) (need int, err error) {
		h, size, need, err = parseHead(b)
		return need, err
	})
	if err == nil {
		_, err = s.near.r.Discard(size)
	}
	return h, err
}

// malformed answers to what is no request.
func (s *session) malformed(err error) {
	v := begin(ViaHTTP)
	defer s.p.end(v)
	status, why := http.StatusBadRequest, err.Error()
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		status, why = http.StatusRequestHeaderFieldsTooLarge, "the head of the request is too long"
	case errors.Is(err, os.ErrDeadlineExceeded):
		status, why = http.StatusRequestTimeout, "the head of the request took too long"
	case !errors.Is(err, errHead) && !errors.Is(err, errNotHTTP):
		why = "the connection ended within a request"
	}
	s.refuse(v.refuse(badRequest(why)), status)
}

func badRequest(why string) *problem.Problem {
	return problem.New(problem.Refused, "egress/request", "%s", why).From(page)
}

func (s *session) refuse(p *problem.Problem, status int) {
	s.near.SetWriteDeadline(time.Now().Add(s.p.limits.linger))
	s.near.Write(refusal(p, status))
	s.near.hangUp(s.p.limits.linger)
}

// status chooses between a rule that refused and a host that cannot be reached.
func status(p *problem.Problem) int {
	if p.Code == problem.Refused {
		return http.StatusForbidden
	}
	return http.StatusBadGateway
}

// connect makes a tunnel.
func (s *session) connect(h *head) {
	v := begin(ViaConnect)
	defer s.p.end(v)
	t, err := parseAuthority(h.uri, 0)
	if err == nil && h.host != "" {
		err = sameHost(h.host, t, t.port)
	}
	if err == nil && h.body() {
		err = errors.New("a request for a tunnel with a body")
	}
	if err != nil {
		v.wrote(h.uri)
		s.refuse(v.refuse(badRequest(err.Error())), http.StatusBadRequest)
		return
	}
	s.p.open(s.near, v, t, func(refused *problem.Problem) bool {
		if refused != nil {
			s.refuse(refused, status(refused))
			return false
		}
		_, err := s.near.Write([]byte("HTTP/1.1 200 Connection established\r\n\r\n"))
		return err == nil
	})
}

// sameHost holds a Host field to the host that the request goes to. Without a port it is standard.
func sameHost(field string, t target, standard int) error {
	named, err := parseAuthority(field, standard)
	if err == nil && named != t {
		err = errors.New("the Host field names another host than the request")
	}
	return err
}

// proxied carries a request with an absolute address on; false when the connection ends with it.
func (s *session) proxied(h *head) bool {
	v := begin(ViaHTTP)
	defer s.p.end(v)
	t, path, err := absolute(h.method, h.uri)
	if err == nil && h.host != "" {
		err = sameHost(h.host, t, 80)
	}
	if err != nil {
		v.wrote(h.uri)
		s.refuse(v.refuse(badRequest(err.Error())), http.StatusBadRequest)
		return false
	}
	if _, refused := s.p.admit(v, t); refused != nil {
		s.refuse(refused, status(refused))
		return false
	}
	return s.carry(v, h, t, path)
}

// absolute reads the address of a request to a proxy.
func absolute(method, uri string) (t target, path string, err error) {
	scheme, rest, ok := strings.Cut(uri, "://")
	if !ok || !strings.EqualFold(scheme, "http") {
		return target{}, "", errors.New("a proxy takes requests for http:// addresses, and CONNECT for all others")
	}
	authority, path := rest, "/"
	if i := strings.IndexAny(rest, "/?"); i >= 0 {
		authority, path = rest[:i], rest[i:]
		if path[0] == '?' {
			path = "/" + path
		}
	} else if method == http.MethodOptions {
		path = "*"
	}
	t, err = parseAuthority(authority, 80)
	return t, path, err
}

// tunnelled carries the requests of a tunnel on: each must name the tunnel's host.
func (s *session) tunnelled() {
	defer s.drop()
	for s.awaitRequest() {
		h, err := s.read()
		if err != nil {
			s.v.refuse(badRequest(err.Error()))
			return
		}
		switch {
		case !strings.HasPrefix(h.uri, "/") && h.uri != "*" || h.method == http.MethodConnect:
			err = errors.New("a request for another place within a tunnel")
		case h.host == "":
			err = errors.New("a request that names no host within a tunnel")
		default:
			err = sameHost(h.host, *s.tunnel, s.tunnel.port)
		}
		if err != nil {
			s.drop()
			s.refuse(s.v.refuse(problem.New(problem.Refused, "egress/host", "%v", err).At(s.tunnel.String()).From(page)), http.StatusForbidden)
			return
		}
		if !s.carry(s.v, h, *s.tunnel, h.uri) {
			return
		}
	}
}

// carry brings a request to t and the answer back; false when the connection ends with it.
func (s *session) carry(v *visit, h *head, t target, path string) bool {
	reused, refused := s.reach(v, t)
	if refused != nil {
		s.refuse(refused, status(refused))
		return false
	}
	x := &exchange{session: s, head: h}
	again, err := x.run(path)
	if err != nil && reused && !x.begun && !h.body() && (h.method == http.MethodGet || h.method == http.MethodHead) {
		// The far side closed the connection while nothing was asked: that says nothing of this request.
		s.drop()
		if _, refused := s.reach(v, t); refused != nil {
			s.refuse(refused, status(refused))
			return false
		}
		again, err = x.run(path)
	}
	if err != nil {
		if unreachable := v.unreachable(t, err); !x.begun {
			s.refuse(unreachable, http.StatusBadGateway)
		}
		return false
	}
	return again
}

// reach sees to it that far leads to t; reused when it did.
func (s *session) reach(v *visit, t target) (reused bool, refused *problem.Problem) {
	if s.far != nil && s.to == t {
		s.far.meter = &v.meter
		v.Address, v.Proxy = s.address, s.through
		return true, nil
	}
	s.drop()
	return false, s.connectTo(v, t, true)
}

func (s *session) connectTo(v *visit, t target, plain bool) (refused *problem.Problem) {
	s.far, s.proxy, refused = s.p.connect(v, t, plain)
	s.to, s.address, s.through = t, v.Address, v.Proxy
	return refused
}

func (s *session) drop() {
	if s.far != nil {
		s.p.letGo(s.far.Conn)
		s.far = nil
	}
}
