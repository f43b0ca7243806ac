package sandbox

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"satchel/internal/spec"
)

func entranceOf(t *testing.T, m Mode, n spec.Net) entrance {
	t.Helper()
	e, err := enter(m, n)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.close() })
	return e
}

func planned(t *testing.T, m Mode, c Command) map[string]string {
	t.Helper()
	o, err := plan(m, c, entranceOf(t, m, c.Sandbox.Net), 1000, 1000)
	if err != nil {
		t.Fatal(err)
	}
	env := map[string]string{}
	for _, e := range o.Env {
		name, value, _ := strings.Cut(e, "=")
		if _, twice := env[name]; twice {
			t.Errorf("%s is set twice", name)
		}
		env[name] = value
	}
	return env
}

// TestTheWorldIsDescribed: what a server's world has, whatever the host's is, and no more.
func TestTheWorldIsDescribed(t *testing.T) {
	c := Command{
		Path: "/opt/x/bin/server", Env: []string{"TOKEN=secret", "PATH_INFO=x"}, Dir: realTemp(t),
		Sandbox: spec.Sandbox{Programs: spec.Programs{Paths: []string{"/usr/bin/env", "/opt/tools/git"}}},
	}
	env, _ := c.environment(wayOf(Namespaces, c, entrance{}))
	got := strings.Join(env, " ")
	if want := "TOKEN=secret PATH_INFO=x HOME=/home/user TMPDIR=/tmp PATH=/opt/x/bin:/usr/bin:/opt/tools:/usr/local/bin:/bin USER=user LOGNAME=user"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	out, _ := run(t, Command{Path: "/usr/bin/env", Argv: []string{"env"}, Dir: realTemp(t)})
	for _, line := range strings.Split(strings.TrimSpace(out), "\n") {
		name, _, _ := strings.Cut(line, "=")
		if !strings.Contains(" HOME TMPDIR PATH USER LOGNAME ", " "+name+" ") {
			t.Errorf("a server sees %s", line)
		}
	}
}

func TestWhatTheManifestSetsCounts(t *testing.T) {
	c := shell(spec.Sandbox{Net: spec.Net{Any: true}}, realTemp(t), "true", nil)
	c.Env = []string{"HOME=/x", "PATH=/y", "TMPDIR=/z", "USER=u", "NO_PROXY=all", "NODE_OPTIONS=--no-deprecation", "NODE_USE_ENV_PROXY=0", "Http_Proxy=mixed"}
	env := planned(t, Namespaces, c)
	for name, want := range map[string]string{
		"HOME": "/x", "PATH": "/y", "TMPDIR": "/z", "USER": "u", "LOGNAME": "user", "NO_PROXY": "all", "no_proxy": "", "NODE_USE_ENV_PROXY": "0",
		"HTTPS_PROXY": "http://127.0.0.1:3128", "https_proxy": "http://127.0.0.1:3128", "ALL_PROXY": "http://127.0.0.1:3128",
		"SATCHEL_SOCKS_PROXY": "socks5h://127.0.0.1:1080", "NODE_OPTIONS": "--no-deprecation --require=/.satchel/node-proxy.cjs", "HTTP_PROXY": "", "http_proxy": "",
	} {
		if env[name] != want {
			t.Errorf("%s=%s, want %s", name, env[name], want)
		}
	}
}

// TestTheOwnTemporaryFolderIsNoTrap: it is in a folder that the server may write to.
func TestTheOwnTemporaryFolderIsNoTrap(t *testing.T) {
	victim := filepath.Join(realTemp(t), "victim")
	write(t, victim, "precious")
	file := filepath.Join(ownBrought, nodeProxyName)
	for name, trap := range map[string]func(dir string) error{
		"a link in place of the file": func(dir string) error {
			return errors.Join(os.MkdirAll(filepath.Join(dir, ownBrought), 0o700), os.Symlink(victim, filepath.Join(dir, file)))
		},
		"a link in place of the folder": func(dir string) error {
			return errors.Join(os.Mkdir(filepath.Join(dir, ownTemp), 0o700), os.Symlink(filepath.Dir(victim), filepath.Join(dir, ownBrought)))
		},
		"a link in place of the temporary folder": func(dir string) error { return os.Symlink(filepath.Dir(victim), filepath.Join(dir, ownTemp)) },
		"a pipe in place of the file": func(dir string) error {
			return errors.Join(os.MkdirAll(filepath.Join(dir, ownBrought), 0o700), unix.Mkfifo(filepath.Join(dir, file), 0o600))
		},
		"a folder in place of the file": func(dir string) error { return os.MkdirAll(filepath.Join(dir, file, "x"), 0o700) },
	} {
		dir := realTemp(t)
		if err := trap(dir); err != nil {
			t.Fatal(err)
		}
		err := bringTo(dir, []brought{{nodeProxyName, nodeProxy}})
		if (err != nil) != (name == "a link in place of the temporary folder") {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil {
			if text, err := os.ReadFile(filepath.Join(dir, file)); err != nil || string(text) != nodeProxy {
				t.Errorf("%s: %.20q, %v", name, text, err)
			}
		}
		if text, err := os.ReadFile(victim); err != nil || string(text) != "precious" {
			t.Errorf("%s: the victim is %.20q, %v", name, text, err)
		}
	}
}

// TestAuthoritiesAreNoWayToOtherFiles: a manifest sets these variables too.
func TestAuthoritiesAreNoWayToOtherFiles(t *testing.T) {
	dir := realTemp(t)
	const cert = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
	const key = "-----BEGIN PRIVATE KEY-----\nBBBB\n-----END PRIVATE KEY-----\n"
	for name, text := range map[string]string{"key": key, "both": "password: x\n" + key + cert + "token: y\n", "hashed/1a.0": cert, "hashed/id": key, "headers": strings.Replace(cert, "AAAA", "Secret: z\n\nAAAA", 1)} {
		write(t, filepath.Join(dir, name), text)
	}
	if err := unix.Mkfifo(filepath.Join(dir, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, value string
		want        []brought
	}{
		{"SSL_CERT_FILE", dir + "/key", nil},
		{"SSL_CERT_FILE", dir + "/pipe", nil},
		{"SSL_CERT_FILE", dir, nil},
		{"SSL_CERT_FILE", dir + "/nothing", nil},
		{"SSL_CERT_FILE", "relative", nil},
		{"SSL_CERT_FILE", "", nil},
		{"OTHER", dir + "/both", nil},
		{"REQUESTS_CA_BUNDLE", dir + "/both", []brought{{"REQUESTS_CA_BUNDLE.pem", cert}}},
		{"NODE_EXTRA_CA_CERTS", dir + "/headers", []brought{{"NODE_EXTRA_CA_CERTS.pem", cert}}},
		{"SSL_CERT_DIR", dir + "/pipe:" + dir + "/key:relative", nil},
		{"SSL_CERT_DIR", "/nowhere:" + dir + "/hashed:" + dir + "/hashed", []brought{{"SSL_CERT_DIR/1a.0", cert}}},
	} {
		env, files := authorities([]string{c.name + "=" + c.value}, "/.satchel")
		if !slices.Equal(files, c.want) || (len(files) == 0) != (env[0] == c.name+"="+c.value) {
			t.Errorf("%s=%s: %q, %q", c.name, c.value, env, files)
		}
	}
}

// TestOnlyPublicPartsOfTheMachinesSettingsAreThere: a root that starts servers may read its own keys.
func TestOnlyPublicPartsOfTheMachinesSettingsAreThere(t *testing.T) {
	out, _ := in(t, spec.Sandbox{}, `ls /etc/ssl/private /etc/pki/tls/private 2>&1 | grep -vi 'no such'; test -s /etc/ssl/certs/ca-certificates.crt && echo certificates`)
	if out != "certificates\n" {
		t.Errorf("got %s", out)
	}
}
