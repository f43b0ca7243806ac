package egress

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"satchel/internal/spec"
)

// get is a request for one page; the connection ends with it.
func get(host string, port int, path string, fields ...string) string {
	at := fmt.Sprintf("%s:%d", host, port)
	text := fmt.Sprintf("GET http://%s%s HTTP/1.1\r\nHost: %[1]s\r\nConnection: close\r\n", at, path)
	for _, f := range fields {
		text += f + "\r\n"
	}
	return text + "\r\n"
}

func TestProxiedRequest(t *testing.T) {
	port := webServer(t, nil)
	r := newRig(t, grant(port, "api.test"), names{"api.test": always("127.0.0.1")})
	answer := r.ask(get("API.test.", port, "/a?b=c", "User-Agent: mine", "Proxy-Authorization: Basic c2VjcmV0", "Proxy-Connection: keep-alive",
		"Keep-Alive: 5", "TE: trailers", "Upgrade: h2c", "HTTP2-Settings: x", "Connection: x-once, host, content-length", "X-Once: 1", "X-Kept: 2"))
	want := fmt.Sprintf("GET /a?b=c host=api.test:%d body= X-Kept=[2] User-Agent=[mine]", port)
	if !strings.HasPrefix(answer, "HTTP/1.1 200 OK\r\n") || !strings.HasSuffix(answer, "\r\n\r\n"+want) {
		t.Errorf("%q\nwant %q", answer, want)
	}
	if !strings.Contains(answer, "X-Kept: yes\r\n") || strings.Contains(answer, "Keep-Alive:") || !strings.Contains(answer, "Connection: close\r\n") {
		t.Errorf("fields of the answer: %q", answer)
	}
	a := r.passed()
	if a.Via != ViaHTTP || a.Host != "api.test" || a.Port != port || a.Address != fmt.Sprint("127.0.0.1:", port) ||
		a.Grant != fmt.Sprint("net:api.test:", port) || a.Sent < 50 || a.Received < int64(len(want)) || time.Since(a.Time) > time.Minute {
		t.Errorf("%+v", a)
	}
}

func TestRefusalSaysWhatWouldGrantIt(t *testing.T) {
	r := newRig(t, spec.Net{}, names{"api.test": func(int) []string {
		t.Error("a name that is not granted was looked up") // which would tell its name server something
		return nil
	}})
	answer := r.ask(get("api.test", 8080, "/"))
	for _, want := range []string{
		"HTTP/1.1 403 Refused by Satchel (egress/not-granted)\r\n", "Content-Type: text/plain; charset=utf-8\r\n", "\r\n\r\nsatchel: api.test:8080: ",
		"rule: egress/not-granted (docs/sandbox.md)\n", "satchel permissions acme/tool --grant net:api.test:8080\n",
	} {
		if !strings.Contains(answer, want) {
			t.Errorf("%q is not in %q", want, answer)
		}
	}
	r.refused("egress/not-granted")
}

// Go's own client keeps one connection for many requests with bodies of every kind.
func TestKeepAliveWithBodies(t *testing.T) {
	port := webServer(t, nil)
	r := newRig(t, grant(port, "api.test"), names{"api.test": always("127.0.0.1")})
	dialled := 0
	client := &http.Client{Transport: &http.Transport{
		Proxy: http.ProxyURL(&url.URL{Scheme: "http", Host: r.http}),
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			dialled++
			var d net.Dialer
			return d.DialContext(ctx, network, address)
		},
	}}
	defer client.CloseIdleConnections()
	long := strings.Repeat("0123456789", 100_000)
	for i, body := range []io.Reader{nil, strings.NewReader("short"), struct{ io.Reader }{strings.NewReader(long)}, strings.NewReader(long), nil} {
		resp, err := client.Post(fmt.Sprintf("http://api.test:%d/%d", port, i), "text/plain", body)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || !strings.HasPrefix(string(text), fmt.Sprintf("POST /%d host=api.test:%d body=", i, port)) || (i == 2 || i == 3) != strings.Contains(string(text), long) {
			t.Errorf("request %d: %v, %.80q...", i, err, text)
		}
	}
	if dialled != 1 {
		t.Errorf("%d connections were made", dialled)
	}
	list := r.done()
	if len(list) != 5 {
		t.Errorf("%d attempts were recorded", len(list))
	}
	for i, a := range list {
		if !a.Allowed || a.Address == "" || (a.Sent > 1_000_000) != (i == 2 || i == 3) {
			t.Errorf("%+v", a)
		}
	}
}

// Expect: 100-continue, HEAD, an answer without a length, an event stream, 204, 304, 103.
func TestKindsOfAnswers(t *testing.T) {
	l := listen(t)
	next := make(chan struct{})
	mux := http.NewServeMux()
	mux.HandleFunc("/stream", func(w http.ResponseWriter, _ *http.Request) {
		for i := range 3 {
			fmt.Fprintf(w, "data: %d\n\n", i)
			w.(http.Flusher).Flush()
			<-next
		}
	})
	mux.HandleFunc("/hints", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Link", "</x>")
		w.WriteHeader(http.StatusEarlyHints)
		io.WriteString(w, "done")
	})
	mux.HandleFunc("/204", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) })
	mux.HandleFunc("/304", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "77")
		w.WriteHeader(304)
	})
	mux.HandleFunc("/", tell)
	s := &http.Server{Handler: mux}
	t.Cleanup(func() { s.Close() })
	go s.Serve(l)
	port := portOf(t, l.Addr().String())
	r := newRig(t, grant(port), nil)

	c := dialDoor(t, r.http)
	br := bufio.NewReader(c)
	exchange := func(method, path, more string) *http.Response {
		t.Helper()
		fmt.Fprintf(c, "%s http://127.0.0.1:%d%s HTTP/1.1\r\nHost: 127.0.0.1:%[2]d\r\n%[4]s", method, port, path, more+"\r\n")
		resp, err := http.ReadResponse(br, &http.Request{Method: method})
		if err != nil {
			t.Fatal(path, err)
		}
		return resp
	}
	stream := exchange("GET", "/stream", "")
	for i := range 3 {
		buf := make([]byte, 100)
		n, err := stream.Body.Read(buf)
		if want := fmt.Sprintf("data: %d\n\n", i); err != nil || string(buf[:n]) != want {
			t.Errorf("%q, %v, want %q", buf[:n], err, want)
		}
		next <- struct{}{}
	}
	io.Copy(io.Discard, stream.Body)
	for _, path := range []string{"/204", "/304"} {
		if resp := exchange("GET", path, ""); fmt.Sprint("/", resp.StatusCode) != path {
			t.Errorf("%s: %s", path, resp.Status)
		}
	}
	if resp := exchange("HEAD", "/", ""); resp.StatusCode != 200 || resp.ContentLength <= 0 {
		t.Errorf("HEAD: %+v", resp)
	}
	if hints := exchange("GET", "/hints", ""); hints.StatusCode != 103 || hints.Header.Get("Link") != "</x>" {
		t.Errorf("%+v", hints)
	}
	final, err := http.ReadResponse(br, nil)
	if err != nil || final.StatusCode != 200 {
		t.Fatal(final, err)
	}
	io.Copy(io.Discard, final.Body)
	if resp := exchange("PUT", "/", "Expect: 100-continue\r\nContent-Length: 4\r\n"); resp.StatusCode != 100 {
		t.Fatalf("%+v", resp)
	}
	io.WriteString(c, "body")
	resp, err := http.ReadResponse(br, nil)
	if err != nil {
		t.Fatal(err)
	}
	if text, _ := io.ReadAll(resp.Body); !strings.Contains(string(text), "body=body") {
		t.Errorf("%q", text)
	}
	c.Close()
	for _, a := range r.done() {
		if !a.Allowed || a.Why != "" {
			t.Errorf("%+v", a)
		}
	}
}

// A server that ends its answer by closing, for clients of both versions; and one that closed an idle connection.
func TestAnswersThatEndWithTheConnection(t *testing.T) {
	l := listen(t)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			http.ReadRequest(bufio.NewReader(c))
			io.WriteString(c, "HTTP/1.0 200 OK\r\n\r\nuntil the end")
			c.Close()
		}
	}()
	port := portOf(t, l.Addr().String())
	r := newRig(t, grant(port), nil)
	// a POST: it is not sent twice, so the connection must not be taken for one that goes on
	one := fmt.Sprintf("POST http://127.0.0.1:%d/ HTTP/1.1\r\nHost: 127.0.0.1:%[1]d\r\n\r\n", port)
	if answer := r.ask(one + strings.Replace(get("127.0.0.1", port, "/"), "GET", "POST", 1)); strings.Count(answer, "d\r\nuntil the end\r\n0\r\n\r\n") != 2 {
		t.Errorf("%q", answer)
	}
	if answer := r.ask(strings.Replace(one, "HTTP/1.1", "HTTP/1.0", 1)); !strings.HasSuffix(answer, "\r\n\r\nuntil the end") || strings.Contains(answer, "chunked") {
		t.Errorf("%q", answer)
	}
}

func TestARequestIsSentAgainWhenTheServerHadHungUp(t *testing.T) {
	l := listen(t)
	hungUp := make(chan struct{})
	go func() {
		for first := true; ; first = false {
			c, err := l.Accept()
			if err != nil {
				return
			}
			http.ReadRequest(bufio.NewReader(c))
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
			c.Close()
			if first {
				close(hungUp)
			}
		}
	}()
	port := portOf(t, l.Addr().String())
	r := newRig(t, grant(port), nil)
	c := dialDoor(t, r.http)
	br := bufio.NewReader(c)
	for range 2 {
		fmt.Fprintf(c, "GET http://127.0.0.1:%d/ HTTP/1.1\r\nHost: 127.0.0.1:%[1]d\r\n\r\n", port)
		resp, err := http.ReadResponse(br, nil)
		if err != nil || resp.StatusCode != 200 {
			t.Fatal(resp, err)
		}
		io.Copy(io.Discard, resp.Body)
		<-hungUp
	}
}

func TestWebSocket(t *testing.T) {
	l := listen(t)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			br := bufio.NewReader(c)
			req, err := http.ReadRequest(br)
			if err != nil {
				return
			}
			fmt.Fprintf(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: %s\r\n\r\n", req.Header.Get("Upgrade"))
			io.Copy(c, br)
			c.Close()
		}
	}()
	port := portOf(t, l.Addr().String())
	upgrade := "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
	for _, how := range []string{"request", "tunnel"} {
		r := newRig(t, grant(port), nil)
		var c *net.TCPConn
		var br *bufio.Reader
		if how == "tunnel" {
			c, br, _ = r.tunnelTo(fmt.Sprint("127.0.0.1:", port))
			fmt.Fprintf(c, "GET /ws HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n%s", port, upgrade)
		} else {
			c = dialDoor(t, r.http)
			br = bufio.NewReader(c)
			fmt.Fprintf(c, "GET http://127.0.0.1:%d/ws HTTP/1.1\r\nHost: 127.0.0.1:%[1]d\r\n%s", port, upgrade)
		}
		resp, err := http.ReadResponse(br, nil)
		if err != nil || resp.StatusCode != 101 || resp.Header.Get("Upgrade") != "websocket" {
			t.Fatal(how, resp, err)
		}
		io.WriteString(c, "\x81\x02hi")
		c.CloseWrite()
		if echoed, _ := io.ReadAll(br); string(echoed) != "\x81\x02hi" {
			t.Errorf("%s: %q", how, echoed)
		}
		r.passed()
	}
	// HTTP/2 in clear text, which could carry requests for every host, is not gone over to, asked for or not.
	r := newRig(t, grant(port), nil)
	answer := r.ask(fmt.Sprintf("GET http://127.0.0.1:%d/ HTTP/1.1\r\nHost: 127.0.0.1:%[1]d\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n", port))
	if !strings.HasPrefix(answer, "HTTP/1.1 502 ") {
		t.Errorf("%q", answer)
	}
}

// An answer that comes before the body is sent ends both, and the client gets it.
func TestEarlyAnswer(t *testing.T) {
	l := listen(t)
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		http.ReadRequest(bufio.NewReader(c))
		io.WriteString(c, "HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nno\n")
		c.(*net.TCPConn).CloseWrite()
		io.Copy(io.Discard, c)
	}()
	port := portOf(t, l.Addr().String())
	r := newRig(t, grant(port), nil, func(_ *Config, l *limits) { l.linger = 100 * time.Millisecond })
	answer := r.ask(fmt.Sprintf("POST http://127.0.0.1:%d/ HTTP/1.1\r\nHost: 127.0.0.1:%[1]d\r\nContent-Length: 1000000\r\n\r\nnot all", port))
	if !strings.HasPrefix(answer, "HTTP/1.1 413 Too Large\r\n") || !strings.HasSuffix(answer, "\r\n\r\nno\n") {
		t.Errorf("%q", answer)
	}
	r.passed()
}

// Half a body brings no answer: the server must not wait for ever, nor the proxy.
func TestHalfABody(t *testing.T) {
	port := webServer(t, nil)
	for _, framing := range []string{"Content-Length: 10\r\n\r\nhalf", "Transfer-Encoding: chunked\r\n\r\n5\r\nha", "Transfer-Encoding: chunked\r\n\r\n5\r\nhalf!\r\n0\r\nX: y\r\n", "Transfer-Encoding: chunked\r\n\r\nzz\r\n"} {
		r := newRig(t, grant(port), nil)
		c := dialDoor(t, r.http)
		fmt.Fprintf(c, "POST http://127.0.0.1:%d/ HTTP/1.1\r\nHost: 127.0.0.1:%[1]d\r\n%s", port, framing)
		c.CloseWrite()
		if answer, _ := io.ReadAll(c); !strings.HasPrefix(string(answer), "HTTP/1.1 502 ") {
			t.Errorf("%q: %q", framing, answer)
		}
		if a := r.passed(); a.Why == "" {
			t.Errorf("%+v", a)
		}
	}
}
