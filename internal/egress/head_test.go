package egress

import (
	"bufio"
	"bytes"
	"net/http"
	"strings"
	"testing"
	"time"
)

func deadlineSoon() time.Time { return time.Now().Add(5 * time.Second) }

func TestHeads(t *testing.T) {
	for text, want := range map[string]string{
		"GET / HTTP/1.1\r\nHost: a\r\n\r\nmore":                                                                     "GET / HTTP/1.1\r\nHost: h\r\n\r\n",
		"GET / HTTP/1.0\r\n\r\n":                                                                                    "GET / HTTP/1.1\r\nHost: h\r\n\r\n",
		"M-SEARCH * HTTP/1.1\r\nhost:a\r\nX-Y:\t v \r\n\r\n":                                                        "M-SEARCH * HTTP/1.1\r\nHost: h\r\nX-Y: v\r\n\r\n",
		"PUT /\xc3\xbc HTTP/1.1\r\nHost: a\r\ncontent-length: 010\r\n\r\n":                                          "PUT /\xc3\xbc HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n",
		"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\nTrailer: x\r\n\r\n":                             "PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nConnection: Foo\r\nConnection: bar\r\nfoo: 1\r\nBAR: 2\r\nPROXY-x: 3\r\n\r\n": "GET / HTTP/1.1\r\nHost: h\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: WebSocket\r\n\r\n":                            "GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n":                           "POST / HTTP/1.1\r\nHost: h\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nConnection: host, content-length\r\nContent-Length: 0\r\n\r\n":                "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n",
	} {
		h, size, need, err := parseHead([]byte(text))
		if err != nil || need != 0 {
			t.Errorf("%q: %v, need %d", text, err, need)
			continue
		}
		if rest := text[size:]; rest != "" && rest != "more" {
			t.Errorf("%q: %q is left", text, rest)
		}
		if got := string(h.write(h.uri, "h", "")); got != want {
			t.Errorf("%q\n is %q\nwant %q", text, got, want)
		}
	}
}

func TestHeadsThatAreRefused(t *testing.T) {
	const line = "GET / HTTP/1.1\r\nHost: a\r\n"
	for _, text := range []string{
		// not requests
		"\x00", "\x05\x01\x00", " GET / HTTP/1.1\r\n", "get / HTTP/1.1\r\n", "\r\nGET / HTTP/1.1\r\n", "SSH-2.0-OpenSSH_9.2p1\r\n", "PING\r\n", "*1\r\n",
		"EHLO mail.test\r\n", strings.Repeat("A", 25), "GET / HTTP/2.0\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "GET / HTTP/0.9\r\n", "GET /\r\n", "GET / http/1.1\r\n",
		"GET / HTTP/1.1 \r\n", "GET  / HTTP/1.1\r\n", "GET / HTTP/1.1\n", "GET /\tHTTP/1.1\r\n", "GET / x HTTP/1.1\r\n", "GET /\r HTTP/1.1\r\n", "GET /#f HTTP/1.1\r\n", "GET /\x00 HTTP/1.1\r\n", "GET /\x7f HTTP/1.1\r\n", "GET  HTTP/1.1\r\n",
		// heads that readers read in two ways
		"GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nHost:\r\n\r\n", line + "Host: b\r\n\r\n", line + "hOST: a\r\n\r\n",
		line + " folded\r\n\r\n", line + "\tfolded\r\n\r\n", line + "X : y\r\n\r\n", line + "X\t: y\r\n\r\n", line + ": y\r\n\r\n", line + "no colon\r\n\r\n", line + "X\x00: y\r\n\r\n", line + "(x): y\r\n\r\n",
		line + "X: a\nY: b\r\n\r\n", line + "X: a\rY: b\r\n\r\n", line + "X: \x00\r\n\r\n", line + "X: \x7f\r\n\r\n", line + "\xff: y\r\n\r\n", "GET / HTTP/1.1\r\nX: y\nHost: a\r\n\r\n",
		// request smuggling
		line + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", line + "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n", line + "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n",
		line + "Content-Length: 1\r\nContent-Length: 1\r\n\r\n", line + "Content-Length: 1\r\nContent-Length: 2\r\n\r\n", line + "Content-Length: 1, 1\r\n\r\n",
		line + "Content-Length: +1\r\n\r\n", line + "Content-Length: -1\r\n\r\n", line + "Content-Length: 0x1\r\n\r\n", line + "Content-Length:\r\n\r\n", line + "Content-Length: 1_0\r\n\r\n", line + "Content-Length: 99999999999999999999\r\n\r\n",
		line + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", line + "Transfer-Encoding: identity\r\n\r\n", line + "Transfer-Encoding: gzip, chunked\r\n\r\n", line + "Transfer-Encoding: \x0bchunked\r\n\r\n", line + "Transfer-Encoding: xchunked\r\n\r\n", line + "Transfer-Encoding:\r\n\r\n",
		"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
	} {
		if h, _, need, err := parseHead([]byte(text)); err == nil {
			t.Errorf("%q: %+v, need %d", text, h, need)
		}
	}
}

// FuzzHead: the verdict does not depend on how the bytes come, Go's own reader agrees on what is accepted, and what is
// written for the far side is read as one request by it.
func FuzzHead(f *testing.F) {
	for _, s := range []string{
		"GET http://a.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nConnection: x\r\nX: y\r\n\r\nhello",
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "CONNECT a:1 HTTP/1.0\r\n\r\n", "PRI * HTTP/2.0\r\n\r\n", "SSH-2.0-x\r\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 2000 {
			return
		}
		type seen struct {
			head string
			size int
		}
		parse := func(b []byte) (seen, int, error) {
			h, size, need, err := parseHead(b)
			if err != nil || need > 0 {
				return seen{}, need, err
			}
			return seen{string(h.write(h.uri, h.host, "")), size}, 0, nil
		}
		sameEverywhere(t, b, parse)
		h, size, need, err := parseHead(b)
		if err != nil || need > 0 {
			return
		}
		theirs, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(b[:size])))
		if err != nil { // Go reads addresses and methods more strictly
			return
		}
		if h.minor == 1 && h.chunked != (len(theirs.TransferEncoding) > 0) || !h.chunked && max(0, h.length) != theirs.ContentLength {
			t.Errorf("%q: we see a body of %d, chunked %t; Go %d, %v", b[:size], h.length, h.chunked, theirs.ContentLength, theirs.TransferEncoding)
		}
		out := h.write("/", "host.test", "")
		again, n, need, err := parseHead(out)
		if err != nil || need > 0 || n != len(out) || again.host != "host.test" || again.chunked != h.chunked || again.length != h.length {
			t.Errorf("%q is written as %q, which is %+v, %v", b[:size], out, again, err)
		}
	})
}
