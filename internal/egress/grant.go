package egress

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"satchel/internal/problem"
	"satchel/internal/spec"
)

const page = "docs/sandbox.md"

// grants is a spec.Net made ready for comparing.
type grants struct {
	any   bool
	hosts map[target]bool // true: any protocol
	ports []int
}

// newGrants leaves out what has no normal form: it grants nothing.
func newGrants(n spec.Net) grants {
	g := grants{any: n.Any, hosts: map[target]bool{}, ports: n.Ports}
	for _, h := range n.Hosts {
		if t, err := newTarget(h.Name, h.Port); err == nil {
			g.hosts[t] = g.hosts[t] || h.Raw
		}
	}
	return g
}

// grantOf writes the grant of t as `satchel permissions` takes it. This machine is granted by port; what no
// connection leads to is not granted at all.
func grantOf(t target, raw bool) string {
	switch {
	case t.local(), t.addr.IsLoopback():
		return portGrant(t.port)
	case t.addr.IsUnspecified(), t.addr.IsMulticast(), t.addr == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		return ""
	case raw:
		return "net:tcp:" + t.String()
	}
	return "net:" + strings.TrimSuffix(t.String(), ":443")
}

func portGrant(port int) string { return "port:" + strconv.Itoa(port) }

// admit tells whether t may be asked for, and whether it may speak any protocol.
func (p *Proxy) admit(v *visit, t target) (raw bool, refused *problem.Problem) {
	v.meant(t)
	raw, listed := p.grants.hosts[t]
	v.Grant = grantOf(t, raw)
	switch {
	case listed:
		return raw, nil
	case !p.grants.any:
		return false, v.refuse(p.notGranted(t))
	case t.name == "" && reserved(t.addr) != "":
		return false, v.refuse(p.addressRefused(v, t, t.addr, reserved(t.addr)))
	}
	v.Grant = "net:any"
	return false, nil
}

func (p *Proxy) notGranted(t target) *problem.Problem {
	return p.grantable(problem.New(problem.Refused, "egress/not-granted", "this host and port are not granted to the extension"), t, grantOf(t, false))
}

// portGranted tells whether a port of this machine may be reached.
func (p *Proxy) portGranted(port int) bool { return slices.Contains(p.grants.ports, port) }

// judge tells why the address that is about to be connected to is refused; "" when it is not.
func (p *Proxy) judge(a netip.AddrPort) string {
	addr := a.Addr().WithZone("").Unmap()
	if _, granted := p.grants.hosts[target{addr: addr, port: int(a.Port())}]; granted {
		return ""
	}
	if why := reserved(addr); why != "" {
		return why
	}
	if ownAddress(addr) {
		return thisMachine
	}
	return ""
}

// addressRefused says that t leads to an address which is only reached when it is granted itself.
func (p *Proxy) addressRefused(v *visit, t target, a netip.Addr, why string) *problem.Problem {
	literal := target{addr: a.WithZone("").Unmap(), port: t.port}
	v.Address, v.Grant = literal.String(), grantOf(literal, false)
	if why == thisMachine {
		v.Grant = portGrant(t.port)
	}
	return p.grantable(problem.New(problem.Refused, "egress/address", "%s %s: it must be granted itself", literal.host(), why), t, v.Grant)
}

// grantable says of what was refused how it is granted, where it can be.
func (p *Proxy) grantable(q *problem.Problem, t target, grant string) *problem.Problem {
	if q = q.At(t.String()).From(page); grant == "" {
		return q
	}
	return q.Try("%s", problem.Words("satchel", "permissions", p.config.ID, "--grant", grant))
}
