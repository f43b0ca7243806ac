//go:build !windows

package trust

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"satchel/internal/testsupport"
)

// Whoever can write into the folder says whom its owner trusts; a pipe in it would be waited for, for ever.
func TestStoreThatIsNotOursAlone(t *testing.T) {
	t.Parallel()
	pki := testsupport.NewPKI(t)
	pki.SelfSigned("root", "P-256", "root")
	s := Open(t.TempDir())
	e := OfCertificate(pki.Cert("root"), false)
	if err := s.Add([]Entry{e}); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(s.dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := s.List(); rule(err) != "paths/home-owner" {
		t.Errorf("a folder of everybody: %v", err)
	}
	if err := os.Chmod(s.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(s.file(e)); err != nil {
		t.Fatal(err)
	}
	for name, plant := range map[string]func(string) error{
		"a pipe":            func(f string) error { return syscall.Mkfifo(f, 0o600) },
		"a link":            func(f string) error { return os.Symlink(pki.Path("root.crt"), f) },
		"a link to nothing": func(f string) error { return os.Symlink("nowhere", f) },
		"a folder":          func(f string) error { return os.Mkdir(f, 0o700) },
	} {
		if err := plant(s.file(e)); err != nil {
			t.Fatal(err)
		}
		if entries, err := s.List(); rule(err) != "trust/store" {
			t.Errorf("%s %s: %v, %v", name, filepath.Base(s.file(e)), entries, err)
		}
		if err := os.Remove(s.file(e)); err != nil {
			t.Fatal(err)
		}
	}
}
