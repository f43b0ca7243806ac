package sandbox

import (
	"crypto/rand"
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"satchel/internal/problem"
	"satchel/internal/spec"
)

// An entrance is where a server finds the proxies. The zero value is none: without network.
type entrance struct {
	http, socks string // host:port
	password    string // of both; empty: nobody else can reach them
	listeners   map[Door]net.Listener
	sockets     []socket
	dir         string // of the sockets' files, until the world is there
}

// A socket is a door at a path of a server's world. Its file is made outside and shown there.
type socket struct {
	net.Listener
	path, file string
}

// Addr is the path that the server knows.
func (s socket) Addr() net.Addr { return &net.UnixAddr{Net: "unix", Name: s.path} }

// enter makes the entrance of a server. That of a world is in it, and its first process opens it. In the machine's own
// network we do, at ports that are free; there every program of every user can knock, so that a password is asked for.
func enter(m Mode, n spec.Net) (entrance, error) {
	var e entrance
	if len(n.Sockets) > 0 {
		if !m.world() {
			return e, problem.New(problem.Refused, "sandbox/socket", "cannot be granted here: without a world of its own, the server would reach every other socket of this machine too").
				At("socket:" + n.Sockets[0]).From("docs/sandbox.md").Try("satchel doctor --sandbox")
		}
		if err := e.openSockets(n.Sockets); err != nil {
			return e, errors.Join(err, e.close())
		}
	}
	switch {
	case !doors(m, n):
		return e, nil
	case m.world():
		e.http, e.socks = HTTPDoor.address(), SOCKSDoor.address()
		return e, nil
	}
	e.password, e.listeners = rand.Text(), map[Door]net.Listener{}
	for door, at := range map[Door]*string{HTTPDoor: &e.http, SOCKSDoor: &e.socks} {
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			return e, errors.Join(err, e.close())
		}
		e.listeners[door], *at = locked{l, e.password}, l.Addr().String()
	}
	return e, nil
}

// doors tells whether a server finds doors. One without network finds them in a network of its own, where nothing is
// behind them: who it tries to reach becomes known there.
func doors(m Mode, n spec.Net) bool { return !n.None() || n.Told && m.world() }

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
	for _, s := range e.sockets {
		errs = append(errs, s.Close())
	}
	return errors.Join(append(errs, e.unlink())...)
}

// openSockets listens in a folder that nobody else can enter.
func (e *entrance) openSockets(paths []string) error {
	parent := os.TempDir()
	if len(parent) > 60 {
		parent = "/tmp" // the path of a socket has 107 bytes
	}
	dir, err := os.MkdirTemp(parent, "satchel-doors-")
	if err != nil {
		return err
	}
	e.dir = dir
	if dir, err = realPath(dir); err != nil {
		return err
	}
	for i, path := range paths {
		file := filepath.Join(dir, strconv.Itoa(i))
		l, err := net.ListenUnix("unix", &net.UnixAddr{Net: "unix", Name: file})
		if err != nil {
			return err
		}
		l.SetUnlinkOnClose(false) // unlink does
		e.sockets = append(e.sockets, socket{l, path, file})
	}
	return nil
}

// unlink takes the sockets' files away: those that a world shows stay there.
func (e entrance) unlink() error {
	if e.dir == "" {
		return nil
	}
	return os.RemoveAll(e.dir)
}

// give gives the listeners away, to be closed by who has them.
func (e entrance) give(accept Accept) {
	for door, l := range e.listeners {
		accept(door, l)
	}
	for _, s := range e.sockets {
		accept(SocketDoor, s)
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
