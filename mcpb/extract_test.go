package mcpb

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"satchel/internal/problem"
	"satchel/mcpb/internal/ziptest"
)

// modes reads the permission bits, and the special ones, of every file below a folder.
func modes(t *testing.T, dir string) map[string]fs.FileMode {
	t.Helper()
	got := map[string]fs.FileMode{}
	for name := range onDisk(t, dir) {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		got[name] = info.Mode()
	}
	return got
}

func TestExtractModes(t *testing.T) {
	t.Parallel()
	if !hasModes {
		t.Skip("skipped: this system keeps no modes")
	}
	stored := map[string]uint32{
		"bin/server": 0o644, "run.sh": 0o755, "private": 0o600, "setuid": 0o4755, "setgid": 0o2755, "sticky": 0o1777, "unreadable": 0o200, "none": 0,
	}
	var entries []ziptest.Entry
	for name, mode := range stored {
		e := file(name, "x")
		e.Mode = 0o100000 | mode
		entries = append(entries, e)
	}
	b := openBytes(t, zipOf(entries...))
	for _, c := range []struct {
		what string
		opts ExtractOptions
		want map[string]fs.FileMode
	}{
		{"as they are", ExtractOptions{}, map[string]fs.FileMode{
			"manifest.json": 0o644, "bin/server": 0o644, "run.sh": 0o755, "private": 0o600, "setuid": 0o755, "setgid": 0o755, "sticky": 0o777, "unreadable": 0o600, "none": 0o644,
		}},
		{"executable and read-only", ExtractOptions{Executable: []string{"bin/server", "private"}, ReadOnly: true}, map[string]fs.FileMode{
			"manifest.json": 0o444, "bin/server": 0o555, "run.sh": 0o555, "private": 0o500, "setuid": 0o555, "setgid": 0o555, "sticky": 0o555, "unreadable": 0o400, "none": 0o444,
		}},
	} {
		dir := filepath.Join(t.TempDir(), "out")
		if _, err := b.Extract(t.Context(), dir, c.opts); err != nil {
			t.Fatal(err)
		}
		if got := modes(t, dir); !maps.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.what, got, c.want)
		}
	}
}

// With Sync the same comes out.
func TestExtractSync(t *testing.T) {
	t.Parallel()
	b := openBytes(t, zipOf(file("a/b", "content"), ziptest.Entry{Name: "empty/"}))
	dir := filepath.Join(t.TempDir(), "out")
	if _, err := b.Extract(t.Context(), dir, ExtractOptions{Sync: true, ReadOnly: true}); err != nil {
		t.Fatal(err)
	}
	if got := contents(t, b); !maps.Equal(got, onDisk(t, dir)) {
		t.Errorf("on disk %q, want %q", onDisk(t, dir), got)
	}
}

// The digest that Extract gives is the one that looking at the folder gives; any change to a file changes it.
func TestTreeDigest(t *testing.T) {
	t.Parallel()
	b := openBytes(t, zipOf(file("a/b", "content"), file("c", "")))
	digest := func(dir string) string {
		t.Helper()
		root, err := os.OpenRoot(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer root.Close()
		tree, err := TreeDigest(root)
		if err != nil {
			t.Fatal(err)
		}
		return tree.Digest
	}
	changes := map[string]func(dir string) error{
		"nothing":  func(string) error { return nil },
		"content":  func(dir string) error { return os.WriteFile(filepath.Join(dir, "c"), []byte("x"), 0o644) },
		"one bit":  func(dir string) error { return os.WriteFile(filepath.Join(dir, "a/b"), []byte("contenu"), 0o644) },
		"new file": func(dir string) error { return os.WriteFile(filepath.Join(dir, "d"), nil, 0o644) },
		"removed":  func(dir string) error { return os.Remove(filepath.Join(dir, "c")) },
		"renamed":  func(dir string) error { return os.Rename(filepath.Join(dir, "c"), filepath.Join(dir, "d")) },
		"moved":    func(dir string) error { return os.Rename(filepath.Join(dir, "c"), filepath.Join(dir, "a/c")) },
	}
	if hasModes {
		changes["mode"] = func(dir string) error { return os.Chmod(filepath.Join(dir, "c"), 0o755) }
		changes["setuid"] = func(dir string) error { return os.Chmod(filepath.Join(dir, "c"), 0o644|fs.ModeSetuid) }
	}
	for what, change := range changes {
		dir := filepath.Join(t.TempDir(), "out")
		tree, err := b.Extract(t.Context(), dir, ExtractOptions{Digest: true})
		if err != nil {
			t.Fatal(err)
		}
		if tree.Files != 3 || tree.Bytes != 9 || digest(dir) != tree.Digest {
			t.Fatalf("extracted %+v, on disk %s", tree, digest(dir))
		}
		if err := change(dir); err != nil {
			t.Fatal(err)
		}
		if same := digest(dir) == tree.Digest; same != (what == "nothing") {
			t.Errorf("changed %s: the digest is the same: %v", what, same)
		}
	}
}

func TestTreeDigestRefusesLinks(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.Symlink("/etc/passwd", filepath.Join(dir, "l")); err != nil {
		t.Skipf("skipped: no links here: %v", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	if _, err := TreeDigest(root); err == nil {
		t.Error("a link was summed up")
	}
}

// What is there is never touched: not by writing over it, and not by cleaning up.
func TestOccupiedTargets(t *testing.T) {
	t.Parallel()
	b := openBytes(t, zipOf(file("a", "x")))
	for what, prepare := range map[string]func(dir string) error{
		"a file": func(dir string) error { return os.WriteFile(dir, []byte("mine"), 0o644) },
		"a folder with a file": func(dir string) error {
			return errors.Join(os.Mkdir(dir, 0o755), os.WriteFile(filepath.Join(dir, "x"), []byte("mine"), 0o644))
		},
		"a link to a folder": func(dir string) error { return os.Symlink(filepath.Dir(filepath.Dir(dir)), dir) },
		"a link to nowhere":  func(dir string) error { return os.Symlink("nowhere", dir) },
		"a link to an empty one": func(dir string) error {
			return errors.Join(os.Mkdir(dir+"2", 0o755), os.Symlink(filepath.Base(dir)+"2", dir))
		},
		"below a file": func(dir string) error { return os.WriteFile(filepath.Dir(dir), []byte("mine"), 0o644) },
	} {
		top := t.TempDir()
		dir := filepath.Join(top, "p", "out")
		if what != "below a file" {
			if err := os.Mkdir(filepath.Dir(dir), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		if err := prepare(dir); err != nil {
			t.Fatal(err)
		}
		before := listing(t, top)
		_, err := b.Extract(t.Context(), dir, ExtractOptions{})
		checkProblem(t, err, problem.Failed, "extract/target")
		if after := listing(t, top); !slices.Equal(before, after) {
			t.Errorf("%s: before %q, after %q", what, before, after)
		}
	}
}

// listing names everything below a folder, with its kind.
func listing(t *testing.T, dir string) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err == nil {
			names = append(names, d.Type().String()+" "+name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestAnEmptyTargetIsTakenAndGivenBack(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	bad := openBytes(t, ziptest.Archive{Entries: []ziptest.Entry{file("a/b", "x"), {Name: "c", Body: []byte("y"), Packed: []byte{7}}}}.Bytes())
	if _, err := bad.Extract(t.Context(), dir, ExtractOptions{}); err == nil {
		t.Fatal("damaged content was accepted")
	}
	if got := listing(t, dir); len(got) != 1 {
		t.Errorf("left in the folder that was there: %q", got)
	}
	if _, err := openBytes(t, zipOf()).Extract(t.Context(), dir, ExtractOptions{}); err != nil {
		t.Error(err)
	}
}

// Somebody who puts links into the target while it is being written finds that they are not followed.
func TestLinksPlantedMeanwhile(t *testing.T) {
	t.Parallel()
	var entries []ziptest.Entry
	for _, name := range []string{"a/1", "a/2", "b/1", "b/2", "c"} {
		entries = append(entries, file(name, strings.Repeat("evil", 1000)))
	}
	b := openBytes(t, zipOf(entries...))
	top := t.TempDir()
	outside, dir := filepath.Join(top, "outside"), filepath.Join(top, "out")
	if err := os.Mkdir(outside, 0o755); err != nil {
		t.Fatal(err)
	}
	var planted atomic.Bool
	plant := func(int64, int64) {
		if planted.Swap(true) {
			return
		}
		for _, name := range []string{"b/2", "c"} {
			_ = os.Symlink(filepath.Join(outside, "evil"), filepath.Join(dir, name))
		}
		_ = os.Rename(filepath.Join(dir, "b"), filepath.Join(dir, "moved"))
		_ = os.Symlink(outside, filepath.Join(dir, "b"))
	}
	_, err := b.Extract(t.Context(), dir, ExtractOptions{Workers: 1, Progress: plant})
	if err == nil {
		t.Error("extracting went well although links were planted")
	}
	if got := listing(t, outside); len(got) != 1 {
		t.Errorf("written outside: %q", got)
	}
}

func TestCancelLeavesNothing(t *testing.T) {
	t.Parallel()
	var entries []ziptest.Entry
	for i := range 300 {
		entries = append(entries, file(strings.Repeat("d/", i%7)+fmt.Sprint("f", i), text(2000)))
	}
	b := openBytes(t, zipOf(entries...))
	for _, after := range []int64{0, 1, 100_000, 400_000} {
		top := t.TempDir()
		ctx, cancel := context.WithCancel(t.Context())
		stop := func(done, _ int64) {
			if done >= after {
				cancel()
			}
		}
		if after == 0 {
			cancel()
		}
		_, err := b.Extract(ctx, filepath.Join(top, "new", "out"), ExtractOptions{Progress: stop})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled after %d bytes: %v", after, err)
		}
		if got := listing(t, top); len(got) != 1 {
			t.Errorf("cancelled after %d bytes: left %d files: %q", after, len(got)-1, got[1:min(len(got), 5)])
		}
	}
}

// What others put into the target stays, and the error says that something stayed.
func TestUndoLeavesWhatOthersMade(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "out")
	b := openBytes(t, zipOf(file("a/b", "x"), ziptest.Entry{Name: "z", Body: []byte("y"), Packed: []byte{7}}))
	var once atomic.Bool
	plant := func(int64, int64) {
		if !once.Swap(true) {
			writeFile(t, filepath.Join(dir, "a", "mine"), "mine")
		}
	}
	_, err := b.Extract(t.Context(), dir, ExtractOptions{Workers: 1, Progress: plant})
	if err == nil || !strings.Contains(err.Error(), "cannot be removed again") {
		t.Errorf("error %v", err)
	}
	if got := onDisk(t, dir); !maps.Equal(got, map[string]string{"a/mine": "mine"}) {
		t.Errorf("left: %v", got)
	}
}
