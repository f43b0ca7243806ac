package probe

import (
	"errors"

	"golang.org/x/sys/unix"
)

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
		{group: group, name: "TCP without connect (fast open)", attack: fastOpen},
		{group: group, name: "sockets by io_uring", attack: func(*probe) error { return ioUring() }},
	}
}

// fastOpen sends with the first packet of a connection: nobody asks for a connection then.
func fastOpen(p *probe) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: int64(answerWithin.Seconds())}); err != nil {
		return err
	}
	err = unix.Sendto(fd, []byte("?\n"), unix.MSG_FASTOPEN|unix.MSG_NOSIGNAL, &unix.SockaddrInet4{Port: p.TCP4, Addr: [4]byte{127, 0, 0, 1}})
	if errors.Is(err, unix.EOPNOTSUPP) {
		return errNotHere // switched off
	}
	if err != nil {
		return err
	}
	b := make([]byte, 256)
	n, err := unix.Read(fd, b)
	if err != nil {
		return err
	}
	return p.holds(b[:n])
}
