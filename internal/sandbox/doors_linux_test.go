package sandbox

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"satchel/internal/egress"
	"satchel/internal/problem"
	"satchel/internal/spec"
)

// A town is what a sandboxed server can reach: a server for http and one for https, by the names that end in ".test",
// through a real proxy.
type town struct {
	t         *testing.T
	http, tls int    // ports
	ca        string // the file with the authority of the one for https
	grant     spec.Net
	files     []spec.File
	mu        sync.Mutex
	attempts  []egress.Attempt
	proxy     *egress.Proxy
}

func newTown(t *testing.T) *town {
	t.Helper()
	w := &town{t: t}
	w.http, w.tls = w.serve(nil), w.serve(w.authority("granted.test", "other.test"))
	for _, port := range []int{w.http, w.tls} {
		w.grant.Hosts = append(w.grant.Hosts, spec.Host{Name: "granted.test", Port: port}, spec.Host{Name: "127.0.0.1", Port: port})
	}
	w.proxy = egress.New(egress.Config{ID: "local/test", Net: w.grant, Resolver: resolver(t), Record: w.record})
	t.Cleanup(w.proxy.Close)
	return w
}

func (w *town) record(a egress.Attempt) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.attempts = append(w.attempts, a)
}

// done closes the proxy; then all attempts are there, in the order in which they began.
func (w *town) done() {
	w.proxy.Close()
	slices.SortFunc(w.attempts, func(a, b egress.Attempt) int { return a.Time.Compare(b.Time) })
}

// accept puts the proxy at the doors, as the supervisor does.
func (w *town) accept(d Door, l net.Listener) {
	switch d {
	case HTTPDoor:
		go w.proxy.ServeHTTP(l)
	case SOCKSDoor:
		go w.proxy.ServeSOCKS(l)
	case SocketDoor:
		go w.proxy.ServeSocket(l, l.Addr().String())
	default:
		go w.proxy.ServePort(l, int(d))
	}
}

func (w *town) serve(conf *tls.Config) int {
	w.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		w.t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	if conf != nil {
		l = tls.NewListener(l, conf)
	}
	s := &http.Server{Handler: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(rw, "reached %s", r.Host)
	}), ErrorLog: log.New(io.Discard, "", 0)}
	w.t.Cleanup(func() { s.Close() })
	go s.Serve(l)
	return port
}

// authority issues a certificate, and writes its own to a file.
func (w *town) authority(names ...string) *tls.Config {
	w.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		w.t.Fatal(err)
	}
	issue := func(c, by *x509.Certificate) []byte {
		c.SerialNumber, c.NotBefore, c.NotAfter = big.NewInt(time.Now().UnixNano()), time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
		der, err := x509.CreateCertificate(rand.Reader, c, by, &key.PublicKey, key)
		if err != nil {
			w.t.Fatal(err)
		}
		return der
	}
	root := &x509.Certificate{Subject: pkix.Name{CommonName: "a company"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	w.ca = filepath.Join(realTemp(w.t), "company", "ca.pem")
	write(w.t, w.ca, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: issue(root, root)})))
	leaf := issue(&x509.Certificate{Subject: pkix.Name{CommonName: "a server"}, DNSNames: names}, root)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{leaf}, PrivateKey: key}}}
}

// resolver says of every name that it is this machine.
func resolver(t *testing.T) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	go func() {
		b := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(b)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(b[:n]) != nil || len(m.Questions) != 1 {
				continue
			}
			q := m.Questions[0]
			m.Header = dnsmessage.Header{ID: m.ID, Response: true, RecursionAvailable: true}
			m.Additionals = nil
			if q.Type == dnsmessage.TypeA {
				m.Answers = []dnsmessage.Resource{{Header: dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class}, Body: &dnsmessage.AResource{A: [4]byte{127, 0, 0, 1}}}}
			}
			if packed, err := m.Pack(); err == nil {
				_, _ = conn.WriteTo(packed, from)
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

// run runs a script in a mode, with the town's network, and gives what it wrote.
func (w *town) run(m Mode, script string, env ...string) string {
	w.t.Helper()
	r, out, err := os.Pipe()
	if err != nil {
		w.t.Fatal(err)
	}
	defer r.Close()
	l := NewLauncher().Only(m)
	c := shell(spec.Sandbox{Net: w.grant, Files: w.files}, realTemp(w.t), script, out)
	c.Env = env
	p, err := l.Start(context.Background(), c, w.accept)
	out.Close()
	skipWithout(w.t, err)
	text, err := io.ReadAll(r)
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := p.Wait(); err != nil {
		w.t.Fatal(err)
	}
	return string(text)
}

// inModes runs a test in each mode that has network.
func inModes(t *testing.T, test func(t *testing.T, m Mode)) {
	for _, m := range []Mode{Namespaces, Bubblewrap, Landlock} {
		t.Run(string(m), func(t *testing.T) { test(t, m) })
	}
}

// clients fetch addresses, and say on one line each what they got or why they did not.
var clients = map[string]string{
	"node": `node -e '
const say = (...words) => console.log(words.join(" ").replace(/\s+/g, " "))
const got = url => new Promise(done => require(url.split(":")[0]).get(url, async r => { let s = ""; for await (const b of r) s += b; say(s); done() }).on("error", e => { say(e); done() }));
(async () => { for (const url of process.argv.slice(1)) {
	await fetch(url).then(async r => say(r.status, await r.text()), e => say(e, e.cause))
	await got(url)
} })()' -- `,
	"python": `python3 -c '
import sys, urllib.request
for url in sys.argv[1:] * 2:
    try: print(urllib.request.urlopen(url, timeout=20).read().decode())
    except Exception as e: print(e)' `,
	"curl": `each() { for u in "$@"; do curl -sS --max-time 20 $u 2>&1 | tr '\r\n' '  '; echo; done; }; each `,
}

// TestClientsReachWhatIsGranted, by name, through the proxy that their environment names, with a company's own authority.
func TestClientsReachWhatIsGranted(t *testing.T) {
	inModes(t, func(t *testing.T, m Mode) {
		w := newTown(t)
		for name, client := range clients {
			urls := fmt.Sprintf("http://granted.test:%d/ https://granted.test:%d/ https://other.test:%[2]d/", w.http, w.tls)
			out := w.run(m, client+urls, "NODE_EXTRA_CA_CERTS="+w.ca, "SSL_CERT_FILE="+w.ca, "CURL_CA_BUNDLE="+w.ca)
			reached, refused := strings.Count(out, "reached granted.test"), strings.Count(out, "403")+strings.Count(out, "rule: egress/not-granted")
			want := 2
			if name == "curl" {
				want = 1
			}
			if reached != 2*want || refused != want || strings.Contains(out, "Warning") || strings.Contains(out, "reached other") {
				t.Errorf("%s: %s", name, out)
			}
		}
	})
}

// TestNothingGoesAroundTheProxy: without the variables, names are not even looked up.
func TestNothingGoesAroundTheProxy(t *testing.T) {
	inModes(t, func(t *testing.T, m Mode) {
		w := newTown(t)
		out := w.run(m, fmt.Sprintf(`curl -sS --noproxy '*' --max-time 5 http://granted.test:%d/ 2>&1; curl -sS --noproxy '*' --max-time 5 http://127.0.0.1:%[1]d/ 2>&1`, w.http))
		if strings.Contains(out, "reached") || strings.Count(out, "curl: (") != 2 {
			t.Errorf("got %s", out)
		}
	})
}

// TestAPortOfTheMachine is reached where it is granted; its neighbours are not.
func TestAPortOfTheMachine(t *testing.T) {
	inModes(t, func(t *testing.T, m Mode) {
		w := newTown(t)
		w.grant.Ports = []int{w.http}
		w.proxy = egress.New(egress.Config{ID: "local/test", Net: w.grant})
		t.Cleanup(w.proxy.Close)
		out := w.run(m, fmt.Sprintf(`for p in %d %d; do curl -sS --max-time 5 http://127.0.0.1:$p/ 2>&1; echo; done`, w.http, w.tls))
		lines := strings.Split(out, "\n")
		if !strings.HasPrefix(lines[0], "reached 127.0.0.1") || !strings.HasPrefix(lines[1], "curl: (7)") {
			t.Errorf("got %s", out)
		}
	})
}

// TestWithoutAWorldNobodyIsLetIn: in the machine's own network, what listens could be reached by every program.
func TestWithoutAWorldNobodyIsLetIn(t *testing.T) {
	w := newTown(t)
	out := w.run(Landlock, `python3 -c '
import socket
for act in ("s.bind((\"127.0.0.1\", 0))", "s.listen()"):
    s = socket.socket()
    try: exec(act); print("done")
    except OSError as e: print(e.strerror)'`)
	if out != "Permission denied\nOperation not permitted\n" {
		t.Errorf("got %s", out)
	}
}

// TestTheProxyIsTheServersAlone: where every program of the machine can knock at it, it asks for the password that is in
// the server's environment.
func TestTheProxyIsTheServersAlone(t *testing.T) {
	w := newTown(t)
	out := w.run(Landlock, fmt.Sprintf(`curl -sS -x "$(echo $http_proxy | sed 's/[^/]*@//')" http://granted.test:%d/; curl -sS -x "$SATCHEL_SOCKS_PROXY" http://granted.test:%[1]d/`, w.http))
	if !strings.Contains(out, "egress/password") || !strings.HasSuffix(out, "reached granted.test:"+fmt.Sprint(w.http)) {
		t.Errorf("got %s", out)
	}
	w.done()
	if len(w.attempts) != 2 || w.attempts[0].Rule != "egress/password" || !w.attempts[1].Allowed {
		t.Errorf("%+v", w.attempts)
	}
}

// TestAProxyOfTheManifestsCounts in both cases of its name, and leads nowhere.
func TestAProxyOfTheManifestsCounts(t *testing.T) {
	inModes(t, func(t *testing.T, m Mode) {
		w := newTown(t)
		for _, name := range []string{"http_proxy", "HTTP_PROXY"} {
			out := w.run(m, fmt.Sprintf(`env | grep -i ^http_proxy; %shttp://granted.test:%d/`, clients["python"], w.http), name+"=http://127.0.0.1:8888")
			if !strings.HasPrefix(out, name+"=http://127.0.0.1:8888\n") || strings.Contains(out, "3128") || strings.Contains(out, "reached") {
				t.Errorf("%s: %s", name, out)
			}
		}
	})
}

// service answers in capitals at a socket of the machine.
func service(t *testing.T, path string) {
	t.Helper()
	write(t, path, "")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			b := make([]byte, 100)
			n, _ := c.Read(b)
			_, _ = c.Write(bytes.ToUpper(b[:n]))
			c.Close()
		}
	}()
}

// speak says hello to sockets and tells what came back.
const speak = `python3 -c '
import socket, sys
for name in sys.argv[1:]:
    try:
        s = socket.socket(socket.AF_UNIX)
        s.connect("\0" + name[1:] if name[0] == "@" else name)
        s.send(b"hello")
        print(s.recv(100).decode())
    except OSError as e: print(e.strerror)' `

// TestASocketOfTheMachine is reached at its own path, in a folder of its own, in one that was granted and in the
// server's; nothing else opens with it: no network, no other socket, no abstract one.
func TestASocketOfTheMachine(t *testing.T) {
	for _, m := range []Mode{Namespaces, Bubblewrap} {
		t.Run(string(m), func(t *testing.T) {
			dir := realTemp(t)
			temp, err := os.MkdirTemp("", "d")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { os.RemoveAll(temp) })
			t.Setenv("TMPDIR", temp)
			alone, below, other := filepath.Join(dir, "db/s"), filepath.Join(dir, "shared/s"), filepath.Join(dir, "db/other")
			for _, path := range []string{alone, below, other} {
				service(t, path)
			}
			abstract, err := net.Listen("unix", "@"+filepath.Base(dir)+rand.Text())
			if err != nil {
				t.Fatal(err)
			}
			defer abstract.Close()
			w := newTown(t)
			w.grant = spec.Net{Sockets: []string{alone, below, filepath.Join(dir, "shared/later")}}
			w.files = []spec.File{{Path: filepath.Join(dir, "shared")}}
			w.proxy = egress.New(egress.Config{ID: "local/test", Net: w.grant, Record: w.record})
			t.Cleanup(w.proxy.Close)
			out := w.run(m, speak+strings.Join([]string{alone, below, other, abstract.Addr().String()}, " ")+
				`; env | grep -ci _proxy; curl -sS http://127.0.0.1:3128/ 2>&1 | tail -c 100`)
			lines := strings.Split(strings.TrimSpace(out), "\n")
			if len(lines) != 6 || lines[0] != "HELLO" || lines[1] != "HELLO" || lines[2] != "No such file or directory" || lines[3] == "HELLO" || lines[4] != "0" {
				t.Errorf("got %s", out)
			}
			w.done()
			if len(w.attempts) != 2 || w.attempts[0].Host != alone || w.attempts[1].Host != below || !w.attempts[0].Allowed || w.attempts[0].Received != 5 {
				t.Errorf("%+v", w.attempts)
			}
			if left, err := os.ReadDir(temp); len(left) > 0 || err != nil {
				t.Errorf("left behind: %v, %v", left, err)
			}
		})
	}
}

// TestNoSocketWithoutAWorld: every other socket of the machine would be open too.
func TestNoSocketWithoutAWorld(t *testing.T) {
	l := NewLauncher()
	l.modes = []Mode{Landlock}
	_, err := l.Start(context.Background(), shell(spec.Sandbox{Net: spec.Net{Sockets: []string{"/run/s"}}}, realTemp(t), "true", nil), nil)
	if p, ok := errors.AsType[*problem.Problem](err); !ok || p.Rule != "sandbox/socket" {
		t.Errorf("got %v", err)
	}
}

func TestSocketsThatCannotBeGranted(t *testing.T) {
	for _, path := range []string{"/proc/1/x", "/sys/x", "/dev/log", "relative", "/tmp/../x"} {
		_, err := inNamespaces().Start(context.Background(), shell(spec.Sandbox{Net: spec.Net{Sockets: []string{path}}}, realTemp(t), "true", nil), nil)
		if p, ok := errors.AsType[*problem.Problem](err); !ok || p.Rule != "sandbox/system-folder" {
			t.Errorf("%s: %v", path, err)
		}
	}
}
