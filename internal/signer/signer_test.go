package signer

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"satchel/internal/problem"
	"satchel/internal/testsupport"
)

func rule(err error) string {
	p, ok := errors.AsType[*problem.Problem](err)
	if !ok {
		return ""
	}
	return p.Rule
}

func secret(string) ([]byte, error) { return []byte("secret"), nil }

func never(file string) ([]byte, error) { return nil, errors.New("asked for a password of " + file) }

// Keys and certificates come in many forms; each is read, or refused with what to do about it.
func TestForms(t *testing.T) {
	t.Parallel()
	pki := testsupport.NewPKI(t)
	pki.SelfSigned("root", "P-256", "root")
	pki.Issue("root", "rsa", "rsa", "code")
	pki.Issue("root", "ec", "P-384", "code")
	pki.OpenSSL("rsa", "-in", "rsa.key", "-traditional", "-out", "rsa.pkcs1")
	pki.OpenSSL("ec", "-in", "ec.key", "-out", "ec.sec1")
	pki.OpenSSL("rsa", "-in", "rsa.key", "-traditional", "-aes256", "-passout", "pass:secret", "-out", "rsa.old")
	pki.OpenSSL("x509", "-in", "ec.crt", "-outform", "DER", "-out", "ec.der")
	for name, args := range map[string]string{"aes256": "-v2 aes256", "aes128": "-v2 aes128 -v2prf hmacWithSHA256", "scrypt": "-scrypt", "des3": "-v2 des3", "sha512": "-v2 aes-192-cbc -v2prf hmacWithSHA512", "sha384": "-v2 aes128 -v2prf hmacWithSHA384 -iter 1"} {
		pki.OpenSSL(append(strings.Fields("pkcs8 -topk8 -in ec.key -passout pass:secret -out "+name), strings.Fields(args)...)...)
	}
	for name, pass := range map[string]string{"locked.p12": "secret", "open.p12": ""} {
		pki.OpenSSL("pkcs12", "-export", "-in", "ec.crt", "-inkey", "ec.key", "-certfile", "root.crt", "-passout", "pass:"+pass, "-out", name)
	}
	read := func(name string) string {
		data, err := os.ReadFile(pki.Path(name))
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	for name, text := range map[string]string{
		"bom.crt": "\ufeff" + read("ec.crt") + read("root.crt"), "bom.key": "\ufeff" + read("ec.key"),
		"last.crt": read("root.crt") + read("ec.crt"), "cut.crt": read("ec.crt") + read("root.crt")[:200],
	} {
		if err := os.WriteFile(pki.Path(name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	rows := []struct {
		name  string
		files Files
		ask   Ask
		path  int
		rule  string
	}{
		{"PKCS#8", Files{Cert: "ec.crt", Key: "ec.key"}, never, 1, ""},
		{"PKCS#1", Files{Cert: "rsa.crt", Key: "rsa.pkcs1"}, never, 1, ""},
		{"SEC 1 and DER", Files{Cert: "ec.der", Key: "ec.sec1"}, never, 1, ""},
		{"with its chain", Files{Cert: "ec.crt", Key: "ec.key", Chain: []string{"root.crt"}}, never, 2, ""},
		{"AES-256", Files{Cert: "ec.crt", Key: "aes256"}, secret, 1, ""},
		{"AES-128", Files{Cert: "ec.crt", Key: "aes128"}, secret, 1, ""},
		{"scrypt", Files{Cert: "ec.crt", Key: "scrypt"}, secret, 1, ""},
		{"3DES", Files{Cert: "ec.crt", Key: "des3"}, secret, 1, ""},
		{"SHA-512", Files{Cert: "ec.crt", Key: "sha512"}, secret, 1, ""},
		{"SHA-384", Files{Cert: "ec.crt", Key: "sha384"}, secret, 1, ""},
		{"a mark before the text", Files{Cert: "bom.crt", Key: "bom.key"}, never, 2, ""},
		{"the signer last", Files{Cert: "last.crt", Key: "ec.key"}, never, 2, ""},
		{"given twice", Files{Cert: "last.crt", Key: "ec.key", Chain: []string{"last.crt"}}, never, 2, ""},
		{"cut off", Files{Cert: "cut.crt", Key: "ec.key"}, never, 0, "sign/certificate"},
		{"a wrong password", Files{Cert: "ec.crt", Key: "aes256"}, func(string) ([]byte, error) { return []byte("wrong"), nil }, 0, "sign/password"},
		{"the old encryption", Files{Cert: "rsa.crt", Key: "rsa.old"}, never, 0, "sign/key-file"},
		{"PKCS#12", Files{PKCS12: "locked.p12"}, secret, 2, ""},
		{"PKCS#12 without a password", Files{PKCS12: "open.p12"}, never, 2, ""},
		{"PKCS#12 with a wrong password", Files{PKCS12: "locked.p12"}, func(string) ([]byte, error) { return []byte("wrong"), nil }, 0, "sign/password"},
		{"no PKCS#12", Files{PKCS12: "ec.crt"}, secret, 0, "sign/key-store"},
		{"another's key", Files{Cert: "ec.crt", Key: "rsa.key"}, never, 0, "sign/key-match"},
		{"a certificate for a key", Files{Cert: "ec.crt", Key: "ec.crt"}, never, 0, "sign/key-file"},
		{"a key for a certificate", Files{Cert: "ec.key", Key: "ec.key"}, never, 0, "sign/certificate"},
		{"nothing", Files{Cert: "nowhere", Key: "ec.key"}, never, 0, "sign/file"},
		{"a folder", Files{Cert: ".", Key: "ec.key"}, never, 0, "sign/file"},
	}
	for _, r := range rows {
		for _, f := range []*string{&r.files.Cert, &r.files.Key, &r.files.PKCS12} {
			if *f != "" {
				*f = pki.Path(*f)
			}
		}
		for i := range r.files.Chain {
			r.files.Chain[i] = pki.Path(r.files.Chain[i])
		}
		who, _, err := r.files.Load(r.ask, time.Now())
		switch {
		case rule(err) != r.rule || err != nil && r.rule == "":
			t.Errorf("%s: %v, want %q", r.name, err, r.rule)
		case err == nil && (len(who.Path) != r.path || who.Key == nil):
			t.Errorf("%s: %d certificates, key %T", r.name, len(who.Path), who.Key)
		}
	}
}

func TestSelfSigned(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "config")
	who, err := SelfSigned(dir, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	again, err := SelfSigned(dir, time.Now())
	if err != nil || !again.Path[0].Equal(who.Path[0]) {
		t.Errorf("the second time: %v, or another key", err)
	}
	if c := who.Path[0]; c.IsCA || len(c.ExtKeyUsage) != 1 {
		t.Errorf("a certificate that may vouch for others, or for any usage: %+v", c)
	}
	if _, err := SelfSigned(dir, time.Now().AddDate(selfSignedYears, 1, 0)); rule(err) != "sign/validity" {
		t.Errorf("after it expired: %v", err)
	}
	if runtime.GOOS == "windows" {
		return
	}
	file := SelfSignedFile(dir)
	for name, want := range map[string]os.FileMode{file: 0o600, filepath.Dir(file): 0o700} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: mode %v, %v", name, info.Mode(), err)
		}
	}
	if err := os.Chmod(file, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := SelfSigned(dir, time.Now()); rule(err) != "sign/self-signed" {
		t.Errorf("readable by a group: %v", err)
	}
	if err := os.Truncate(file, 100); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(file, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := SelfSigned(dir, time.Now()); rule(err) != "sign/certificate" || !strings.Contains(err.(*problem.Problem).Hint, "rm "+file) {
		t.Errorf("cut off: %v", err)
	}
	if err := os.Chmod(filepath.Dir(file), 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := SelfSigned(dir, time.Now()); rule(err) != "paths/home-owner" {
		t.Errorf("in a folder of everybody: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(file), ".*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestKeysThatOthersCanRead(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("files have no mode on Windows")
	}
	pki := testsupport.NewPKI(t)
	pki.SelfSigned("self", "P-256", "code")
	files := Files{Cert: pki.Path("self.crt"), Key: pki.Path("self.key")}
	for mode, want := range map[os.FileMode]int{0o600: 0, 0o640: 1, 0o644: 1} {
		if err := os.Chmod(files.Key, mode); err != nil {
			t.Fatal(err)
		}
		if _, warnings, err := files.Load(never, time.Now()); err != nil || len(warnings) != want {
			t.Errorf("mode %o: %v, %v", mode, warnings, err)
		}
	}
}

// A signature below an issuer that has expired is made, since another chain may hold, but not without a word.
func TestExpiredIssuer(t *testing.T) {
	t.Parallel()
	pki := testsupport.NewPKI(t)
	pki.SelfSigned("root", "P-256", "root")
	pki.Issue("root", "middle", "P-256", "ca", "200101", "210101")
	pki.Issue("middle", "signer", "P-256", "code")
	if err := os.Chmod(pki.Path("signer.key"), 0o600); err != nil {
		t.Fatal(err)
	}
	files := Files{Cert: pki.Path("signer.crt"), Key: pki.Path("signer.key"), Chain: []string{pki.Path("middle.crt")}}
	if _, warnings, err := files.Load(never, time.Now()); err != nil || len(warnings) != 1 || !strings.Contains(warnings[0], "CN=middle") {
		t.Errorf("%v, %v", warnings, err)
	}
}
