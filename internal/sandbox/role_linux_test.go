package sandbox

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"satchel/internal/sandbox/inside"
	"satchel/internal/spec"
)

// TestTheSmallProgramPlaysTheRoles: beside ours, cmd/satchel-sandbox-init is what servers are started with, in every mode;
// one that others could have changed is not. The probe finds the same.
func TestTheSmallProgramPlaysTheRoles(t *testing.T) {
	if os.Getenv("SANDBOX_BESIDE") != "" {
		p, out := started(t, shell(spec.Sandbox{}, realTemp(t), "echo ready; read x", nil))
		if line, _ := out.ReadString('\n'); line != "ready\n" {
			t.Fatalf("got %q", line)
		}
		t.Logf("role: %s, program: %v", roleProgram(), p.tree.(*initTree).cmd.Path)
		return
	}
	dir := realTemp(t)
	program, small := filepath.Join(dir, "sandbox.test"), filepath.Join(dir, inside.InitName)
	text, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(program, text, 0o755); err != nil {
		t.Fatal(err)
	}
	build := exec.Command("go", "build", "-o", small, "satchel/cmd/satchel-sandbox-init")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if os.Getuid() != 0 {
		if _, err := exec.LookPath("go"); err != nil || os.Getenv("HOME") == "" || build.Run() != nil {
			t.Skip("this user cannot build programs here; root's run does")
		}
	} else if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	tests := func(pattern string) string {
		cmd := exec.Command(program, "-test.v", "-test.run", pattern)
		cmd.Env = append(os.Environ(), "SANDBOX_BESIDE=1")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("%v: %s", err, out)
		}
		return string(out)
	}
	const this = "^TestTheSmallProgramPlaysTheRoles$"
	if out := tests(this); !strings.Contains(out, "role: "+small+", program: "+small) {
		t.Errorf("the small program is not used: %s", out)
	}
	tests("^(TestProbe|TestExitCodes|TestNothingOutlivesTheServer|TestDoors)$")
	if err := os.Chmod(small, 0o775); err != nil {
		t.Fatal(err)
	}
	if out := tests(this); !strings.Contains(out, "role: "+self) {
		t.Errorf("a program that others may change is used: %s", out)
	}
}
