package egress

import (
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
)

// guarded is a listener that others can reach too.
type guarded struct{ net.Listener }

func (guarded) Password() string { return "right" }

// guardedRig answers only who knows the password.
func guardedRig(t *testing.T) (r *rig, port int) {
	t.Helper()
	port = webServer(t, nil)
	r = newRig(t, grant(port, "api.test"), loopback("api.test"))
	r.http = r.serveOn(func(l net.Listener) { r.ServeHTTP(guarded{l}) })
	r.socks = r.serveOn(func(l net.Listener) { r.ServeSOCKS(guarded{l}) })
	return r, port
}

func basic(text string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(text))
}

func TestAStrangerIsNotAnswered(t *testing.T) {
	for name, field := range map[string]string{
		"nothing": "X: y", "a wrong one": "Proxy-Authorization: " + basic("user:wrong"), "none": "Proxy-Authorization: " + basic("user:"),
		"no colon": "Proxy-Authorization: " + basic("right"), "no base64": "Proxy-Authorization: Basic user:right", "another scheme": "Proxy-Authorization: Bearer right",
		"the wrong field": "Authorization: " + basic("user:right"), "a longer one": "Proxy-Authorization: " + basic("user:right "),
		"the first counts": "Proxy-Authorization: " + basic("user:wrong") + "\r\nProxy-Authorization: " + basic("user:right"),
	} {
		for _, line := range []string{"GET http://api.test:%d/ HTTP/1.1\r\nHost: api.test:%[1]d", "CONNECT api.test:%d HTTP/1.1\r\nHost: api.test:%[1]d"} {
			r, port := guardedRig(t)
			answer := r.ask(fmt.Sprintf(line, port) + "\r\n" + field + "\r\n\r\n")
			if !strings.HasPrefix(answer, "HTTP/1.1 407 ") || !strings.Contains(answer, "\r\nProxy-Authenticate: Basic ") {
				t.Errorf("%s: %s", name, answer)
			}
			if a := r.refused("egress/password"); a.Host != "api.test:"+fmt.Sprint(port) && a.Host != "api.test" {
				t.Errorf("%s: %+v", name, a)
			}
		}
	}
}

// TestThePasswordIsAskedForEachTime, and goes no further.
func TestThePasswordIsAskedForEachTime(t *testing.T) {
	r, port := guardedRig(t)
	right := fmt.Sprintf("GET http://api.test:%d/ HTTP/1.1\r\nHost: api.test:%[1]d\r\nproxy-authorization: basic  %s\r\n\r\n", port, basic("any name:right")[6:])
	answer := r.ask(right + get("api.test", port, "/again"))
	if !strings.HasPrefix(answer, "HTTP/1.1 200 ") || !strings.Contains(answer, "HTTP/1.1 407 ") || strings.Contains(answer, "Proxy-Authorization=") {
		t.Errorf("%s", answer)
	}
	if list := r.done(); len(list) != 2 || !list[0].Allowed || list[1].Rule != "egress/password" {
		t.Errorf("%+v", list)
	}
}

func TestPasswordsOfSOCKS(t *testing.T) {
	for name, c := range map[string]struct{ said, answer string }{
		"none offered":   {"\x05\x01\x00", "\x05\xff"},
		"wrong":          {"\x05\x02\x00\x02\x01\x04user\x05wrong", "\x05\x02\x01\x01"},
		"empty":          {"\x05\x01\x02\x01\x00\x00", "\x05\x02\x01\x01"},
		"no such round":  {"\x05\x01\x02\x02\x00\x05right", "\x05\x02\x01\x01"},
		"passed over":    {"\x05\x01\x02\x05\x01\x00\x01\x7f\x00\x00\x01\x00\x50", "\x05\x02\x01\x01"},
		"with the right": {"\x05\x02\x00\x02\x01\x04user\x05right", "\x05\x02\x01\x00"},
	} {
		r, _ := guardedRig(t)
		conn := dialDoor(t, r.socks)
		if _, err := io.WriteString(conn, c.said); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, len(c.answer))
		if _, err := io.ReadFull(conn, got); err != nil || string(got) != c.answer {
			t.Errorf("%s: %q, %v", name, got, err)
		}
		if name == "with the right" {
			conn.Close()
			continue
		}
		if rest, _ := io.ReadAll(conn); len(rest) != 0 {
			t.Errorf("%s: %q", name, rest)
		}
		r.refused("egress/password")
	}
}

// TestCurlWithThePassword: as the variables of a sandbox have it.
func TestCurlWithThePassword(t *testing.T) {
	need(t, "curl")
	for _, scheme := range []string{"http", "socks5h"} {
		r, port := guardedRig(t)
		door := map[string]string{"http": r.http, "socks5h": r.socks}[scheme]
		w := world{rig: r}
		out, err := w.run("", "curl", "-sS", "--max-time", "20", "-x", scheme+"://user:right@"+door, fmt.Sprintf("http://api.test:%d/", port))
		if err != nil || !strings.HasPrefix(out, "GET / ") {
			t.Errorf("%s: %v, %s", scheme, err, out)
		}
		r.passed()
	}
}

func FuzzPassword(f *testing.F) {
	f.Add([]byte("\x01\x04user\x05right"))
	f.Fuzz(func(t *testing.T, b []byte) {
		type said struct {
			size int
			text string
		}
		sameEverywhere(t, b, func(b []byte) (said, int, error) {
			size, text, need, err := parsePassword(b)
			if max(need, size) > 3+2*255 {
				t.Errorf("%d bytes", max(need, size))
			}
			return said{size, text}, need, err
		})
	})
}
