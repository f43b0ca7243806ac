package egress

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"io"
	"net"
	"strings"
	"testing"
)

// clientHelloOf gives what Go's TLS client says first.
func clientHelloOf(t testing.TB, conf *tls.Config) []byte {
	t.Helper()
	near, far := net.Pipe()
	defer far.Close()
	go func() {
		tls.Client(near, conf).Handshake()
		near.Close()
	}()
	header := make([]byte, recordHeader)
	if _, err := io.ReadFull(far, header); err != nil {
		t.Fatal(err)
	}
	body := make([]byte, binary.BigEndian.Uint16(header[3:]))
	if _, err := io.ReadFull(far, body); err != nil {
		t.Fatal(err)
	}
	return append(header, body...)
}

// records splits a handshake message into records of at most size bytes.
func records(message []byte, size int) (b []byte) {
	for len(message) > 0 {
		n := min(size, len(message))
		b = append(b, recordHandshake, 3, 1, byte(n>>8), byte(n))
		b = append(b, message[:n]...)
		message = message[n:]
	}
	return b
}

// helloWith gives a ClientHello in one record with these extensions.
func helloWith(extensions ...[]byte) []byte {
	return records(helloMessage(extensions...), maxRecord)
}

func helloMessage(extensions ...[]byte) []byte {
	all := bytes.Join(extensions, nil)
	body := append([]byte{3, 3}, make([]byte, 32)...)
	body = append(body, 0, 0, 2, 0x13, 1, 1, 0)
	body = binary.BigEndian.AppendUint16(body, uint16(len(all)))
	body = append(body, all...)
	return append([]byte{clientHello, byte(len(body) >> 16), byte(len(body) >> 8), byte(len(body))}, body...)
}

func extension(kind uint16, data []byte) []byte {
	b := binary.BigEndian.AppendUint16(nil, kind)
	return append(binary.BigEndian.AppendUint16(b, uint16(len(data))), data...)
}

func sni(names ...string) []byte {
	var list []byte
	for _, n := range names {
		list = append(list, nameTypeHost)
		list = append(binary.BigEndian.AppendUint16(list, uint16(len(n))), n...)
	}
	return extension(extServerName, append(binary.BigEndian.AppendUint16(nil, uint16(len(list))), list...))
}

func TestHello(t *testing.T) {
	real := clientHelloOf(t, &tls.Config{ServerName: "api.test"})
	if len(real) < 1200 {
		t.Errorf("Go's hello has %d bytes: it holds no post-quantum key share any more, so nothing proves that one fits", len(real))
	}
	padding := func(n int) []byte { return extension(21, make([]byte, n)) }
	full := maxHello - len(helloMessage(sni("api.test"), padding(0))) + 4
	for name, c := range map[string]struct {
		b    []byte
		want hello
	}{
		"Go":                     {real, hello{name: "api.test"}},
		"Go in small records":    {records(real[recordHeader:], 10), hello{name: "api.test"}},
		"Go in tiny records":     {records(real[recordHeader:], 1), hello{name: "api.test"}},
		"16 KB":                  {helloWith(padding(full), sni("api.test")), hello{name: "api.test"}},
		"16 KB in small records": {records(helloMessage(padding(full), sni("api.test")), 500), hello{name: "api.test"}},
		"no name":                {helloWith(), hello{}},
		"Encrypted Client Hello": {helloWith(sni("api.test"), extension(extECH, []byte{0, 1})), hello{name: "api.test", ech: true}},
		"something follows":      {append(helloWith(sni("api.test")), "more"...), hello{name: "api.test"}},
		"TLS 1.0 without any extensions": {records(append([]byte{1, 0, 0, 41, 3, 1}, append(make([]byte, 32), 0, 0, 2, 0, 1, 1, 0)...), 99),
			hello{}},
	} {
		got, need, err := parseHello(c.b)
		if rest := string(c.b[got.size:]); rest != "" && rest != "more" {
			t.Errorf("%s: %d bytes are left", name, len(rest))
		}
		got.size = 0
		if err != nil || need != 0 || got != c.want {
			t.Errorf("%s: %+v, need %d, %v; want %+v", name, got, need, err, c.want)
		}
	}
}

func TestHellosThatAreRefused(t *testing.T) {
	good := helloWith(sni("api.test"))
	changed := func(at int, to byte) []byte {
		b := bytes.Clone(good)
		b[at] = to
		return b
	}
	for name, b := range map[string][]byte{
		"another kind of record":          changed(0, 0x17),
		"SSL 2":                           {0x80, 46, 1, 3, 1},
		"another major version":           changed(1, 2),
		"an empty record":                 append([]byte{recordHandshake, 3, 1, 0, 0}, good...),
		"a record that is too long":       {recordHandshake, 3, 1, 0x40, 1},
		"another message":                 changed(recordHeader, 2),
		"a hello of more than 16 KB":      records(helloMessage(extension(21, make([]byte, maxHello))), maxRecord),
		"a hello of 16 MB":                {recordHandshake, 3, 1, 0, 4, 1, 0xff, 0xff, 0xff},
		"a second message in its record":  records(append(helloMessage(sni("api.test")), 20, 0, 0, 0), maxRecord),
		"two names in the list":           helloWith(sni("api.test", "evil.test")),
		"two lists of names":              helloWith(sni("api.test"), sni("evil.test")),
		"an empty name":                   helloWith(sni("")),
		"an empty list":                   helloWith(sni()),
		"a name of another type":          helloWith(extension(extServerName, []byte{0, 4, 1, 0, 1, 'a'})),
		"bytes behind the list of names":  helloWith(extension(extServerName, []byte{0, 4, 0, 0, 1, 'a', 0})),
		"extensions that are cut":         helloWith([]byte{0, 0, 0, 9}),
		"bytes behind the extensions":     records(append([]byte{1, 0, 0, 44, 3, 3}, append(make([]byte, 32), 0, 0, 2, 0, 1, 1, 0, 0, 0, 9)...), 99),
		"nothing but a random number":     records(append([]byte{1, 0, 0, 34, 3, 3}, make([]byte, 32)...), 99),
		"a record of data in the middle":  append(records(helloMessage(sni("api.test"))[:20], 20), 0x17, 3, 3, 0, 1, 'x'),
		"the first byte of another thing": []byte("GET / HTTP/1.1\r\n"),
	} {
		if got, need, err := parseHello(b); err == nil {
			t.Errorf("%s: %+v, need %d", name, got, need)
		}
	}
}

// verdictOf shows a parser the bytes as they would come, n at first and then what it asks for at least.
func verdictOf[V comparable](t *testing.T, b []byte, first int, parse func([]byte) (V, int, error)) (v V, at int, err error) {
	t.Helper()
	for n := min(first, len(b)); ; {
		v, need, err := parse(b[:n:n])
		if err != nil || need == 0 {
			return v, n, err
		}
		if need <= n {
			t.Fatalf("after %d bytes it needs %d", n, need)
		}
		if need > len(b) {
			return v, -1, nil
		}
		n = need
	}
}

// sameEverywhere holds a parser to one verdict however the bytes are split: they are accepted as one thing, or not. What is
// refused may show a few bytes later, when the parser asked for several.
func sameEverywhere[V comparable](t *testing.T, b []byte, parse func([]byte) (V, int, error)) {
	t.Helper()
	want, wantAt, wantErr := verdictOf(t, b, len(b), parse)
	for first := range len(b) {
		got, at, err := verdictOf(t, b, first, parse)
		if got != want || (err == nil && at >= 0) != (wantErr == nil && wantAt >= 0) {
			t.Fatalf("after %d bytes first: %+v, %v at %d; all at once: %+v, %v at %d", first, got, err, at, want, wantErr, wantAt)
		}
	}
}

func FuzzHello(f *testing.F) {
	f.Add(clientHelloOf(f, &tls.Config{ServerName: "api.test"}), 10)
	f.Add(helloWith(sni("api.test"), extension(extECH, []byte{0})), 3)
	f.Add(helloWith(sni("a", "b"))[recordHeader:], 1)
	f.Fuzz(func(t *testing.T, b []byte, size int) {
		if len(b) > 2*maxHello || size < 0 {
			return
		}
		sameEverywhere(t, b, parseHello)
		got, need, err := parseHello(b)
		if err != nil || need > 0 {
			return
		}
		// What a real server takes from these bytes is what we took.
		if name, ok := nameForGo(b); ok && name != got.name && !got.ech {
			t.Errorf("we read %q, Go reads %q", got.name, name)
		}
		// Splitting the message in other records changes nothing.
		n := 4 + int(b[recordHeader+1])<<16 // of a message that fits one record
		if first := int(b[3])<<8 | int(b[4]); n == 4 && first >= 4 && 4+int(b[recordHeader+2])<<8+int(b[recordHeader+3]) == first && size > 0 && size < 1000 {
			again, need, err := parseHello(records(b[recordHeader:recordHeader+first], size))
			again.size = got.size
			if again != got || need != 0 || err != nil {
				t.Errorf("in records of %d: %+v, %d, %v; was %+v", size, again, need, err, got)
			}
		}
	})
}

// nameForGo gives the name that Go's TLS server reads, when it reads one.
func nameForGo(b []byte) (name string, ok bool) {
	near, far := net.Pipe()
	defer near.Close()
	go func() {
		near.Write(b)
		io.Copy(io.Discard, near)
	}()
	server := tls.Server(far, &tls.Config{GetConfigForClient: func(h *tls.ClientHelloInfo) (*tls.Config, error) {
		name, ok = h.ServerName, true
		return nil, io.EOF
	}})
	near.SetDeadline(deadlineSoon())
	far.SetDeadline(deadlineSoon())
	server.Handshake()
	far.Close()
	return strings.TrimSuffix(name, "."), ok
}
