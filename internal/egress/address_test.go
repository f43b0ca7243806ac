package egress

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"

	"satchel/internal/problem"
	"satchel/internal/spec"
)

func TestReservedAddresses(t *testing.T) {
	for _, s := range []string{
		"0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.255", "100.100.100.200", "127.0.0.1", "127.255.255.254",
		"168.63.129.16", "169.254.0.1", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.192", "192.0.2.1", "192.88.99.1",
		"192.168.0.1", "198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
		"::", "::1", "::2", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::ffff:0:10.0.0.1",
		"64:ff9b::127.0.0.1", "64:ff9b::10.1.2.3", "64:ff9b::a9fe:a9fe", "64:ff9b:1::8.8.8.8", "100::1",
		"2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:db8::1", "2001:10::1", "2002:7f00:1::", "2002:a00:1::1", "2002:c0a8:101::", "2002:a9fe:a9fe::",
		"3fff::1", "4000::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fdff::1", "fe80::1", "fe80::1%eth0", "febf::1", "fec0::1", "ff02::1", "ffff::1",
	} {
		if reserved(netip.MustParseAddr(s)) == "" {
			t.Errorf("%s is taken for a public address", s)
		}
	}
	for _, s := range []string{
		"1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.1", "169.253.255.255", "169.255.0.0",
		"172.15.255.255", "172.32.0.0", "192.0.1.0", "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255",
		"::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1", "2000::1", "2001:200::1", "2606:4700::1111", "2a00:1450::1", "3ffe::1",
	} {
		if why := reserved(netip.MustParseAddr(s)); why != "" {
			t.Errorf("%s %s", s, why)
		}
	}
}

// FuzzReserved holds the table to what Go's own predicates know, in every clothing of an IPv4 address.
func FuzzReserved(f *testing.F) {
	f.Add([]byte{127, 0, 0, 1})
	f.Add([]byte{10, 0, 0, 1})
	f.Add(netip.MustParseAddr("fe80::1").AsSlice())
	f.Fuzz(func(t *testing.T, b []byte) {
		a, ok := netip.AddrFromSlice(b)
		if !ok {
			return
		}
		known := a.Unmap()
		special := !known.IsGlobalUnicast() || known.IsPrivate() || known.IsLoopback()
		if special && reserved(a) == "" {
			t.Errorf("%s is taken for a public address", a)
		}
		if !a.Is4() {
			return
		}
		four := a.As4()
		for _, prefix := range []string{"::ffff:0:0", "64:ff9b::"} {
			clothed := netip.MustParseAddr(prefix).As16()
			copy(clothed[12:], four[:])
			if (reserved(netip.AddrFrom16(clothed)) == "") != (reserved(a) == "") {
				t.Errorf("%s and %s are judged differently", a, netip.AddrFrom16(clothed))
			}
		}
	})
}

func TestNamesThatLeadToReservedAddresses(t *testing.T) {
	for _, addr := range []string{"127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "fd00:ec2::254", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "0.0.0.0"} {
		t.Run(addr, func(t *testing.T) {
			port := webServer(t, nil)
			r := newRig(t, spec.Net{Hosts: []spec.Host{{Name: "api.test", Port: port}}}, names{"api.test": always(addr)})
			answer := r.ask(get("api.test", port, "/"))
			if !strings.HasPrefix(answer, "HTTP/1.1 403 Refused by Satchel (egress/address)") {
				t.Errorf("%q", answer)
			}
			literal := target{addr: netip.MustParseAddr(addr).Unmap(), port: port}
			grant := "net:" + literal.String()
			if reserved(literal.addr) == thisMachine {
				grant = fmt.Sprint("port:", port)
			}
			if !strings.Contains(answer, "satchel permissions acme/tool --grant "+problem.Words(grant)+"\n") {
				t.Errorf("the answer does not say what would grant it: %q", answer)
			}
			a := r.refused("egress/address")
			if a.Address != literal.String() || a.Host != "api.test" || a.Port != port || a.Grant != grant {
				t.Errorf("%+v", a)
			}
		})
	}
}

// Where a rebinding attack says one thing first and another later, only the address that is connected to counts.
func TestRebinding(t *testing.T) {
	port := webServer(t, nil)
	errReached := errors.New("a public address")
	var reached []string
	r := newRig(t, spec.Net{Hosts: []spec.Host{{Name: "evil.test", Port: port}}}, names{"evil.test": func(n int) []string {
		if n == 0 {
			return []string{"93.184.215.14"}
		}
		return []string{"127.0.0.1"}
	}})
	r.permitted = func(_, address string) error {
		reached = append(reached, address)
		return errReached
	}
	first := r.ask(get("evil.test", port, "/"))
	second := r.ask(get("evil.test", port, "/"))
	list := r.done()
	if !strings.HasPrefix(first, "HTTP/1.1 502 ") || !strings.HasPrefix(second, "HTTP/1.1 403 ") || len(list) != 2 {
		t.Fatalf("%q\n%q\n%+v", first, second, list)
	}
	if len(reached) != 1 || !strings.HasPrefix(reached[0], "93.184.215.14:") {
		t.Errorf("connected to %v", reached)
	}
	if a := list[0]; !a.Allowed || !strings.Contains(a.Why, errReached.Error()) || a.Address != reached[0] {
		t.Errorf("%+v", a)
	}
	if a := list[1]; a.Allowed || a.Rule != "egress/address" || !strings.HasPrefix(a.Address, "127.0.0.1:") {
		t.Errorf("%+v", a)
	}
}

// A name with several addresses is reached at the public one only, in whichever order they come.
func TestManyAnswers(t *testing.T) {
	for _, answers := range [][]string{
		{"127.0.0.1", "93.184.215.14"}, {"93.184.215.14", "127.0.0.1"}, {"::1", "93.184.215.14"}, {"2606:4700::1", "127.0.0.1"},
	} {
		port := webServer(t, nil)
		r := newRig(t, spec.Net{Any: true}, names{"evil.test": always(answers...)})
		r.permitted = func(_, address string) error {
			if a := netip.MustParseAddrPort(address); reserved(a.Addr()) != "" {
				t.Errorf("%v: %s was found good", answers, address)
			}
			return errors.New("not in a test")
		}
		if answer := r.ask(get("evil.test", port, "/")); strings.HasPrefix(answer, "HTTP/1.1 200") {
			t.Errorf("%v: %q", answers, answer)
		}
		r.refused("egress/address")
	}
}

func TestOwnPublicAddressIsThisMachine(t *testing.T) {
	list, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	p := New(Config{Net: spec.Net{Any: true}})
	defer p.Close()
	for _, a := range list {
		own, _ := netip.AddrFromSlice(a.(*net.IPNet).IP)
		if !ownAddress(own) || p.judge(netip.AddrPortFrom(own, 80)) == "" {
			t.Errorf("%s is not taken for this machine", own)
		}
	}
	if ownAddress(netip.MustParseAddr("1.1.1.1")) {
		t.Error("1.1.1.1 is taken for this machine")
	}
}

func TestNetworkOfAnyNameStillHasNoReservedAddresses(t *testing.T) {
	port := webServer(t, nil)
	for _, host := range []string{"127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "[::]", "0.0.0.0", "api.test"} {
		r := newRig(t, spec.Net{Any: true}, names{"api.test": always("127.0.0.1")})
		if answer := r.ask(get(host, port, "/")); !strings.HasPrefix(answer, "HTTP/1.1 403 ") {
			t.Errorf("%s: %q", host, answer)
		}
		r.refused("egress/address")
	}
}

func TestLiteralAddressesAreReachedWhenGrantedLiterally(t *testing.T) {
	port := webServer(t, nil)
	for _, host := range []string{"127.0.0.1", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]"} {
		r := newRig(t, grant(port), nil)
		if answer := r.ask(get(host, port, "/x")); !strings.Contains(answer, "GET /x host=127.0.0.1:") {
			t.Errorf("%s: %q", host, answer)
		}
		if a := r.passed(); a.Host != "127.0.0.1" || a.Grant != fmt.Sprint("port:", port) {
			t.Errorf("%+v", a)
		}
	}
}
