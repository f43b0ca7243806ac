package egress

import (
	"encoding/binary"
	"errors"
	"net/netip"

	"satchel/internal/problem"
)

// Numbers of SOCKS5 (RFC 1928).
const (
	socksVersion  = 5
	noAuth        = 0
	noMethod      = 0xff
	socksConnect  = 1
	addrIPv4      = 1
	addrName      = 3
	addrIPv6      = 4
	socksDone     = 0
	socksFailed   = 1
	socksRefused  = 2
	noHost        = 4
	noCommand     = 7
	noAddressType = 8
)

func (p *Proxy) serveSOCKS(c *link, pass password) {
	if !p.greet(c, pass) || pass != "" && !p.askPassword(c, pass) {
		return
	}
	v := begin(ViaSOCKS)
	defer p.end(v)
	t, code, err := p.socksRequest(c, v)
	if err != nil {
		v.refuse(badRequest(err.Error()))
		p.socksReply(c, code)
		c.hangUp(p.limits.linger)
		return
	}
	p.open(c, v, t, func(refused *problem.Problem) bool {
		if refused == nil {
			return p.socksReply(c, socksDone)
		}
		code := byte(noHost)
		if refused.Code == problem.Refused {
			code = socksRefused
		}
		p.socksReply(c, code)
		c.hangUp(p.limits.linger)
		return false
	})
}

// greet agrees on whether a password is needed.
func (p *Proxy) greet(c *link, pass password) bool {
	var size int
	var method byte
	err := c.peek(p.limits.head, func(b []byte) (need int, err error) {
		size, method, need, err = parseGreeting(b, pass.method())
		return need, err
	})
	if err != nil {
		v := begin(ViaSOCKS)
		defer p.end(v)
		v.refuse(badRequest("not a SOCKS5 greeting"))
		return false
	}
	c.r.Discard(size)
	_, err = c.Write([]byte{socksVersion, method})
	if method == noMethod {
		v := begin(ViaSOCKS)
		defer p.end(v)
		if pass != "" {
			v.refuse(unknown())
		} else {
			v.refuse(badRequest("the client insists on a name and password, or another method"))
		}
		c.hangUp(p.limits.linger)
		return false
	}
	return err == nil
}

// parseGreeting reads a greeting, and takes the wanted method when it is offered.
func parseGreeting(b []byte, wanted byte) (size int, method byte, need int, err error) {
	if len(b) > 0 && b[0] != socksVersion {
		return 0, 0, 0, errors.New("not SOCKS5")
	}
	if len(b) < 2 {
		return 0, 0, 2, nil
	}
	size = 2 + int(b[1])
	if len(b) < size {
		return 0, 0, size, nil
	}
	method = noMethod
	for _, m := range b[2:size] {
		if m == wanted {
			method = wanted
		}
	}
	return size, method, 0, nil
}

// socksRequest takes the request; code is the reply to one that cannot be met.
func (p *Proxy) socksRequest(c *link, v *visit) (t target, code byte, err error) {
	var r socksAsk
	err = c.peek(p.limits.head, func(b []byte) (need int, err error) {
		r, need, err = parseSOCKS(b)
		return need, err
	})
	if err != nil {
		return target{}, socksFailed, errors.New("not a SOCKS5 request")
	}
	c.r.Discard(r.size)
	v.wrote(r.host)
	v.Port = r.port
	switch {
	case r.kind == 0:
		return target{}, noAddressType, errors.New("an unknown type of address")
	case r.command != socksConnect:
		return target{}, noCommand, errors.New("SOCKS5 commands other than CONNECT")
	}
	t, err = newTarget(r.host, r.port)
	return t, socksRefused, err
}

// A socksAsk is a SOCKS5 request.
type socksAsk struct {
	command byte
	kind    byte // of the address; 0: unknown
	host    string
	port    int
	size    int
}

// parseSOCKS reads a request. Of an address of unknown type nothing can be read: its size is not known either.
func parseSOCKS(b []byte) (r socksAsk, need int, err error) {
	if len(b) > 0 && b[0] != socksVersion || len(b) > 2 && b[2] != 0 {
		return r, 0, errors.New("not SOCKS5")
	}
	if len(b) < 5 {
		return r, 5, nil
	}
	r.command, r.kind = b[1], b[3]
	start, size := 4, 0
	switch r.kind {
	case addrIPv4:
		size = 4
	case addrIPv6:
		size = 16
	case addrName:
		start, size = 5, int(b[4])
	default:
		return socksAsk{command: b[1], size: 4}, 0, nil
	}
	r.size = start + size + 2
	if len(b) < r.size {
		return socksAsk{}, r.size, nil
	}
	host := b[start : start+size]
	r.port = int(binary.BigEndian.Uint16(b[start+size:]))
	if r.host = string(host); r.kind != addrName {
		addr, _ := netip.AddrFromSlice(host)
		r.host = addr.String()
	}
	return r, 0, nil
}

// socksReply writes a reply; the address that it must name is of no use to anybody.
func (p *Proxy) socksReply(c *link, code byte) bool {
	_, err := c.Write([]byte{socksVersion, code, 0, addrIPv4, 0, 0, 0, 0, 0, 0})
	return err == nil
}
