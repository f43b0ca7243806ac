package sandbox

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"satchel/internal/problem"
	"satchel/internal/sandbox/probe"
	"satchel/internal/spec"
)

// bare runs the probe without any sandbox.
func bare(t *testing.T) map[string]probe.Result {
	t.Helper()
	s, err := newScene()
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	first := &exec.Cmd{Path: "/proc/self/exe", Args: []string{probe.WaiterName}}
	leash, err := first.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		leash.Close()
		_ = first.Wait() // an attack may have killed it
	}()
	s.setup.First = first.Process.Pid
	results, err := s.bare(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	byLine := map[string]probe.Result{}
	for _, r := range results {
		byLine[r.Group+": "+r.Line] = r
	}
	return byLine
}

// groupsHere gives a control group's folders: none where the machine lets us make none.
func groupsHere() []string {
	g := newGroup(Landlock, spec.Limits{})
	defer g.remove()
	return g.dirs
}

// openIn are the lines that a mode leaves open, as docs/sandbox.md names them.
func openIn(m Mode, g granted) (open []string) {
	root, groups := os.Getuid() == 0, len(groupsHere()) > 0
	switch m {
	case Landlock:
		open = []string{
			"files: stat a file outside", "files: chmod where only reading is granted", "files: touch where only reading is granted",
			"protected paths: write a git hook", "protected paths: put another folder in place of the hooks",
			"protected paths: put another folder in place of the repository", "kernel: stat the kernel's objects",
		}
		if g.network && ownAddress() != "" {
			open = append(open, "network: TCP to another address of the machine") // at a port that is granted
		}
	case Bubblewrap:
		if root {
			open = append(open, "processes: list the first process's descriptors")
		}
	}
	if g.socket && m != Landlock {
		open = append(open, "network: a socket in a granted folder", "network: listen on a socket of the machine")
	}
	// Root is above the limit on processes, and without namespaces it would count all of the user's: groups remain.
	if (root || m == Landlock) && !groups {
		open = append(open, "processes: make 1000 processes")
	}
	return open
}

// notHere are lines that no machine of ours can do outside a sandbox: inside they prove nothing here.
var notHere = map[string]string{
	"network: the kernel's ciphers":              "kernels without AF_ALG",
	"processes: gain rights by a setuid program": "root has them already",
	"kernel: type into the terminal":             "kernels that switched it off (dev.tty.legacy_tiocsti), and programs without a terminal",
	"kernel: open the terminal":                  "programs without a terminal",
	"kernel: press the emergency keys":           "kernels without them",
	"kernel: read the kernel's memory map":       "virtual machines",
	"kernel: open a disk":                        "containers",
	"kernel: a call of x32":                      "kernels without x32",
	"kernel: a call of i386":                     "kernels without i386",

	"protected paths: write a git hook by another spelling": "file systems that tell upper from lower case",
}

// TestProbe: no line works inside, and each works outside, else it would prove nothing.
func TestProbe(t *testing.T) {
	leak(t)
	outside := bare(t)
	for _, m := range []Mode{Namespaces, Bubblewrap, Landlock} {
		for name, g := range map[string]granted{"": {}, ", files watched": {watch: true}, ", network": {network: true}, ", a socket": {socket: true}} {
			if g.socket && !m.world() {
				continue // it does not start
			}
			t.Run(string(m)+name, func(t *testing.T) { probeIn(t, m, outside, g) })
		}
	}
}

// leak opens a descriptor that every program this one starts inherits, as a careless parent of ours would.
func leak(t *testing.T) {
	t.Helper()
	fd, err := unix.Open("/dev/null", unix.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
}

func probeIn(t *testing.T, m Mode, outside map[string]probe.Result, g granted) {
	l := NewLauncher().Only(m)
	_, results, err := l.probe(context.Background(), g)
	skipWithout(t, err)
	if len(results) < 90 {
		t.Errorf("only %d lines", len(results))
	}
	for _, r := range results {
		name := r.Group + ": " + r.Line
		if r.Open != (openByDesign()[name] != "" || slices.Contains(openIn(m, g), name)) {
			t.Errorf("%s: open %v: %s", name, r.Open, r.Why)
		}
		b := outside[name]
		switch {
		case b.Open:
		case r.Root && os.Getuid() != 0:
		case notHere[name] != "":
			t.Logf("proves nothing here: %s (%s: %s)", name, notHere[name], b.Why)
		default:
			t.Errorf("%s proves nothing: outside it is refused too: %s", name, b.Why)
		}
	}
}

// TestAsAnOrdinaryUser runs the tests of this package again as a user without rights.
func TestAsAnOrdinaryUser(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("the tests run as an ordinary user already; as root they run as both")
	}
	const uid = 54321
	dir, err := os.MkdirTemp("/var/tmp", "satchel-sandbox-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "sandbox.test")
	for _, err := range []error{os.WriteFile(program, self, 0o755), os.Chmod(dir, 0o755), os.Mkdir(filepath.Join(dir, "home"), 0o700), os.Chown(filepath.Join(dir, "home"), uid, uid)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(program, "-test.v", "-test.count=1")
	cmd.Dir = filepath.Join(dir, "home")
	cmd.Env = []string{"HOME=" + cmd.Dir, "TMPDIR=" + cmd.Dir, "PATH=" + os.Getenv("PATH")}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
	out, err := cmd.CombinedOutput()
	if err != nil || testing.Verbose() {
		t.Logf("%s", out)
	}
	if err != nil {
		t.Error(err)
	}
}

// TestWhereUserNamespacesAreRefused simulates such a machine in a user namespace that allows no further one: the walls
// that need none are taken.
func TestWhereUserNamespacesAreRefused(t *testing.T) {
	if os.Getenv("SANDBOX_REFUSED") != "" {
		p, out := started(t, shell(spec.Sandbox{}, realTemp(t), "cat /etc/shadow 2>&1; echo done", nil))
		for line := ""; line != "done\n"; {
			var err error
			if line, err = out.ReadString('\n'); err != nil {
				t.Fatal(err)
			}
			t.Log(line)
		}
		if p.Mode() != Landlock {
			t.Errorf("the mode is %s", p.Mode())
		}
		// What bwrap says of itself is in the reason, not on the server's error stream.
		_, err := NewLauncher().Only(Bubblewrap).Start(context.Background(), shell(spec.Sandbox{}, realTemp(t), "true", nil), nil)
		if p, ok := errors.AsType[*problem.Problem](err); !ok || p.Rule != "sandbox/none" || !errors.Is(err, exec.ErrNotFound) && !strings.Contains(p.Cause.Error(), "bwrap: ") {
			t.Errorf("got %v", err)
		}
		return
	}
	cmd := exec.Command("unshare", "-Ur", "sh", "-c", `echo 0 > /proc/sys/user/max_user_namespaces && exec "$0" -test.run '^TestWhereUserNamespacesAreRefused$' -test.v`, "/proc/self/exe")
	self, err := os.Readlink("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	cmd.Args[len(cmd.Args)-1] = self
	cmd.Env = append(os.Environ(), "SANDBOX_REFUSED=1")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "Permission denied") || !strings.Contains(string(out), "--- PASS") || strings.Contains(string(out), "bwrap:") {
		t.Errorf("%v: %s", err, out)
	}
}

// TestALongTemporaryFolder: the paths of sockets are short, those of folders need not be.
func TestALongTemporaryFolder(t *testing.T) {
	temp := filepath.Join(realTemp(t), strings.Repeat("long/", 20))
	if err := os.MkdirAll(temp, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", temp)
	s, err := newScene()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.close(); err != nil {
		t.Error(err)
	}
}
