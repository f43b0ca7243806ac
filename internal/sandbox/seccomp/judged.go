package seccomp

import "slices"

// The words of the arguments that are judged (linux headers; the same on both architectures).
const (
	afUnix    = 1
	afInet    = 2
	afInet6   = 10
	afNetlink = 16

	sockStream   = 1
	sockDgram    = 2
	sockRaw      = 3
	sockTypeMask = 0xf // the rest are flags

	// Data that goes with the first packet of a connection, which is then made without connect.
	msgFastOpen = 0x20000000

	protoAny     = 0
	protoTCP     = 6
	protoUDP     = 17
	netlinkRoute = 0

	// Every namespace that clone can make, and that unshare can: its CLONE_NEWTIME is a signal number in clone.
	cloneNamespaces   = 0x7e020000
	unshareNamespaces = cloneNamespaces | 0x80

	modeType = 0xf000
	modeReg  = 0x8000
	modeFifo = 0x1000
	modeSet  = 0o6000 // who starts the file runs as its owner or its group

	openMakes = 0o100 | 0o20000000 // O_CREAT and what is of O_TMPFILE alone: then there is a mode
)

// A judge decides on a call by its arguments.
type judge struct {
	call string
	rule block
}

// judged puts the calls that are judged by their arguments before what decides on all others. The number is loaded.
func (a arch) judged(r Rules, others block) block {
	b := others
	judges := judges(r)
	for i := len(judges) - 1; i >= 0; i-- {
		if number, ok := a.numbers[judges[i].call]; ok {
			b = when(opEqual, number, judges[i].rule, b)
		}
	}
	return b
}

// judges are the judged calls, the most frequent first.
func judges(r Rules) []judge {
	var shared []judge
	if r.Shared {
		shared = []judge{
			{"sendto", noneOf(3, msgFastOpen)}, {"sendmsg", noneOf(2, msgFastOpen)}, {"sendmmsg", noneOf(3, msgFastOpen)},
			{"listen", ret(Errno(eperm))}, // on a port that the kernel chooses, about which Landlock is not asked
		}
	}
	return append([]judge{
		{"openat", judgeOpen(2, r.pass("openat"))},
		{"open", judgeOpen(1, r.pass("open"))},
		{"ioctl", judgeIoctl()},
		{"clone", noneOf(0, cloneNamespaces)},
		{"socket", judgeSocket(r)},
		{"prctl", judgePrctl()},
		{"socketpair", judgeArg(0, []uint32{afUnix}, eafnosupport)},
		{"unshare", noneOf(0, unshareNamespaces)},
		{"personality", judgeArg(0, []uint32{0, 0xffffffff}, eperm)},
		{"mknod", judgeMode(1)},
		{"mknodat", judgeMode(2)},
		{"creat", unset(1, r.pass("creat"))},
		{"chmod", unset(1, r.pass("chmod"))},
		{"fchmod", unset(1, r.pass("fchmod"))},
		{"fchmodat", unset(2, r.pass("fchmodat"))},
		{"fchmodat2", unset(2, r.pass("fchmodat2"))},
	}, shared...)
}

// pass is what becomes of a call whose arguments are fine.
func (r Rules) pass(call string) block {
	if slices.Contains(r.Notify, call) {
		return ret(Notify)
	}
	return ret(Allow)
}

// unset refuses a mode by which a file would give its owner's rights to whoever starts it: outside, those are the
// person's, and root's where root starts the server.
func unset(n uint32, pass block) block {
	return append(block{loadArg(n)}, when(opAnyBit, modeSet, ret(Errno(eperm)), pass)...)
}

// judgeOpen looks at the mode, which follows the flags, where a file may be made. Else it is what was in the register.
func judgeOpen(flags uint32, pass block) block {
	return append(block{loadArg(flags)}, when(opAnyBit, openMakes, unset(flags+1, pass), pass)...)
}

// judgeArg allows the values of an argument.
func judgeArg(n uint32, values []uint32, errno uint16) block {
	return append(block{loadArg(n)}, oneOf(values, ret(Allow), ret(Errno(errno)))...)
}

// noneOf refuses a call that has one of the bits in an argument.
func noneOf(n, bits uint32) block {
	return append(block{loadArg(n)}, when(opAnyBit, bits, ret(Errno(eperm)), ret(Allow))...)
}

// judgeMode allows to make files and pipes, no devices and no sockets.
func judgeMode(n uint32) block {
	return append(block{loadArg(n), and(modeType)}, oneOf([]uint32{0, modeReg, modeFifo}, unset(n, ret(Allow)), ret(Errno(eperm)))...)
}

// judgeSocket goes by the family, then the type, then the protocol. Protocols are listed, not forbidden by name: MPTCP,
// SCTP and their like open other ways to where TCP may not go.
func judgeSocket(r Rules) block {
	refuse := ret(Errno(eafnosupport))
	b := refuse
	if r.Internet {
		b = oneOf([]uint32{afInet, afInet6}, judgeInternet(r.Datagrams), b)
	}
	if r.Netlink {
		b = when(opEqual, afNetlink, judgeArg(2, []uint32{netlinkRoute}, eafnosupport), b)
	}
	if r.Unix {
		b = when(opEqual, afUnix, ret(Allow), b)
	}
	return append(block{loadArg(0)}, b...)
}

func judgeInternet(datagrams bool) block {
	b := ret(Errno(eafnosupport))
	if datagrams {
		b = when(opEqual, sockDgram, judgeArg(2, []uint32{protoAny, protoUDP}, eafnosupport), b)
	}
	b = when(opEqual, sockStream, judgeArg(2, []uint32{protoAny, protoTCP}, eafnosupport), b)
	return append(block{loadArg(1), and(sockTypeMask)}, b...)
}

// judgeIoctl allows what asks about a stream or a file. TIOCSTI, which types into the terminal, is what must not pass:
// the kernel compares 32 bits, so more would let it through with a bit above them.
func judgeIoctl() block {
	return judgeArg(1, []uint32{
		0x5401, 0x5402, 0x5403, 0x5404, // TCGETS, TCSETS, TCSETSW, TCSETSF
		0x540f, 0x5413, // TIOCGPGRP, TIOCGWINSZ
		0x541b, 0x5421, 0x5450, 0x5451, // FIONREAD, FIONBIO, FIONCLEX, FIOCLEX
		0x40049409, 0x4020940d, // FICLONE, FICLONERANGE
		0x80086601,                                     // FS_IOC_GETFLAGS
		0x8910, 0x8912, 0x8913, 0x8915, 0x8919, 0x891b, // SIOCGIFNAME, -CONF, -FLAGS, -ADDR, -BRDADDR, -NETMASK
		0x8921, 0x8927, 0x8933, // SIOCGIFMTU, -HWADDR, -INDEX
	}, enotty)
}

// judgePrctl allows what concerns the caller alone and takes no rights that the walls refuse.
func judgePrctl() block {
	return judgeArg(0, []uint32{
		1, 2, 3, 4, // SET_PDEATHSIG, GET_PDEATHSIG, GET_DUMPABLE, SET_DUMPABLE
		7, 15, 16, // GET_KEEPCAPS, SET_NAME, GET_NAME
		21, 23, 27, // GET_SECCOMP, CAPBSET_READ, GET_SECUREBITS
		29, 30, 36, 37, // SET_TIMERSLACK, GET_TIMERSLACK, SET_CHILD_SUBREAPER, GET_CHILD_SUBREAPER
		38, 39, 40, 41, 42, // SET_NO_NEW_PRIVS, GET_NO_NEW_PRIVS, GET_TID_ADDRESS, SET_THP_DISABLE, GET_THP_DISABLE
		50, 51, 54, 55, 56, // SVE_SET_VL, SVE_GET_VL, PAC_RESET_KEYS, SET_TAGGED_ADDR_CTRL, GET_TAGGED_ADDR_CTRL
		52, 53, 65, 66, // GET_SPECULATION_CTRL, SET_SPECULATION_CTRL, SET_MDWE, GET_MDWE
		0x41555856, 0x53564d41, // GET_AUXV, SET_VMA
	}, einval)
}
