package egress

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"strings"
	"testing"

	"satchel/internal/spec"
)

// socksRequest writes a greeting and a request, and gives the reply's code; -1 when there was none.
func (r *rig) socksRequest(request []byte) (code int, c io.ReadWriteCloser) {
	r.t.Helper()
	conn := dialDoor(r.t, r.socks)
	conn.Write([]byte{5, 1, 0})
	greeting := make([]byte, 2)
	if _, err := io.ReadFull(conn, greeting); err != nil || !bytes.Equal(greeting, []byte{5, 0}) {
		r.t.Fatalf("%x, %v", greeting, err)
	}
	conn.Write(request)
	reply := make([]byte, 10)
	if _, err := io.ReadFull(conn, reply); err != nil {
		return -1, conn
	}
	if reply[0] != 5 || reply[2] != 0 || reply[3] != 1 {
		r.t.Errorf("reply %x", reply)
	}
	return int(reply[1]), conn
}

func byName(command byte, name string, port int) []byte {
	b := append([]byte{5, command, 0, addrName, byte(len(name))}, name...)
	return binary.BigEndian.AppendUint16(b, uint16(port))
}

func TestSOCKS(t *testing.T) {
	port := webServer(t, nil)
	literal4 := binary.BigEndian.AppendUint16([]byte{5, 1, 0, addrIPv4, 127, 0, 0, 1}, uint16(port))
	literal6 := binary.BigEndian.AppendUint16(append([]byte{5, 1, 0, addrIPv6}, mapped127()...), uint16(port))
	for _, request := range [][]byte{byName(1, "API.test.", port), byName(1, "127.0.0.1", port), literal4, literal6} {
		r := newRig(t, grant(port, "api.test"), names{"api.test": always("127.0.0.1")})
		code, c := r.socksRequest(request)
		if code != 0 {
			t.Fatalf("%x: reply %d", request, code)
		}
		host := "127.0.0.1"
		if request[3] == addrName && request[5] == 'A' {
			host = "api.test"
		}
		fmt.Fprintf(c, "GET /x HTTP/1.1\r\nHost: %s:%d\r\nConnection: close\r\n\r\n", host, port)
		if answer, _ := io.ReadAll(c); !strings.Contains(string(answer), "GET /x host="+host) {
			t.Errorf("%q", answer)
		}
		if a := r.passed(); a.Via != ViaSOCKS || a.Host != host || a.Port != port || a.Sent == 0 || a.Received == 0 {
			t.Errorf("%+v", a)
		}
	}
}

func TestNamesOfOtherScripts(t *testing.T) {
	port := webServer(t, nil)
	for _, name := range []string{"bücher.example", "BÜCHER.example", "xn--bcher-kva.example.", "bücher。example"} {
		r := newRig(t, grant(port, "xn--bcher-kva.example"), loopback("xn--bcher-kva.example"))
		if code, _ := r.socksRequest(byName(1, name, port)); code != 0 {
			t.Errorf("%s: reply %d", name, code)
		}
		if a := r.passed(); a.Host != "xn--bcher-kva.example" {
			t.Errorf("%+v", a)
		}
	}
}

func mapped127() []byte { return []byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127, 0, 0, 1} }

func TestSOCKSRefusals(t *testing.T) {
	closedPort := portOf(t, func() string { l := listen(t); defer l.Close(); return l.Addr().String() }())
	for name, c := range map[string]struct {
		request []byte
		code    int
		rule    string
	}{
		"not granted":          {byName(1, "evil.test", 443), socksRefused, "egress/not-granted"},
		"another port":         {byName(1, "api.test", 1), socksRefused, "egress/not-granted"},
		"a private address":    {byName(1, "private.test", 443), socksRefused, "egress/address"},
		"a literal address":    {[]byte{5, 1, 0, 1, 127, 0, 0, 1, 0, 80}, socksRefused, "egress/not-granted"},
		"BIND":                 {byName(2, "api.test", closedPort), noCommand, "egress/request"},
		"UDP ASSOCIATE":        {byName(3, "api.test", closedPort), noCommand, "egress/request"},
		"an unknown command":   {byName(9, "api.test", closedPort), noCommand, "egress/request"},
		"a type of address":    {[]byte{5, 1, 0, 2, 127, 0, 0, 1, 0, 80}, noAddressType, "egress/request"},
		"reserved byte":        {[]byte{5, 1, 1, 1, 127, 0, 0, 1, 0, 80}, socksFailed, "egress/request"},
		"version":              {[]byte{4, 1, 0, 1, 127, 0, 0, 1, 0, 80}, socksFailed, "egress/request"},
		"port 0":               {byName(1, "api.test", 0), socksRefused, "egress/request"},
		"no name":              {byName(1, "", 443), socksRefused, "egress/request"},
		"NUL in a name":        {byName(1, "api.test\x00.evil.test", closedPort), socksRefused, "egress/request"},
		"CRLF in a name":       {byName(1, "api.test\r\nX: y", closedPort), socksRefused, "egress/request"},
		"255 bytes of name":    {byName(1, strings.Repeat("a", 255), 443), socksRefused, "egress/request"},
		"255 bytes of labels":  {byName(1, strings.Repeat("a.", 127)+"a", 443), socksRefused, "egress/request"},
		"a decimal address":    {byName(1, "2130706433", 443), socksRefused, "egress/request"},
		"an octal address":     {byName(1, "0177.0.0.1", 443), socksRefused, "egress/request"},
		"IPv6 with a zone":     {byName(1, "fe80::1%lo", 443), socksRefused, "egress/request"},
		"IPv6 in brackets":     {byName(1, "[::1]", 443), socksRefused, "egress/request"},
		"a name with its port": {byName(1, "api.test:443", 443), socksRefused, "egress/request"},
	} {
		n := spec.Net{Hosts: []spec.Host{{Name: "api.test", Port: closedPort}, {Name: "private.test", Port: 443}}}
		r := newRig(t, n, names{"api.test": always("127.0.0.1"), "private.test": always("192.168.0.1")})
		code, conn := r.socksRequest(c.request)
		if rest, err := io.ReadAll(conn); code != c.code || len(rest) > 0 || err != nil {
			t.Errorf("%s: reply %d, then %x, %v; want %d and the end", name, code, rest, err, c.code)
		}
		t.Run(name, func(t *testing.T) { r.t = t; r.refused(c.rule) })
	}
	r := newRig(t, spec.Net{Hosts: []spec.Host{{Name: "127.0.0.1", Port: closedPort}, {Name: "nowhere.test", Port: 443}}}, names{})
	for _, request := range [][]byte{byName(1, "127.0.0.1", closedPort), byName(1, "nowhere.test", 443)} {
		if code, _ := r.socksRequest(request); code != noHost {
			t.Errorf("%q: reply %d", request, code)
		}
	}
	for _, a := range r.done() {
		if !a.Allowed || a.Why == "" {
			t.Errorf("%+v", a)
		}
	}
}

func TestSOCKSGreetings(t *testing.T) {
	for text, want := range map[string]string{
		"\x05\x01\x02": "\x05\xff", "\x05\x00": "\x05\xff", "\x05\x02\x01\x02": "\x05\xff",
		"\x04\x01\x00\x50\x7f\x00\x00\x01\x00": "", "GET / HTTP/1.1\r\n\r\n": "", "\x16\x03\x01": "", "\x05": "", "\x05\x09\x00": "",
	} {
		r := newRig(t, spec.Net{}, nil)
		c := dialDoor(t, r.socks)
		io.WriteString(c, text)
		c.CloseWrite()
		if answer, _ := io.ReadAll(c); string(answer) != want {
			t.Errorf("%x: %x, want %x", text, answer, want)
		}
		r.refused("egress/request")
	}
	// Who greets as one may choose.
	r := newRig(t, spec.Net{}, nil)
	c := dialDoor(t, r.socks)
	c.Write([]byte{5, 3, 2, 0, 1})
	answer := make([]byte, 2)
	if _, err := io.ReadFull(c, answer); err != nil || answer[1] != 0 {
		t.Errorf("%x, %v", answer, err)
	}
}

func FuzzSOCKS(f *testing.F) {
	f.Add([]byte{5, 1, 0})
	f.Add(byName(1, "api.test", 443))
	f.Add([]byte{5, 1, 0, 1, 127, 0, 0, 1, 0, 80})
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 600 {
			return
		}
		type greeting struct {
			size   int
			method byte
		}
		sameEverywhere(t, b, func(b []byte) (greeting, int, error) {
			size, method, need, err := parseGreeting(b, noAuth)
			if need > 2+255 || size > 2+255 {
				t.Errorf("a greeting of %d bytes", max(need, size))
			}
			if need > 0 {
				return greeting{}, need, err
			}
			return greeting{size, method}, need, err
		})
		sameEverywhere(t, b, func(b []byte) (socksAsk, int, error) {
			r, need, err := parseSOCKS(b)
			if need > 5+255+2 || r.size > 5+255+2 {
				t.Errorf("a request of %d bytes", max(need, r.size))
			}
			if need > 0 || err != nil {
				r = socksAsk{}
			}
			return r, need, err
		})
	})
}
