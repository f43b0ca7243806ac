package secret

import (
	"encoding/base64"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"satchel/internal/testsupport"
)

// random gives the same n characters of a set each time.
func random(set charset, n int) string {
	r := rand.New(rand.NewPCG(7, uint64(n)))
	b := make([]byte, n)
	for i := range b {
		b[i] = set[r.IntN(len(set))]
	}
	return string(b)
}

// TestEachTokenIsFound makes a token of each form, and looks for it in the usual places.
func TestEachTokenIsFound(t *testing.T) {
	t.Parallel()
	s := New()
	for _, f := range tokens() {
		set := charset(strings.NewReplacer("-", "", ".", "", "/", "", "=", "").Replace(string(f.set)))
		whole := f.prefix + random(set, f.least)
		for _, text := range []string{whole, `const a = "` + whole + `";`, "A=" + whole + "\n", `{"a":"x\n` + whole + `"}`, "Bearer " + whole + ", b"} {
			found := s.Scan([]byte(text), 10)
			if len(found) != 1 || text[found[0].Start:found[0].End] != whole {
				t.Errorf("%s in %q: %+v", f.kind, text, found)
			}
		}
		for _, text := range []string{
			"x" + whole, whole + "x" + strings.Repeat("y", 200), f.prefix, f.prefix + strings.Repeat("x", f.least), f.prefix + strings.Repeat("A1", f.least)[:f.least],
			f.prefix + "EXAMPLE" + random(set, max(0, f.least-7)), f.prefix + "..." + random(set, f.least-3), whole[:len(whole)-1],
		} {
			if text == whole+"x"+strings.Repeat("y", 200) && f.most == 0 {
				continue // there is no longest
			}
			if found := s.Scan([]byte(text), 10); len(found) > 0 {
				t.Errorf("%s: an example is taken for a secret: %q", f.kind, text)
			}
		}
	}
}

// TestRealKeys are made by the programs that make keys.
func TestRealKeys(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, line := range map[string][]string{
		"rsa":       {"openssl", "genrsa", "-traditional", "-out", "rsa", "2048"},
		"pkcs8":     {"openssl", "genpkey", "-algorithm", "ed25519", "-out", "pkcs8"},
		"ec":        {"openssl", "ecparam", "-genkey", "-name", "prime256v1", "-noout", "-out", "ec"},
		"encrypted": {"openssl", "genpkey", "-algorithm", "ed25519", "-aes256", "-pass", "pass:x", "-out", "encrypted"},
		"openssh":   {"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "openssh"},
	} {
		if _, err := exec.LookPath(line[0]); err != nil {
			t.Logf("%s is not here: no key of kind %s", line[0], name)
			continue
		}
		cmd := exec.Command(line[0], line[1:]...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", line, err, out)
		}
		key, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{
			string(key), strings.ReplaceAll(string(key), "\n", "\r\n"), `{"private_key": "` + strings.ReplaceAll(string(key), "\n", `\n`) + `"}`,
			"a = '" + strings.ReplaceAll(string(key), "\n", "\\n' +\n  '") + "'",
		} {
			if found := New().Scan([]byte(text), 10); len(found) != 1 || found[0].Kind != "a private key" {
				t.Errorf("%s: %+v in\n%s", name, found, text)
			}
		}
	}
}

func TestWhatLooksLikeAKey(t *testing.T) {
	t.Parallel()
	cert := "-----BEGIN CERTIFICATE-----\n" + base64.StdEncoding.EncodeToString([]byte(random(base62, 300))) + "\n-----END CERTIFICATE-----\n"
	for _, text := range []string{
		cert, strings.ReplaceAll(cert, "CERTIFICATE", "PUBLIC KEY"),
		`if (pem.startsWith("-----BEGIN PRIVATE KEY-----")) {`,
		"-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA...\n-----END RSA PRIVATE KEY-----",
		"-----BEGIN PRIVATE KEY-----\nYOUR KEY\n-----END PRIVATE KEY-----",
		"-----BEGIN PRIVATE KEY-----\n" + strings.Repeat("A", 200) + "\n-----END PRIVATE KEY-----",
		"const b = '-----BEGIN PRIVATE KEY-----', e = '-----END PRIVATE KEY-----';" + random(base62, 200),
		"-----BEGIN ", "-----BEGIN PRIVATE KEY-----", "-----BEGIN PRIVATE KEY",
	} {
		if found := New().Scan([]byte(text), 10); len(found) > 0 {
			t.Errorf("taken for a key: %q", text)
		}
	}
}

func TestPasswordsInURLs(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"postgres://admin:h7dkq2pWm9@db.acme.dev/x":       "h7dkq2pWm9",
		`url = https://bot:x9Kd83jdLq@git.acme.dev/a.git`: "x9Kd83jdLq",
		"https://git.acme.dev:8080/a@b":                   "",
		"https://user:password@acme.dev":                  "",
		"https://user:hunter22222@localhost:80":           "",
		"https://user:h7dkq2pWm9@example.com":             "",
		"https://user:${TOKEN}@acme.dev":                  "",
		"https://user:%s@acme.dev":                        "",
		"https://user:<token>@acme.dev":                   "",
		"mongodb+srv://u:h7dkq2pWm9@c.mongodb.net/d":      "h7dkq2pWm9",
		"https://alice:alice@acme.dev":                    "",
		"://:@":                                           "",
		"://":                                             "",
	} {
		got := ""
		for _, m := range New().Scan([]byte(text), 10) {
			got += text[m.Start:m.End]
		}
		if got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

func TestValue(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]bool{
		"k9Qz7LmT2vXc4RbN8sWd": true, "YOUR_API_KEY_HERE_123": false, "short1": false, "https://a.b/c9Qz7LmT2v": false, "${user_config.key}1234": false,
		"development environment 1": false, "aaaaaaaaaaaaaaaaaaaa1": false, "only-letters-in-this-one": false,
	} {
		if Value(s) != want {
			t.Errorf("Value(%q) = %v", s, !want)
		}
	}
}

func TestTimeIsLinear(t *testing.T) {
	t.Parallel()
	s := New()
	for _, unit := range []string{
		"-----BEGIN ", "-----BEGIN PRIVATE KEY-----", "-----BEGIN PRIVATE KEY-----\nA", "PuTTY-User-Key-File-", "://", "://a:b", "ghp_", "_authToken=", "sk-", "pypi-AgEIcHlwaS5vcmc", "-",
		"AKIAIOSFODNN7", "ATATT3xFfGF0A",
	} {
		testsupport.Linear(t, unit, 256<<10, func(n int) func() {
			data := []byte(strings.Repeat(unit, n/len(unit)))
			return func() { s.Scan(data, 10) }
		})
	}
}

func FuzzScan(f *testing.F) {
	for _, seed := range []string{
		"-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEI", "PuTTY-User-Key-File-2: x\nPrivate-Lines: 1\n", "a://b:c1d2e3f4@g.hi", "//x/:_authToken = \"abc", `\nghp_`, "SG.",
	} {
		f.Add([]byte(seed))
	}
	s := New()
	f.Fuzz(func(t *testing.T, data []byte) {
		end := 0
		for _, m := range s.Scan(data, 100) {
			if m.Start < end || m.End <= m.Start || m.End > len(data) || m.Kind == "" {
				t.Fatalf("%+v behind %d of %d bytes", m, end, len(data))
			}
			end = m.End
		}
	})
}
