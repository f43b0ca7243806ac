//go:build unix

package detect

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// What is no file of the folder is not read, and nothing waits.
func TestReadOnlyOwnRegularFiles(t *testing.T) {
	t.Parallel()
	secret := filepath.Join(folder(t, map[string]string{"package.json": `{"name": "secret"}`}), "package.json")
	dir := t.TempDir()
	if err := os.Symlink(secret, filepath.Join(dir, "package.json")); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "pyproject.toml"), 0o644); err != nil {
		t.Fatal(err)
	}
	found, err := Read(dir)
	if err != nil || found.Manifest.Name != "" || len(found.Notes) == 0 {
		t.Errorf("read %+v, %v", found, err)
	}
	if text := found.Notes[0].Text; !strings.Contains(text, "is a link to") || strings.Contains(text, "statat") {
		t.Errorf("of a link out of the folder it is said: %s", text)
	}
	if _, err := Read(filepath.Join(dir, "nowhere")); err == nil {
		t.Error("a folder that is not there is read")
	}
}
