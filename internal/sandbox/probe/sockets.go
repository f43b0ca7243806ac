package probe

import (
	"context"
	"errors"
	"net"
	"strconv"
	"time"
)

// answerWithin bounds the wait for an answer over a network that swallows what is sent.
const answerWithin = 2 * time.Second

const networkGroup = "network"

func socketLines() []line {
	const group = networkGroup
	loop := func(network, host string, port func(*probe) int) func(*probe) error {
		return func(p *probe) error {
			if port(p) == 0 {
				return errNotHere
			}
			return p.answers(network, net.JoinHostPort(host, strconv.Itoa(port(p))))
		}
	}
	return []line{
		{group: group, name: "TCP to the machine's loopback", attack: loop("tcp4", "127.0.0.1", func(p *probe) int { return p.TCP4 })},
		{group: group, name: "TCP over IPv6 to the machine's loopback", attack: loop("tcp6", "::1", func(p *probe) int { return p.TCP6 })},
		{group: group, name: "UDP to the machine's loopback", attack: loop("udp4", "127.0.0.1", func(p *probe) int { return p.UDP4 })},
		{group: group, name: "UDP over IPv6 to the machine's loopback", attack: loop("udp6", "::1", func(p *probe) int { return p.UDP6 })},
		{group: group, name: "TCP to another address of the machine", attack: func(p *probe) error {
			if p.Address4 == "" {
				return errNotHere
			}
			return p.answers("tcp4", p.Address4)
		}},
		{group: group, name: "ask a name server", attack: resolves},
		{group: group, name: "a socket in a granted folder", attack: func(p *probe) error {
			if p.Socket == "" {
				return errNotHere
			}
			return p.answers("unix", p.Socket)
		}},
	}
}

// answers says a word to a server and reads the secret.
func (p *probe) answers(network, address string) error {
	c, err := net.DialTimeout(network, address, answerWithin)
	if err != nil {
		return bare(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(answerWithin)); err != nil {
		return err
	}
	_, _ = c.Write([]byte("?\n")) // a datagram must be asked for; a stream may have its answer before it hears
	b := make([]byte, 256)
	n, err := c.Read(b)
	if err != nil {
		return bare(err)
	}
	return p.holds(b[:n])
}

// resolves sends a question to the machine's name server, here the UDP victim: that it arrives is enough to carry a
// secret out.
func resolves(p *probe) error {
	if p.UDP4 == 0 {
		return errNotHere
	}
	ctx, stop := context.WithTimeout(context.Background(), answerWithin)
	defer stop()
	r := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(p.UDP4)))
	}}
	_, err := r.LookupHost(ctx, p.Secret+".example")
	if e, ok := errors.AsType[*net.DNSError](err); ok && e.IsNotFound {
		return nil // it was heard, and answered that there is no such name
	}
	return err
}
