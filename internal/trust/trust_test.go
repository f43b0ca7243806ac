package trust

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"os"
	"path/filepath"
	"slices"
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

// A list in the name of a trusted authority that it did not sign would take the place of the true one, and what was
// revoked would count again.
func TestForgedRevocationList(t *testing.T) {
	t.Parallel()
	pki, forger := testsupport.NewPKI(t), testsupport.NewPKI(t)
	for _, p := range []*testsupport.PKI{pki, forger} {
		p.SelfSigned("root", "P-256", "root")
		p.CRL("root")
	}
	load := must[[]Entry](t)
	s := Open(t.TempDir())
	forged := load(ReadFile(forger.Path("root.crl"), false))
	both := append(slices.Clone(forged), load(ReadFile(pki.Path("root.crt"), false))...)
	if err := s.Add(both); rule(err) != "trust/list-signature" {
		t.Errorf("with the authority: %v", err)
	}
	s = Open(t.TempDir())
	for _, name := range []string{"root.crt", "root.crl"} {
		if err := s.Add(load(ReadFile(pki.Path(name), false))); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Add(forged); rule(err) != "trust/list-signature" {
		t.Errorf("after the authority: %v", err)
	}
	if got := Of(load(s.List())); len(got.CRLs) != 1 || got.CRLs[0].CheckSignatureFrom(pki.Cert("root")) != nil {
		t.Errorf("kept: %+v", got)
	}
	s = Open(t.TempDir()) // of an authority below one of the system's the certificate is not kept
	first := load(ReadFile(pki.Path("root.crl"), false))
	pki.CRL("root")
	next := load(ReadFile(pki.Path("root.crl"), false))
	issuer := load(ReadFile(pki.Path("root.crt"), true))
	for i, row := range []struct {
		entries []Entry
		rule    string
	}{{first, ""}, {first, ""}, {forged, "trust/list-signature"}, {next, "trust/list-signature"}, {append(issuer, next...), ""}, {forged, "trust/list-signature"}} {
		if err := s.Add(row.entries); rule(err) != row.rule || row.rule == "" && err != nil {
			t.Errorf("unknown issuer, step %d: %v, want %q", i, err, row.rule)
		}
	}
}

// Large authorities cut their lists into parts, each with a critical extension that says which; no part replaces another.
func TestPartsOfARevocationList(t *testing.T) {
	t.Parallel()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	issuer := &x509.Certificate{Subject: pkix.Name{CommonName: "root"}, SubjectKeyId: []byte{1}, KeyUsage: x509.KeyUsageCRLSign}
	s := Open(t.TempDir())
	for part := range byte(3) {
		list := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: time.Now(), NextUpdate: time.Now().Add(time.Hour)}
		if part > 0 {
			point := pkix.Extension{Id: []int{2, 5, 29, 28}, Critical: true, Value: []byte{0x30, 3, 0x81, 1, part}}
			list.ExtraExtensions = []pkix.Extension{point}
		}
		der, err := x509.CreateRevocationList(rand.Reader, list, issuer, key)
		if err != nil {
			t.Fatal(err)
		}
		e, err := parse(der, false)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := s.Add([]Entry{e}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if entries := must[[]Entry](t)(s.List()); len(entries) != 3 {
		t.Errorf("%d lists are kept of 3 parts", len(entries))
	}
}

// To trust a fingerprint does not forget whose it is.
func TestFingerprintOfWhatIsKnown(t *testing.T) {
	t.Parallel()
	pki := testsupport.NewPKI(t)
	pki.SelfSigned("signer", "P-256", "code")
	s := Open(t.TempDir())
	known := OfCertificate(pki.Cert("signer"), true)
	bare := must[Entry](t)(OfFingerprint(known.Fingerprint))
	for _, e := range []Entry{bare, known, bare} {
		if err := s.Add([]Entry{e}); err != nil {
			t.Fatal(err)
		}
	}
	entries := must[[]Entry](t)(s.List())
	if len(entries) != 1 || entries[0].Certificate == nil {
		t.Errorf("%+v", entries)
	}
	colons := strings.ToUpper(known.Fingerprint[7:9] + ":" + known.Fingerprint[9:11] + ":" + known.Fingerprint[11:15])
	if gone := must[[]Entry](t)(s.Remove(colons)); len(gone) != 1 {
		t.Errorf("removed by %s: %v", colons, gone)
	}
}

// What cannot be read to its end is not taken in part.
func TestPartsOfFiles(t *testing.T) {
	t.Parallel()
	pki := testsupport.NewPKI(t)
	pki.SelfSigned("root", "P-256", "root")
	pki.SelfSigned("other", "P-256", "root")
	root, other := OfCertificate(pki.Cert("root"), false).data, OfCertificate(pki.Cert("other"), false).data
	for name, want := range map[string]struct {
		text    string
		entries int
	}{
		"cut off":     {string(root) + string(other[:200]), 0},
		"a bad digit": {string(root) + strings.Replace(string(other), "M", "*", 1), 0},
		"marked":      {"\ufeff" + string(root) + string(other), 2},
	} {
		file := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(file, []byte(want.text), 0o600); err != nil {
			t.Fatal(err)
		}
		entries, err := ReadFile(file, false)
		if len(entries) != want.entries || (err == nil) != (want.entries > 0) {
			t.Errorf("%s: %d entries, %v", name, len(entries), err)
		}
	}
}

// A process that takes an entry out does not make another one's list fail.
func TestListWhileOthersRemove(t *testing.T) {
	t.Parallel()
	s := Open(t.TempDir())
	entry := must[Entry](t)(OfFingerprint(strings.Repeat("ab", 32)))
	done := make(chan error)
	go func() {
		var err error
		for i := 0; i < 200 && err == nil; i++ {
			if err = s.Add([]Entry{entry}); err == nil {
				_, err = s.Remove(entry.Fingerprint)
			}
		}
		done <- err
	}()
	for {
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
			return
		default:
			if _, err := s.List(); err != nil {
				t.Error(err)
			}
		}
	}
}
