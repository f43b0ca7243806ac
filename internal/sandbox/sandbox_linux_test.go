package sandbox

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"satchel/internal/problem"
	"satchel/internal/sandbox/inside"
	"satchel/internal/spec"
)

// TestMain lets the test binary play every role, and be the host that is killed.
func TestMain(m *testing.M) {
	Main()
	if script := os.Getenv("SANDBOX_HOST"); script != "" {
		l := NewLauncher().Only(Mode(os.Getenv("SANDBOX_MODE")))
		c := shell(spec.Sandbox{}, os.Getenv("SANDBOX_DIR"), script, os.Stdout)
		if os.Getenv("SANDBOX_WATCH") != "" {
			c.Watch, c.Events = true, func(Event) {}
		}
		p, err := l.Start(context.Background(), c, nil)
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		code, _ := p.Wait()
		os.Exit(code)
	}
	os.Exit(m.Run())
}

// shell is a command that runs a script with any program of the machine.
func shell(s spec.Sandbox, dir, script string, out *os.File) Command {
	s.Programs.Any = true
	return Command{
		Sandbox: s, Path: "/bin/sh", Argv: []string{"sh", "-c", script}, Dir: dir, Stdout: out, Stderr: out,
	}
}

func realTemp(t *testing.T) string {
	t.Helper()
	dir, err := realPath(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// run runs a command and gives what it wrote, and its exit code.
func run(t *testing.T, c Command) (string, int) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	c.Stdout, c.Stderr = w, w
	p, err := inNamespaces().Start(context.Background(), c, nil)
	w.Close()
	skipWithout(t, err)
	out, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	code, err := p.Wait()
	if err != nil {
		t.Fatal(err)
	}
	return string(out), code
}

// inNamespaces is a Launcher of the strongest mode only: what these tests say of a world holds there.
func inNamespaces() *Launcher { return NewLauncher().Only(Namespaces) }

// skipWithout ends a test that failed to start a server: with the reason, where the machine refuses the mode.
func skipWithout(t *testing.T, err error) {
	t.Helper()
	if errors.Is(err, exec.ErrNotFound) && os.Getenv("CI") == "true" {
		t.Fatalf("bwrap is not here: run make deps: %v", err)
	}
	if p, ok := errors.AsType[*problem.Problem](err); ok && p.Rule == "sandbox/none" {
		t.Skipf("this machine refuses the mode: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// in runs a script in a sandbox.
func in(t *testing.T, s spec.Sandbox, script string) (string, int) {
	t.Helper()
	return run(t, shell(s, realTemp(t), script, nil))
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestAServerHasAWorldOfItsOwn(t *testing.T) {
	out, code := in(t, spec.Sandbox{}, `
		for f in / /home /run; do ls $f | tr '\n' ' '; done; echo
		id -un; pwd | sed 's/.*/own/'; echo x > file && cat file; touch "$HOME/x" 2>&1 | sed 's/.*: //'
		grep -E '^(Cap|NoNew|Seccomp:)' /proc/self/status | tr -s '\t\n' ' '; exit 7`)
	want := `bin dev etc home lib lib64 proc run sbin tmp usr user ` + `
user
own
x
Read-only file system
CapInh: 0000000000000000 CapPrm: 0000000000000000 CapEff: 0000000000000000 CapBnd: 0000000000000000 CapAmb: 0000000000000000 NoNewPrivs: 1 Seccomp: 2 `
	lines := strings.Split(out, "\n")
	for i, w := range strings.Split(want, "\n") {
		if i < len(lines) && i == 0 { // machines differ in what of /lib32 and the like they have
			for _, name := range strings.Fields(lines[0]) {
				if !strings.Contains(w+" lib32 libx32 var work ", name) {
					t.Errorf("the root has %s: %s", name, lines[0])
				}
			}
			continue
		}
		if i >= len(lines) || lines[i] != w {
			t.Errorf("line %d: %q, want %q in\n%s", i, lines[min(i, len(lines)-1)], w, out)
		}
	}
	if code != 7 {
		t.Errorf("exit code %d", code)
	}
}

func TestRuntimesWork(t *testing.T) {
	out, code := in(t, spec.Sandbox{}, `
		node -e 'const os=require("os"); console.log("node", os.userInfo().username, os.cpus().length > 0, os.tmpdir())' &&
		python3 -c 'import pwd,os,tempfile,subprocess,multiprocessing; print("python", pwd.getpwuid(os.getuid()).pw_name, tempfile.gettempdir(), subprocess.run(["echo","ok"],capture_output=True).stdout)'`)
	if want := "node user true /tmp\npython user /tmp b'ok\\n'\n"; out != want || code != 0 {
		t.Errorf("%d: %s", code, out)
	}
}

func TestExitCodes(t *testing.T) {
	for script, want := range map[string]int{"exit 0": 0, "exit 7": 7, "kill -TERM $$": 128 + 15, "kill -KILL $$": 128 + 9} {
		if out, code := in(t, spec.Sandbox{}, script); code != want {
			t.Errorf("%s: %d, want %d: %s", script, code, want, out)
		}
	}
}

// started is a server that runs, and what it writes.
func started(t *testing.T, c Command) (*Process, *bufio.Reader) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	c.Stdout, c.Stderr = w, w
	l := inNamespaces()
	if os.Getenv("SANDBOX_REFUSED") != "" {
		l = NewLauncher()
	}
	p, err := l.Start(context.Background(), c, nil)
	w.Close()
	skipWithout(t, err)
	t.Cleanup(func() { p.Kill(); <-p.Done() })
	return p, bufio.NewReader(r)
}

func TestSignalsReachTheServer(t *testing.T) {
	p, out := started(t, shell(spec.Sandbox{}, realTemp(t), `trap 'echo got; exit 5' TERM; echo ready; while :; do sleep 0.01; done`, nil))
	if line, _ := out.ReadString('\n'); line != "ready\n" {
		t.Fatalf("got %q", line)
	}
	if err := p.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code, _ := p.Wait(); code != 5 {
		t.Errorf("exit code %d, want 5", code)
	}
	if err := p.Signal(syscall.SIGTERM); err != nil {
		t.Errorf("a signal to a server that has ended: %v", err)
	}
}

// leavers leave a process behind in every way that a shell can. All of them hold the standard output.
var leavers = map[string]string{
	"child":         `sleep 1000 & echo ready; wait`,
	"double fork":   `sh -c '(setsid sh -c "echo ready; exec sleep 1000" &) &'; sleep 1000`,
	"ignores TERM":  `setsid sh -c 'trap "" TERM HUP INT; echo ready; sleep 1000' & wait`,
	"stops itself":  `setsid sh -c 'echo ready; kill -STOP $$' & wait`,
	"outlives main": `setsid sh -c 'sleep 1000' & echo ready`,
}

// TestNothingOutlivesTheServer, whether the server ends, is killed, or its host is killed by kill -9: the pipe that all of
// its processes hold ends when the last of them has.
func TestNothingOutlivesTheServer(t *testing.T) {
	for _, m := range []Mode{Namespaces, Bubblewrap, Landlock} {
		for name, script := range leavers {
			t.Run(string(m)+"/"+name, func(t *testing.T) { killsServer(t, m, script, name == "outlives main") })
			t.Run(string(m)+"/"+name+", host killed", func(t *testing.T) { killsHost(t, m, script) })
		}
	}
}

func killsServer(t *testing.T, m Mode, script string, ends bool) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	l := NewLauncher().Only(m)
	p, err := l.Start(context.Background(), shell(spec.Sandbox{}, realTemp(t), script, w), nil)
	w.Close()
	skipWithout(t, err)
	out := bufio.NewReader(r)
	if line, _ := out.ReadString('\n'); line != "ready\n" {
		t.Fatalf("got %q", line)
	}
	if !ends {
		p.Kill()
	}
	if rest, err := io.ReadAll(out); err != nil {
		t.Errorf("%q, %v", rest, err)
	}
	<-p.Done()
}

func killsHost(t *testing.T, m Mode, script string) {
	cmd := &exec.Cmd{Path: self, Args: []string{"host"}, Env: append(os.Environ(), "SANDBOX_HOST="+script, "SANDBOX_MODE="+string(m), "SANDBOX_DIR="+realTemp(t))}
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	out := bufio.NewReader(pipe)
	line, err := out.ReadString('\n')
	_ = cmd.Process.Kill()
	if strings.Contains(line, "no sandbox") {
		t.Skipf("this machine refuses the mode: %s", line)
	}
	if line != "ready\n" {
		t.Errorf("got %q, %v", line, err)
	}
	if rest, err := io.ReadAll(out); err != nil {
		t.Errorf("%q, %v", rest, err)
	}
	_ = cmd.Wait()
}

// TestSecretsStayWithTheServer: they are on no command line and in no environment but the server's, while it runs.
func TestSecretsStayWithTheServer(t *testing.T) {
	c := shell(spec.Sandbox{}, realTemp(t), `echo "$TOKEN"; read x`, nil)
	c.Env = append(c.Env, "TOKEN=very-secret")
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	c.Stdin = r
	p, out := started(t, c)
	r.Close()
	if line, _ := out.ReadString('\n'); line != "very-secret\n" {
		t.Fatalf("got %q", line)
	}
	for _, file := range []string{"cmdline", "environ"} {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", p.tree.(*initTree).cmd.Process.Pid, file))
		if err != nil && os.Getuid() == 0 {
			t.Fatal(err)
		}
		if bytes.Contains(text, []byte("very-secret")) {
			t.Errorf("%s of init has the secret", file)
		}
	}
	w.Close()
	if code, _ := p.Wait(); code != 1 { // read at the end of its input
		t.Errorf("exit code %d", code)
	}
}

func TestStreamsEndWithTheServersUseOfThem(t *testing.T) {
	_, out := started(t, shell(spec.Sandbox{}, realTemp(t), `echo last; exec >&- 2>&-; sleep 1000`, nil))
	if all, err := io.ReadAll(out); string(all) != "last\n" || err != nil {
		t.Errorf("%q, %v: init holds the server's output", all, err)
	}
}

func TestAnotherFileInAGrantsPlaceIsRefused(t *testing.T) {
	base := realTemp(t)
	agreed := filepath.Join(base, "agreed")
	write(t, filepath.Join(agreed, "a"), "a")
	var st unix.Stat_t
	if err := unix.Stat(agreed, &st); err != nil {
		t.Fatal(err)
	}
	grant := spec.Sandbox{Files: []spec.File{{Path: agreed, Dev: st.Dev, Ino: st.Ino}}}
	if out, _ := in(t, grant, "cat "+agreed+"/a"); out != "a" {
		t.Fatalf("got %q", out)
	}
	write(t, filepath.Join(base, "secret", "a"), "secret")
	for name, swap := range map[string]func() error{
		"folder": func() error { return os.Rename(filepath.Join(base, "secret"), agreed) },
		"link":   func() error { return os.Symlink("/etc", agreed) },
		"gone":   func() error { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			if err := os.RemoveAll(agreed); err != nil {
				t.Fatal(err)
			}
			if err := swap(); err != nil {
				t.Fatal(err)
			}
			_, err := NewLauncher().Start(context.Background(), shell(grant, realTemp(t), "true", nil), nil)
			if p, ok := errors.AsType[*problem.Problem](err); !ok || p.Code != problem.Failed {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestProtectedPaths: a granted folder shows all but what is protected, also below links and in folders between.
func TestProtectedPaths(t *testing.T) {
	home := realTemp(t)
	for _, name := range []string{"notes", "docs/deep/file", ".ssh/id", ".config/app/tokens", ".config/other/conf", "docs/.secret"} {
		write(t, filepath.Join(home, name), name)
	}
	if err := os.Symlink(".ssh", filepath.Join(home, "link")); err != nil {
		t.Fatal(err)
	}
	grant := spec.Sandbox{Files: []spec.File{{Path: home}}}
	for _, name := range []string{".ssh", ".config/app", "docs/.secret", ".later"} {
		grant.Protect = append(grant.Protect, spec.Protected{Path: filepath.Join(home, name), Secret: true})
	}
	out, _ := in(t, grant, `cd `+home+`; find . -type f | sort; cat link/id 2>&1; touch new 2>&1; touch docs/new 2>&1; mkdir .ssh 2>&1`)
	want := `./.config/other/conf
./docs/deep/file
./notes
cat: link/id: No such file or directory
touch: cannot touch 'new': Read-only file system
touch: cannot touch 'docs/new': Read-only file system
mkdir: cannot create directory '.ssh': Read-only file system
`
	if out != want {
		t.Errorf("got\n%s", out)
	}
}

func TestAWriteGrantAboveASecretIsRefused(t *testing.T) {
	home := realTemp(t)
	grant := spec.Sandbox{Files: []spec.File{{Path: home, Write: true}}, Protect: []spec.Protected{{Path: filepath.Join(home, ".ssh"), Secret: true}}}
	_, err := NewLauncher().Start(context.Background(), shell(grant, realTemp(t), "true", nil), nil)
	if p, ok := errors.AsType[*problem.Problem](err); !ok || p.Code != problem.Refused || p.Rule != "sandbox/above-secrets" {
		t.Errorf("got %v", err)
	}
}

func TestWhatCannotBeGranted(t *testing.T) {
	for _, name := range []string{"/", "/proc", "/proc/self", "/sys", "/dev", "/dev/null", "/run", "/run/user", "relative", "/tmp/..", "/tmp/", ""} {
		_, err := NewLauncher().Start(context.Background(), shell(spec.Sandbox{Files: []spec.File{{Path: name}}}, realTemp(t), "true", nil), nil)
		if p, ok := errors.AsType[*problem.Problem](err); !ok || p.Code != problem.Refused {
			t.Errorf("%q: got %v", name, err)
		}
	}
}

// TestOnlyGrantedProgramsAreThere, with what their first line names, and the server's own.
func TestOnlyGrantedProgramsAreThere(t *testing.T) {
	bundle, tools := realTemp(t), realTemp(t)
	write(t, filepath.Join(bundle, "run.sh"), "#!/bin/sh\necho own; tool 2>&1; id 2>&1; ls / 2>&1; echo $(type id)\n")
	write(t, filepath.Join(tools, "tool"), "#!/usr/bin/env python3\nprint('granted')\n")
	for _, name := range []string{filepath.Join(bundle, "run.sh"), filepath.Join(tools, "tool")} {
		if err := os.Chmod(name, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	c := Command{
		Sandbox: spec.Sandbox{Programs: spec.Programs{Paths: []string{filepath.Join(tools, "tool")}}},
		Path:    filepath.Join(bundle, "run.sh"), Argv: []string{"run.sh"}, Dir: realTemp(t), Bundle: bundle,
	}
	out, code := run(t, c)
	if !strings.HasPrefix(out, "own\ngranted\n") || strings.Count(out, "not found") < 2 || code != 0 {
		t.Errorf("%d: %s", code, out)
	}
}

func TestAProgramThatIsNotThere(t *testing.T) {
	for _, name := range []string{"/nowhere/at/all", "/etc", ""} {
		_, err := NewLauncher().Start(context.Background(), Command{Path: name, Argv: []string{"x"}, Dir: realTemp(t)}, nil)
		if p, ok := errors.AsType[*problem.Problem](err); !ok || (p.Code != problem.NotFound && p.Code != problem.Failed) {
			t.Errorf("%q: got %v", name, err)
		}
	}
}

// TestDoors: a server with network reaches the host's side of a door, and nothing else.
func TestDoors(t *testing.T) {
	accept := func(d Door, l net.Listener) {
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				fmt.Fprintf(c, "door %d", d)
				c.Close()
			}
		}()
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	grant := spec.Sandbox{Net: spec.Net{Hosts: []spec.Host{{Name: "example.com", Port: 443}}, Ports: []int{5432}}}
	script := `for p in 3128 1080 5432 22; do python3 -c "
import socket
try: print(socket.create_connection(('127.0.0.1', $p)).recv(100).decode())
except OSError as e: print(e.strerror)"; done; python3 -c "
import socket
try: socket.create_connection(('93.184.215.14', 443))
except OSError as e: print(e.strerror)"`
	p, err := inNamespaces().Start(context.Background(), shell(grant, realTemp(t), script, w), accept)
	w.Close()
	skipWithout(t, err)
	out, err := io.ReadAll(r)
	if want := "door 3128\ndoor 1080\ndoor 5432\nConnection refused\nNetwork is unreachable\n"; string(out) != want || err != nil {
		t.Errorf("got\n%s%v", out, err)
	}
	if _, err := p.Wait(); err != nil {
		t.Error(err)
	}
}

func TestRolesCannotBeForged(t *testing.T) {
	cmd := &exec.Cmd{Path: "/proc/self/exe", Args: []string{inside.InitName}}
	out, err := cmd.CombinedOutput()
	if e, ok := errors.AsType[*exec.ExitError](err); !ok || e.ExitCode() != 2 || !strings.Contains(string(out), "this is no command") {
		t.Errorf("%v: %s", err, out)
	}
}

func TestACancelledStartLeavesNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := NewLauncher().Start(ctx, shell(spec.Sandbox{}, realTemp(t), "sleep 1000", nil), nil)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// TestNothingIsLeftBehind: no mount, no control group, no temporary file, no process.
func TestNothingIsLeftBehind(t *testing.T) {
	before := leftovers(t)
	dir := realTemp(t)
	l := inNamespaces()
	for i := range 20 {
		p, err := l.Start(context.Background(), shell(spec.Sandbox{}, dir, "sleep 1000 & exec sleep 1000", nil), nil)
		skipWithout(t, err)
		if i%2 == 0 {
			p.Kill()
		} else {
			_ = p.Signal(syscall.SIGTERM)
		}
		<-p.Done()
	}
	if after := leftovers(t); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
}

func leftovers(t *testing.T) string {
	t.Helper()
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	var groups []string
	for _, parent := range groupParents() {
		found, err := filepath.Glob(filepath.Join(parent, fmt.Sprintf("%s%d-*", groupPrefix, os.Getpid())))
		if err != nil {
			t.Fatal(err)
		}
		groups = append(groups, found...)
	}
	children, err := os.ReadFile(fmt.Sprintf("/proc/self/task/%d/children", os.Getpid()))
	if err != nil {
		children = nil // not every kernel has it
	}
	return fmt.Sprintf("%d mounts, groups %v, children %s", bytes.Count(mounts, []byte("\n")), groups, children)
}

func TestGroupsOfDeadProgramsAreSwept(t *testing.T) {
	own := fmt.Sprintf("%s%d-x", groupPrefix, os.Getpid())
	for name, want := range map[string]bool{groupPrefix + "999999999-x": true, own: false, groupPrefix + "x": false, "other-999999999-x": false, groupPrefix: false} {
		if leftBehind(name) != want {
			t.Errorf("%s is left behind: %v", name, !want)
		}
	}
}

// TestWhatVanishesFromASplitFolderStopsNoStart: a home changes all the time, also between an order and its start.
func TestWhatVanishesFromASplitFolderStopsNoStart(t *testing.T) {
	home := realTemp(t)
	write(t, filepath.Join(home, "passing"), "")
	write(t, filepath.Join(home, ".ssh/id"), "")
	grant := spec.Sandbox{Files: []spec.File{{Path: home}}, Protect: []spec.Protected{{Path: filepath.Join(home, ".ssh"), Secret: true}}}
	o, err := plan(Namespaces, shell(grant, realTemp(t), "true", nil), entrance{}, 1000, 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range o.Root {
		if s.Path == filepath.Join(home, "passing") && s.Maybe {
			return
		}
	}
	t.Errorf("%s must be there at the start", filepath.Join(home, "passing"))
}
