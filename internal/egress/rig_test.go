package egress

import (
	"bufio"
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
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"satchel/internal/spec"
)

// A rig is a proxy at work, with servers and a name server of its own. Everything is on loopback: what is to be reached
// there must be granted by its literal address too, as everywhere.
type rig struct {
	*Proxy
	t           testing.TB
	http, socks string // addresses of the doors
	mu          sync.Mutex
	attempts    []Attempt
}

// names answers for a name server: the n-th question for a name, from 0.
type names map[string]func(n int) []string

const silence = "no answer comes"

func always(addrs ...string) func(int) []string { return func(int) []string { return addrs } }

func newRig(t testing.TB, n spec.Net, nn names, change ...func(*Config, *limits)) *rig {
	t.Helper()
	r := &rig{t: t}
	c := Config{ID: "acme/tool", Net: n, Resolver: nameServer(t, nn), Record: func(a Attempt) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.attempts = append(r.attempts, a)
	}}
	l := usual()
	for _, f := range change {
		f(&c, &l)
	}
	r.Proxy = newProxy(c, l)
	t.Cleanup(r.Close)
	r.http = r.serveOn(r.ServeHTTP)
	r.socks = r.serveOn(r.ServeSOCKS)
	return r
}

func (r *rig) serveOn(serve func(net.Listener)) string {
	l := listen(r.t)
	go serve(l)
	return l.Addr().String()
}

// done closes the proxy and gives what was recorded.
func (r *rig) done() []Attempt {
	r.t.Helper()
	r.Close()
	r.mu.Lock()
	defer r.mu.Unlock()
	slices.SortFunc(r.attempts, func(a, b Attempt) int { return a.Time.Compare(b.Time) })
	return r.attempts
}

// only closes the proxy and gives the one attempt that must have been recorded.
func (r *rig) only() Attempt {
	r.t.Helper()
	list := r.done()
	if len(list) != 1 {
		r.t.Fatalf("%d attempts were recorded, not 1: %+v", len(list), list)
	}
	return list[0]
}

// refused holds the one attempt to a rule.
func (r *rig) refused(rule string) Attempt {
	r.t.Helper()
	a := r.only()
	if a.Allowed || a.Rule != rule || a.Why == "" {
		r.t.Errorf("recorded as %+v; want it refused by %s", a, rule)
	}
	return a
}

// passed holds the one attempt to be one that no rule refused.
func (r *rig) passed() Attempt {
	r.t.Helper()
	a := r.only()
	if !a.Allowed || a.Rule != "" {
		r.t.Errorf("recorded as %+v; want it allowed", a)
	}
	return a
}

func listen(t testing.TB) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func portOf(t testing.TB, address string) int {
	t.Helper()
	a, err := netip.ParseAddrPort(address)
	if err != nil {
		t.Fatal(err)
	}
	return int(a.Port())
}

// grant is a grant of names at a port of loopback, which is granted too.
func grant(port int, hosts ...string) spec.Net {
	n := spec.Net{Hosts: []spec.Host{{Name: "127.0.0.1", Port: port}}}
	for _, h := range hosts {
		n.Hosts = append(n.Hosts, spec.Host{Name: h, Port: port})
	}
	return n
}

// nameServer answers over UDP on loopback.
func nameServer(t testing.TB, nn names) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	go func() {
		asked := map[dnsmessage.Question]int{}
		buf := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			if answer := answerTo(buf[:n], nn, asked); answer != nil {
				conn.WriteTo(answer, from)
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

func answerTo(message []byte, nn names, asked map[dnsmessage.Question]int) []byte {
	var m dnsmessage.Message
	if m.Unpack(message) != nil || len(m.Questions) != 1 {
		return nil
	}
	q := m.Questions[0]
	m.Header = dnsmessage.Header{ID: m.ID, Response: true, RecursionAvailable: true}
	m.Additionals = nil
	answers, known := nn[strings.TrimSuffix(strings.ToLower(q.Name.String()), ".")]
	if !known {
		m.RCode = dnsmessage.RCodeNameError
	} else {
		for _, s := range answers(asked[q]) {
			if s == silence {
				return nil
			}
			a := netip.MustParseAddr(s)
			var body dnsmessage.ResourceBody = &dnsmessage.AAAAResource{AAAA: a.As16()}
			kind := dnsmessage.TypeAAAA
			if a.Is4() {
				body, kind = &dnsmessage.AResource{A: a.As4()}, dnsmessage.TypeA
			}
			if kind == q.Type {
				m.Answers = append(m.Answers, dnsmessage.Resource{Header: dnsmessage.ResourceHeader{Name: q.Name, Class: dnsmessage.ClassINET}, Body: body})
			}
		}
		asked[q]++
	}
	packed, err := m.Pack()
	if err != nil {
		return nil
	}
	return packed
}

// webServer tells what it was asked. It gives its port.
func webServer(t testing.TB, conf *tls.Config) int {
	t.Helper()
	l := listen(t)
	s := &http.Server{Handler: http.HandlerFunc(tell), ErrorLog: quiet()}
	t.Cleanup(func() { s.Close() })
	if conf != nil {
		l = tls.NewListener(l, conf)
	}
	go s.Serve(l)
	return portOf(t, l.Addr().String())
}

func tell(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	w.Header().Set("Keep-Alive", "timeout=5")
	w.Header().Set("X-Kept", "yes")
	fmt.Fprintf(w, "%s %s host=%s body=%s", r.Method, r.URL, r.Host, body)
	for _, name := range []string{"Proxy-Authorization", "Proxy-Connection", "Keep-Alive", "Te", "Upgrade", "X-Once", "X-Kept", "User-Agent"} {
		if v, ok := r.Header[name]; ok {
			fmt.Fprintf(w, " %s=%s", name, v)
		}
	}
}

// an authority issues certificates for tests.
type authority struct {
	t    testing.TB
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t testing.TB) *authority {
	t.Helper()
	a := &authority{t: t}
	a.key, _ = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	a.cert = a.issue(nil, &a.key.PublicKey, a.key)
	return a
}

func (a *authority) issue(names []string, pub *ecdsa.PublicKey, by *ecdsa.PrivateKey) *x509.Certificate {
	a.t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: fmt.Sprint("egress test ", names)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), BasicConstraintsValid: true,
	}
	parent := a.cert
	if names == nil {
		parent, template.IsCA, template.KeyUsage = template, true, x509.KeyUsageCertSign
	}
	for _, n := range names {
		if ip := net.ParseIP(n); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, n)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, pub, by)
	if err != nil {
		a.t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return cert
}

func (a *authority) server(names ...string) *tls.Config {
	a.t.Helper()
	key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	cert := a.issue(names, &key.PublicKey, a.key)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{cert.Raw}, PrivateKey: key}}}
}

func (a *authority) pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(a.cert)
	return p
}

// file writes the authority's certificate for other programs.
func (a *authority) file() string {
	a.t.Helper()
	name := filepath.Join(a.t.TempDir(), "ca.pem")
	if err := os.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw}), 0o600); err != nil {
		a.t.Fatal(err)
	}
	return name
}

// dialDoor connects to a door. Nothing waits for longer than a test may.
func dialDoor(t testing.TB, address string) *net.TCPConn {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(20 * time.Second))
	return c.(*net.TCPConn)
}

// ask writes text to the HTTP door and gives all that comes back until the end.
func (r *rig) ask(text string) string {
	r.t.Helper()
	c := dialDoor(r.t, r.http)
	if _, err := io.WriteString(c, text); err != nil {
		r.t.Fatal(err)
	}
	all, err := io.ReadAll(c)
	if err != nil {
		r.t.Logf("the answer ends with %v", err)
	}
	return string(all)
}

// connect makes a tunnel at the HTTP door; the status line is "" when the connection ended.
func (r *rig) tunnelTo(target string) (*net.TCPConn, *bufio.Reader, string) {
	r.t.Helper()
	c := dialDoor(r.t, r.http)
	fmt.Fprintf(c, "CONNECT %s HTTP/1.1\r\nHost: %[1]s\r\n\r\n", target)
	br := bufio.NewReader(c)
	line, _ := br.ReadString('\n')
	if strings.Contains(line, " 200 ") {
		if rest, err := br.ReadString('\n'); rest != "\r\n" {
			r.t.Fatalf("after the status line: %q, %v", rest, err)
		}
	}
	return c, br, strings.TrimSpace(line)
}

// noGoroutinesLeft holds a test to leave none of this package's behind. Those that are ending get the time to.
func noGoroutinesLeft(t *testing.T) {
	t.Helper()
	var stacks string
	for range 200 {
		buf := make([]byte, 1<<20)
		stacks = string(buf[:runtime.Stack(buf, true)])
		if !strings.Contains(stacks, "egress.(*Proxy)") && !strings.Contains(stacks, "egress.(*session)") && !strings.Contains(stacks, "egress.(*flow)") && !strings.Contains(stacks, "egress.(*exchange)") {
			return
		}
		runtime.Gosched()
	}
	t.Errorf("goroutines are left:\n%s", stacks)
}

func quiet() *log.Logger { return log.New(io.Discard, "", 0) }
