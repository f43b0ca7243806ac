package seccomp

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// A call is what the kernel shows a filter: struct seccomp_data.
type call struct {
	arch, number uint32
	args         [6]uint64
}

func (c call) word(offset uint32) uint32 {
	switch {
	case offset == offNumber:
		return c.number
	case offset == offArch:
		return c.arch
	case offset >= offArg0 && offset < offArg0+48 && offset%8 == 0:
		return uint32(c.args[(offset-offArg0)/8])
	}
	panic(fmt.Sprintf("nothing at offset %d", offset))
}

// run does what the kernel does with a filter, and gives the verdict and the instructions it took.
func run(t *testing.T, filter []Instruction, c call) (v Verdict, steps int) {
	t.Helper()
	var a uint32
	for pc := 0; pc < len(filter); pc++ {
		i := filter[pc]
		steps++
		branch := func(yes bool) {
			if yes {
				pc += int(i.Jt)
			} else {
				pc += int(i.Jf)
			}
		}
		switch i.Code {
		case opLoad:
			a = c.word(i.K)
		case opAnd:
			a &= i.K
		case opJump:
			pc += int(i.K)
		case opEqual:
			branch(a == i.K)
		case opAtLeast:
			branch(a >= i.K)
		case opAnyBit:
			branch(a&i.K != 0)
		case opReturn:
			return Verdict(i.K), steps
		default:
			t.Fatalf("instruction %d is unknown: %+v", pc, i)
		}
	}
	t.Fatal("the filter has no end")
	return 0, 0
}

func (v Verdict) String() string {
	names := map[Verdict]string{Kill: "kill", Notify: "notify", Allow: "allow", Errno(eperm): "EPERM", Errno(einval): "EINVAL",
		Errno(enotty): "ENOTTY", Errno(enosys): "ENOSYS", Errno(eafnosupport): "EAFNOSUPPORT"}
	if name, ok := names[v]; ok {
		return name
	}
	return fmt.Sprintf("verdict %#x", uint32(v))
}

func filterOf(t *testing.T, goarch string, r Rules) ([]Instruction, arch) {
	t.Helper()
	f, err := Filter(goarch, r)
	if err != nil {
		t.Fatal(err)
	}
	a, err := archOf(goarch)
	if err != nil {
		t.Fatal(err)
	}
	return f, a
}

// everyRule is each of the rules' shapes.
func everyRule() (all []Rules) {
	for i := range 32 {
		all = append(all, Rules{Internet: i&1 != 0, Datagrams: i&2 != 0, Netlink: i&4 != 0, Unix: i&8 != 0, Shared: i&16 != 0})
	}
	return all
}

// TestVerdictOfEveryCall pins what becomes of each call by name, on both architectures: read the golden file.
func TestVerdictOfEveryCall(t *testing.T) {
	for _, goarch := range []string{"amd64", "arm64"} {
		f, a := filterOf(t, goarch, Rules{})
		judged := map[string]bool{}
		for _, j := range judges(Rules{}) {
			judged[j.call] = true
		}
		lines := map[string][]string{}
		for _, name := range slices.Sorted(maps.Keys(a.numbers)) {
			v, _ := run(t, f, call{arch: a.audit, number: a.numbers[name]})
			key := v.String()
			if judged[name] {
				key = "judged by its arguments"
			}
			lines[key] = append(lines[key], name)
		}
		var b bytes.Buffer
		for _, key := range slices.Sorted(maps.Keys(lines)) {
			fmt.Fprintf(&b, "%s: %d\n", key, len(lines[key]))
			for _, name := range lines[key] {
				fmt.Fprintf(&b, "  %s\n", name)
			}
		}
		golden(t, "testdata/verdicts_"+goarch, b.Bytes())
	}
}

// TestEveryAllowedNameIsACall finds a misspelt name, which would be allowed nowhere.
func TestEveryAllowedNameIsACall(t *testing.T) {
	amd, _ := archOf("amd64")
	arm, _ := archOf("arm64")
	seen := map[string]bool{}
	for _, name := range slices.Concat(amd.allowed(), absent()) {
		if seen[name] {
			t.Errorf("%s is listed twice", name)
		}
		seen[name] = true
		if _, ok := amd.numbers[name]; !ok {
			t.Errorf("amd64 has no call %s", name)
		}
	}
	for _, name := range strings.Fields(onlyAMD64) {
		if _, ok := arm.numbers[name]; ok {
			t.Errorf("%s is said to be of amd64 only, but arm64 has it", name)
		}
	}
	for _, name := range arm.allowed() {
		if _, ok := arm.numbers[name]; !ok {
			t.Errorf("arm64 has no call %s", name)
		}
	}
}

func TestNumbersWithoutANameAreAbsent(t *testing.T) {
	for _, goarch := range []string{"amd64", "arm64"} {
		f, a := filterOf(t, goarch, Rules{})
		named := map[uint32]bool{}
		for _, n := range a.numbers {
			named[n] = true
		}
		for n := range uint32(3000) {
			if v, _ := run(t, f, call{arch: a.audit, number: n}); !named[n] && v != Errno(enosys) {
				t.Errorf("%s: call %d gets %s", goarch, n, v)
			}
		}
	}
}

// TestForeignCallsKill: the other architecture's numbers, i386's, and x32's.
func TestForeignCallsKill(t *testing.T) {
	amd, a := filterOf(t, "amd64", Rules{Internet: true, Unix: true, Netlink: true, Datagrams: true})
	arm, b := filterOf(t, "arm64", Rules{Internet: true, Unix: true, Netlink: true, Datagrams: true})
	for n := range uint32(600) {
		for name, got := range map[string]Verdict{
			"arm64 on amd64": verdictOf(t, amd, call{arch: b.audit, number: n}),
			"i386 on amd64":  verdictOf(t, amd, call{arch: 0x40000003, number: n}),
			"x32":            verdictOf(t, amd, call{arch: a.audit, number: n | x32Bit}),
			"amd64 on arm64": verdictOf(t, arm, call{arch: a.audit, number: n}),
			"arm on arm64":   verdictOf(t, arm, call{arch: 0x40000028, number: n}),
		} {
			if got != Kill {
				t.Fatalf("%s: call %d gets %s", name, n, got)
			}
		}
	}
	if v := verdictOf(t, amd, call{arch: a.audit, number: 0xffffffff}); v != Kill {
		t.Errorf("call -1 gets %s", v)
	}
}

func verdictOf(t *testing.T, f []Instruction, c call) Verdict {
	t.Helper()
	v, _ := run(t, f, c)
	return v
}

func TestArguments(t *testing.T) {
	const high = 1 << 32 // bits above the word that the kernel compares
	all := Rules{Internet: true, Datagrams: true, Netlink: true, Unix: true}
	for _, c := range []struct {
		rules Rules
		call  string
		args  [6]uint64
		want  Verdict
	}{
		{Rules{}, "socket", [6]uint64{afInet, sockStream, 0}, Errno(eafnosupport)},
		{Rules{}, "socket", [6]uint64{afUnix, sockStream, 0}, Errno(eafnosupport)},
		{Rules{}, "socket", [6]uint64{afNetlink, sockRaw, 0}, Errno(eafnosupport)},
		{Rules{Internet: true}, "socket", [6]uint64{afInet, sockStream | 0x80000, 0}, Allow},
		{Rules{Internet: true}, "socket", [6]uint64{afInet6, sockStream | 0x800, protoTCP}, Allow},
		{Rules{Internet: true}, "socket", [6]uint64{afInet, sockDgram, 0}, Errno(eafnosupport)},
		{Rules{Datagrams: true}, "socket", [6]uint64{afInet, sockDgram, 0}, Errno(eafnosupport)},
		{all, "socket", [6]uint64{afInet, sockDgram, protoUDP}, Allow},
		{all, "socket", [6]uint64{afInet, sockDgram, 1}, Errno(eafnosupport)},                       // ping
		{all, "socket", [6]uint64{afInet, sockStream, 262}, Errno(eafnosupport)},                    // MPTCP
		{all, "socket", [6]uint64{afInet, sockStream, 132}, Errno(eafnosupport)},                    // SCTP
		{all, "socket", [6]uint64{afInet, sockRaw, 0}, Errno(eafnosupport)},                         // raw
		{all, "socket", [6]uint64{17, sockRaw, 0}, Errno(eafnosupport)},                             // packet
		{all, "socket", [6]uint64{40, sockStream, 0}, Errno(eafnosupport)},                          // vsock
		{all, "socket", [6]uint64{38, 5, 0}, Errno(eafnosupport)},                                   // alg
		{all, "socket", [6]uint64{afNetlink, sockRaw, 9}, Errno(eafnosupport)},                      // audit
		{all, "socket", [6]uint64{afNetlink, sockRaw, netlinkRoute}, Allow},                         //
		{all, "socket", [6]uint64{high | 17, sockRaw, 0}, Errno(eafnosupport)},                      //
		{all, "socket", [6]uint64{high | afInet, high | sockRaw, 0}, Errno(eafnosupport)},           //
		{Rules{}, "socketpair", [6]uint64{afUnix, sockStream, 0}, Allow},                            //
		{all, "socketpair", [6]uint64{afInet, sockStream, 0}, Errno(eafnosupport)},                  //
		{Rules{}, "ioctl", [6]uint64{0, 0x5401}, Allow},                                             //
		{Rules{}, "ioctl", [6]uint64{0, 0x5412}, Errno(enotty)},                                     // TIOCSTI
		{Rules{}, "ioctl", [6]uint64{0, high | 0x5412}, Errno(enotty)},                              // with a bit above
		{Rules{}, "ioctl", [6]uint64{0, 0x541c}, Errno(enotty)},                                     // TIOCLINUX
		{Rules{}, "prctl", [6]uint64{15}, Allow},                                                    //
		{Rules{}, "prctl", [6]uint64{22}, Errno(einval)},                                            // SET_SECCOMP
		{Rules{}, "prctl", [6]uint64{35}, Errno(einval)},                                            // SET_MM
		{Rules{}, "prctl", [6]uint64{8}, Errno(einval)},                                             // SET_KEEPCAPS
		{Rules{}, "clone", [6]uint64{0x3d0f00}, Allow},                                              // a thread
		{Rules{}, "clone", [6]uint64{17}, Allow},                                                    // fork
		{Rules{}, "clone", [6]uint64{0x10000000 | 17}, Errno(eperm)},                                // user namespace
		{Rules{}, "clone", [6]uint64{0x02000000 | 17}, Errno(eperm)},                                // cgroup namespace
		{Rules{}, "unshare", [6]uint64{0x400}, Allow},                                               // its own table of files
		{Rules{}, "unshare", [6]uint64{0x10000000}, Errno(eperm)},                                   //
		{Rules{}, "unshare", [6]uint64{0x80}, Errno(eperm)},                                         // time namespace
		{Rules{}, "personality", [6]uint64{0xffffffff}, Allow},                                      //
		{Rules{}, "personality", [6]uint64{0x0400000}, Errno(eperm)},                                // READ_IMPLIES_EXEC
		{Rules{}, "mknodat", [6]uint64{0, 0, 0o100644}, Allow},                                      //
		{Rules{}, "mknodat", [6]uint64{0, 0, 0o010644}, Allow},                                      // a pipe
		{Rules{}, "mknodat", [6]uint64{0, 0, 0o020644}, Errno(eperm)},                               // a device
		{Rules{}, "mknodat", [6]uint64{0, 0, 0o140644}, Errno(eperm)},                               // a socket
		{Rules{}, "mknodat", [6]uint64{0, 0, 0o104755}, Errno(eperm)},                               // a program that runs as its owner
		{Rules{}, "fchmod", [6]uint64{3, 0o755}, Allow},                                             //
		{Rules{}, "fchmod", [6]uint64{3, 0o1777}, Allow},                                            // sticky
		{Rules{}, "fchmod", [6]uint64{3, 0o4755}, Errno(eperm)},                                     //
		{Rules{}, "fchmod", [6]uint64{3, high | 0o2755}, Errno(eperm)},                              // or as its group
		{Rules{}, "fchmodat", [6]uint64{0, 0, 0o6755}, Errno(eperm)},                                //
		{Rules{}, "fchmodat2", [6]uint64{0, 0, 0o4000}, Errno(eperm)},                               //
		{Rules{}, "openat", [6]uint64{0, 0, 0, 0o4755}, Allow},                                      // what is left in a register
		{Rules{}, "openat", [6]uint64{0, 0, 0o100 | 1, 0o4755}, Errno(eperm)},                       // O_CREAT
		{Rules{}, "openat", [6]uint64{0, 0, 0o20000000 | 1, 0o2755}, Errno(eperm)},                  // O_TMPFILE
		{Rules{}, "openat", [6]uint64{0, 0, high | 0o100, high | 0o644}, Allow},                     //
		{Rules{}, "openat2", [6]uint64{}, Errno(enosys)},                                            // its mode is in memory
		{Rules{Notify: []string{"fchmodat"}}, "fchmodat", [6]uint64{0, 0, 0o755}, Notify},           //
		{Rules{Notify: []string{"openat"}}, "openat", [6]uint64{0, 0, 0o100, 0o4755}, Errno(eperm)}, //
		{Rules{Notify: []string{"openat"}}, "openat", [6]uint64{0, 0, 0o100, 0o644}, Notify},        //
		{Rules{Shared: true}, "sendto", [6]uint64{3, 0, 0, msgFastOpen | 0x4000}, Errno(eperm)},     //
		{Rules{Shared: true}, "sendto", [6]uint64{3, msgFastOpen, msgFastOpen, 0x4000}, Allow},      //
		{Rules{Shared: true}, "sendmsg", [6]uint64{3, 0, msgFastOpen}, Errno(eperm)},                //
		{Rules{Shared: true}, "sendmmsg", [6]uint64{3, 0, 1, msgFastOpen}, Errno(eperm)},            //
		{Rules{Shared: true}, "listen", [6]uint64{3, 1}, Errno(eperm)},                              //
		{Rules{}, "listen", [6]uint64{3, 1}, Allow},                                                 //
		{Rules{Notify: []string{"openat"}}, "openat", [6]uint64{}, Notify},                          //
		{Rules{Notify: []string{"openat", "execve"}}, "execve", [6]uint64{}, Notify},                //
		{Rules{Notify: []string{"openat"}}, "io_uring_setup", [6]uint64{}, Errno(enosys)},           //
		{Rules{Notify: []string{"openat"}}, "ptrace", [6]uint64{}, Errno(eperm)},                    //
	} {
		for _, goarch := range []string{"amd64", "arm64"} {
			f, a := filterOf(t, goarch, c.rules)
			if got := verdictOf(t, f, call{a.audit, a.numbers[c.call], c.args}); got != c.want {
				t.Errorf("%s: %s%x under %+v: %s, want %s", goarch, c.call, c.args, c.rules, got, c.want)
			}
		}
	}
}

// TestRulesChangeOnlySockets: a grant of network opens no other call.
func TestRulesChangeOnlySockets(t *testing.T) {
	for _, goarch := range []string{"amd64", "arm64"} {
		base, a := filterOf(t, goarch, Rules{})
		for _, r := range everyRule() {
			f, _ := filterOf(t, goarch, r)
			for name, n := range a.numbers {
				if name == "socket" || name == "listen" && r.Shared {
					continue
				}
				c := call{arch: a.audit, number: n}
				if got, want := verdictOf(t, f, c), verdictOf(t, base, c); got != want {
					t.Errorf("%s under %+v: %s, without rules %s", name, r, got, want)
				}
			}
		}
	}
}

// TestAskingChangesOnlyWhatIsAsked: every allowed call can be asked about, no other changes, and where nobody can be asked
// the filter is the same as ever.
func TestAskingChangesOnlyWhatIsAsked(t *testing.T) {
	for _, goarch := range []string{"amd64", "arm64"} {
		base, a := filterOf(t, goarch, Rules{})
		for _, asked := range [][]string{{"execve"}, {"execve", "openat", "unlinkat"}, a.allowed()} {
			f, _ := filterOf(t, goarch, Rules{Notify: asked})
			unasked := Unasked(f)
			for name, n := range a.numbers {
				c := call{arch: a.audit, number: n}
				was, now, without := verdictOf(t, base, c), verdictOf(t, f, c), verdictOf(t, unasked, c)
				if slices.Contains(asked, name) && now != Notify {
					t.Errorf("%s: nobody is asked about %s: %s", goarch, name, now)
				}
				if (!slices.Contains(asked, name) && now != was) || without != was {
					t.Errorf("%s: %s: %s, asked %s, unasked %s", goarch, name, was, now, without)
				}
			}
		}
	}
}

// TestTheKernelTakesTheFilter: at most BPF_MAXINSNS instructions, jumps that stay inside; and few steps to a verdict.
func TestTheKernelTakesTheFilter(t *testing.T) {
	for _, goarch := range []string{"amd64", "arm64"} {
		for _, r := range everyRule() {
			f, a := filterOf(t, goarch, r)
			if len(f) > 500 {
				t.Errorf("%s: %d instructions", goarch, len(f))
			}
			for i, in := range f {
				far := 0
				switch in.Code {
				case opJump:
					far = int(in.K)
				case opEqual, opAtLeast, opAnyBit:
					far = int(max(in.Jt, in.Jf))
				}
				if i+1+far >= len(f) && in.Code != opReturn {
					t.Fatalf("%s: instruction %d jumps out", goarch, i)
				}
			}
			for name, n := range a.numbers {
				if _, steps := run(t, f, call{arch: a.audit, number: n}); steps > 60 {
					t.Errorf("%s: %s takes %d steps", goarch, name, steps)
				}
			}
		}
	}
}

func TestWhatCannotBeFilteredIsAnError(t *testing.T) {
	if _, err := Filter("riscv64", Rules{}); err == nil {
		t.Error("a filter for riscv64")
	}
	if _, err := Filter("amd64", Rules{Notify: []string{"ptrace"}}); err == nil {
		t.Error("a watcher may be asked about ptrace")
	}
	if _, err := Filter("arm64", Rules{Notify: []string{"open"}}); err == nil {
		t.Error("arm64 has no open")
	}
}
