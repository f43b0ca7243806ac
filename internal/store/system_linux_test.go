package store

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"satchel/internal/paths"
	"satchel/internal/problem"
)

// again runs one test of this binary in another process, as another user or in namespaces of its own.
func again(t *testing.T, mark string, attr *syscall.SysProcAttr) {
	t.Helper()
	dir, err := os.MkdirTemp("", "satchel-store-test-") // where any user can reach it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	exe, err := os.ReadFile("/proc/self/exe")
	bin := filepath.Join(dir, "test")
	err = errors.Join(err, os.Chmod(dir, 0o777|os.ModeSticky), os.WriteFile(bin, exe, 0o755))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(bin, "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env, cmd.Dir, cmd.SysProcAttr = append(os.Environ(), mark+"=1", "TMPDIR="+dir), dir, attr
	out, err := cmd.CombinedOutput()
	if errors.Is(err, syscall.EPERM) {
		t.Skip("this system gives no user namespaces, which the test needs for a small disk")
	}
	if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Errorf("%v\n%s", err, out)
	}
}

// ordinary makes sure that a test runs as an ordinary user, whom modes bind.
func ordinary(t *testing.T) bool {
	t.Helper()
	if os.Geteuid() != 0 {
		return true
	}
	again(t, "STORE_ORDINARY", &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}})
	return false
}

func TestReadOnlyFoldersAreRemoved(t *testing.T) {
	if !ordinary(t) {
		return
	}
	home := t.TempDir()
	s := open(t, home)
	in := mustInstall(t, s, "local/notes", "one")
	dir, _ := s.Dir(in)
	if err := errors.Join(os.Chmod(filepath.Join(dir, "server"), 0o500), os.Chmod(dir, 0)); err != nil {
		t.Fatal(err)
	}
	if err := s.Remove(in, false); err != nil {
		t.Fatal(err)
	}
	wantFiles(t, home, []string{})
}

func TestAFolderThatCannotBeWritten(t *testing.T) {
	if !ordinary(t) {
		return
	}
	home := t.TempDir()
	s := open(t, home)
	mustInstall(t, s, "local/notes", "one")
	own, _ := s.dir("local/notes")
	for dir, id := range map[string]string{s.home.Staging(): "local/notes", s.home.Extensions(): "com.example/new", own: "local/notes"} {
		if err := os.Chmod(dir, 0o500); err != nil {
			t.Fatal(err)
		}
		_, err := install(s, id, "two", nil)
		if problem.CodeOf(err) != problem.Failed || !errors.Is(err, os.ErrPermission) || !strings.Contains(err.Error(), home) {
			t.Errorf("%s: %v", dir, err)
		}
		if in, err := s.Get("notes"); err != nil || in.Version != "one" {
			t.Errorf("%s: what was there: %v, %v", dir, in, err)
		}
		if err := os.Chmod(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	open(t, home)
	wantFiles(t, home, of("one"))
}

func TestAForeignHomeIsRefused(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give a folder to another user")
	}
	dir := t.TempDir()
	if err := errors.Join(os.Chmod(dir, 0o700), os.Chown(dir, 65534, 65534)); err != nil {
		t.Fatal(err)
	}
	home, err := paths.Find("linux", func(key string) string { return map[string]string{"SATCHEL_HOME": dir}[key] })
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(home); problem.CodeOf(err) != problem.Refused {
		t.Errorf("got %v", err)
	}
	wantFiles(t, dir, []string{})
}

// TestDiskFull installs on a disk of 400 KiB until it is full, in a mount namespace of its own.
func TestDiskFull(t *testing.T) {
	if os.Getenv("STORE_SMALL_DISK") == "" {
		again(t, "STORE_SMALL_DISK", &syscall.SysProcAttr{
			Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
			UidMappings: []syscall.SysProcIDMap{{HostID: os.Geteuid(), Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{HostID: os.Getegid(), Size: 1}},
		})
		return
	}
	home := t.TempDir()
	if err := syscall.Mount("small", home, "tmpfs", 0, "size=400k,mode=700"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(home, syscall.MNT_DETACH) })
	s := open(t, home)
	mustInstall(t, s, "local/notes", "one")
	ballast, err := os.Create(filepath.Join(home, "ballast"))
	for err == nil {
		_, err = ballast.Write(make([]byte, 1024))
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	ballast.Close()
	_, err1 := install(s, "local/notes", "two", nil)
	err2 := setAnswers(s, "local/notes", map[string]any{"big": strings.Repeat("x", 9000)}, map[string]any{"big": "secret"})
	for _, err := range []error{err1, err2} {
		if !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("got %v", err)
		}
	}
	if p, ok := errors.AsType[*problem.Problem](err2); !ok || !strings.Contains(p.Hint, "free some space") {
		t.Errorf("no way out is shown: %v", err2)
	}
	if err := os.Remove(filepath.Join(home, "ballast")); err != nil {
		t.Fatal(err)
	}
	s = open(t, home)
	wantFiles(t, home, of("one"))
	if in, err := s.Get("notes"); err != nil || in.Secrets["token"] != "secret of one" {
		t.Errorf("what was there: %v, %v", in, err)
	}
}
