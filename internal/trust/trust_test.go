package trust

import (
	"crypto/x509"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"satchel/internal/problem"
	"satchel/internal/testsupport"
)

func rule(err error) string {
	p, ok := err.(*problem.Problem)
	if !ok {
		return ""
	}
	return p.Rule
}

func must[T any](t *testing.T) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func TestStore(t *testing.T) {
	t.Parallel()
	pki := testsupport.NewPKI(t)
	pki.SelfSigned("root", "P-256", "root")
	pki.Issue("root", "signer", "P-256", "code")
	old := pki.CRL("root")
	pki.OpenSSL("crl", "-in", "root.crl", "-outform", "DER", "-out", "old.crl")
	pki.Revoke("root", "signer", "superseded", time.Now())
	waitForNextSecond(t, old)
	newer := pki.CRL("root")
	pki.OpenSSL("x509", "-in", "root.crt", "-outform", "DER", "-out", "root.der")

	s := Open(t.TempDir())
	if entries, err := s.List(); err != nil || len(entries) != 0 {
		t.Fatalf("an empty store: %v, %v", entries, err)
	}
	load := must[[]Entry](t)
	var all []Entry
	for _, name := range []string{"root.der", "signer.crt", "root.crl"} {
		all = append(all, load(ReadFile(pki.Path(name), false))...)
	}
	all = append(all, must[Entry](t)(OfFingerprint("SHA256:"+strings.Repeat("AB:", 31)+"AB")))
	if err := s.Add(all); err != nil {
		t.Fatal(err)
	}
	entries := load(s.List())
	if len(entries) != 4 {
		t.Fatalf("%d entries", len(entries))
	}
	got := Of(entries)
	if len(got.Roots) != 1 || !got.Roots[0].Equal(pki.Cert("root")) || len(got.Pins) != 2 || len(got.CRLs) != 1 || got.CRLs[0].Number.Cmp(newer.Number) != 0 {
		t.Errorf("%+v", got)
	}
	if err := s.Add(load(ReadFile(pki.Path("old.crl"), false))); rule(err) != "trust/older" {
		t.Errorf("an older revocation list: %v", err)
	}
	if pins := load(ReadFile(pki.Path("root.crt"), true)); pins[0].Kind != Pin {
		t.Errorf("an authority as a signer: %+v", pins)
	}
	if gone := load(s.Remove(strings.Repeat("ab", 4))); len(gone) != 1 || len(load(s.List())) != 3 {
		t.Errorf("removed %v", gone)
	}
}

// waitForNextSecond waits until a list made now has another date, which has whole seconds.
func waitForNextSecond(t *testing.T, old *x509.RevocationList) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); {
		if time.Now().After(old.ThisUpdate.Add(time.Second)) {
			return
		}
	}
	t.Fatal("the clock stands still")
}

// A file that is damaged, or not what its name says, is an error: without it somebody could trust what was revoked.
func TestDamagedStore(t *testing.T) {
	t.Parallel()
	pki := testsupport.NewPKI(t)
	pki.SelfSigned("root", "P-256", "root")
	pki.SelfSigned("other", "P-256", "root")
	root, other := OfCertificate(pki.Cert("root"), false), OfCertificate(pki.Cert("other"), false)
	for name, damage := range map[string]func(s *Store) error{
		"cut off":         func(s *Store) error { return os.WriteFile(s.file(root), root.data[:100], 0o600) },
		"another":         func(s *Store) error { return os.WriteFile(s.file(root), other.data, 0o600) },
		"two":             func(s *Store) error { return os.WriteFile(s.file(root), append(root.data, other.data...), 0o600) },
		"empty":           func(s *Store) error { return os.WriteFile(s.file(root), nil, 0o600) },
		"of another name": func(s *Store) error { return os.WriteFile(filepath.Join(s.dir, "root-x.pem"), root.data, 0o600) },
		"of another kind": func(s *Store) error {
			return os.Rename(s.file(root), strings.Replace(s.file(root), "root-", "pine-", 1))
		},
		"of no kind": func(s *Store) error { return os.WriteFile(filepath.Join(s.dir, "x"), nil, 0o600) },
		"a revocation too": func(s *Store) error {
			return os.Rename(s.file(root), strings.Replace(s.file(root), "root-", "crl-", 1))
		},
	} {
		s := Open(t.TempDir())
		if err := s.Add([]Entry{root}); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(s.dir, ".half.tmp"), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := s.List(); err != nil {
			t.Fatalf("before: %v", err)
		}
		if err := damage(s); err != nil {
			t.Fatal(err)
		}
		if entries, err := s.List(); err == nil {
			t.Errorf("%s: %v", name, entries)
		}
	}
}

func TestWhatIsNoTrust(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{"empty": "", "text": "hello", "key": "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "broken": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"} {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadFile(file, false); rule(err) != "trust/file" {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, text := range []string{"", "sha256:", "sha256:" + strings.Repeat("a", 63), strings.Repeat("g", 64)} {
		if _, err := OfFingerprint(text); rule(err) != "trust/fingerprint" {
			t.Errorf("%q: %v", text, err)
		}
	}
}
