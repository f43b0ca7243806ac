package egress

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"net/url"
	"sync"
	"syscall"

	"satchel/internal/problem"
)

// connect makes a connection to t, which was admitted: directly, or through the corporate proxy. plain tells that HTTP
// requests will be written to it: then a corporate proxy gets them as requests, not as a tunnel, and is given back.
func (p *Proxy) connect(v *visit, t target, plain bool) (far *link, proxy *url.URL, refused *problem.Problem) {
	ctx, cancel := context.WithTimeout(p.ctx, p.limits.dial)
	defer cancel()
	var conn net.Conn
	var err error
	if proxy = p.config.Upstream.forTarget(t, plain); proxy != nil {
		v.Proxy = proxy.Host
		conn, err = dialUpstream(ctx, proxy)
	} else {
		conn, err = p.dial(ctx, v, t)
	}
	if err != nil {
		return nil, nil, p.unreachable(v, t, err)
	}
	if !p.hold(conn) {
		return nil, nil, p.unreachable(v, t, context.Canceled)
	}
	far = newLink(conn, serverBuffer)
	if proxy != nil && !plain {
		if err := openTunnel(ctx, far, proxy, t); err != nil {
			p.letGo(conn)
			return nil, nil, p.unreachable(v, t, err)
		}
		proxy = nil
	}
	far.meter = &v.meter
	return far, proxy, nil
}

// unreachable makes a problem of an error of connecting. It is a refusal only when a rule stood in the way.
func (p *Proxy) unreachable(v *visit, t target, err error) *problem.Problem {
	if prob, ok := errors.AsType[*problem.Problem](err); ok && prob.Code == problem.Refused {
		return v.refuse(prob)
	}
	return v.unreachable(t, err)
}

// dial connects to t. Each address is judged when the system is about to connect to it: what a name server said before
// plays no part, so it cannot say one thing to be judged and another to be used.
func (p *Proxy) dial(ctx context.Context, v *visit, t target) (net.Conn, error) {
	var mu sync.Mutex // two addresses may be tried at once
	var refused netip.Addr
	var reason string
	d := net.Dialer{Resolver: p.config.Resolver, ControlContext: func(_ context.Context, network, address string, _ syscall.RawConn) error {
		a, err := netip.ParseAddrPort(address)
		if err != nil {
			return err
		}
		if why := p.judge(a); why != "" {
			mu.Lock()
			defer mu.Unlock()
			refused, reason = a.Addr(), why
			return errors.New(why)
		}
		if p.permitted != nil {
			return p.permitted(network, address)
		}
		return nil
	}}
	conn, err := d.DialContext(ctx, "tcp", t.String())
	if err == nil {
		v.Address = conn.RemoteAddr().String()
		return conn, nil
	}
	mu.Lock()
	defer mu.Unlock()
	if reason != "" {
		return nil, p.addressRefused(v, t, refused, reason)
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Addr != nil {
		v.Address = op.Addr.String()
	}
	return nil, err
}
