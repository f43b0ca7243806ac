package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
)

// bin is the folder with the satchel that is tested. TestMain sets it before any test starts.
var bin string

// built is the variable that names the folder with our programs, where they were built before.
const built = "SATCHEL_E2E_BIN"

func TestMain(m *testing.M) {
	playRoles()
	os.Exit(testMain(m))
}

func testMain(m *testing.M) int {
	if bin = os.Getenv(built); bin != "" {
		return m.Run()
	}
	dir, err := os.MkdirTemp("", "satchel-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	build := exec.Command("go", append([]string{"build", "-o", dir + string(filepath.Separator)}, programs()...)...)
	build.Stdout, build.Stderr = os.Stderr, os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "building satchel:", err)
		return 1
	}
	bin = dir
	return m.Run()
}

// inSource gives the absolute path of a file of the source.
func inSource(t *testing.T, elem ...string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join(append([]string{"..", ".."}, elem...)...))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// npm gives the path of what `make deps` installs, below the node_modules of testdata/npm.
func npm(t *testing.T, elem ...string) string {
	t.Helper()
	path := inSource(t, append([]string{"testdata", "npm", "node_modules"}, elem...)...)
	if _, err := os.Stat(path); err != nil {
		lacking(t, path)
	}
	return path
}

func reference(t *testing.T) string { t.Helper(); return npm(t, ".bin", "mcpb") }
func inspector(t *testing.T) string { t.Helper(); return npm(t, ".bin", "mcp-inspector") }

// claude is the native program: npm's link to it is made by an install script, and we run none.
func claude(t *testing.T) string {
	t.Helper()
	arch := map[string]string{"amd64": "x64"}[runtime.GOARCH]
	if arch == "" {
		arch = runtime.GOARCH
	}
	return npm(t, "@anthropic-ai", "claude-code-"+runtime.GOOS+"-"+arch, "claude")
}

// program checks that a program of the system is here.
func program(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		lacking(t, name)
	}
	return path
}

// example is the folder of the filesystem example, with its server installed by npm.
func example(t *testing.T) string {
	t.Helper()
	dir := inSource(t, "examples", "filesystem")
	if _, err := os.Stat(filepath.Join(dir, "node_modules", "@modelcontextprotocol", "server-filesystem")); err != nil {
		lacking(t, "the filesystem server of "+dir)
	}
	return dir
}

// lacking ends a test whose program is not here: it is skipped, and in CI it fails, where everything must be here.
func lacking(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is not here: run make deps", what)
	}
	t.Skipf("%s is not here: run make deps", what)
}
