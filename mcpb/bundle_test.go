package mcpb

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"satchel/internal/problem"
	"satchel/mcpb/internal/ziptest"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestOpenSaysWhatIsWrongWithAFile(t *testing.T) {
	t.Parallel()
	_, err := Open(filepath.Join(t.TempDir(), "nowhere.mcpb"), Limits{})
	checkProblem(t, err, problem.NotFound, "bundle/file")
	_, err = Open(t.TempDir(), Limits{})
	checkProblem(t, err, problem.Invalid, "bundle/not-zip")
}

func TestManifest(t *testing.T) {
	t.Parallel()
	nested := ziptest.Archive{Entries: []ziptest.Entry{file("server/manifest.json", "{}")}}.Bytes()
	_, err := openBytes(t, nested).Manifest()
	if p := checkProblem(t, err, problem.Invalid, "bundle/no-manifest"); !strings.Contains(p.Hint, "server") {
		t.Errorf("the hint %q does not name the folder", p.Hint)
	}
	big := ziptest.Archive{Entries: []ziptest.Entry{file("manifest.json", strings.Repeat(" ", 5<<20))}}.Bytes()
	_, err = openBytes(t, big).Manifest()
	checkProblem(t, err, problem.Invalid, "bundle/limit-size")
}

// Both ways of signing one build leave its content digest as it was; the bundle digests differ.
func TestDigests(t *testing.T) {
	t.Parallel()
	plain := zipOf(file("a", "x"))
	bundle, content, err := openBytes(t, plain).Digests()
	if err != nil || bundle != content {
		t.Fatalf("unsigned: %s, %s, %v", bundle, content, err)
	}
	seen := map[string]bool{bundle: true}
	for what, data := range map[string][]byte{
		"behind": ziptest.Sign(plain, []byte("der")), "as a comment": ziptest.SignComment(plain, []byte("der")),
		"twice": ziptest.Sign(ziptest.Sign(plain, []byte("der")), []byte("der2")),
	} {
		b := openBytes(t, data)
		digest, got, err := b.Digests()
		if err != nil || got != content || seen[digest] {
			t.Errorf("signed %s: bundle %s, content %s, %v; want another and %s", what, digest, got, err, content)
		}
		seen[digest] = true
		wantDER, blocks, signed := "der", 1, len(plain)
		if what == "twice" {
			wantDER, blocks, signed = "der2", 2, len(ziptest.Sign(plain, []byte("der")))
		}
		if b.SignedSize() != int64(signed) {
			t.Errorf("signed %s: %d bytes are covered, want %d", what, b.SignedSize(), signed)
		}
		if string(b.Signature()) != wantDER || b.Signatures() != blocks || b.ContentSize() != int64(len(plain)) || b.Size() != int64(len(data)) {
			t.Errorf("signed %s: %d blocks, %q, content %d of %d bytes", what, b.Signatures(), b.Signature(), b.ContentSize(), b.Size())
		}
	}
}

func TestBundleFS(t *testing.T) {
	t.Parallel()
	fsys := openBytes(t, zipOf(file("a/b.txt", "content"))).FS()
	data, err := fs.ReadFile(fsys, "a/b.txt")
	if err != nil || string(data) != "content" {
		t.Errorf("read %q, %v", data, err)
	}
	for name, isDir := range map[string]bool{".": true, "a": true, "a/b.txt": false, "manifest.json": false} {
		if info, err := fs.Stat(fsys, name); err != nil || info.IsDir() != isDir {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	for _, name := range []string{"b", "../a", "/a", "a/", ""} {
		if _, err := fsys.Open(name); err == nil {
			t.Errorf("%q can be opened", name)
		}
	}
	f, err := fsys.Open("a")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := io.ReadAll(f); err == nil {
		t.Error("a folder has content")
	}
}

func TestReadFile(t *testing.T) {
	t.Parallel()
	b := openBytes(t, zipOf(file("a", "content")))
	if _, err := b.ReadFile("a", 6); err == nil {
		t.Error("more than the limit was read")
	}
	if _, err := b.ReadFile("b", 6); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
}

// A bundle that is cut or exchanged after it was opened gives errors, not other content.
func TestChangedAfterOpening(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "x.mcpb")
	data := zipOf(file("a", text(50_000)))
	for what, change := range map[string]func() error{
		"cut":       func() error { return os.Truncate(name, 100) },
		"exchanged": func() error { return os.WriteFile(name, bytes.Repeat([]byte{7}, len(data)), 0o644) },
	} {
		if err := os.WriteFile(name, data, 0o644); err != nil {
			t.Fatal(err)
		}
		b, err := Open(name, Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if err := change(); err != nil {
			t.Fatal(err)
		}
		parent := t.TempDir()
		_, err = b.Extract(t.Context(), filepath.Join(parent, "out"), ExtractOptions{})
		if _, ok := errors.AsType[*Problem](err); !ok {
			t.Errorf("%s: %v", what, err)
		}
		if got := listing(t, parent); len(got) != 1 {
			t.Errorf("%s: left %q", what, got)
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestFileSystemsCanBeListed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var list []ziptest.Entry
	names := []string{"a/b.txt", "a/c/d/e.txt", "manifest.json", "z"}
	for _, name := range names {
		if name != "manifest.json" { // zipOf brings one
			list = append(list, file(name, "content of "+name))
		}
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte("content of "+name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "left-out.log"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	plan, err := Plan(dir, PackOptions{})
	if err != nil {
		t.Fatal(err)
	}
	planned, err := plan.FS()
	if err != nil {
		t.Fatal(err)
	}
	for what, fsys := range map[string]fs.FS{"bundle": openBytes(t, zipOf(list...)).FS(), "plan": planned} {
		if err := fstest.TestFS(fsys, names...); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		if _, err := fs.Stat(fsys, "left-out.log"); err == nil {
			t.Errorf("%s shows what does not go in", what)
		}
	}
}

func TestAPlannedFileThatBecameALinkIsNotFollowedOut(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	secret := filepath.Join(t.TempDir(), "secret")
	for _, name := range []string{filepath.Join(dir, "manifest.json"), filepath.Join(dir, "a"), secret} {
		if err := os.WriteFile(name, []byte("x"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	plan, err := Plan(dir, PackOptions{})
	if err != nil {
		t.Fatal(err)
	}
	fsys, err := plan.FS()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "a")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(secret, filepath.Join(dir, "a")); err != nil {
		t.Skip("this system makes no links: ", err)
	}
	if data, err := fs.ReadFile(fsys, "a"); err == nil {
		t.Errorf("read %q through a link that leads out", data)
	}
}

// What a rule refuses comes with what to do about it.
func TestEveryRuleHasAFix(t *testing.T) {
	t.Parallel()
	for _, r := range Rules() {
		if p := refuse(r.ID, "x", "is wrong"); r.Why == "" || p.Source == "" || p.Hint == "" {
			t.Errorf("%s: source %q, fix %q", r.ID, p.Source, p.Hint)
		}
	}
}

// The defaults let through what real bundles hold, 150 times smaller at the most, and stop what only bombs are.
func TestDefaultLimits(t *testing.T) {
	t.Parallel()
	const mb = 1 << 20
	cases := []struct {
		name    string
		entries []entry
		rule    string
	}{
		{"a large model", []entry{{size: 3900 * mb, packed: 3500 * mb}}, ""},
		{"a table of numbers", []entry{{size: 150 * mb, packed: 1 * mb}}, ""},
		{"small, however well it packs", []entry{{size: 64 * mb, packed: 1}}, ""},
		{"a bomb", []entry{{size: 201 * mb, packed: 1 * mb}}, "bundle/limit-ratio"},
		{"many small bombs", []entry{{size: 60 * mb, packed: 1000}, {size: 60 * mb, packed: 1000}}, "bundle/limit-ratio"},
		{"a file too large", []entry{{size: 4<<30 + 1, packed: 4 << 30}}, "bundle/limit-size"},
		{"too large in all", []entry{{size: 4 << 30, packed: 4 << 30}, {size: 4 << 30, packed: 4 << 30}, {size: 1, packed: 1}}, "bundle/limit-size"},
	}
	for _, c := range cases {
		switch p := DefaultLimits().check(c.entries); {
		case c.rule == "" && p != nil:
			t.Errorf("%s: %v", c.name, p)
		case c.rule != "" && (p == nil || p.Rule != c.rule):
			t.Errorf("%s: %v, want %s", c.name, p, c.rule)
		}
	}
}
