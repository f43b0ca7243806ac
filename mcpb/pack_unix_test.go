//go:build unix

package mcpb

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"satchel/internal/problem"
)

func mkfifo(t *testing.T, path string) {
	t.Helper()
	if err := syscall.Mkfifo(path, 0o644); err != nil {
		t.Fatal(err)
	}
}

// Nothing waits for the other end of a pipe.
func TestSpecialFiles(t *testing.T) {
	t.Parallel()
	for what, make := range map[string]func(path string){
		"named pipe": func(path string) { mkfifo(t, path) },
		"socket": func(path string) {
			addr := &net.UnixAddr{Name: path}
			l, err := net.ListenUnix("unix", addr)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { l.Close() })
		},
	} {
		dir := writeTree(t, nil)
		make(filepath.Join(dir, "s.pem"))
		addFiles(t, dir, files{"l": "@s.pem"})
		for _, ignored := range []string{"l", "s.pem"} {
			addFiles(t, dir, files{".mcpbignore": ignored})
			_, err := Plan(dir, PackOptions{Follow: true})
			if p := checkProblem(t, err, problem.Invalid, "pack/special-file"); !strings.Contains(p.Message, what) || p.Hint == "" {
				t.Errorf("%v (%s)", p, p.Hint)
			}
		}
		addFiles(t, dir, files{".mcpbignore": "l\ns.pem"})
		checkNamesAre(t, planned(t, dir, PackOptions{}).names(), "manifest.json")
	}
}

func TestIgnoreFileIsAPipe(t *testing.T) {
	t.Parallel()
	dir := writeTree(t, nil)
	mkfifo(t, filepath.Join(dir, ".mcpbignore"))
	_, err := Plan(dir, PackOptions{})
	checkProblem(t, err, problem.Invalid, "pack/ignore-file")
}

// What was planned may be something else when it is packed: nothing hangs, and nothing from outside gets in.
func TestSwappedAfterThePlan(t *testing.T) {
	t.Parallel()
	outside := writeTree(t, files{"a": "secret", "f": strings.Repeat("s", 5000), "large": strings.Repeat("s", 3*chunkSize)})
	for name, swap := range map[string]func(t *testing.T, path string){
		"a pipe":            mkfifo,
		"a link outside":    func(t *testing.T, path string) { link(t, filepath.Join(outside, filepath.Base(path)), path) },
		"a folder":          func(t *testing.T, path string) { must(t, os.Mkdir(path, 0o755)) },
		"a larger file":     func(t *testing.T, path string) { must(t, os.WriteFile(path, make([]byte, 4*chunkSize), 0o644)) },
		"a smaller file":    func(t *testing.T, path string) { must(t, os.WriteFile(path, []byte("x"), 0o644)) },
		"nothing":           func(*testing.T, string) {},
		"a link to nowhere": func(t *testing.T, path string) { link(t, "nowhere", path) },
	} {
		for _, file := range []string{"d/f", "d/large", "d/noise"} {
			dir := writeTree(t, files{"d/f": strings.Repeat("f", 5000), "d/large": text(3 * chunkSize), "d/noise": noise(3 * chunkSize)})
			plan := planned(t, dir, PackOptions{})
			path := filepath.Join(dir, file)
			must(t, os.Remove(path))
			swap(t, path)
			if _, err := Pack(t.Context(), io.Discard, plan, PackOptions{}); err == nil {
				t.Errorf("%s in place of %s was packed", name, file)
			} else if problem.CodeOf(err) == "" || !strings.Contains(err.Error(), filepath.Base(file)) {
				t.Errorf("%s in place of %s: %v does not name the file", name, file, err)
			}
		}
	}
	dir := writeTree(t, files{"d/f": strings.Repeat("f", 5000)})
	plan := planned(t, dir, PackOptions{})
	must(t, os.RemoveAll(filepath.Join(dir, "d")))
	link(t, outside, filepath.Join(dir, "d"))
	if _, err := Pack(t.Context(), io.Discard, plan, PackOptions{}); err == nil {
		t.Error("a folder swapped for a link outside was followed")
	}
}

func link(t *testing.T, to, at string) {
	t.Helper()
	must(t, os.Symlink(to, at))
}

func TestUnreadableFile(t *testing.T) {
	t.Parallel()
	if os.Getuid() == 0 {
		t.Skip("skipped: root can read everything")
	}
	dir := writeTree(t, files{"a": "x"})
	must(t, os.Chmod(filepath.Join(dir, "a"), 0))
	_, err := Pack(t.Context(), io.Discard, planned(t, dir, PackOptions{}), PackOptions{})
	checkProblem(t, err, problem.Failed, "pack/input")
}
