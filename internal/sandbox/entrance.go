package sandbox

import (
	"crypto/rand"
	"errors"
	"net"
	"slices"

	"satchel/internal/spec"
)

// An entrance is where a server finds the proxies. The zero value is none: without network.
type entrance struct {
	http, socks string // host:port
	password    string // of both; empty: nobody else can reach them
	listeners   map[Door]net.Listener
}

// enter makes the entrance of a server. That of a world is in it, and its first process opens it. In the machine's own
// network we do, at ports that are free; there every program of every user can knock, so that a password is asked for.
func enter(m Mode, n spec.Net) (entrance, error) {
	switch {
	case n.None():
		return entrance{}, nil
	case m.world():
		return entrance{http: HTTPDoor.address(), socks: SOCKSDoor.address()}, nil
	}
	e := entrance{password: rand.Text(), listeners: map[Door]net.Listener{}}
	for door, at := range map[Door]*string{HTTPDoor: &e.http, SOCKSDoor: &e.socks} {
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			return e, errors.Join(err, e.close())
		}
		e.listeners[door], *at = locked{l, e.password}, l.Addr().String()
	}
	return e, nil
}

// A locked listener is one that other programs can reach too.
type locked struct {
	net.Listener
	password string
}

// Password is what who connects must know.
func (l locked) Password() string { return l.password }

func (e entrance) close() error {
	var errs []error
	for _, l := range e.listeners {
		errs = append(errs, l.Close())
	}
	return errors.Join(errs...)
}

// give gives the listeners away, to be closed by who has them.
func (e entrance) give(accept Accept) {
	for door, l := range e.listeners {
		accept(door, l)
	}
}

// ports are those of the machine that a server may connect to: the proxies' and those that were granted.
func (e entrance) ports(n spec.Net) (ports []int) {
	for _, l := range e.listeners {
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	ports = append(ports, n.Ports...)
	slices.Sort(ports)
	return slices.Compact(ports)
}
