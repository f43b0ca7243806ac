package sandbox

import (
	"context"
	"io"
	"os"
	"strings"
	"testing"

	"satchel/internal/spec"
)

func TestMain(m *testing.M) {
	Main()
	os.Exit(m.Run())
}

// in runs a shell script in a sandbox and gives what it wrote.
func in(t *testing.T, s spec.Sandbox, script string) (string, int) {
	t.Helper()
	s.Programs.Any = true
	return runIn(t, Command{Sandbox: s, Path: "/bin/sh", Argv: []string{"sh", "-c", script}, Env: []string{"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/home/user"}, Dir: realTemp(t)})
}

func realTemp(t *testing.T) string {
	t.Helper()
	dir, err := realPath(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func runIn(t *testing.T, c Command) (string, int) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	c.Stdout, c.Stderr = w, w
	p, err := NewLauncher().Start(context.Background(), c, nil)
	w.Close()
	if err != nil {
		t.Fatal(err)
	}
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

func TestAServerSeesItsOwnWorld(t *testing.T) {
	out, code := in(t, spec.Sandbox{}, `ls -la / /home /tmp /dev; id; cat /proc/mounts | wc -l; pwd; echo x > file && cat file; cat /proc/self/status | grep -E 'Cap|NoNew|Secc'; python3 -c 'print(1+1)'; node -e 'console.log(process.version, require("os").userInfo().username)'; exit 7`)
	t.Log(out)
	if code != 7 || !strings.Contains(out, "uid=") {
		t.Errorf("code %d", code)
	}
}
