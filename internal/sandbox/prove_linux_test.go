package sandbox

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

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
	in, out, err := twoPipes()
	if err != nil {
		t.Fatal(err)
	}
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
	cmd := &exec.Cmd{Path: "/proc/self/exe", Args: []string{probe.Name}, Env: os.Environ(), Stdin: in.r, Stdout: out.w, Stderr: os.Stderr}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	in.r.Close()
	out.w.Close()
	results, err := s.talk(in.w, out.r)
	in.w.Close()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	byLine := map[string]probe.Result{}
	for _, r := range results {
		byLine[r.Group+": "+r.Line] = r
	}
	return byLine
}

// openByDesign are the lines that work inside too, with the reason (docs/sandbox.md).
var openByDesign = map[string]string{
	"processes: run own code from memory": "it is the server's own code, with the server's rights",
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
}

// TestProbe: no line works inside, and each works outside, else it would prove nothing.
func TestProbe(t *testing.T) {
	outside := bare(t)
	results, err := NewLauncher().Prove(context.Background(), spec.Net{})
	if err != nil {
		t.Fatal(err)
	}
	if len(results) < 90 {
		t.Errorf("only %d lines", len(results))
	}
	for _, r := range results {
		name := r.Group + ": " + r.Line
		if r.Open != (openByDesign[name] != "") {
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
