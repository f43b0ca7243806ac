package atomicfile

import (
	"bytes"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestMain lets the test binary play the program that is killed.
func TestMain(m *testing.M) {
	if path := os.Getenv("ATOMICFILE_WRITE"); path != "" {
		for i := byte(0); ; i++ {
			if err := Write(path, bytes.Repeat([]byte{'a' + i%26}, 1<<20), 0o600); err != nil {
				os.Exit(1)
			}
		}
	}
	os.Exit(m.Run())
}

func TestWriteReplacesAndSetsTheMode(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	for _, want := range []string{"one", "two"} {
		if err := Write(path, []byte(want), 0o640); err != nil {
			t.Fatal(err)
		}
		if got, _ := os.ReadFile(path); string(got) != want {
			t.Errorf("content %q, want %q", got, want)
		}
	}
	if info, _ := os.Stat(path); info.Mode().Perm() != 0o640 {
		t.Errorf("mode %v, want 0640", info.Mode())
	}
}

func TestAbortLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	f, err := Create(filepath.Join(dir, "f"), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	f.Abort()
	f.Abort()
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if err := f.Commit(); err == nil {
		t.Error("Commit after Abort succeeded")
	}
}

func TestALinkIsReplacedNotFollowed(t *testing.T) {
	dir := t.TempDir()
	victim, link := filepath.Join(dir, "victim"), filepath.Join(dir, "link")
	if err := os.WriteFile(victim, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(victim, link); err != nil {
		t.Fatal(err)
	}
	if err := Write(link, []byte("new"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(victim); string(got) != "mine" {
		t.Errorf("the link was followed: %q", got)
	}
}

func TestAFailedCommitKeepsTheOld(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	if err := os.Mkdir(path, 0o700); err != nil { // a folder cannot be replaced by a file
		t.Fatal(err)
	}
	if err := Write(path, []byte("x"), 0o600); err == nil {
		t.Fatal("a folder was replaced")
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 || left[0].Name() != "f" {
		t.Errorf("left behind: %v", left)
	}
}

// TestKill kills a program that rewrites a file over and over; the file must always be one whole write.
func TestKill(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	for range 20 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "ATOMICFILE_WRITE="+path)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		waitForFile(t, path)
		<-time.After(time.Duration(rand.IntN(8000)) * time.Microsecond) // the moment of the kill is what varies
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if len(data) != 1<<20 || len(bytes.Trim(data, string(data[:1]))) != 0 {
			t.Fatalf("half a write: %d bytes", len(data))
		}
	}
}

func waitForFile(t *testing.T, path string) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
		if _, err := os.Stat(path); err == nil {
			return
		}
	}
	t.Fatal("the program wrote nothing")
}

// Errors name the file that was wanted, not the temporary one.
func TestErrorsNameTheFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for path, want := range map[string]string{
		filepath.Join(dir, "no", "x"): "write " + filepath.Join(dir, "no", "x") + ": ",
		dir:                           "write " + dir + ": is a folder",
	} {
		err := Write(path, []byte("x"), 0o600)
		if err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), ".tmp") {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if left, err := filepath.Glob(filepath.Join(filepath.Dir(dir), ".*.tmp")); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}
