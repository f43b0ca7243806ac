package egress

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// A head is the head of an HTTP/1 request. Only what all readers understand alike is one: where RFC 9112 lets a reader
// be lenient, another may read a second request into the same bytes.
type head struct {
	method, uri string
	minor       int // HTTP/1.minor
	fields      []field
	host        string // of the Host field; empty when there is none
	length      int64  // of the body; -1 when none is given
	chunked     bool
	expect      bool            // the client waits for 100 Continue
	options     map[string]bool // of Connection and Proxy-Connection, lower case
	upgrade     string          // lower case
}

type field struct{ name, value string }

// maxMethod is the longest method of IANA's registry and a little more.
const maxMethod = 24

var (
	errNotHTTP = errors.New("not an HTTP/1 request")
	errHead    = errors.New("an ambiguous or malformed head of a request")
)

// parseHead reads the head at the beginning of b and its size. When there is too little of it, need is how many bytes it
// takes to go on. The verdict on the first n bytes is never changed by those after them.
func parseHead(b []byte) (h *head, size, need int, err error) {
	line, _, whole := bytes.Cut(b, []byte("\n"))
	if !whole {
		return nil, 0, len(b) + 1, mayBeRequest(b)
	}
	h, err = requestLine(line)
	if err != nil {
		return nil, 0, 0, err
	}
	end := bytes.Index(b, []byte("\r\n\r\n"))
	if end < 0 {
		return nil, 0, len(b) + 1, nil
	}
	for i, l := range bytes.Split(b[:end], []byte("\r\n")) {
		if i == 0 {
			continue
		}
		f, err := parseField(l)
		if err == nil {
			err = h.take(f)
		}
		if err != nil {
			return nil, 0, 0, err
		}
	}
	return h, end + 4, 0, h.check()
}

// mayBeRequest tells as early as possible that bytes without an end of line do not begin a request.
func mayBeRequest(b []byte) error {
	method, _, spaced := bytes.Cut(b, []byte(" "))
	if len(method) > maxMethod || spaced && len(method) == 0 {
		return errNotHTTP
	}
	for _, c := range method {
		if (c < 'A' || c > 'Z') && c != '-' {
			return errNotHTTP
		}
	}
	return nil
}

func requestLine(line []byte) (*head, error) {
	line, ok := bytes.CutSuffix(line, []byte("\r"))
	parts := strings.Split(string(line), " ")
	if err := mayBeRequest(line); err != nil || !ok || len(parts) != 3 || parts[1] == "" {
		return nil, errNotHTTP
	}
	h := &head{method: parts[0], uri: parts[1], length: -1, options: map[string]bool{}}
	switch parts[2] {
	case "HTTP/1.1":
		h.minor = 1
	case "HTTP/1.0":
	default: // the preface of HTTP/2 too
		return nil, errNotHTTP
	}
	if strings.ContainsFunc(h.uri, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '#' }) {
		return nil, errNotHTTP
	}
	return h, nil
}

// parseField reads one line. A line that begins with a space, a space before the colon and control characters are what
// readers disagree about.
func parseField(line []byte) (field, error) {
	name, value, ok := bytes.Cut(line, []byte(":"))
	if !ok || len(name) == 0 {
		return field{}, errHead
	}
	for _, c := range name {
		if !tokenByte(c) {
			return field{}, errHead
		}
	}
	for _, c := range value {
		if c < ' ' && c != '\t' || c == 0x7f {
			return field{}, errHead
		}
	}
	return field{string(name), strings.Trim(string(value), " \t")}, nil
}

func tokenByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0
}

// take adds a field. Those that frame the message and name its host are kept apart: they are written anew.
func (h *head) take(f field) error {
	switch strings.ToLower(f.name) {
	case "host":
		if h.host != "" || f.value == "" {
			return errHead
		}
		h.host = f.value
	case "content-length":
		n, err := strconv.ParseUint(f.value, 10, 63)
		if err != nil || h.length >= 0 || strings.Trim(f.value, "0123456789") != "" {
			return errHead
		}
		h.length = int64(n)
	case "transfer-encoding":
		if h.chunked || !strings.EqualFold(f.value, "chunked") {
			return errHead
		}
		h.chunked = true
	case "connection", "proxy-connection":
		for o := range strings.SplitSeq(f.value, ",") {
			h.options[strings.ToLower(strings.Trim(o, " \t"))] = true
		}
	case "expect":
		h.expect = strings.EqualFold(f.value, "100-continue")
	case "upgrade":
		h.upgrade = strings.ToLower(f.value)
	default:
		h.fields = append(h.fields, f)
	}
	return nil
}

// check looks at what only the whole head shows.
func (h *head) check() error {
	switch {
	case h.chunked && (h.length >= 0 || h.minor == 0), h.minor == 1 && h.host == "":
		return errHead
	}
	return nil
}

func (h *head) body() bool { return h.chunked || h.length > 0 }

// again tells whether the client wants to send another request on the same connection.
func (h *head) again() bool { return h.minor == 1 && !h.options["close"] }

// webSocket tells whether the request asks to go on with WebSocket, the one protocol that may follow HTTP: in HTTP/2,
// which could too, each request names a host anew.
func (h *head) webSocket() bool {
	return h.minor == 1 && h.method == "GET" && h.options["upgrade"] && h.upgrade == "websocket" && !h.body()
}

// write gives the head as it goes to the far side: uri instead of its own, and nothing that concerns only the connection
// to us.
func (h *head) write(uri, host, extra string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\n%s", h.method, uri, host, extra)
	for _, f := range h.fields {
		if name := strings.ToLower(f.name); !hopByHop(name) && !h.options[name] {
			fmt.Fprintf(&b, "%s: %s\r\n", f.name, f.value)
		}
	}
	switch {
	case h.length >= 0:
		fmt.Fprintf(&b, "Content-Length: %d\r\n", h.length)
	case h.chunked:
		b.WriteString("Transfer-Encoding: chunked\r\n")
	}
	if h.webSocket() {
		b.WriteString("Connection: Upgrade\r\nUpgrade: websocket\r\n")
	}
	b.WriteString("\r\n")
	return b.Bytes()
}

// hopByHop tells whether a field, in lower case, concerns one connection only (RFC 9110, 7.6.1), or is for a proxy.
func hopByHop(name string) bool {
	switch name {
	case "connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "http2-settings":
		return true
	}
	return strings.HasPrefix(name, "proxy-")
}
