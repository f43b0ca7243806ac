package egress

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"syscall"
	"time"

	"satchel/internal/problem"
	"satchel/internal/spec"
)

// Config is what a [Proxy] needs to know.
type Config struct {
	ID       string        // the extension's id, for the commands in refusals
	Net      spec.Net      // what is granted
	Record   func(Attempt) // called once for each attempt, from many goroutines; it must not call Close, and must expect a server to cause many. nil: nothing is recorded
	Upstream *Upstream     // the corporate proxy of this machine; nil: none
	Resolver *net.Resolver // looks names up; nil: the system's. Whatever it answers, the address is judged when it is connected to
}

// limits bound what a server can take of the proxy's memory and time.
type limits struct {
	connections int           // at once, of all doors
	wait        time.Duration // for one of them to end, before the next is refused
	head        time.Duration // for the head of a request, a greeting or the first bytes of a tunnel, from begin to end
	keepAlive   time.Duration // between two requests
	dial        time.Duration // for looking up and connecting
	idle        time.Duration // without a byte in either direction
	halfOpen    time.Duration // the same when one side has ended its half
	linger      time.Duration // for a client to read a refusal
}

func usual() limits {
	return limits{
		connections: 256, wait: 10 * time.Second, head: 30 * time.Second, keepAlive: 2 * time.Minute,
		dial: 30 * time.Second, idle: 2 * time.Hour, halfOpen: 5 * time.Minute, linger: time.Second,
	}
}

// Sizes of buffers, and so of what must be held of a connection before it is judged.
const (
	clientBuffer = 32 << 10 // a request's head; a ClientHello with the overhead of its records
	serverBuffer = 16 << 10
	copyBuffer   = 16 << 10
	maxAnswer    = 64 << 10 // the head of an answer
)

// A Proxy answers at the doors of one sandbox. Its methods may be called from several goroutines.
type Proxy struct {
	config Config
	grants grants
	limits limits
	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	slots  chan struct{}
	// permitted, when a test sets it, is asked after an address was found good, and can only refuse it.
	permitted func(network, address string) error

	mu     sync.Mutex
	closed bool
	held   map[closer]struct{} // what Close has to close
	work   sync.WaitGroup
}

type closer interface{ Close() error }

// New makes a proxy for one sandbox. It does nothing until it is given listeners.
func New(c Config) *Proxy { return newProxy(c, usual()) }

func newProxy(c Config, l limits) *Proxy {
	p := &Proxy{config: c, grants: newGrants(c.Net), limits: l, slots: make(chan struct{}, l.connections), held: map[closer]struct{}{}}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	return p
}

// ServeHTTP answers as an HTTP proxy to the connections of l until l or the proxy is closed. It closes l. Where l has a
// method Password() string, other programs can reach it too, and only who knows the password is answered.
func (p *Proxy) ServeHTTP(l net.Listener) {
	pass := passwordOf(l)
	p.serve(l, door{via: ViaHTTP}, func(c *link) { p.serveHTTP(c, pass) })
}

// ServeSOCKS answers as a SOCKS5 proxy to the connections of l until l or the proxy is closed. It closes l. Passwords
// are as with [Proxy.ServeHTTP].
func (p *Proxy) ServeSOCKS(l net.Listener) {
	pass := passwordOf(l)
	p.serve(l, door{via: ViaSOCKS}, func(c *link) { p.serveSOCKS(c, pass) })
}

// ServePort connects the connections of l with a TCP port of this machine, 127.0.0.1, until l or the proxy is closed.
// It closes l. When the port is not granted, each connection is closed, and recorded as refused.
func (p *Proxy) ServePort(l net.Listener, port int) {
	p.serve(l, door{via: ViaPort, port: port}, func(c *link) { p.servePort(c, port) })
}

// Close closes the listeners and all connections, and waits until nothing of them is left, and all attempts are
// recorded.
func (p *Proxy) Close() {
	p.mu.Lock()
	p.closed = true
	p.cancel()
	for c := range p.held {
		c.Close()
	}
	p.mu.Unlock()
	p.work.Wait()
}

// hold keeps c for Close; false when the proxy is closed: then c is too. Everything that is held is let go of.
func (p *Proxy) hold(c closer) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		c.Close()
		return false
	}
	p.held[c] = struct{}{}
	p.work.Add(1)
	return true
}

func (p *Proxy) letGo(c closer) {
	c.Close()
	p.mu.Lock()
	delete(p.held, c)
	p.mu.Unlock()
	p.work.Done()
}

// A door is where connections come from, and where they lead if that is fixed.
type door struct {
	via    Via
	port   int    // of this machine
	socket string // of this machine
}

func (p *Proxy) serve(l net.Listener, d door, handle func(*link)) {
	if !p.hold(l) {
		return
	}
	defer p.letGo(l)
	for {
		conn, ok := p.accept(l)
		if !ok {
			return
		}
		if !p.takeSlot() {
			p.busy(conn, d)
			continue
		}
		if !p.hold(conn) {
			return
		}
		go func() {
			defer p.letGo(conn)
			defer func() { <-p.slots }()
			handle(newLink(conn, clientBuffer))
		}()
	}
}

// accept waits for the next connection. A listener fails for a while when the process has no descriptor left.
func (p *Proxy) accept(l net.Listener) (net.Conn, bool) {
	for pause := 5 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		conn, err := l.Accept()
		if err == nil {
			return conn, true
		}
		if errors.Is(err, net.ErrClosed) || !passing(err) {
			return nil, false
		}
		select {
		case <-time.After(pause):
		case <-p.ctx.Done():
			return nil, false
		}
	}
}

// passing tells whether an error of accepting says nothing of the listener itself.
func passing(err error) bool {
	for _, e := range []syscall.Errno{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.ECONNABORTED, syscall.EINTR} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// takeSlot waits for one of the connections to end when there are too many; meanwhile the others wait in the listener.
func (p *Proxy) takeSlot() bool {
	select {
	case p.slots <- struct{}{}:
		return true
	default:
	}
	late := time.NewTimer(p.limits.wait)
	defer late.Stop()
	select {
	case p.slots <- struct{}{}:
		return true
	case <-late.C:
	case <-p.ctx.Done():
	}
	return false
}

func (p *Proxy) busy(conn net.Conn, d door) {
	defer conn.Close()
	if p.ctx.Err() != nil {
		return
	}
	v := begin(d.via)
	defer p.end(v)
	v.Host = d.socket
	if v.Port = d.port; d.port != 0 {
		v.Host = "127.0.0.1"
	}
	prob := v.refuse(problem.New(problem.Refused, "egress/busy", "the extension holds %d connections open, and none has ended", p.limits.connections).From(page))
	if d.via == ViaHTTP {
		conn.SetWriteDeadline(time.Now().Add(p.limits.linger))
		conn.Write(refusal(prob, 503))
	}
}

func (p *Proxy) servePort(c *link, port int) {
	v := begin(ViaPort)
	defer p.end(v)
	v.meant(target{addr: netip.AddrFrom4([4]byte{127, 0, 0, 1}), port: port})
	v.Grant = portGrant(port)
	v.Address = net.JoinHostPort(v.Host, strconv.Itoa(port))
	if !p.portGranted(port) {
		v.refuse(problem.New(problem.Refused, "egress/not-granted", "this port of the machine is not granted to the extension"))
		return
	}
	d := net.Dialer{Timeout: p.limits.dial}
	conn, err := d.DialContext(p.ctx, "tcp4", v.Address)
	if err != nil {
		v.fail("%v", err)
		return
	}
	if !p.hold(conn) {
		return
	}
	defer p.letGo(conn)
	far := newLink(conn, serverBuffer)
	far.meter = &v.meter
	p.tunnel(c, far)
}
