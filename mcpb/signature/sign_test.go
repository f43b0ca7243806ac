package signature_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"satchel/internal/testsupport"
	"satchel/mcpb"
	"satchel/mcpb/internal/ziptest"
	"satchel/mcpb/signature"
)

// plain is a small bundle with a comment.
func plain(comment string) []byte {
	return ziptest.Archive{Entries: []ziptest.Entry{ziptest.File("manifest.json", "{}"), ziptest.File("a", "content")}, Comment: []byte(comment)}.Bytes()
}

func open(t testing.TB, data []byte) *mcpb.Bundle {
	t.Helper()
	b, err := mcpb.NewBundle(bytes.NewReader(data), int64(len(data)), "test.mcpb", mcpb.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func identity(t testing.TB, pki *testsupport.PKI, name string, issuers ...string) *signature.Identity {
	t.Helper()
	var more []*x509.Certificate
	for _, n := range issuers {
		more = append(more, pki.Cert(n))
	}
	who, err := signature.NewIdentity(pki.Cert(name), more, pki.Key(name), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return who
}

// sign gives the bundle signed.
func sign(t testing.TB, data []byte, who *signature.Identity, stamp signature.Stamper) []byte {
	t.Helper()
	out := filepath.Join(t.TempDir(), "signed.mcpb")
	if _, err := open(t, data).Sign(context.Background(), out, who, time.Now(), stamp); err != nil {
		t.Fatal(err)
	}
	return read(t, out)
}

func read(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func verify(t testing.TB, data []byte, trust signature.Trust) *signature.Report {
	t.Helper()
	rep, err := open(t, data).Verify(trust, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

func stamper(t testing.TB, url string) signature.Stamper {
	t.Helper()
	s, err := signature.AskTSA(url)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Every kind of key, with and without intermediates and a timestamp: what is signed verifies here and with openssl, and
// unsigning gives the old bytes.
func TestSignedByEachKindOfKey(t *testing.T) {
	t.Parallel()
	pki := testsupport.NewPKI(t)
	root := pki.SelfSigned("root", "rsa", "root")
	pki.Issue("root", "middle", "P-256", "ca")
	pki.Issue("root", "tsa", "P-256", "stamp")
	tsa := pki.TSA("tsa")
	ended, end := context.WithCancel(t.Context())
	end()
	for _, kind := range []string{"rsa", "P-256", "P-384", "P-521"} {
		pki.Issue("middle", kind, kind, "code")
		for _, url := range []string{"", tsa} {
			t.Run(kind+url, func(t *testing.T) {
				var stamp signature.Stamper
				if url != "" {
					stamp = stamper(t, url)
				}
				before := plain("a comment")
				signed := sign(t, before, identity(t, pki, kind, "middle"), stamp)
				rep := verify(t, signed, signature.Trust{Roots: []*x509.Certificate{root}})
				if rep.Status != signature.Trusted || len(rep.Chain) != 3 || rep.Variant != signature.Stored || (rep.Timestamp != nil) != (url != "") {
					t.Fatalf("%+v", rep)
				}
				if url != "" && !rep.Timestamp.Trusted {
					t.Errorf("timestamp %+v, %v", rep.Timestamp, rep.Reasons)
				}
				b := open(t, signed)
				if string(b.Comment()) != "a comment" {
					t.Errorf("comment %q", b.Comment())
				}
				opensslAccepts(t, pki, signed, b, "root.crt")
				out := filepath.Join(t.TempDir(), "unsigned")
				if err := b.Unsign(ended, out, false); !errors.Is(err, context.Canceled) || exists(out) {
					t.Errorf("unsign, interrupted: %v", err)
				}
				if err := b.Unsign(t.Context(), out, false); err != nil || !bytes.Equal(read(t, out), before) {
					t.Errorf("unsign: %v, %d bytes, want %d", err, len(read(t, out)), len(before))
				}
			})
		}
	}
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// opensslAccepts has openssl verify the block over the bytes before it, as CAdES too, which counts the certificates that
// the signer named.
func opensslAccepts(t testing.TB, pki *testsupport.PKI, signed []byte, b *mcpb.Bundle, root string) {
	t.Helper()
	dir := t.TempDir()
	prefix, der := filepath.Join(dir, "prefix"), filepath.Join(dir, "der")
	for name, data := range map[string][]byte{prefix: signed[:b.SignedSize()], der: b.Signature()} {
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, more := range []string{"-binary", "-cades"} {
		cmd := exec.Command("openssl", "cms", "-verify", "-inform", "DER", "-in", der, "-content", prefix, "-CAfile", pki.Path(root), "-purpose", "any", "-out", os.DevNull, "-binary", more)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("openssl cms -verify %s: %v\n%s", more, err, out)
		}
	}
}

func write(t testing.TB, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
}
