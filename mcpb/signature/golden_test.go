package signature_test

import (
	"crypto"
	"crypto/x509"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"satchel/internal/testsupport"
	"satchel/mcpb"
	"satchel/mcpb/signature"
)

var update = flag.Bool("update", false, "sign the golden bundles anew")

// The golden bundles are seeds of the fuzz targets, and show that what was signed once stays signed. -update makes new
// ones with new keys, which are thrown away.
func TestGolden(t *testing.T) {
	t.Parallel()
	const dir = "testdata/golden"
	if *update {
		signGolden(t, dir)
	}
	names, err := filepath.Glob(filepath.Join(dir, "*.mcpb"))
	if err != nil || len(names) != 4 {
		t.Fatalf("%d golden bundles, %v", len(names), err)
	}
	for _, n := range names {
		rep := verify(t, read(t, n), signature.Trust{})
		if rep.Status != signature.Untrusted && rep.Status != signature.SelfSigned && rep.Status != signature.Expired {
			t.Errorf("%s: %+v", n, rep)
		}
	}
}

func signGolden(t *testing.T, dir string) {
	t.Helper()
	pki := testsupport.NewPKI(t)
	pki.SelfSigned("root", "rsa", "root")
	pki.Issue("root", "middle", "P-256", "ca")
	pki.Issue("root", "rsamiddle", "rsa", "ca")
	pki.Issue("middle", "signer", "P-256", "code")
	pki.Issue("rsamiddle", "rsasigner", "rsa", "code")
	pki.Issue("root", "tsa", "P-256", "stamp")
	pki.SelfSigned("self", "P-256", "code")
	for name, data := range map[string][]byte{
		"chain-timestamp.mcpb": sign(t, plain("c"), identity(t, pki, "signer", "middle"), stamper(t, pki.TSA("tsa"))),
		"rsa.mcpb":             sign(t, plain(""), identity(t, pki, "rsasigner", "rsamiddle", "root"), nil),
		"self-signed.mcpb":     sign(t, plain(""), identity(t, pki, "self"), nil),
		"reference.mcpb":       referenceSigns(t, pki, plain(""), "rsasigner", "-i", pki.Path("rsamiddle.crt")),
	} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "trust.pem"), read(t, pki.Chain("trust.pem", "root", "self")), 0o644); err != nil {
		t.Fatal(err)
	}
}

// NewIdentity refuses what a verifier would refuse later.
func TestIdentities(t *testing.T) {
	t.Parallel()
	p := newParties(t)
	p.pki.Issue("root", "middle", "P-256", "ca")
	p.pki.Issue("middle", "leaf", "P-256", "code")
	p.pki.Issue("root", "encipher", "P-256", "encipher")
	p.pki.SelfSigned("ed", "ed25519", "code")
	p.pki.SelfSigned("weak", "secp224r1", "code")
	rows := []struct {
		name, cert, key string
		issuers         []string
		rule            string
	}{
		{"right", "leaf", "leaf", []string{"middle"}, ""},
		{"the issuers in any order, with the root", "leaf", "leaf", []string{"root", "middle"}, ""},
		{"without a key", "leaf", "", nil, ""},
		{"another's key", "leaf", "middle", nil, "sign/key-match"},
		{"a key of another kind", "leaf", "ed", nil, "sign/key-match"},
		{"Ed25519", "ed", "ed", nil, "sign/key"},
		{"a small curve", "weak", "weak", nil, "sign/key"},
		{"expired", "old", "old", nil, "sign/validity"},
		{"for a web server", "tls", "tls", nil, "sign/usage"},
		{"for encryption", "encipher", "encipher", nil, "sign/usage"},
		{"no issuer of it", "leaf", "leaf", []string{"middle", "other"}, "sign/chain"},
		{"a gap in the chain", "leaf", "leaf", []string{"root"}, "sign/chain"},
		{"the signer as his own issuer", "leaf", "leaf", []string{"leaf"}, "sign/chain"},
	}
	for _, r := range rows {
		var issuers []*x509.Certificate
		for _, n := range r.issuers {
			issuers = append(issuers, p.pki.Cert(n))
		}
		rule := newIdentityRule(t, p, r.cert, r.key, issuers)
		if rule != r.rule {
			t.Errorf("%s: %q, want %q", r.name, rule, r.rule)
		}
	}
}

func newIdentityRule(t *testing.T, p *parties, cert, key string, issuers []*x509.Certificate) string {
	t.Helper()
	var k crypto.Signer
	if key != "" {
		k = p.pki.Key(key)
	}
	_, err := signature.NewIdentity(p.pki.Cert(cert), issuers, k, time.Now())
	if err == nil {
		return ""
	}
	problem, ok := errors.AsType[*mcpb.Problem](err)
	if !ok {
		t.Fatalf("%v is no problem", err)
	}
	return problem.Rule
}
