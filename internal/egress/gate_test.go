package egress

import (
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"strings"
	"testing"
)

func tlsRecord(kind byte, body string) string {
	return string([]byte{kind, 3, 3, byte(len(body) >> 8), byte(len(body))}) + body
}

// A second ClientHello is judged as the first was, also behind what may stand between them.
func TestSecondHello(t *testing.T) {
	good, evil := string(helloWith(sni("api.test"))), string(helloWith(sni("evil.test")))
	compat := tlsRecord(recordChangeCipher, "\x01")
	for name, c := range map[string]struct{ second, rule string }{
		"another name":                 {evil, "egress/server-name"},
		"another name in small pieces": {string(records(helloMessage(sni("evil.test")), 3)), "egress/server-name"},
		"another name in tiny pieces":  {string(records(helloMessage(sni("evil.test")), 1)), "egress/server-name"},
		"behind ChangeCipherSpec":      {compat + evil, "egress/server-name"},
		"behind an alert":              {tlsRecord(recordAlert, "\x01\x00") + evil, "egress/server-name"},
		"behind early data":            {compat + tlsRecord(recordData, strings.Repeat("x", 16000)) + tlsRecord(recordData, "y") + evil, "egress/server-name"},
		"behind the same again":        {good + compat + evil, "egress/server-name"},
		"no name":                      {string(helloWith()), "egress/server-name"},
		"a hidden name":                {string(helloWith(sni("api.test"), extension(extECH, []byte{0}))), "egress/hidden-name"},
		"two names":                    {string(helloWith(sni("api.test", "evil.test"))), "egress/first-bytes"},
		"behind an empty record":       {tlsRecord(recordHandshake, "") + evil, "egress/first-bytes"},
		"of more than 16 KB":           {string(records(helloMessage(extension(21, make([]byte, maxHello-60)), sni("evil.test")), 1)), "egress/first-bytes"},
		"the same name":                {compat + good + tlsRecord(recordData, "x"), ""},
		"TLS 1.2":                      {tlsRecord(recordHandshake, "\x10\x00\x00\x01x") + compat + tlsRecord(recordHandshake, "\x01\x00\x00encrypted"), ""},
		"TLS 1.2, resumed":             {compat + tlsRecord(recordHandshake, "\x01\x01\x00encrypted"), ""},
		"no TLS":                       {"something else", ""},
	} {
		t.Run(name, func(t *testing.T) {
			port, heard := listener(t)
			r := newRig(t, grant(port, "api.test"), loopback("api.test"))
			_, conn := r.socksRequest(byName(1, "api.test", port))
			go func() { // it may be closed in the middle
				io.WriteString(conn, good+c.second)
				conn.(*net.TCPConn).CloseWrite()
			}()
			io.ReadAll(conn)
			text := <-heard
			if c.rule == "" {
				if text != good+c.second {
					t.Errorf("the server heard %q", text)
				}
				r.passed()
				return
			}
			if strings.Contains(text, "evil.test") || !strings.HasPrefix(text, good) {
				t.Errorf("the server heard %q", text)
			}
			r.refused(c.rule)
		})
	}
}

// Honest TLS passes: with a second hello that the server asks for, resumed, and with much data in both directions.
func TestTLSOfAllVersions(t *testing.T) {
	a := newAuthority(t)
	long := bytes.Repeat([]byte("0123456789"), 300_000)
	for name, c := range map[string]func(*tls.Config){
		"TLS 1.3":              func(*tls.Config) {},
		"TLS 1.3, asked twice": func(c *tls.Config) { c.CurvePreferences = []tls.CurveID{tls.CurveP384} },
		"TLS 1.2":              func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 },
		"TLS 1.2 with block modes": func(c *tls.Config) {
			c.MaxVersion, c.CipherSuites = tls.VersionTLS12, []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA}
		},
	} {
		server := a.server("api.test")
		c(server)
		l := tls.NewListener(listen(t), server)
		go func() {
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				go func() {
					io.Copy(conn, conn)
					conn.Close()
				}()
			}
		}()
		port := portOf(t, l.Addr().String())
		r := newRig(t, grant(port, "api.test"), loopback("api.test"))
		client := &tls.Config{RootCAs: a.pool(), ServerName: "api.test", ClientSessionCache: tls.NewLRUClientSessionCache(1)}
		client.CipherSuites = server.CipherSuites
		for i := range 3 {
			_, conn := r.socksRequest(byName(1, "api.test", port))
			tc := tls.Client(conn.(net.Conn), client)
			go func() {
				tc.Write(long)
				tc.CloseWrite()
			}()
			back, err := io.ReadAll(tc)
			if err != nil || !bytes.Equal(back, long) {
				t.Errorf("%s: %d bytes, %v", name, len(back), err)
			}
			if state := tc.ConnectionState(); state.DidResume != (i > 0) || (name == "TLS 1.3, asked twice") != state.HelloRetryRequest {
				t.Errorf("%s: %+v", name, state)
			}
			tc.Close()
		}
		for _, at := range r.done() {
			if !at.Allowed || at.Why != "" {
				t.Errorf("%s: %+v", name, at)
			}
		}
	}
}

// FuzzGate: however the bytes come, the same of them pass.
func FuzzGate(f *testing.F) {
	good := helloWith(sni("api.test"))
	f.Add(append(good, good...))
	f.Add(append(good, helloWith(sni("evil.test"))...))
	f.Add([]byte(tlsRecord(recordChangeCipher, "\x01") + tlsRecord(recordHandshake, "\x10\x00") + "x"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 4000 {
			return
		}
		type verdict struct {
			passes int
			rule   string
		}
		for at := 0; at < len(b); {
			rest := b[at:]
			sameEverywhere(t, rest, func(b []byte) (verdict, int, error) {
				g := &gate{to: target{name: "api.test", port: 443}}
				need, err := g.next(b)
				if need == 0 && err == nil && g.left <= 0 {
					t.Fatal("nothing passes, and nothing is wanted")
				}
				v := verdict{passes: g.left}
				if g.refused != nil {
					v.rule = g.refused.Rule
				}
				return v, need, err
			})
			g := &gate{to: target{name: "api.test", port: 443}}
			if need, err := g.next(rest); need > 0 || err != nil || g.left > len(rest) {
				return
			}
			at += g.left
		}
	})
}
