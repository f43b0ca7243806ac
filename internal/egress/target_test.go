package egress

import (
	"strings"
	"testing"

	"satchel/internal/spec"
)

func TestAuthorities(t *testing.T) {
	for s, want := range map[string]string{
		"api.test:443":                  "api.test:443",
		"API.Test:443":                  "api.test:443",
		"api.test.:443":                 "api.test:443",
		"api.test":                      "api.test:80",
		"bücher.example:1":              "xn--bcher-kva.example:1",
		"BÜCHER.example:1":              "xn--bcher-kva.example:1",
		"xn--bcher-kva.example:1":       "xn--bcher-kva.example:1",
		"faß.de:1":                      "xn--fa-hia.de:1",
		"api。test:443":                  "api.test:443",
		"my_service.internal:8080":      "my_service.internal:8080",
		"10.0.0.1:5":                    "10.0.0.1:5",
		"[::1]:5":                       "[::1]:5",
		"[0:0:0:0:0:0:0:1]:5":           "[::1]:5",
		"[::ffff:127.0.0.1]:5":          "127.0.0.1:5",
		"[FE80::1]:65535":               "[fe80::1]:65535",
		"a:65535":                       "a:65535",
		strings.Repeat("a.", 126) + "a": strings.Repeat("a.", 126) + "a:80",
	} {
		if got, err := parseAuthority(s, 80); err != nil || got.String() != want {
			t.Errorf("%q: %v, %v; want %s", s, got, err, want)
		}
	}
	for _, s := range []string{
		"", ":443", "a:", "a:0", "a:65536", "a:99999999999999999999", "a:-1", "a:+80", "a: 80", "a:80 ", "a:0x50", "a:80:80", "a:http",
		"::1", "::1:443", "[::1", "[::1]443", "[::1]:", "[]:80", "[a]:80", "[127.0.0.1]:80", "[fe80::1%eth0]:80", "fe80::1%eth0",
		"2130706433", "2130706433:80", "0177.0.0.1:80", "0x7f.0.0.1:80", "0x7f000001", "127.1:80", "127.0.0.01", "1.2.3.4.5", "a.1", "a.0x1f", "0x", "１２７.0.0.1", "127.0.0.1.",
		"a..b", ".a", "a..", ".", "..", "a b", "a\x00b", "a\r\nb", "a\nb", "a/b", "a\\b", "a@b", "user:pass@a:80", "a#b", "a?b", "a%00b", "a%2eb", "*", "*.test", "a,b",
		strings.Repeat("a", 64) + ".test", strings.Repeat("a.", 127) + "a", strings.Repeat("a", 70000), "xn--\x80", "\xff\xfe", "a\u202eb.test\u0000",
	} {
		if got, err := parseAuthority(s, 80); err == nil {
			t.Errorf("%q is taken for %v", s, got)
		}
	}
}

// FuzzTarget: what has a normal form has one that is its own normal form, and holds nothing but letters of names.
func FuzzTarget(f *testing.F) {
	for _, s := range []string{"api.test:443", "[::1]:80", "bücher.example", "0x7f.1", "a..b", "１.２.３.４"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := parseAuthority(s, 80)
		if err != nil {
			return
		}
		b, err := parseAuthority(a.String(), 0)
		if err != nil || a != b {
			t.Errorf("%q is %v, which is %v, %v", s, a, b, err)
		}
		if strings.Trim(a.String(), "abcdefghijklmnopqrstuvwxyz0123456789-_.:[]") != "" || len(a.String()) > 253+8 {
			t.Errorf("%q is %q", s, a)
		}
	})
}

func TestOnlyTheExactNameAndPortAreGranted(t *testing.T) {
	p := New(Config{Net: spec.Net{Hosts: []spec.Host{
		{Name: "API.test.", Port: 443}, {Name: "bücher.example", Port: 443}, {Name: "raw.test", Port: 22, Raw: true},
		{Name: "both.test", Port: 1}, {Name: "both.test", Port: 1, Raw: true}, {Name: "twice.test", Port: 1, Raw: true}, {Name: "TWICE.test", Port: 1}, {Name: "*.wild.test", Port: 443}, {Name: "8.8.8.8", Port: 53}, {Name: "", Port: 9}, {Name: "zero.test"},
	}}})
	defer p.Close()
	for authority, want := range map[string]string{
		"api.test:443": "web", "xn--bcher-kva.example:443": "web", "raw.test:22": "raw", "both.test:1": "raw", "twice.test:1": "raw", "8.8.8.8:53": "web", "[::ffff:8.8.8.8]:53": "web",
		"api.test:80": "no", "test:443": "no", "x.api.test:443": "no", "api.test.evil.test:443": "no", "apixtest:443": "no",
		"a.wild.test:443": "no", "wild.test:443": "no", "8.8.8.8:54": "no", "8.8.4.4:53": "no", "raw.test:23": "no",
	} {
		at, err := parseAuthority(authority, 0)
		if err != nil {
			t.Fatal(err)
		}
		v := begin(ViaHTTP)
		raw, refused := p.admit(v, at)
		got := map[bool]string{true: "raw", false: "web"}[raw]
		if refused != nil {
			got = "no"
			if refused.Rule != "egress/not-granted" || v.Allowed || v.Rule != refused.Rule || v.Grant != "net:"+strings.TrimSuffix(at.String(), ":443") {
				t.Errorf("%s: %+v, %+v", authority, refused, v.Attempt)
			}
		}
		if got != want {
			t.Errorf("%s: %s, want %s", authority, got, want)
		}
	}
}

func TestGrantsAreWrittenAsAPersonTypesThem(t *testing.T) {
	for authority, want := range map[string][2]string{
		"api.test:443": {"net:api.test", "net:tcp:api.test:443"}, "api.test:80": {"net:api.test:80", "net:tcp:api.test:80"},
		"[fd00::1]:443": {"net:[fd00::1]", "net:tcp:[fd00::1]:443"}, "10.0.0.1:1443": {"net:10.0.0.1:1443", "net:tcp:10.0.0.1:1443"},
		"localhost:5432": {"port:5432", "port:5432"}, "x.localhost:1": {"port:1", "port:1"}, "127.9.9.9:2": {"port:2", "port:2"}, "[::1]:3": {"port:3", "port:3"},
		"0.0.0.0:1": {}, "[::]:1": {}, "224.0.0.1:1": {}, "[ff02::1]:1": {}, "255.255.255.255:1": {},
	} {
		at, err := parseAuthority(authority, 0)
		if got := [2]string{grantOf(at, false), grantOf(at, true)}; err != nil || got != want {
			t.Errorf("%s: %q, %v", authority, got, err)
		}
	}
}

func TestNothingIsGrantedByTheZeroValue(t *testing.T) {
	p := New(Config{})
	defer p.Close()
	at, _ := parseAuthority("example.com:443", 0)
	if _, refused := p.admit(begin(ViaHTTP), at); refused == nil {
		t.Error("it is")
	}
}
