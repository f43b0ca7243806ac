package signature_test

import (
	"bytes"
	"crypto/x509"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"satchel/internal/testsupport"
	"satchel/mcpb/signature"
)

// What the reference signs verifies here, with an authority's certificate and with its own self-signed one; with a key
// that does not belong to the certificate, which it does not notice, the signature is no good.
func TestTheReferencesSignatures(t *testing.T) {
	t.Parallel()
	pki := testsupport.NewPKI(t)
	root := pki.SelfSigned("root", "rsa", "root")
	pki.Issue("root", "middle", "rsa", "ca")
	pki.Issue("middle", "signer", "rsa", "code")
	trust := signature.Trust{Roots: []*x509.Certificate{root}}
	signed := referenceSigns(t, pki, plain("c"), "signer", "-i", pki.Path("middle.crt"))
	rep := verify(t, signed, trust)
	if rep.Status != signature.Trusted || rep.Variant != signature.Stored || rep.SigningTime == nil || len(rep.Chain) != 3 {
		t.Errorf("%+v", rep)
	}
	out := filepath.Join(t.TempDir(), "out")
	if err := open(t, signed).Unsign(t.Context(), out, false); err != nil || !bytes.Equal(read(t, out), plain("c")) {
		t.Errorf("unsign: %v, or other bytes", err)
	}

	mixed := filepath.Join(t.TempDir(), "mixed.mcpb")
	write(t, mixed, plain(""))
	if out, err := exec.Command("node", reference(t), "sign", mixed, "-c", pki.Path("signer.crt"), "-k", pki.Path("middle.key")).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if rep := verify(t, read(t, mixed), trust); rep.Status != signature.Tampered || !strings.Contains(strings.Join(rep.Reasons, " "), "key of the certificate") {
		t.Errorf("signed with another key: %+v", rep)
	}
}

// The reference keeps its self-signed key in its own folder, which may not be writable; a copy of the program is.
func TestTheReferencesSelfSigned(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	from, err := filepath.Abs("../../testdata/npm")
	if err != nil {
		t.Fatal(err)
	}
	reference(t)
	pkg := filepath.Join(dir, "node_modules", "@anthropic-ai", "mcpb")
	if err := os.CopyFS(pkg, os.DirFS(filepath.Join(from, "node_modules", "@anthropic-ai", "mcpb"))); err != nil {
		t.Fatal(err)
	}
	for _, e := range entries(t, filepath.Join(from, "node_modules")) {
		if e != "@anthropic-ai" {
			if err := os.Symlink(filepath.Join(from, "node_modules", e), filepath.Join(dir, "node_modules", e)); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, name := range []string{"self-signed-cert.pem", "self-signed-key.pem"} {
		_ = os.Remove(filepath.Join(pkg, "dist", name)) // of another run
	}
	file := filepath.Join(dir, "x.mcpb")
	write(t, file, plain(""))
	if out, err := exec.Command("node", filepath.Join(pkg, "dist", "cli", "cli.js"), "sign", file, "--self-signed").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	rep := verify(t, read(t, file), signature.Trust{System: true})
	if rep.Status != signature.SelfSigned || rep.Signer.Key != "RSA 4096" {
		t.Errorf("%+v", rep)
	}
	if rep := verify(t, read(t, file), signature.Trust{Pins: []string{rep.Fingerprint}}); rep.Status != signature.Trusted {
		t.Errorf("pinned: %+v", rep)
	}
}

func entries(t *testing.T, dir string) (names []string) {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		names = append(names, e.Name())
	}
	return names
}
