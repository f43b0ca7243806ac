package egress

import (
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"net"
	"net/http"
	"strings"

	"satchel/internal/problem"
)

// A password is what who knocks at a door must know where others than the server can reach it; empty: nobody can.
type password string

func passwordOf(l net.Listener) password {
	if locked, ok := l.(interface{ Password() string }); ok {
		return password(locked.Password())
	}
	return ""
}

func (p password) is(said string) bool {
	return subtle.ConstantTimeCompare([]byte(p), []byte(said)) == 1
}

func unknown() *problem.Problem {
	return problem.New(problem.Refused, "egress/password", "a program that does not know the password of this start").From(page)
}

// admits tells whether the head of a request has the password (RFC 7617). The name before it is of no matter.
func (p password) admits(h *head) bool {
	if p == "" {
		return true
	}
	for _, f := range h.fields {
		scheme, code, _ := strings.Cut(f.value, " ")
		if !strings.EqualFold(f.name, "Proxy-Authorization") || !strings.EqualFold(scheme, "Basic") {
			continue
		}
		text, err := base64.StdEncoding.DecodeString(strings.TrimLeft(code, " "))
		_, said, _ := strings.Cut(string(text), ":")
		return err == nil && p.is(said)
	}
	return false
}

// stranger answers to a request without the password.
func (s *session) stranger(h *head) {
	v := begin(ViaHTTP)
	if h.method == http.MethodConnect {
		v.Via = ViaConnect
	}
	defer s.p.end(v)
	v.wrote(h.uri)
	s.refuse(v.refuse(unknown()), http.StatusProxyAuthRequired)
}

// Numbers of names and passwords in SOCKS5 (RFC 1929).
const (
	byPassword    = 2
	passwordRound = 1
)

// method is how a SOCKS client has to say who it is.
func (p password) method() byte {
	if p == "" {
		return noAuth
	}
	return byPassword
}

// askPassword takes the name and password of a SOCKS client. What is not right is refused.
func (p *Proxy) askPassword(c *link, pass password) bool {
	var size int
	var said string
	err := c.peek(p.limits.head, func(b []byte) (need int, err error) {
		size, said, need, err = parsePassword(b)
		return need, err
	})
	if err == nil && pass.is(said) {
		c.r.Discard(size)
		_, err = c.Write([]byte{passwordRound, 0})
		return err == nil
	}
	v := begin(ViaSOCKS)
	defer p.end(v)
	v.refuse(unknown())
	c.Write([]byte{passwordRound, 1})
	c.hangUp(p.limits.linger)
	return false
}

// parsePassword reads a name and a password.
func parsePassword(b []byte) (size int, said string, need int, err error) {
	if len(b) > 0 && b[0] != passwordRound {
		return 0, "", 0, errors.New("no name and password")
	}
	if len(b) < 2 {
		return 0, "", 2, nil
	}
	name := 2 + int(b[1])
	if len(b) <= name {
		return 0, "", name + 1, nil
	}
	if size = name + 1 + int(b[name]); len(b) < size {
		return 0, "", size, nil
	}
	return size, string(b[name+1 : size]), 0, nil
}
