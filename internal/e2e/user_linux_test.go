package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestSandboxAsAnOrdinaryUser runs the tests of the sandbox again as a user without rights.
func TestSandboxAsAnOrdinaryUser(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("the tests run as an ordinary user already; as root they run as both")
	}
	const uid = 54321
	user := &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}, Pdeathsig: syscall.SIGKILL}
	dir, err := os.MkdirTemp("/var/tmp", "satchel-e2e-user-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	look := &exec.Cmd{Path: "/bin/sh", Args: []string{"sh", "-c", "test -r tree_test.go && test -r " + inSource(t, "testdata", "npm", "package.json")}, SysProcAttr: user}
	if err := look.Run(); err != nil {
		t.Skip("the source lies where an ordinary user may not look")
	}
	home := filepath.Join(dir, "home")
	for _, err := range []error{os.Chmod(dir, 0o755), os.Mkdir(home, 0o700), os.Chown(home, uid, uid)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	tests := filepath.Join(dir, "e2e.test")
	copyProgram(t, self, tests)
	for _, p := range programs() {
		name := filepath.Base(p)
		copyProgram(t, filepath.Join(bin, name), filepath.Join(dir, name))
	}
	cmd := exec.CommandContext(t.Context(), tests, "-test.v", "-test.count=1", "-test.run", "^Test(Hostile|RealServers|Starts)")
	cmd.Env = []string{"HOME=" + home, "TMPDIR=" + home, "PATH=" + pathOf(user), "CI=" + os.Getenv("CI"), built + "=" + dir}
	cmd.SysProcAttr = user
	out, err := cmd.CombinedOutput()
	if err != nil || testing.Verbose() {
		t.Logf("%s", out)
	}
	if err != nil {
		t.Error(err)
	}
}

func copyProgram(t *testing.T, from, to string) {
	t.Helper()
	text, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, text, 0o755); err != nil {
		t.Fatal(err)
	}
}

// pathOf is our PATH without what another user may not look into.
func pathOf(user *syscall.SysProcAttr) string {
	var dirs []string
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		if (&exec.Cmd{Path: "/bin/sh", Args: []string{"sh", "-c", `ls "$0"`, dir}, SysProcAttr: user}).Run() == nil {
			dirs = append(dirs, dir)
		}
	}
	return strings.Join(dirs, ":")
}
