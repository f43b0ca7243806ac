package seccomp

import (
	"fmt"
	"slices"
)

// A Verdict is what becomes of a call: one of the constants, or an error number by [Errno].
type Verdict uint32

// The verdicts beside [Errno] (linux/seccomp.h).
const (
	Kill   Verdict = 0x80000000 // the whole process, by SIGSYS
	Notify Verdict = 0x7fc00000 // who holds the filter's descriptor decides
	Allow  Verdict = 0x7fff0000
)

// Errno is the verdict that the call fails with an error number.
func Errno(n uint16) Verdict { return Verdict(0x00050000 | uint32(n)) }

// The error numbers that filters give, the same on both architectures.
const (
	eperm        = 1
	einval       = 22
	enotty       = 25
	enosys       = 38
	eafnosupport = 97
)

// Rules are what differs between one extension's filter and another's.
type Rules struct {
	Internet  bool     // sockets of IPv4 and IPv6: TCP
	Datagrams bool     // with Internet: UDP too
	Netlink   bool     // ask the kernel for the routes and addresses; only in a network namespace of its own
	Unix      bool     // sockets of the machine: a path or an abstract name
	Shared    bool     // the network is the machine's, and Landlock holds TCP: what goes around that is refused
	Notify    []string // allowed calls that wait for a watcher's decision: see [Notify]
}

// Filter gives the filter for an architecture, GOARCH's "amd64" or "arm64". The error is for another one, and for a
// call to ask about that is not an allowed one.
func Filter(goarch string, r Rules) ([]Instruction, error) {
	a, err := archOf(goarch)
	if err != nil {
		return nil, err
	}
	verdicts, err := verdicts(a, r)
	if err != nil {
		return nil, err
	}
	calls := append(block{load(offNumber)}, a.judged(r, tree(verdicts))...)
	if a.x32 {
		calls = append(block{load(offNumber)}, when(opAtLeast, x32Bit, ret(Kill), calls[1:])...)
	}
	return append(block{load(offArch)}, when(opEqual, a.audit, calls, ret(Kill))...), nil
}

// Unasked gives a filter that allows what another one asks a watcher about.
func Unasked(f []Instruction) []Instruction {
	f = slices.Clone(f)
	for i := range f {
		if f[i] == ret(Notify)[0] {
			f[i] = ret(Allow)[0]
		}
	}
	return f
}

// A span is a run of call numbers, from its first to the next span's, with one verdict.
type span struct {
	first   uint32
	verdict Verdict
}

// verdicts gives the verdict of every number, as spans; the last one has no end.
func verdicts(a arch, r Rules) ([]span, error) {
	allowed, absent := setOf(a.allowed()), setOf(absent())
	for _, name := range r.Notify {
		if !allowed[name] {
			return nil, fmt.Errorf("seccomp: %s is not an allowed call, so nobody can be asked about it", name)
		}
	}
	named := map[uint32]Verdict{}
	newest := uint32(0)
	for name, number := range a.numbers {
		newest = max(newest, number)
		switch {
		case slices.Contains(r.Notify, name):
			named[number] = Notify
		case allowed[name]:
			named[number] = Allow
		case absent[name]:
			named[number] = Errno(enosys)
		default:
			named[number] = Errno(eperm)
		}
	}
	var spans []span
	for n := range newest + 2 {
		v, ok := named[n]
		if !ok {
			v = Errno(enosys)
		}
		if len(spans) == 0 || spans[len(spans)-1].verdict != v {
			spans = append(spans, span{n, v})
		}
	}
	return spans, nil
}

func setOf(names []string) map[string]bool {
	set := make(map[string]bool, len(names))
	for _, name := range names {
		set[name] = true
	}
	return set
}

// tree decides by the loaded number, in as many steps as the spans' count has binary digits.
func tree(spans []span) block {
	if len(spans) == 1 {
		return ret(spans[0].verdict)
	}
	half := len(spans) / 2
	return when(opAtLeast, spans[half].first, tree(spans[half:]), tree(spans[:half]))
}
