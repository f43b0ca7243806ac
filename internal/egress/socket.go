package egress

import (
	"context"
	"net"
	"slices"

	"satchel/internal/problem"
)

// ServeSocket connects the connections of l with a Unix socket of this machine until l or the proxy is closed. It closes
// l. Bytes are copied, so that no descriptor crosses. When the socket is not granted, or is not exactly at path any more,
// each connection is closed, and recorded as refused.
func (p *Proxy) ServeSocket(l net.Listener, path string) {
	p.serve(l, door{via: ViaSocket, socket: path}, func(c *link) { p.serveSocket(c, path) })
}

func (p *Proxy) serveSocket(c *link, path string) {
	v := begin(ViaSocket)
	defer p.end(v)
	v.Host, v.Address, v.Grant = path, path, "socket:"+path
	if !slices.Contains(p.config.Net.Sockets, path) {
		v.refuse(problem.New(problem.Refused, "egress/not-granted", "this socket of the machine is not granted to the extension"))
		return
	}
	ctx, cancel := context.WithTimeout(p.ctx, p.limits.dial)
	defer cancel()
	conn, refused, err := dialSocket(ctx, path)
	switch {
	case refused != nil:
		v.refuse(refused)
		return
	case err != nil:
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
