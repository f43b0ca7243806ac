package egress

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"satchel/internal/spec"
)

// Both ways to a tunnel, for tests that hold for both.
func eachDoor(t *testing.T, f func(t *testing.T, open func(r *rig, host string, port int) net.Conn)) {
	t.Run("connect", func(t *testing.T) {
		f(t, func(r *rig, host string, port int) net.Conn {
			r.t.Helper()
			c, br, status := r.tunnelTo(fmt.Sprintf("%s:%d", host, port))
			if !strings.HasPrefix(status, "HTTP/1.1 200 ") {
				r.t.Fatalf("%q", status)
			}
			return buffered{c, br}
		})
	})
	t.Run("socks", func(t *testing.T) {
		f(t, func(r *rig, host string, port int) net.Conn {
			r.t.Helper()
			code, c := r.socksRequest(byName(1, host, port))
			if code != 0 {
				r.t.Fatalf("reply %d", code)
			}
			return c.(net.Conn)
		})
	})
}

// buffered is a connection of which something may have been read.
type buffered struct {
	*net.TCPConn
	r *bufio.Reader
}

func (b buffered) Read(p []byte) (int, error) { return b.r.Read(p) }

func loopback(hosts ...string) names {
	nn := names{}
	for _, h := range hosts {
		nn[h] = always("127.0.0.1")
	}
	return nn
}

func TestTLSTunnel(t *testing.T) {
	a := newAuthority(t)
	port := webServer(t, a.server("api.test", "127.0.0.1"))
	eachDoor(t, func(t *testing.T, open func(*rig, string, int) net.Conn) {
		for _, host := range []string{"api.test", "127.0.0.1"} {
			r := newRig(t, grant(port, "api.test"), loopback("api.test"))
			c := tls.Client(open(r, host, port), &tls.Config{RootCAs: a.pool(), ServerName: host})
			fmt.Fprintf(c, "GET /x HTTP/1.1\r\nHost: anything\r\nConnection: close\r\n\r\n")
			if answer, err := io.ReadAll(c); err != nil || !strings.Contains(string(answer), "GET /x host=anything") {
				t.Errorf("%s: %q, %v", host, answer, err)
			}
			c.Close()
			if at := r.passed(); at.Host != host || at.Sent < 100 || at.Received < 100 {
				t.Errorf("%+v", at)
			}
		}
	})
}

// What a server may not do once it has a tunnel to a host that is granted.
func TestFirstBytesThatDoNotFit(t *testing.T) {
	web := "GET / HTTP/1.1\r\nHost: "
	for name, c := range map[string]struct{ first, rule string }{
		"domain fronting":           {string(helloWith(sni("evil.test"))), "egress/server-name"},
		"a longer name":             {string(helloWith(sni("api.test.evil.test"))), "egress/server-name"},
		"a shorter name":            {string(helloWith(sni("test"))), "egress/server-name"},
		"NUL in a name":             {string(helloWith(sni("api.test\x00.evil.test"))), "egress/server-name"},
		"fronting in small records": {string(records(helloMessage(sni("evil.test")), 7)), "egress/server-name"},
		"an address as the name":    {string(helloWith(sni("127.0.0.1"))), "egress/server-name"},
		"no name":                   {string(helloWith()), "egress/server-name"},
		"two names":                 {string(helloWith(sni("api.test"), sni("evil.test"))), "egress/first-bytes"},
		"hidden name":               {string(helloWith(sni("api.test"), extension(extECH, []byte{0}))), "egress/hidden-name"},
		"TLS of another kind":       {"\x16\x02\x00\x00\x01\x00", "egress/first-bytes"},
		"a giant hello":             {string(records(helloMessage(extension(21, make([]byte, 20000))), 9000)), "egress/first-bytes"},
		"a hello of tiny records":   {string(records(append(helloMessage(extension(21, make([]byte, 12000)))[:10000], make([]byte, 2000)...), 1)), "egress/first-bytes"},
		"another host":              {web + "evil.test\r\n\r\n", "egress/host"},
		"another port":              {web + "api.test:1\r\n\r\n", "egress/host"},
		"no host":                   {"GET / HTTP/1.0\r\n\r\n", "egress/host"},
		"two hosts":                 {web + "api.test\r\nHost: evil.test\r\n\r\n", "egress/first-bytes"},
		"an absolute address":       {"GET http://evil.test/ HTTP/1.1\r\nHost: api.test\r\n\r\n", "egress/host"},
		"a tunnel in the tunnel":    {"CONNECT evil.test:443 HTTP/1.1\r\nHost: api.test\r\n\r\n", "egress/host"},
		"HTTP/2 in clear text":      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "egress/first-bytes"},
		"SSH":                       {"SSH-2.0-OpenSSH_9.2\r\n", "egress/first-bytes"},
		"PostgreSQL":                {"\x00\x00\x00\x08\x04\xd2\x16\x2f", "egress/first-bytes"},
		"SMTP":                      {"EHLO api.test\r\n", "egress/first-bytes"},
		"a giant head":              {web + "api.test\r\nX: " + strings.Repeat("x", 40000), "egress/first-bytes"},
		"smuggling":                 {"POST / HTTP/1.1\r\nHost: api.test\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n", "egress/first-bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			eachDoor(t, func(t *testing.T, open func(*rig, string, int) net.Conn) {
				port, heard := listener(t)
				r := newRig(t, grant(port, "api.test"), loopback("api.test"))
				conn := open(r, "api.test", port)
				go io.WriteString(conn, c.first) // it may be closed in the middle
				answer, _ := io.ReadAll(conn)
				if want := c.rule == "egress/host"; strings.HasPrefix(string(answer), "HTTP/1.1 403 Refused by Satchel (egress/host)") != want || !want && len(answer) > 0 {
					t.Errorf("answered %q", answer)
				}
				if text := <-heard; text != "" {
					t.Errorf("the server heard %q", text)
				}
				at := r.refused(c.rule)
				if at.Sent != 0 || (c.rule == "egress/first-bytes") != (at.Grant == fmt.Sprint("net:tcp:api.test:", port)) {
					t.Errorf("%+v", at)
				}
			})
		})
	}
}

// listener gives all that the first connection to it says.
func listener(t testing.TB) (port int, heard chan string) {
	t.Helper()
	l := listen(t)
	heard = make(chan string, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		all, _ := io.ReadAll(c)
		heard <- string(all)
	}()
	return portOf(t, l.Addr().String()), heard
}

// The verdict is the same when the bytes come one by one, with the request for the tunnel, or before its answer.
func TestFirstBytesInPieces(t *testing.T) {
	a := newAuthority(t)
	port := webServer(t, a.server("api.test"))
	plain := webServer(t, nil)
	n := grant(port, "api.test")
	n.Hosts = append(n.Hosts, grant(plain, "api.test").Hosts...)
	hello := clientHelloOf(t, &tls.Config{ServerName: "api.test"})
	request := fmt.Sprintf("GET /x HTTP/1.1\r\nHost: api.test:%d\r\nConnection: close\r\n\r\n", plain)
	for _, c := range []struct {
		port        int
		first, want string
	}{{port, string(hello), "\x16\x03\x03"}, {port, string(records(hello[recordHeader:], 3)), "\x16\x03\x03"}, {plain, request, "HTTP/1.1 200 OK\r\n"}} {
		r := newRig(t, n, loopback("api.test"))
		at := fmt.Sprint("api.test:", c.port)
		conn, br, _ := r.tunnelTo(at)
		for i := range len(c.first) {
			conn.Write([]byte{c.first[i]})
		}
		expect(t, br, c.want)
		whole := dialDoor(t, r.http)
		fmt.Fprintf(whole, "CONNECT %s HTTP/1.1\r\nHost: %[1]s\r\n\r\n%s", at, c.first)
		expect(t, bufio.NewReader(whole), "HTTP/1.1 200 Connection established\r\n\r\n"+c.want)
	}
}

func expect(t *testing.T, r io.Reader, want string) {
	t.Helper()
	got := make([]byte, len(want))
	if n, err := io.ReadFull(r, got); string(got) != want {
		t.Errorf("%q, %v; want %q", got[:n], err, want)
	}
}

// undici asks for a tunnel for http:// too. Each request in it is judged, not only the first.
func TestEachRequestOfATunnelIsJudged(t *testing.T) {
	port := webServer(t, nil)
	eachDoor(t, func(t *testing.T, open func(*rig, string, int) net.Conn) {
		r := newRig(t, grant(port, "api.test"), loopback("api.test"))
		c := open(r, "api.test", port)
		br := bufio.NewReader(c)
		for i, body := range []string{"one", "two"} {
			fmt.Fprintf(c, "POST /%d HTTP/1.1\r\nHost: API.test\r\nContent-Length: %d\r\n\r\n%s", i, len(body), body)
			resp, err := http.ReadResponse(br, nil)
			if err != nil {
				t.Fatal(err)
			}
			if text, _ := io.ReadAll(resp.Body); string(text) != fmt.Sprintf("POST /%d host=api.test:%d body=%s", i, port, body) {
				t.Errorf("%q", text)
			}
		}
		io.WriteString(c, "GET / HTTP/1.1\r\nHost: evil.test\r\n\r\n")
		if answer, _ := io.ReadAll(br); !strings.HasPrefix(string(answer), "HTTP/1.1 403 Refused by Satchel (egress/host)") {
			t.Errorf("%q", answer)
		}
		if at := r.refused("egress/host"); at.Sent == 0 || at.Received == 0 {
			t.Errorf("%+v", at)
		}
	})
}

// A granted protocol of any kind is not waited for: the server may speak first.
func TestRawTunnel(t *testing.T) {
	l := listen(t)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			io.WriteString(c, "220 ready\r\n")
			io.Copy(c, c)
			io.WriteString(c, "bye")
			c.Close()
		}
	}()
	port := portOf(t, l.Addr().String())
	n := grant(port)
	n.Hosts = append(n.Hosts, spec.Host{Name: "db.test", Port: port, Raw: true})
	eachDoor(t, func(t *testing.T, open func(*rig, string, int) net.Conn) {
		r := newRig(t, n, loopback("db.test"))
		c := open(r, "db.test", port)
		expect(t, c, "220 ready\r\n")
		long := strings.Repeat("x", 1_000_000)
		go func() {
			io.WriteString(c, "EHLO\r\n"+long)
			c.(interface{ CloseWrite() error }).CloseWrite() // half of the connection ends, the other goes on
		}()
		if rest, err := io.ReadAll(c); err != nil || string(rest) != "EHLO\r\n"+long+"bye" {
			t.Errorf("%d bytes, %v", len(rest), err)
		}
		if at := r.passed(); at.Grant != fmt.Sprint("net:tcp:db.test:", port) || at.Sent != int64(len(long)+6) || at.Received != int64(len(long)+6+11+3) {
			t.Errorf("%+v", at)
		}
	})
}

func TestPortOfThisMachine(t *testing.T) {
	port := webServer(t, nil)
	r := newRig(t, spec.Net{Ports: []int{port}}, nil)
	granted := r.serveOn(func(l net.Listener) { r.ServePort(l, port) })
	c := dialDoor(t, granted)
	fmt.Fprint(c, "GET /x HTTP/1.1\r\nHost: any\r\nConnection: close\r\n\r\n")
	if answer, _ := io.ReadAll(c); !strings.Contains(string(answer), "GET /x host=any") {
		t.Errorf("%q", answer)
	}
	if a := r.passed(); a.Via != ViaPort || a.Host != "127.0.0.1" || a.Port != port || a.Grant != fmt.Sprint("port:", port) || a.Sent == 0 || a.Received == 0 {
		t.Errorf("%+v", a)
	}
	// A granted port opens no other way to the machine.
	r = newRig(t, spec.Net{Ports: []int{port}}, nil)
	if answer := r.ask(get("127.0.0.1", port, "/")); !strings.HasPrefix(answer, "HTTP/1.1 403 ") {
		t.Errorf("%q", answer)
	}
	r.refused("egress/not-granted")
	// And a listener is no grant.
	r = newRig(t, spec.Net{Any: true, Ports: []int{1}}, nil)
	other := r.serveOn(func(l net.Listener) { r.ServePort(l, port) })
	if answer, _ := io.ReadAll(dialDoor(t, other)); len(answer) > 0 {
		t.Errorf("%q", answer)
	}
	r.refused("egress/not-granted")
	closed := listen(t)
	closed.Close()
	nobody := portOf(t, closed.Addr().String())
	r = newRig(t, spec.Net{Ports: []int{nobody}}, nil)
	door := r.serveOn(func(l net.Listener) { r.ServePort(l, nobody) })
	io.ReadAll(dialDoor(t, door))
	if a := r.passed(); !strings.Contains(a.Why, "refused") {
		t.Errorf("%+v", a)
	}
}

// A client that goes before it says anything was let through, and came to nothing.
func TestClientsThatSayNothing(t *testing.T) {
	port, heard := listener(t)
	r := newRig(t, grant(port), nil)
	c, _, _ := r.tunnelTo(fmt.Sprint("127.0.0.1:", port))
	c.Close()
	if text := <-heard; text != "" {
		t.Errorf("%q", text)
	}
	if a := r.passed(); a.Why == "" {
		t.Errorf("%+v", a)
	}
	port, heard = listener(t)
	r = newRig(t, grant(port), nil, func(_ *Config, l *limits) { l.head = 50 * time.Millisecond })
	c, _, _ = r.tunnelTo(fmt.Sprint("127.0.0.1:", port))
	io.ReadAll(c)
	<-heard
	r.refused("egress/first-bytes")
}
