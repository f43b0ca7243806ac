// Package testsupport is what tests of several packages share. Use it only in tests.
package testsupport

import (
	"cmp"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// A PKI is authorities, certificates, revocation lists and a timestamping authority, all made by openssl in a folder:
// NAME.crt, NAME.key, NAME.crl.
type PKI struct {
	t        testing.TB
	Dir      string
	stamping sync.Mutex // all authorities share one file of serial numbers, which openssl does not lock
}

// config is openssl's; every authority has a section of its own name with its index of what it issued.
const config = `
[ any ]
commonName = supplied
[ req ]
distinguished_name = dn
[ dn ]
[ root ]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[ ca ]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[ code ]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = codeSigning
authorityKeyIdentifier = keyid
[ plain ]
basicConstraints = critical,CA:FALSE
[ tls ]
basicConstraints = critical,CA:FALSE
extendedKeyUsage = serverAuth
[ encipher ]
basicConstraints = critical,CA:FALSE
keyUsage = critical,keyEncipherment
extendedKeyUsage = codeSigning
[ stamp ]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
[ laxstamp ]
basicConstraints = critical,CA:FALSE
extendedKeyUsage = timeStamping
[ tsa ]
serial = tsa.serial
crypto_device = builtin
default_policy = 1.2.3.4.1
digests = sha256
signer_digest = sha256
ess_cert_id_alg = sha256
accuracy = secs:1
`

// NewPKI begins an empty one; the test is skipped without openssl.
func NewPKI(t testing.TB) *PKI {
	t.Helper()
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("openssl is not installed: make deps")
	}
	p := &PKI{t: t, Dir: t.TempDir()}
	p.write("openssl.cnf", config)
	p.write("tsa.serial", "01\n")
	return p
}

func (p *PKI) write(name, text string) {
	p.t.Helper()
	if err := os.WriteFile(filepath.Join(p.Dir, name), []byte(text), 0o600); err != nil {
		p.t.Fatal(err)
	}
}

// OpenSSL runs openssl in the folder and gives what it prints.
func (p *PKI) OpenSSL(args ...string) string {
	p.t.Helper()
	cmd := exec.Command("openssl", args...)
	cmd.Dir = p.Dir
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		p.t.Fatalf("openssl %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return string(out)
}

// Path is where a file of the folder is.
func (p *PKI) Path(file string) string { return filepath.Join(p.Dir, file) }

// key makes a key: rsa, rsa1024, or the name of a curve.
func (p *PKI) key(name, kind string) {
	p.t.Helper()
	switch kind {
	case "rsa", "rsa1024":
		bits := cmp.Or(strings.TrimPrefix(kind, "rsa"), "2048")
		p.OpenSSL("genpkey", "-quiet", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:"+bits, "-out", name+".key")
	case "ed25519":
		p.OpenSSL("genpkey", "-algorithm", "ED25519", "-out", name+".key")
	default:
		p.OpenSSL("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:"+kind, "-out", name+".key")
	}
}

// SelfSigned makes a certificate that vouches for itself, with the extensions of a section of config.
func (p *PKI) SelfSigned(name, kind, section string) *x509.Certificate {
	p.t.Helper()
	p.key(name, kind)
	p.OpenSSL("req", "-x509", "-new", "-config", "openssl.cnf", "-key", name+".key", "-out", name+".crt", "-subj", "/CN="+name, "-days", "3000", "-extensions", section)
	p.authority(name)
	return p.Cert(name)
}

func (p *PKI) authority(name string) {
	p.write(name+".index", "")
	p.write(name+".serial", "1000\n")
	p.write(name+".crlnumber", "01\n")
	p.write(name+".cnf", config+fmt.Sprintf(`
[ %[1]s ]
database = %[1]s.index
serial = %[1]s.serial
crlnumber = %[1]s.crlnumber
new_certs_dir = .
certificate = %[1]s.crt
private_key = %[1]s.key
default_md = sha256
default_crl_days = 30
policy = any
unique_subject = no
`, "our_"+name))
	p.write(name+".cnf", strings.NewReplacer("our_"+name+".", name+".").Replace(p.read(name+".cnf")))
}

func (p *PKI) read(name string) string {
	p.t.Helper()
	data, err := os.ReadFile(p.Path(name))
	if err != nil {
		p.t.Fatal(err)
	}
	return string(data)
}

// Issue makes a certificate that issuer vouches for. The days, two of the form YYMMDD, are its validity; none: ten years.
func (p *PKI) Issue(issuer, name, kind, section string, days ...string) *x509.Certificate {
	p.t.Helper()
	p.key(name, kind)
	p.OpenSSL("req", "-new", "-config", "openssl.cnf", "-key", name+".key", "-out", name+".csr", "-subj", "/CN="+name)
	args := []string{"ca", "-batch", "-notext", "-config", issuer + ".cnf", "-name", "our_" + issuer, "-extensions", section, "-in", name + ".csr", "-out", name + ".crt"}
	if len(days) == 2 {
		args = append(args, "-startdate", days[0]+"000000Z", "-enddate", days[1]+"000000Z")
	} else {
		args = append(args, "-days", "3000")
	}
	p.OpenSSL(args...)
	p.authority(name)
	return p.Cert(name)
}

// Revoke takes a certificate back at a moment, which may be in the future; the reason is openssl's word, such as superseded.
func (p *PKI) Revoke(issuer, name, reason string, at time.Time) {
	p.t.Helper()
	p.OpenSSL("ca", "-config", issuer+".cnf", "-name", "our_"+issuer, "-revoke", name+".crt", "-crl_reason", reason)
	index := strings.Split(strings.TrimSuffix(p.read(issuer+".index"), "\n"), "\n")
	for i, line := range index { // status, expiry, revocation, serial, file, subject
		if fields := strings.Split(line, "\t"); fields[len(fields)-1] == "/CN="+name {
			fields[2] = at.UTC().Format("060102150405Z") + "," + reason
			index[i] = strings.Join(fields, "\t")
		}
	}
	p.write(issuer+".index", strings.Join(index, "\n")+"\n")
}

// CRL makes the revocation list of an authority.
func (p *PKI) CRL(issuer string) *x509.RevocationList {
	p.t.Helper()
	p.OpenSSL("ca", "-config", issuer+".cnf", "-name", "our_"+issuer, "-gencrl", "-out", issuer+".crl")
	block, _ := pem.Decode([]byte(p.read(issuer + ".crl")))
	crl, err := x509.ParseRevocationList(block.Bytes)
	if err != nil {
		p.t.Fatal(err)
	}
	return crl
}

// Cert reads a certificate.
func (p *PKI) Cert(name string) *x509.Certificate {
	p.t.Helper()
	block, _ := pem.Decode([]byte(p.read(name + ".crt")))
	if block == nil {
		p.t.Fatalf("%s.crt holds no certificate", name)
	}
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		p.t.Fatal(err)
	}
	return c
}

// Key reads a key.
func (p *PKI) Key(name string) crypto.Signer {
	p.t.Helper()
	block, _ := pem.Decode([]byte(p.read(name + ".key")))
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		p.t.Fatal(err)
	}
	return key.(crypto.Signer)
}

// Chain writes the certificates of several names into one PEM file and gives its path.
func (p *PKI) Chain(file string, names ...string) string {
	p.t.Helper()
	var all strings.Builder
	for _, n := range names {
		all.WriteString(p.read(n + ".crt"))
	}
	p.write(file, all.String())
	return p.Path(file)
}

// TSA serves timestamps by `openssl ts -reply` with the certificate of a name, on loopback, until the test ends; more
// certificates go into the answers.
func (p *PKI) TSA(name string, more ...string) string {
	p.t.Helper()
	chain := p.Chain(name+".chain.pem", more...)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		query, err := io.ReadAll(r.Body)
		if err != nil || r.Header.Get("Content-Type") != "application/timestamp-query" {
			http.Error(w, "no query", http.StatusBadRequest)
			return
		}
		args := []string{"ts", "-reply", "-config", "openssl.cnf", "-section", "tsa", "-queryfile", "/dev/stdin", "-signer", name + ".crt", "-inkey", name + ".key"}
		if len(more) > 0 {
			args = append(args, "-chain", chain)
		}
		cmd := exec.CommandContext(r.Context(), "openssl", args...)
		cmd.Dir, cmd.Stdin = p.Dir, strings.NewReader(string(query))
		p.stamping.Lock()
		defer p.stamping.Unlock()
		out, err := cmd.Output()
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/timestamp-reply")
		_, _ = w.Write(out) // the client sees it when this fails
	}))
	p.t.Cleanup(s.Close)
	return s.URL
}
