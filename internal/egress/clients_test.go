package egress

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"satchel/internal/spec"
)

// A world is what a real client sees of the network: two doors, and behind them a server for http and one for https.
type world struct {
	*rig
	plain, secure string // addresses of pages
	env           []string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	a := newAuthority(t)
	plain, secure := webServer(t, nil), webServer(t, a.server("api.test", "evil.test"))
	n := spec.Net{Hosts: append(grant(plain, "api.test").Hosts, grant(secure, "api.test").Hosts...)}
	w := &world{rig: newRig(t, n, loopback("api.test", "evil.test"))}
	w.plain, w.secure = fmt.Sprintf("http://api.test:%d/x", plain), fmt.Sprintf("https://api.test:%d/x", secure)
	door, ca := "http://"+w.http, a.file()
	preload, err := filepath.Abs("../sandbox/node-proxy.cjs")
	if err != nil {
		t.Fatal(err)
	}
	w.env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "PYTHONPATH=" + os.Getenv("PYTHONPATH"),
		"HTTP_PROXY=" + door, "http_proxy=" + door, "HTTPS_PROXY=" + door, "https_proxy=" + door, "NO_PROXY=localhost,127.0.0.1", "no_proxy=localhost,127.0.0.1",
		"CURL_CA_BUNDLE=" + ca, "SSL_CERT_FILE=" + ca, "REQUESTS_CA_BUNDLE=" + ca, "NODE_EXTRA_CA_CERTS=" + ca, "NODE_USE_ENV_PROXY=1", "NODE_OPTIONS=--require=" + preload,
	}
	return w
}

// run runs a client and gives what it prints, on both outputs, and whether it ended well.
func (w *world) run(dir, name string, args ...string) (string, error) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env, cmd.Dir = w.env, dir
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// reaches holds a client, whose arguments end with an address, to reach what is granted and to say why it does not reach
// what is not.
func reaches(t *testing.T, dir, why string, command ...string) {
	t.Helper()
	for _, secure := range []bool{false, true} {
		w := newWorld(t)
		page := w.plain
		if secure {
			page = w.secure
		}
		ask := func(page string) (string, error) { return w.run(dir, command[0], append(command[1:], page)...) }
		if out, err := ask(page); err != nil || !strings.Contains(out, "GET /x host=api.test:") || strings.Contains(out, "Warning") {
			t.Errorf("%s: %v, %s", page, err, out)
		}
		out, err := ask(strings.Replace(page, "api.test", "evil.test", 1))
		if strings.Contains(out, "GET /x") || !strings.Contains(out, why) {
			t.Errorf("%s of another host: %v, %s", page, err, out)
		}
		list := w.done()
		if len(list) != 2 || !list[0].Allowed || list[0].Why != "" || list[1].Rule != "egress/not-granted" {
			t.Errorf("%s: %+v", page, list)
		}
	}
}

// absent ends a test that lacks what make deps installs: in CI that is a failure.
func absent(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is not here: run make deps", what)
	}
	t.Skipf("%s is not here: run make deps", what)
}

func need(t *testing.T, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		absent(t, program)
	}
}

func TestCurl(t *testing.T) {
	need(t, "curl")
	t.Run("http", func(t *testing.T) { reaches(t, "", "403", "curl", "-sS", "-i", "--max-time", "20") })
	t.Run("tunnel", func(t *testing.T) { reaches(t, "", "403", "curl", "-sS", "-i", "-p", "--max-time", "20") })
	t.Run("socks5h", func(t *testing.T) {
		for _, secure := range []bool{false, true} {
			w := newWorld(t)
			page := map[bool]string{false: w.plain, true: w.secure}[secure]
			curl := func(page string) (string, error) {
				return w.run("", "curl", "-sS", "--max-time", "20", "-x", "socks5h://"+w.socks, page)
			}
			if out, err := curl(page); err != nil || !strings.Contains(out, "GET /x host=api.test:") {
				t.Errorf("%v, %s", err, out)
			}
			if out, err := curl(strings.Replace(page, "api.test", "evil.test", 1)); err == nil || !strings.Contains(out, "(2)") { // the reply's code
				t.Errorf("%v, %s", err, out)
			}
			if list := w.done(); len(list) != 2 || !list[0].Allowed || list[1].Rule != "egress/not-granted" {
				t.Errorf("%+v", list)
			}
		}
	})
	t.Run("fronting", func(t *testing.T) {
		// A tunnel for the granted name, TLS for another one.
		w := newWorld(t)
		other := strings.Replace(w.secure, "api.test", "evil.test", 1)
		_, port, _ := strings.Cut(strings.TrimSuffix(w.secure, "/x"), "api.test:")
		out, err := w.run("", "curl", "-sS", "--max-time", "20", "--connect-to", "evil.test:"+port+":api.test:"+port, other)
		if err == nil || strings.Contains(out, "GET /x") {
			t.Errorf("%v, %s", err, out)
		}
		w.refused("egress/server-name")
	})
	t.Run("a body and Expect", func(t *testing.T) {
		w := newWorld(t)
		file := filepath.Join(t.TempDir(), "body")
		if err := os.WriteFile(file, []byte(strings.Repeat("x", 2<<20)), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := w.run("", "curl", "-sS", "--max-time", "20", "-T", file, "-H", "Expect: 100-continue", "-o", os.DevNull, "-w", "%{http_code} %{size_upload}", w.plain)
		if err != nil || out != fmt.Sprint("200 ", 2<<20) {
			t.Errorf("%v, %s", err, out)
		}
		w.passed()
	})
}

// Python's own client sends HTTP requests as such and makes tunnels for https.
func TestPython(t *testing.T) {
	need(t, "python3")
	reaches(t, "", "egress/not-granted", "python3", "-c", `
import sys, urllib.request, urllib.error
try:
    print(urllib.request.urlopen(sys.argv[1], timeout=20).read().decode())
except urllib.error.HTTPError as e:
    print(e, e.read().decode())
except Exception as e:
    print(e)
`)
	for library, code := range map[string]string{
		"requests": "import sys, requests\ntry:\n  print(requests.get(sys.argv[1], timeout=20).text)\nexcept Exception as e:\n  print(e)",
		"httpx":    "import sys, ssl, httpx\ntry:\n  print(httpx.get(sys.argv[1], timeout=20, verify=ssl.create_default_context()).text)\nexcept Exception as e:\n  print(e)",
	} {
		t.Run(library, func(t *testing.T) {
			if err := exec.Command("python3", "-c", "import "+library).Run(); err != nil {
				t.Skipf("Python has no %s here (Debian: python3-%[1]s)", library)
			}
			reaches(t, "", "egress/not-granted", "python3", "-c", code)
		})
	}
}

const npm = "../../testdata/npm"

// Node from version 22.21 and 24.5 heeds the variables itself; for older ones a file does that the sandbox brings.
func TestNode(t *testing.T) {
	need(t, "node")
	out, err := exec.Command("node", "-p", "const [a, b] = process.versions.node.split('.').map(Number); process.version + (a > 24 || a == 24 && b >= 5 || a == 22 && b >= 21)").Output()
	if err != nil {
		t.Fatal(err)
	}
	version, heeds := strings.CutSuffix(strings.TrimSpace(string(out)), "true")
	t.Logf("Node.js %s", version)
	why := "egress/not-granted"
	if heeds {
		why = "403"
	}
	const page = "const page = process.env.PAGE = process.env.PAGE || process.argv[1];"
	const fetched = page + `
const show = e => console.log(String(e), String(e.cause ?? ""), String(e.cause?.cause ?? ""))
fetch(page).then(async r => console.log(r.status, await r.text()), show)`
	const got = page + `
const get = agent => require(page.split(':')[0]).get(page, { agent }, r => { console.log(r.statusCode); r.pipe(process.stdout) }).on('error', e => console.log(String(e)));`
	for name, code := range map[string]string{
		"fetch":          fetched,
		"http and https": got + "get()",
		"in a worker":    page + "new (require('worker_threads').Worker)(" + strconv.Quote(fetched) + ", { eval: true })",
		"in a child":     page + "require('child_process').spawn(process.execPath, ['-e', " + strconv.Quote(fetched) + "], { stdio: 'inherit' })",
	} {
		t.Run(name, func(t *testing.T) {
			if name == "in a worker" && heeds && strings.HasPrefix(version, "v22.") {
				t.Skip("in a worker Node.js 22 warns of its proxy agent before any file is loaded")
			}
			reaches(t, "", why, "node", "-e", code)
		})
	}
	t.Run("an agent of the program's", func(t *testing.T) {
		reaches(t, "", "egress/not-granted", "node", "-e", got+"get(new (require(page.split(':')[0]).Agent)({ keepAlive: false }))")
	})
	t.Run("axios", func(t *testing.T) {
		if _, err := os.Stat(npm + "/node_modules/axios"); err != nil {
			absent(t, "axios")
		}
		reaches(t, npm, "not-granted", "node", "-e", page+"require('axios').get(page).then(r => console.log(r.status, r.data), e => console.log(String(e), String(e.cause), e.response && e.response.data))")
	})
	t.Run("fetch with a dispatcher of the program's", func(t *testing.T) {
		if _, err := os.Stat(npm + "/node_modules/undici"); err != nil {
			absent(t, "undici")
		}
		if strings.HasPrefix(version, "v18.") {
			t.Skip("this undici needs Node.js 20")
		}
		reaches(t, npm, "403", "node", "-e", "const { EnvHttpProxyAgent, setGlobalDispatcher, fetch } = require('undici'); setGlobalDispatcher(new EnvHttpProxyAgent());"+fetched)
	})
}
