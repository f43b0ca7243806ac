package egress

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"satchel/internal/problem"
	"satchel/internal/spec"
)

// A corporate proxy as a company has it: it wants credentials, answers requests for http, and makes tunnels to port 443
// only. Whatever name it is asked for, it takes to one of the two servers.
type corporate struct {
	t           *testing.T
	tls         int
	mu          sync.Mutex
	asked       []string
	credentials []string
}

func (c *corporate) serve(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		go c.handle(conn)
	}
}

func (c *corporate) handle(conn net.Conn) {
	defer conn.Close()
	br := bufio.NewReader(conn)
	for {
		req, err := http.ReadRequest(br)
		if err != nil {
			return
		}
		c.mu.Lock()
		c.asked = append(c.asked, req.Method+" "+req.RequestURI)
		c.credentials = append(c.credentials, req.Header.Get("Proxy-Authorization"))
		c.mu.Unlock()
		switch {
		case req.Header.Get("Proxy-Authorization") != "Basic dXNlcjpwQHNz": // user:p@ss
			io.WriteString(conn, "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n")
		case req.Method == "CONNECT" && !strings.HasSuffix(req.RequestURI, ":443"):
			io.WriteString(conn, "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
		case req.Method == "CONNECT":
			far, err := net.Dial("tcp", fmt.Sprint("127.0.0.1:", c.tls))
			if err != nil {
				return
			}
			defer far.Close()
			io.WriteString(conn, "HTTP/1.1 200 OK\r\n\r\n")
			go io.Copy(far, br)
			io.Copy(conn, far)
			return
		default:
			fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s %s", len(req.Host)+1+len(req.RequestURI), req.Host, req.RequestURI)
		}
	}
}

func upstreamAt(t *testing.T, variables map[string]string) *Upstream {
	t.Helper()
	u, err := UpstreamFrom(func(name string) string { return variables[name] })
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func newCorporate(t *testing.T, a *authority, secure bool) (*corporate, string) {
	c := &corporate{t: t, tls: webServer(t, a.server("api.test"))}
	l := listen(t)
	address := l.Addr().String()
	if secure {
		l = tls.NewListener(l, a.server("127.0.0.1"))
	}
	go c.serve(l)
	return c, address
}

func TestCorporateProxy(t *testing.T) {
	a := newAuthority(t)
	corp, address := newCorporate(t, a, false)
	n := spec.Net{Hosts: []spec.Host{{Name: "api.test", Port: 443}, {Name: "api.test", Port: 80}, {Name: "api.test", Port: 8443}, {Name: "127.0.0.1", Port: 80}}}
	through := func(c *Config, _ *limits) {
		c.Upstream = upstreamAt(t, map[string]string{"https_proxy": "http://user:p%40ss@" + address, "HTTP_PROXY": "user:p%40ss@" + address})
	}
	r := newRig(t, n, names{}, through) // no name server: the names are looked up by the corporate proxy
	conn, _, status := r.tunnelTo("api.test:443")
	if !strings.Contains(status, " 200 ") {
		t.Fatal(status)
	}
	c := tls.Client(conn, &tls.Config{RootCAs: a.pool(), ServerName: "api.test"})
	fmt.Fprint(c, "GET /x HTTP/1.1\r\nHost: api.test\r\nConnection: close\r\n\r\n")
	if answer, err := io.ReadAll(c); !strings.Contains(string(answer), "GET /x host=api.test") {
		t.Errorf("%q, %v", answer, err)
	}
	at := r.passed()
	if at.Proxy != address || at.Address != "" || at.Host != "api.test" || at.Sent == 0 {
		t.Errorf("%+v", at)
	}
	// Requests for http stay requests, also those that come through a tunnel as undici's do.
	r = newRig(t, n, names{}, through)
	answer := r.ask("GET http://api.test/1 HTTP/1.1\r\nHost: api.test\r\n\r\n" + "GET http://api.test:80/2 HTTP/1.1\r\nHost: api.test\r\nConnection: close\r\n\r\n")
	if strings.Count(answer, "HTTP/1.1 200 OK") != 2 || !strings.Contains(answer, "\r\n\r\napi.test http://api.test/1HTTP") {
		t.Errorf("%q", answer)
	}
	for _, at := range r.done() {
		if !at.Allowed || at.Proxy != address || at.Address != "" {
			t.Errorf("%+v", at)
		}
	}
	r = newRig(t, n, names{}, through)
	conn, br, _ := r.tunnelTo("api.test:80")
	fmt.Fprint(conn, "GET /3 HTTP/1.1\r\nHost: api.test\r\n\r\nGET /4 HTTP/1.1\r\nHost: evil.test\r\n\r\n")
	if answer, _ := io.ReadAll(br); !strings.Contains(string(answer), "\r\n\r\napi.test http://api.test/3HTTP/1.1 403 Refused by Satchel (egress/host)") {
		t.Errorf("%q", answer)
	}
	r.refused("egress/host")
	// What the corporate proxy refuses is not reached, and said to be its doing.
	r = newRig(t, n, names{}, through)
	if _, br, status := r.tunnelTo("api.test:8443"); !strings.HasPrefix(status, "HTTP/1.1 502 ") {
		t.Error(status)
	} else if text, _ := io.ReadAll(br); !strings.Contains(string(text), "the proxy "+address+" answers 403") {
		t.Errorf("%q", text)
	}
	r.passed()
	want := "CONNECT api.test:443, GET http://api.test/1, GET http://api.test/2, GET http://api.test/3, CONNECT api.test:8443"
	if got := strings.Join(corp.asked, ", "); got != want {
		t.Errorf("it was asked for\n%s, want\n%s", got, want)
	}
}

// What is refused without a corporate proxy is refused with one; it hears nothing of it.
func TestCorporateProxyIsNotAskedForWhatIsRefused(t *testing.T) {
	corp, address := newCorporate(t, newAuthority(t), false)
	u := upstreamAt(t, map[string]string{"ALL_PROXY": "http://user:p%40ss@" + address})
	for _, c := range []struct {
		host, rule string
		n          spec.Net
	}{
		{"evil.test:443", "egress/not-granted", spec.Net{Hosts: []spec.Host{{Name: "api.test", Port: 443}}}},
		{"10.0.0.1:443", "egress/address", spec.Net{Any: true}},
		{"169.254.169.254:80", "egress/address", spec.Net{Any: true}},
		{"[fd00:ec2::254]:80", "egress/address", spec.Net{Any: true}},
		{"127.0.0.1:443", "egress/address", spec.Net{Any: true}},
		{"localhost:443", "egress/address", spec.Net{Any: true}},
		{"localhost.:443", "egress/address", spec.Net{Any: true}},
		{"db.localhost:443", "egress/address", spec.Net{Any: true}},
	} {
		r := newRig(t, c.n, names{"db.localhost": always("127.0.0.1")}, func(conf *Config, _ *limits) { conf.Upstream = u })
		if _, _, status := r.tunnelTo(c.host); !strings.HasPrefix(status, "HTTP/1.1 403 ") {
			t.Errorf("%s: %s", c.host, status)
		}
		r.refused(c.rule)
	}
	// Without the right password nothing comes back, and the client is not asked for ours.
	wrong := upstreamAt(t, map[string]string{"HTTP_PROXY": "http://user:wrong@" + address})
	r := newRig(t, spec.Net{Any: true}, nil, func(conf *Config, _ *limits) { conf.Upstream = wrong })
	answer := r.ask("GET http://api.test/ HTTP/1.1\r\nHost: api.test\r\n\r\n")
	if !strings.HasPrefix(answer, "HTTP/1.1 502 ") || strings.Contains(answer, "Authenticate") || strings.Contains(answer, "wrong") {
		t.Errorf("%q", answer)
	}
	if len(corp.asked) != 1 {
		t.Errorf("it was asked for %v", corp.asked)
	}
}

// NO_PROXY is what the machine's programs heed: such hosts are reached directly, with the judgement of addresses.
func TestNoProxy(t *testing.T) {
	corp, address := newCorporate(t, newAuthority(t), false)
	port := webServer(t, nil)
	u := upstreamAt(t, map[string]string{"HTTP_PROXY": address, "HTTPS_PROXY": address, "no_proxy": ".intern.test"})
	n := grant(port, "wiki.intern.test")
	n.Hosts = append(n.Hosts, spec.Host{Name: "private.intern.test", Port: port})
	r := newRig(t, n, names{"wiki.intern.test": always("127.0.0.1"), "private.intern.test": always("10.0.0.1")}, func(c *Config, _ *limits) { c.Upstream = u })
	if answer := r.ask(get("wiki.intern.test", port, "/x")); !strings.Contains(answer, "GET /x host=wiki.intern.test") {
		t.Errorf("%q", answer)
	}
	if answer := r.ask(get("private.intern.test", port, "/x")); !strings.HasPrefix(answer, "HTTP/1.1 403 ") {
		t.Errorf("%q", answer)
	}
	if len(corp.asked) > 0 {
		t.Errorf("it was asked for %v", corp.asked)
	}
}

func TestUpstreamFrom(t *testing.T) {
	if u := upstreamAt(t, map[string]string{"NO_PROXY": "*"}); u != nil || u.forTarget(target{name: "a", port: 1}, true) != nil {
		t.Errorf("%+v", u)
	}
	for value, want := range map[string]string{
		"proxy.corp": "http://proxy.corp:80", "proxy.corp:3128": "http://proxy.corp:3128", "http://proxy.corp": "http://proxy.corp:80",
		"https://proxy.corp": "https://proxy.corp:443", "http://[fd00::1]:8080/": "http://[fd00::1]:8080/",
	} {
		u := upstreamAt(t, map[string]string{"HTTPS_PROXY": value})
		if got := u.forTarget(target{name: "api.test", port: 443}, false); got == nil || got.String() != want {
			t.Errorf("%s: %v", value, got)
		}
		if got := u.forTarget(target{name: "api.test", port: 80}, true); got != nil {
			t.Errorf("%s: http goes through %v", value, got)
		}
	}
	for _, value := range []string{"socks5://proxy.corp:1080", "http://", "http://user:secret@", "ftp://secret", "http://proxy.corp:port/secret", "://secret", "http://secret\x00"} {
		_, err := UpstreamFrom(func(name string) string { return map[string]string{"HTTP_PROXY": value}[name] })
		p, ok := errors.AsType[*problem.Problem](err)
		if !ok || p.Rule != "egress/upstream" || p.Subject != "HTTP_PROXY" || strings.Contains(fmt.Sprintf("%v %+v", err, *p), "secret") {
			t.Errorf("%q: %v", value, err)
		}
	}
}
