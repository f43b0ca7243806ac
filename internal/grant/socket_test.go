//go:build unix

package grant

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"satchel/internal/problem"
)

// serviceAt makes a socket below the machine's root.
func serviceAt(t *testing.T, m Machine, name string) string {
	t.Helper()
	path := filepath.Join(m.Dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return path
}

func rule(err error) string {
	if p, ok := errors.AsType[*problem.Problem](err); ok {
		return p.Rule
	}
	return ""
}

func TestSocketsAreResolved(t *testing.T) {
	m := home(t, "file")
	db := serviceAt(t, m, "db/s")
	link(t, m, "db", "var")
	g, err := Resolve(words(t, m, "socket:"+filepath.Join(m.Dir, "var/s")), m)
	if err != nil || !slices.Equal(g.Net.Sockets, []string{db}) {
		t.Fatalf("%+v, %v", g, err)
	}
	box, _, err := Sandbox(g, "local/x", m)
	if err != nil || !slices.Equal(box.Net.Sockets, []string{db}) || !box.Net.None() {
		t.Errorf("%+v, %v", box.Net, err)
	}
	// A service that is not running stops no start; what takes its place does.
	if err := os.Remove(db); err != nil {
		t.Fatal(err)
	}
	if box, _, err := Sandbox(g, "local/x", m); err != nil || len(box.Net.Sockets) != 1 {
		t.Errorf("%+v, %v", box.Net, err)
	}
	other := serviceAt(t, m, "other/s")
	if err := os.Symlink(other, db); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Sandbox(g, "local/x", m); rule(err) != "grant/changed" {
		t.Errorf("got %v", err)
	}
}

func TestWhatIsNoSocketToGrant(t *testing.T) {
	m := home(t, "file", "ada/own/x")
	serviceAt(t, m, "ada/.gnupg/S.agent")
	serviceAt(t, m, "ada/own/control")
	link(t, m, "ada/.gnupg/S.agent", "innocent")
	for word, want := range map[string]string{
		"file": "grant/kind", "ada": "grant/kind", "nothing": "grant/missing", "ada/.gnupg/S.agent": "grant/protected",
		"ada/own/control": "grant/protected", "innocent": "grant/protected",
	} {
		if _, err := Resolve(words(t, m, "socket:"+filepath.Join(m.Dir, word)), m); rule(err) != want {
			t.Errorf("%s: %v, want %s", word, err, want)
		}
	}
	for _, path := range []string{"/proc/self/x", "/sys/x", "/dev/log"} {
		if _, err := Resolve(words(t, m, "socket:"+path), m); rule(err) != "grant/protected" {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// TestDoorsThatNothingOpens are not granted: who agreed to one would believe that it works.
func TestDoorsThatNothingOpens(t *testing.T) {
	m := home(t)
	for _, word := range []string{"clipboard", "display", "dbus"} {
		if _, err := Resolve(words(t, m, word), m); rule(err) != "grant/shut" {
			t.Errorf("%s: %v", word, err)
		}
	}
}
