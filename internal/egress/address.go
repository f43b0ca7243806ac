package egress

import (
	"net"
	"net/netip"
)

// reserved tells why an address is not a host of the public internet; "" when it is one. IPv4 addresses in IPv6 clothes
// are judged by the IPv4 address, since that is where a gateway would take the connection.
func reserved(a netip.Addr) string {
	a = a.WithZone("").Unmap()
	if a.Is4() {
		return firstIn(a, reserved4())
	}
	if inner, ok := wrapped(a); ok {
		return reserved(inner)
	}
	return firstIn(a, reserved6())
}

// wrapped gives the IPv4 address to which a translator or a tunnel would bring what is sent to a: NAT64 (RFC 6052) and
// 6to4 (RFC 3056).
func wrapped(a netip.Addr) (netip.Addr, bool) {
	b := a.As16()
	switch {
	case netip.MustParsePrefix("64:ff9b::/96").Contains(a):
		return netip.AddrFrom4([4]byte(b[12:16])), true
	case netip.MustParsePrefix("2002::/16").Contains(a):
		return netip.AddrFrom4([4]byte(b[2:6])), true
	}
	return netip.Addr{}, false
}

const thisMachine = "is this machine"

type reason struct{ prefix, why string }

func firstIn(a netip.Addr, list []reason) string {
	for _, r := range list {
		if netip.MustParsePrefix(r.prefix).Contains(a) {
			return r.why
		}
	}
	return ""
}

// reserved4 follows IANA's registry of special addresses, with the metadata services of clouds that stand elsewhere.
func reserved4() []reason {
	return []reason{
		{"0.0.0.0/8", thisMachine},
		{"10.0.0.0/8", "is a private address"},
		{"100.64.0.0/10", "is an address of a provider's own network"},
		{"127.0.0.0/8", thisMachine},
		{"168.63.129.16/32", "is a cloud's metadata service"},
		{"169.254.169.254/32", "is a cloud's metadata service"},
		{"169.254.0.0/16", "is a link-local address"},
		{"172.16.0.0/12", "is a private address"},
		{"192.0.0.0/24", "is reserved for protocols"},
		{"192.0.2.0/24", "is reserved for documentation"},
		{"192.88.99.0/24", "is reserved for tunnels"},
		{"192.168.0.0/16", "is a private address"},
		{"198.18.0.0/15", "is reserved for measuring"},
		{"198.51.100.0/24", "is reserved for documentation"},
		{"203.0.113.0/24", "is reserved for documentation"},
		{"224.0.0.0/4", "is a multicast address"},
		{"240.0.0.0/4", "is a reserved address"},
	}
}

// reserved6 ends with all that is not global unicast, 2000::/3.
func reserved6() []reason {
	return []reason{
		{"::/128", thisMachine},
		{"::1/128", thisMachine},
		{"fd00:ec2::254/128", "is a cloud's metadata service"},
		{"fc00::/7", "is a private address"},
		{"fe80::/10", "is a link-local address"},
		{"fec0::/10", "is a private address"},
		{"ff00::/8", "is a multicast address"},
		{"2001::/23", "is reserved for protocols and tunnels"}, // with Teredo, 2001::/32
		{"2001:db8::/32", "is reserved for documentation"},
		{"3fff::/20", "is reserved for documentation"},
		{"::/3", "is a reserved address"},
		{"4000::/2", "is a reserved address"},
		{"8000::/1", "is a reserved address"},
	}
}

// ownAddress tells whether a is an address of this machine: a public one leads to the services that listen here just as
// 127.0.0.1 does. When the system does not say, it counts as one.
func ownAddress(a netip.Addr) bool {
	list, err := net.InterfaceAddrs()
	if err != nil {
		return true
	}
	for _, i := range list {
		if n, ok := i.(*net.IPNet); ok {
			if own, ok := netip.AddrFromSlice(n.IP); ok && own.Unmap() == a.WithZone("").Unmap() {
				return true
			}
		}
	}
	return false
}
