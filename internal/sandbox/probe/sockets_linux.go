package probe

import "golang.org/x/sys/unix"

func linuxSocketLines() []line {
	const group = networkGroup
	kind := func(domain, typ, proto int) func(*probe) error {
		return func(*probe) error { return fdOf(unix.SYS_SOCKET, uintptr(domain), uintptr(typ), uintptr(proto)) }
	}
	return []line{
		{group: group, name: "an abstract socket", attack: func(p *probe) error { return p.answers("unix", "@"+p.Abstract) }},
		{group: group, name: "listen on a socket of the machine", attack: kind(unix.AF_UNIX, unix.SOCK_STREAM, 0)},
		{group: group, name: "a raw socket", root: true, attack: kind(unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_ICMP)},
		{group: group, name: "a packet socket", root: true, attack: kind(unix.AF_PACKET, unix.SOCK_RAW, 0)},
		{group: group, name: "MPTCP", attack: kind(unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_MPTCP)},
		{group: group, name: "a socket to the hypervisor", attack: kind(unix.AF_VSOCK, unix.SOCK_STREAM, 0)},
		{group: group, name: "the kernel's ciphers", attack: kind(unix.AF_ALG, unix.SOCK_SEQPACKET, 0)},
		{group: group, name: "netlink: audit", attack: kind(unix.AF_NETLINK, unix.SOCK_RAW, unix.NETLINK_AUDIT)},
		{group: group, name: "netlink: devices", attack: kind(unix.AF_NETLINK, unix.SOCK_RAW, unix.NETLINK_KOBJECT_UEVENT)},
		{group: group, name: "netlink: packet filter", attack: kind(unix.AF_NETLINK, unix.SOCK_RAW, unix.NETLINK_NETFILTER)},
		{group: group, name: "sockets by io_uring", attack: func(*probe) error { return ioUring() }},
	}
}
