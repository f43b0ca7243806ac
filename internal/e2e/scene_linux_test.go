package e2e

import (
	"bufio"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/godbus/dbus/v5"
)

// The hosts of the tests: the one that may be reached, and one that may not.
const (
	granted = "api.granted.example"
	other   = "other.example"
)

// A scene is a person's machine with everything on it that a hostile extension would want, all of it there for any
// program of that person.
type scene struct {
	*home
	ears
	far     *far
	secret  string   // what there is to be stolen, the same everywhere
	project string   // a folder that the extension may write to, with a repository
	own     string   // the extension's own folder
	records string   // where the answers to another extension are kept, empty without one
	buses   []string // addresses of the session's bus, with the keychain on it
	tcp     []string // where databases listen, IPv4 and IPv6, on the loopback and on the machine's address
	udp     []string
	names   []string // name servers
}

func newScene(t *testing.T) *scene {
	t.Helper()
	s := &scene{home: newHome(t), secret: "secret-" + rand.Text()}
	s.project, s.own = filepath.Join(s.dir, "project"), filepath.Join(s.dir, "satchel/data/local/hostile")
	s.files(t)
	s.far = newFar(t, &s.ears)
	s.env = append(s.env, "SECRET="+s.secret)
	s.reach(s.far)
	s.listen(t)
	s.bus(t)
	return s
}

func (s *scene) files(t *testing.T) {
	t.Helper()
	for _, name := range []string{".ssh/id_rsa", "satchel/data/local/other/diary.txt", "Documents/letter.txt"} {
		write(t, filepath.Join(s.dir, name), s.secret)
	}
	for _, name := range []string{".bashrc", ".profile", ".claude.json", ".config/Claude/claude_desktop_config.json", "project/.git/config", "project/.git/hooks/pre-commit", "project/.vscode/tasks.json", "project/main.c"} {
		write(t, filepath.Join(s.dir, name), "as it was\n")
	}
	for _, name := range []string{".config/autostart", ".config/systemd/user"} {
		if err := os.MkdirAll(filepath.Join(s.dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
}

func (s *scene) listen(t *testing.T) {
	t.Helper()
	s.tcp = []string{s.stream(t, "tcp4", "127.0.0.1:0"), s.stream(t, "tcp6", "[::1]:0")}
	s.udp = []string{s.datagrams(t, "udp4", "127.0.0.1:0"), s.datagrams(t, "udp6", "[::1]:0")}
	s.names = []string{s.datagrams(t, "udp4", "127.0.0.1:0")}
	if os.Getuid() == 0 { // nobody else may listen there
		var x [2]byte
		_, _ = rand.Read(x[:]) // it never fails
		s.names = append(s.names, s.datagrams(t, "udp4", fmt.Sprintf("127.53.%d.%d:53", x[0], x[1]|1)))
	}
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addresses {
		if ip, ok := a.(*net.IPNet); ok && !ip.IP.IsLoopback() && !ip.IP.IsLinkLocalUnicast() {
			s.tcp = append(s.tcp, s.stream(t, "tcp", net.JoinHostPort(ip.IP.String(), "0")))
			s.udp = append(s.udp, s.datagrams(t, "udp", net.JoinHostPort(ip.IP.String(), "0")))
		}
	}
}

// bus starts a session's bus as a desktop does, at a path and at an abstract address, with a keychain on it.
func (s *scene) bus(t *testing.T) {
	t.Helper()
	daemon := program(t, "dbus-daemon")
	run, err := os.MkdirTemp("", "run-") // the path of a socket must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(run) })
	config := filepath.Join(run, "bus.conf")
	s.buses = []string{"unix:path=" + filepath.Join(run, "bus"), "unix:abstract=satchel-e2e-" + rand.Text()}
	write(t, config, fmt.Sprintf(`<busconfig><type>session</type><auth>EXTERNAL</auth><auth>ANONYMOUS</auth><allow_anonymous/><listen>%s</listen><listen>%s</listen><policy context="default">
		<allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>`, s.buses[0], s.buses[1]))
	cmd := exec.Command(daemon, "--nofork", "--print-pid", "--config-file="+config)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	conn, err := dbus.Connect(s.buses[0])
	if err != nil { // the daemon knows no user whom /etc/passwd does not
		conn, err = dbus.Connect(s.buses[0], dbus.WithAuth(dbus.AuthAnonymous()))
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.Export(keychain{s.secret}, "/org/freedesktop/secrets", "org.freedesktop.Secret.Service"); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.RequestName("org.freedesktop.secrets", 0); err != nil {
		t.Fatal(err)
	}
	s.env = append(s.env, "DBUS_SESSION_BUS_ADDRESS="+s.buses[0], "XDG_RUNTIME_DIR="+run)
}

// A keychain answers as a desktop's does, to every program of the session.
type keychain struct{ secret string }

// GetSecrets is the method on the bus.
func (k keychain) GetSecrets() (string, *dbus.Error) { return k.secret, nil }

// extension is the hostile extension for a way to start it.
func (s *scene) extension(t *testing.T, w way) part {
	t.Helper()
	p := part{Way: w, ID: "local/hostile", Dir: filepath.Join(s.work, "hostile"), Grants: []string{"write:" + s.project, "net:" + granted, "net:" + granted + ":80"}}
	server, err := os.ReadFile(filepath.Join(bin, "hostile"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(map[string]any{
		"manifest_version": "0.3", "name": "hostile", "version": "1.0.0", "description": "Wants what it was not granted.",
		"author": map[string]any{"name": "Nobody"},
		"server": map[string]any{"type": "binary", "entry_point": "hostile", "mcp_config": map[string]any{"command": "${__dirname}/hostile"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(p.Dir, "manifest.json"), string(text))
	write(t, filepath.Join(p.Dir, "hostile"), string(server))
	if err := os.Chmod(filepath.Join(p.Dir, "hostile"), 0o700); err != nil {
		t.Fatal(err)
	}
	return p
}

// neighbour installs another extension, which has the secret as its answer.
func (s *scene) neighbour(t *testing.T) {
	t.Helper()
	p := part{ID: "local/neighbour", Dir: filepath.Join(s.work, "neighbour"), Config: []string{"token=" + s.secret}}
	token := args{"type": "string", "title": "Token", "description": "Of yours.", "required": true, "sensitive": true}
	r := real{name: "neighbour", command: "python3", manifest: args{"user_config": args{"token": token}}}
	write(t, filepath.Join(p.Dir, "server.py"), "")
	write(t, filepath.Join(p.Dir, "manifest.json"), r.manifestText(t, "server.py"))
	s.installPart(t, p)
	s.records = filepath.Join(s.dir, "satchel/extensions")
}

// bundle is the folder of an extension's files that its server runs from.
func (s *scene) bundle(t *testing.T, p part) string {
	t.Helper()
	if !p.Way.installs() {
		return p.Dir
	}
	found, err := filepath.Glob(filepath.Join(s.dir, "satchel/extensions", p.ID, "*", "manifest.json"))
	if err != nil || len(found) != 1 {
		t.Fatalf("%v, %v", found, err)
	}
	return filepath.Dir(found[0])
}
