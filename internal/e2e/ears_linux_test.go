package e2e

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// ears hear what leaves: everything that reaches one of a test's servers.
type ears struct {
	mu    sync.Mutex
	heard strings.Builder
}

func (e *ears) hear(format string, args ...any) {
	e.mu.Lock()
	defer e.mu.Unlock()
	fmt.Fprintf(&e.heard, format+"\n", args...)
}

// has tells whether something was heard, in capitals or not: name servers may change them.
func (e *ears) has(mark string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return strings.Contains(strings.ToLower(e.heard.String()), strings.ToLower(mark))
}

// stream listens on TCP, for lines. A database's protocol begins with what the client says, too.
func (e *ears) stream(t *testing.T, network, address string) string {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				said, _ := bufio.NewReader(conn).ReadString('\n')
				e.hear("%s %s", network, said)
				_, _ = io.WriteString(conn, "heard\n") // it may be gone
			}()
		}
	}()
	return l.Addr().String()
}

// datagrams listens on UDP. To what may be a question for a name it says that there is none (RFC 1035 section 4.1.1).
func (e *ears) datagrams(t *testing.T, network, address string) string {
	t.Helper()
	c, err := net.ListenPacket(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	go func() {
		b := make([]byte, 1500)
		for {
			n, from, err := c.ReadFrom(b)
			if err != nil {
				return
			}
			// A name is written with the length before each label.
			e.hear("%s %s", network, bytes.Map(func(r rune) rune { return max(r, ' ') }, b[:n]))
			if n >= 12 {
				b[2], b[3] = b[2]|0x80, 0x83
			}
			_, _ = c.WriteTo(b[:n], from) // it may be gone
		}
	}()
	return c.LocalAddr().String()
}

// A far is what lies beyond: a host that answers for every name, with TLS and without, and the corporate proxy of the
// person's machine, which leads there. Names are looked up by that proxy, so that tests need no name server.
type far struct {
	ears      *ears
	proxy     *httptest.Server
	tls       *httptest.Server
	plain     *httptest.Server
	authority string // the file with the certificate that vouches for the far host, as companies have one
}

func newFar(t *testing.T, e *ears) *far {
	t.Helper()
	f := &far{ears: e}
	page := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e.hear("page %s%s", r.Host, r.URL)
		fmt.Fprint(w, "this is "+r.Host)
	})
	f.plain, f.tls, f.proxy = httptest.NewServer(page), httptest.NewUnstartedServer(page), httptest.NewServer(http.HandlerFunc(f.pass))
	f.authority = filepath.Join(t.TempDir(), "authority.pem")
	f.tls.TLS = &tls.Config{Certificates: []tls.Certificate{certified(t, f.authority)}, GetConfigForClient: func(h *tls.ClientHelloInfo) (*tls.Config, error) {
		e.hear("TLS for %q", h.ServerName)
		return nil, nil
	}}
	f.tls.StartTLS()
	for _, s := range []*httptest.Server{f.plain, f.tls, f.proxy} {
		s.Config.ErrorLog = log.New(io.Discard, "", 0) // of those who are refused
		t.Cleanup(s.Close)
	}
	return f
}

// certified makes a certificate for the host that is granted and another one, which vouches for itself, and writes it to a
// file.
func certified(t *testing.T, file string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "The far host"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{granted, other}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	write(t, file, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// pass is the corporate proxy: addresses are dialled, names lead to the far host.
func (f *far) pass(w http.ResponseWriter, r *http.Request) {
	f.ears.hear("proxy %s %s %s", r.Method, r.URL, r.Host)
	if r.Method != http.MethodConnect {
		fmt.Fprint(w, "this is "+r.Host)
		return
	}
	host, port, err := net.SplitHostPort(r.Host)
	to := f.tls.Listener.Addr().String()
	switch {
	case err != nil:
		http.Error(w, "no such host", http.StatusBadRequest)
		return
	case net.ParseIP(host) != nil || host == "localhost":
		to = r.Host
	case port == "80":
		to = f.plain.Listener.Addr().String()
	}
	up, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", to)
	if err != nil {
		http.Error(w, "no way", http.StatusBadGateway)
		return
	}
	defer up.Close()
	down, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer down.Close()
	fmt.Fprint(down, "HTTP/1.1 200 OK\r\n\r\n")
	go func() {
		_, _ = io.Copy(up, buffered) // either end may be gone
		up.Close()
	}()
	_, _ = io.Copy(down, up)
}
