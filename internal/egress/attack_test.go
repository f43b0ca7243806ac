package egress

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"satchel/internal/spec"
)

// Requests to the HTTP door that no client makes by accident.
func TestHostileRequests(t *testing.T) {
	port := webServer(t, nil)
	at := fmt.Sprint("api.test:", port)
	web := func(uri, host string) string { return "GET " + uri + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n" }
	tunnel := func(uri, host string) string { return "CONNECT " + uri + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n" }
	for name, c := range map[string]struct {
		text   string
		status int
		rule   string
	}{
		"another Host":                     {web("http://"+at+"/", "evil.test"), 400, "egress/request"},
		"Host without the port":            {web("http://"+at+"/", "api.test"), 400, "egress/request"},
		"Host with credentials":            {web("http://"+at+"/", "a@"+at), 400, "egress/request"},
		"another Host of a tunnel":         {tunnel(at, "evil.test:443"), 400, "egress/request"},
		"a user":                           {web("http://user@"+at+"/", at), 400, "egress/request"},
		"a user and a password":            {web("http://user:pass@"+at+"/", at), 400, "egress/request"},
		"the granted name as a user":       {web("http://"+at+"@evil.test/", at), 400, "egress/request"},
		"a backslash":                      {web("http://evil.test\\@"+at+"/", at), 400, "egress/request"},
		"a fragment":                       {web("http://evil.test#@"+at+"/", at), 400, "egress/request"},
		"a percent":                        {web("http://evil.test%2f."+at+"/", at), 400, "egress/request"},
		"https":                            {web("https://"+at+"/", at), 400, "egress/request"},
		"ftp":                              {web("ftp://"+at+"/", at), 400, "egress/request"},
		"gopher":                           {web("gopher://"+at+"/_x", at), 400, "egress/request"},
		"a path":                           {web("/", at), 400, "egress/request"},
		"an asterisk":                      {strings.Replace(web("*", at), "GET", "OPTIONS", 1), 400, "egress/request"},
		"no authority":                     {web("http:///x", at), 400, "egress/request"},
		"port 0":                           {tunnel("api.test:0", at), 400, "egress/request"},
		"port 65536":                       {tunnel("api.test:65536", at), 400, "egress/request"},
		"port that wraps":                  {tunnel(fmt.Sprint("api.test:", 65536+port), at), 400, "egress/request"},
		"a tunnel without a port":          {tunnel("api.test", "api.test"), 400, "egress/request"},
		"a tunnel to an address of a page": {tunnel("http://"+at, at), 400, "egress/request"},
		"a tunnel with a body":             {"CONNECT " + at + " HTTP/1.1\r\nHost: " + at + "\r\nContent-Length: 5\r\n\r\nhello", 400, "egress/request"},
		"CR in a name":                     {tunnel("api.test\r:443", at), 400, "egress/request"},
		"CRLF in a name":                   {tunnel("api.test\r\nX: y:443", at), 400, "egress/request"},
		"LF in a name":                     {web("http://api.test\nX: y/", at), 400, "egress/request"},
		"NUL in a name":                    {tunnel("api.test\x00.evil.test:443", at), 400, "egress/request"},
		"an escaped CRLF":                  {tunnel("api.test%0d%0aX:443", at), 400, "egress/request"},
		"a decimal address":                {tunnel("2130706433:443", "2130706433:443"), 400, "egress/request"},
		"an octal address":                 {tunnel("0177.0.0.1:443", "0177.0.0.1:443"), 400, "egress/request"},
		"a hexadecimal address":            {tunnel("0x7f.1:443", "0x7f.1:443"), 400, "egress/request"},
		"a short address":                  {tunnel("127.1:443", "127.1:443"), 400, "egress/request"},
		"IPv6 without brackets":            {tunnel("::1:443", "::1:443"), 400, "egress/request"},
		"IPv6 with a zone":                 {tunnel("[fe80::1%lo]:443", at), 400, "egress/request"},
		"IPv6 with an escaped zone":        {tunnel("[fe80::1%25lo]:443", at), 400, "egress/request"},
		"loopback":                         {tunnel("[::1]:443", "[::1]:443"), 403, "egress/not-granted"},
		"loopback in full":                 {tunnel("[0:0:0:0:0:0:0:1]:443", "[::1]:443"), 403, "egress/not-granted"},
		"mapped loopback":                  {tunnel("[::ffff:127.0.0.1]:443", "127.0.0.1:443"), 403, "egress/not-granted"},
		"metadata":                         {web("http://169.254.169.254/latest/meta-data/", "169.254.169.254"), 403, "egress/not-granted"},
		"a name of 253 bytes":              {tunnel(strings.Repeat("a.", 126)+"a:443", strings.Repeat("a.", 126)+"a:443"), 403, "egress/not-granted"},
		"a name of 255 bytes":              {tunnel(strings.Repeat("a.", 127)+"a:443", at), 400, "egress/request"},
		"smuggling by both lengths":        {"POST http://" + at + "/ HTTP/1.1\r\nHost: " + at + "\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, "egress/request"},
		"smuggling by a strange encoding":  {"POST http://" + at + "/ HTTP/1.1\r\nHost: " + at + "\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 400, "egress/request"},
		"HTTP/2":                           {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, "egress/request"},
		"TLS":                              {string(helloWith(sni("api.test"))), 400, "egress/request"},
		"SOCKS":                            {"\x05\x01\x00", 400, "egress/request"},
		"a giant field":                    {"GET http://" + at + "/ HTTP/1.1\r\nHost: " + at + "\r\nX: " + strings.Repeat("x", 40000) + "\r\n\r\n", 431, "egress/request"},
		"a giant address":                  {"GET http://" + at + "/" + strings.Repeat("x", 40000), 431, "egress/request"},
		"ten thousand fields":              {"GET http://" + at + "/ HTTP/1.1\r\nHost: " + at + "\r\n" + strings.Repeat("X:y\r\n", 10000) + "\r\n", 431, "egress/request"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, spec.Net{Hosts: append(grant(port, "api.test").Hosts, spec.Host{Name: "api.test", Port: 443})}, loopback("api.test"))
			answer := r.ask(c.text)
			want := fmt.Sprintf("HTTP/1.1 %d Refused by Satchel (%s)\r\n", c.status, c.rule)
			if !strings.HasPrefix(answer, want) || strings.Count(answer, "HTTP/1.") != 1 {
				t.Errorf("%q, want %q", answer, want)
			}
			if a := r.refused(c.rule); a.Sent != 0 || len(a.Host) > 255 || len(a.Why) > 500 {
				t.Errorf("%+v", a)
			}
		})
	}
}

// What is recorded of an address that cannot be read holds neither a password nor what may be secret behind the host.
func TestRecordsHoldNoSecrets(t *testing.T) {
	for uri, want := range map[string]string{
		"https://api.test/x?key=secret": "api.test", "http://user:secret@api.test/secret": "api.test", "http://a..b?secret": "a..b", "http://0x1/secret@secret": "0x1", "/secret": "", "secret@api.test:1": "api.test:1",
	} {
		r := newRig(t, spec.Net{Any: true}, nil)
		r.ask("GET " + uri + " HTTP/1.1\r\nHost: api.test\r\n\r\n")
		if a := r.refused("egress/request"); a.Host != want || strings.Contains(a.Why, "secret") {
			t.Errorf("%s: %+v", uri, a)
		}
	}
}

// A second request on a connection, sent together with the first, is judged as the first was; what it hides in the body
// of the first is no request.
func TestPipelinedRequests(t *testing.T) {
	port := webServer(t, nil)
	at := fmt.Sprint("api.test:", port)
	good := fmt.Sprintf("GET http://%s/1 HTTP/1.1\r\nHost: %[1]s\r\n\r\n", at)
	hidden := "GET http://evil.test/ HTTP/1.1\r\nHost: evil.test\r\n\r\n"
	for name, c := range map[string]struct {
		text  string
		codes []string
	}{
		"another host":      {good + hidden, []string{"200", "403"}},
		"another port":      {good + get("api.test", 1, "/"), []string{"200", "403"}},
		"the same host":     {good + good + get("api.test", port, "/"), []string{"200", "200", "200"}},
		"hidden in a body":  {fmt.Sprintf("POST http://%s/ HTTP/1.1\r\nHost: %[1]s\r\nContent-Length: %d\r\n\r\n%s", at, len(hidden), hidden) + get("api.test", port, "/"), []string{"200", "200"}},
		"hidden in a chunk": {fmt.Sprintf("POST http://%s/ HTTP/1.1\r\nHost: %[1]s\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\nTrailer: x\r\n\r\n", at, len(hidden), hidden) + get("api.test", port, "/"), []string{"200", "200"}},
		"behind a short body": {fmt.Sprintf("POST http://%s/ HTTP/1.1\r\nHost: %[1]s\r\nContent-Length: 1\r\n\r\nx", at) + hidden,
			[]string{"200", "403"}},
		"a tunnel after a page": {good + "CONNECT evil.test:443 HTTP/1.1\r\nHost: evil.test:443\r\n\r\n", []string{"200", "403"}},
	} {
		r := newRig(t, grant(port, "api.test"), loopback("api.test"))
		answer := r.ask(c.text)
		var codes []string
		for _, part := range strings.Split(answer, "HTTP/1.1 ")[1:] {
			if len(part) > 4 && part[3] == ' ' {
				codes = append(codes, part[:3])
			}
		}
		// the server tells the body it got, which holds the text of a request line
		if strings.Join(codes, " ") != strings.Join(c.codes, " ") {
			t.Errorf("%s: %v, want %v: %q", name, codes, c.codes, answer)
		}
		if list := r.done(); len(list) != len(c.codes) {
			t.Errorf("%s: %+v", name, list)
		}
	}
}

// A server that answers without end, with a head without end, or nothing that is HTTP, costs no memory.
func TestHostileServers(t *testing.T) {
	for name, text := range map[string]string{
		"a giant head":          "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 1<<20),
		"endless fields":        "HTTP/1.1 200 OK\r\n" + strings.Repeat("X: y\r\n", 1<<17),
		"endless progress":      strings.Repeat("HTTP/1.1 102 Processing\r\n\r\n", 1000),
		"no HTTP":               "220 ready\r\n\r\n",
		"nothing":               "",
		"another protocol":      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n",
		"WebSocket":             "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
		"two lengths":           "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
		"a length that is none": "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nab",
	} {
		port := answering(t, text)
		r := newRig(t, grant(port), nil)
		answer := r.ask(get("127.0.0.1", port, "/"))
		for strings.HasPrefix(answer, "HTTP/1.1 102 ") {
			_, answer, _ = strings.Cut(answer, "\r\n\r\n")
		}
		if name == "endless progress" && answer == "" { // it had begun
			answer = "HTTP/1.1 502 "
		}
		if !strings.HasPrefix(answer, "HTTP/1.1 502 ") {
			t.Errorf("%s: %.300q", name, answer)
		}
		if a := r.passed(); a.Why == "" || a.Received > 256<<10 {
			t.Errorf("%s: %+v", name, a)
		}
	}
}

// answering answers each connection with text, whatever it is asked, and gives its port.
func answering(t *testing.T, text string) int {
	t.Helper()
	l := listen(t)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			io.WriteString(c, text)
			c.(*net.TCPConn).CloseWrite()
			io.Copy(io.Discard, c)
			c.Close()
		}
	}()
	return portOf(t, l.Addr().String())
}

// What a server writes cannot become two answers for the client, nor speak of the connection to us.
func TestAnswersAreWrittenAnew(t *testing.T) {
	for text, want := range map[string]string{
		"HTTP/1.1 200 O\rK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n\r\n":                                                                  "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
		"HTTP/1.1 200\r\nX: a\n Y: b\r\nContent-Length: 0\r\n\r\n":                                                                                 "HTTP/1.1 200 \r\nConnection: close\r\nContent-Length: 0\r\nX: a Y: b\r\n\r\n",
		"HTTP/1.1 200 OK\r\nX: a\rHTTP/1.1 200 OK\r\n\r\n":                                                                                         "HTTP/1.1 502 ",
		"HTTP/1.1 200 OK\r\nConnection: X-drop\r\nX-Drop: 1\r\nKeep: 2\r\nProxy-Authenticate: Basic\r\nKeep-Alive: 1\r\nContent-Length: 0\r\n\r\n": "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\nKeep: 2\r\n\r\n",
	} {
		port := answering(t, text)
		r := newRig(t, grant(port), nil)
		answer := r.ask(get("127.0.0.1", port, "/"))
		if strings.HasSuffix(want, " ") && strings.HasPrefix(answer, want) {
			continue
		}
		if answer != want {
			t.Errorf("%q\n is answered %q\nwant %q", text, answer, want)
		}
	}
}

// Bytes that come slowly keep nothing waiting for longer than the head may take.
func TestSlowClients(t *testing.T) {
	short := func(_ *Config, l *limits) { l.head, l.keepAlive = 100*time.Millisecond, 100*time.Millisecond }
	drip := func(c net.Conn, text string) (lasted time.Duration, answer string) {
		begin := time.Now()
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			all, _ := io.ReadAll(c)
			answer = string(all)
		}()
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for i := 0; ; i++ {
			select {
			case <-ended:
				return time.Since(begin), answer
			case <-tick.C:
				c.Write([]byte{text[i%len(text)]})
			}
		}
	}
	for name, c := range map[string]struct {
		text string
		door func(*rig) string
		rule string
	}{
		"a head":     {"GET", func(r *rig) string { return r.http }, "egress/request"},
		"a greeting": {"\x05\xff", func(r *rig) string { return r.socks }, "egress/request"},
	} {
		r := newRig(t, spec.Net{}, nil, short)
		if took, answer := drip(dialDoor(t, c.door(r)), c.text); took > 10*time.Second {
			t.Errorf("%s: %s, %q", name, took, answer)
		}
		r.refused(c.rule)
	}
	// Who connects and says nothing asked for nothing.
	r := newRig(t, spec.Net{}, nil, short)
	if answer, err := io.ReadAll(dialDoor(t, r.http)); len(answer) > 0 || err != nil {
		t.Errorf("%q, %v", answer, err)
	}
	if list := r.done(); len(list) > 0 {
		t.Errorf("%+v", list)
	}
}

// The far side hears nothing of the extension's credentials for a proxy, and no field of the connection to us.
func TestCredentialsForAProxyAreNotPassedOn(t *testing.T) {
	got := make(chan http.Header, 1)
	l := listen(t)
	s := &http.Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got <- r.Header })}
	t.Cleanup(func() { s.Close() })
	go s.Serve(l)
	port := portOf(t, l.Addr().String())
	r := newRig(t, grant(port), nil)
	r.ask(get("127.0.0.1", port, "/", "proxy-authorization: Basic eA==", "PROXY-CONNECTION: x", "Proxy-Foo: y", "Authorization: Bearer mine"))
	if h := <-got; len(h) != 1 || h.Get("Authorization") != "Bearer mine" {
		t.Errorf("%v", h)
	}
}
