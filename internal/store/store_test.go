package store

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"satchel/internal/paths"
	"satchel/internal/problem"
	"satchel/mcpb"
)

// open opens the store in a home.
func open(tb testing.TB, home string) *Store {
	tb.Helper()
	s, err := Open(paths.Home{Data: home, Config: filepath.Join(home, "config"), Cache: filepath.Join(home, "cache")})
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// stage puts files of an extension into staging: server/main.js with the content, and a program.
func stage(s *Store, id, content string) (*Staging, *Installation, error) {
	g, err := s.Begin(tctx)
	if err != nil {
		return nil, nil, err
	}
	server := filepath.Join(g.Dir(), "server")
	err = errors.Join(os.MkdirAll(server, 0o700),
		os.WriteFile(filepath.Join(server, "main.js"), []byte(content), 0o444),
		os.WriteFile(filepath.Join(server, "run"), []byte("#!/bin/sh\n"), 0o555))
	if err != nil {
		g.Abort()
		return nil, nil, err
	}
	root, err := os.OpenRoot(g.Dir())
	if err != nil {
		return nil, nil, err
	}
	defer root.Close()
	tree, err := mcpb.TreeDigest(root)
	if err != nil {
		return nil, nil, err
	}
	in := &Installation{ID: id, Version: content, Source: "a test", ContentDigest: digestOf(content), TreeDigest: tree.Digest, Manifest: []byte(`{}`)}
	return g, in, nil
}

func install(s *Store, id, content string, secrets map[string]any) (*Installation, error) {
	g, in, err := stage(s, id, content)
	if err != nil {
		return nil, err
	}
	in.Secrets = secrets
	return in, g.Commit(in)
}

// mustInstall installs, with a secret that tells the version.
func mustInstall(tb testing.TB, s *Store, id, content string) *Installation {
	tb.Helper()
	in, err := install(s, id, content, map[string]any{"token": "secret of " + content})
	if err != nil {
		tb.Fatal(err)
	}
	return in
}

// files lists all below a folder but locks of extensions, slash-separated; secrets and temporary names as *.
func files(tb testing.TB, dir string) []string {
	tb.Helper()
	list := []string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		if ok, _ := filepath.Match(secretsGlob, filepath.Base(path)); ok {
			name = filepath.Join(filepath.Dir(name), "secrets-*")
		}
		if !strings.HasSuffix(name, lockName) {
			list = append(list, filepath.ToSlash(name))
		}
		return nil
	})
	if err != nil {
		tb.Fatal(err)
	}
	return list
}

// of are the files that an installed version of local/notes consists of.
func of(content string) []string {
	hex, _ := hexDigest(digestOf(content))
	list := []string{
		"extensions/local/notes/" + hex + "/server/main.js", "extensions/local/notes/" + hex + "/server/run",
		"extensions/local/notes/installation.json", "extensions/local/notes/secrets-*",
	}
	slices.Sort(list)
	return list
}

func wantFiles(tb testing.TB, home string, want []string) {
	tb.Helper()
	if got := files(tb, home); !slices.Equal(got, want) {
		tb.Errorf("files in the store:\n  %s\nwant:\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

func TestInstallFindReplaceRemove(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	s := open(t, home)
	mustInstall(t, s, "local/notes", "one")
	wantFiles(t, home, of("one"))
	mustInstall(t, s, "local/notes", "two")
	wantFiles(t, home, of("two"))

	for _, id := range []string{"notes", "local/notes"} {
		in, err := open(t, home).Get(id)
		if err != nil {
			t.Fatal(err)
		}
		if in.ID != "local/notes" || in.Version != "two" || in.Secrets["token"] != "secret of two" {
			t.Errorf("Get(%q) = %+v", id, in)
		}
	}
	in, _ := s.Get("notes")
	if err := s.Remove(in, false); err != nil {
		t.Fatal(err)
	}
	wantFiles(t, home, []string{})
	if left, _ := os.ReadDir(s.home.Extensions()); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if _, err := s.Get("notes"); problem.CodeOf(err) != problem.NotFound {
		t.Errorf("after removal: %v", err)
	}
}

func TestOnlyTheOwnerCanRead(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	s := open(t, home)
	in := mustInstall(t, s, "local/notes", "one")
	if _, err := s.DataDir(in.ID); err != nil {
		t.Fatal(err)
	}
	entries, _ := os.ReadDir(home)
	for _, top := range entries {
		_ = filepath.WalkDir(filepath.Join(home, top.Name()), func(path string, d fs.DirEntry, err error) error {
			info, _ := os.Stat(path)
			if d.IsDir() && info.Mode().Perm() != 0o700 {
				t.Errorf("%s has mode %v", path, info.Mode())
			}
			if base := filepath.Base(path); filepath.Ext(base) == ".json" && info.Mode().Perm() != 0o600 {
				t.Errorf("%s has mode %v", path, info.Mode())
			}
			return err
		})
	}
}

func TestAnOpenFolderInsideIsRefused(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"extensions", "data", "staging"} {
		home := t.TempDir()
		open(t, home)
		if err := os.Chmod(filepath.Join(home, name), 0o777); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(paths.Home{Data: home}); problem.CodeOf(err) != problem.Refused {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSecretsAreInTheirOwnFileOnly(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	s := open(t, home)
	mustInstall(t, s, "local/notes", "one")
	if err := setAnswers(s, "local/notes", map[string]any{"name": "x"}, map[string]any{"token": "s3cr3t-2"}); err != nil {
		t.Fatal(err)
	}
	if err := setAnswers(s, "local/notes", nil, map[string]any{"token": "s3cr3t-3"}); err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, name := range []string{"secret of one", "s3cr3t-2", "s3cr3t-3"} {
		_ = filepath.WalkDir(home, func(path string, d fs.DirEntry, err error) error {
			if data, _ := os.ReadFile(path); strings.Contains(string(data), name) {
				found++
				if name != "s3cr3t-3" || !strings.HasPrefix(d.Name(), "secrets-") {
					t.Errorf("%s is in %s", name, path)
				}
			}
			return err
		})
	}
	if found != 1 {
		t.Errorf("found in %d files", found)
	}
	if err := setAnswers(s, "local/notes", nil, nil); err != nil {
		t.Fatal(err)
	}
	if in, err := s.Get("notes"); err != nil || len(in.Secrets) > 0 {
		t.Errorf("after forgetting: %+v, %v", in, err)
	}
}

func TestNamesThatLeadElsewhere(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	s := open(t, filepath.Join(home, "store"))
	good := digestOf("x")
	cases := []struct{ id, digest, tree string }{
		{"..", good, good}, {"local", good, good}, {"local/..", good, good}, {"../local", good, good}, {"local/", good, good},
		{"/notes", good, good}, {"local/a/b", good, good}, {"local/a/../../../x", good, good}, {`local/..\x`, good, good},
		{"local/.hidden", good, good}, {"local/Notes", good, good}, {"local/a\x00b", good, good}, {"", good, good},
		{"local/" + strings.Repeat("a", 65), good, good},
		{"local/notes", "sha256:../../../x", good}, {"local/notes", "sha256:" + strings.Repeat("/", 64), good},
		{"local/notes", strings.TrimPrefix(good, "sha256:"), good}, {"local/notes", strings.ToUpper(good), good}, {"local/notes", "", good},
		{"local/notes", good, ""}, {"local/notes", good, "sha256:x"},
	}
	for _, c := range cases {
		g, in, err := stage(s, c.id, "x")
		if err != nil {
			t.Fatal(err)
		}
		in.ContentDigest, in.TreeDigest = c.digest, c.tree
		if err := g.Commit(in); err == nil {
			t.Errorf("%q with digests %q, %q was installed", c.id, c.digest, c.tree)
		}
	}
	for _, id := range []string{"..", "local/..", "../..", "local/../.."} {
		_, err1 := s.DataDir(id)
		_, err2 := s.VersionDir(id, good)
		_, err3 := s.Hold(&Installation{ID: id, ContentDigest: good})
		err4 := s.Remove(&Installation{ID: id}, true)
		err5 := setAnswers(s, id, nil, nil)
		if err1 == nil || err2 == nil || err3 == nil || err4 == nil || err5 == nil {
			t.Errorf("%q is taken for an id", id)
		}
	}
	wantFiles(t, home, []string{})
}

// writeRecord writes installation.json as somebody with the same rights could.
func writeRecord(t *testing.T, s *Store, id, text string) {
	t.Helper()
	dir, err := s.dir(id)
	if err == nil {
		err = errors.Join(os.MkdirAll(dir, 0o700), os.WriteFile(filepath.Join(dir, recordName), []byte(text), 0o600))
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestARecordThatWasChangedOrDamaged(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	s := open(t, home)
	mustInstall(t, s, "local/good", "good")
	if err := os.WriteFile(filepath.Join(home, "outside.json"), []byte(`{"token": "stolen"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"half":           `{"id": "local/notes", "ver`,
		"empty":          ``,
		"of another":     `{"format": 2, "id": "local/good"}`,
		"of the future":  `{"format": 3, "id": "local/notes"}`,
		"secrets away":   `{"format": 2, "id": "local/notes", "secretsFile": "secrets-x.json"}`,
		"secrets beside": `{"format": 2, "id": "local/notes", "secretsFile": "../../../outside.json"}`,
		"secrets above":  `{"format": 2, "id": "local/notes", "secretsFile": "secrets-/../../../../outside.json"}`,
	} {
		writeRecord(t, s, "local/notes", text)
		if in, err := s.Get("notes"); problem.CodeOf(err) != problem.Failed {
			t.Errorf("%s: Get gives %+v, %v", name, in, err)
		}
		if in, err := s.Get("good"); err != nil || in.ID != "local/good" {
			t.Errorf("%s: it hides another extension: %v", name, err)
		}
		list, err := s.List()
		if len(list) != 1 || err == nil || !strings.Contains(err.Error(), "notes") {
			t.Errorf("%s: List gives %d, %v", name, len(list), err)
		}
		mustInstall(t, s, "local/notes", "mended")
		if in, err := s.Get("notes"); err != nil || in.Version != "mended" {
			t.Errorf("%s: installing again does not mend: %v", name, err)
		}
		writeRecord(t, s, "local/notes", text)
		if err := s.Remove(&Installation{ID: "local/notes"}, false); err != nil {
			t.Errorf("%s: it cannot be removed: %v", name, err)
		}
		if _, err := s.Get("notes"); problem.CodeOf(err) != problem.NotFound {
			t.Errorf("%s: after removal: %v", name, err)
		}
	}
}

func TestADigestInARecordLeadsNowhere(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	writeRecord(t, s, "local/notes", `{"format": 2, "id": "local/notes", "contentDigest": "sha256:../../../../etc"}`)
	in, err := s.Get("notes")
	if err != nil {
		t.Fatal(err)
	}
	if dir, err := s.Dir(in); err == nil {
		t.Errorf("it leads to %s", dir)
	}
}

func TestFindByName(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	for _, id := range []string{"local/notes", "com.example/notes", "local/filesystem"} {
		mustInstall(t, s, id, id)
	}
	cases := []struct {
		id   string
		code problem.Code
		says string
	}{
		{"notes", problem.Usage, "com.example/notes, local/notes"},
		{"filesytem", problem.NotFound, "did you mean local/filesystem?"},
		{"Filesystem", problem.NotFound, "did you mean local/filesystem?"},
		{"local/file", problem.NotFound, "did you mean local/filesystem?"},
		{"qqqqqqqqqqqq", problem.NotFound, "satchel list"},
		{"../notes", problem.NotFound, "notes"},
		{"", problem.NotFound, "satchel list"},
	}
	for _, c := range cases {
		_, err := s.Get(c.id)
		p, _ := errors.AsType[*problem.Problem](err)
		if problem.CodeOf(err) != c.code || !strings.Contains(p.Error()+p.Hint, c.says) {
			t.Errorf("Get(%q): %v (%v), want %s with %q", c.id, err, p, c.code, c.says)
		}
	}
	if in, err := s.Get("com.example/notes"); err != nil || in.ID != "com.example/notes" {
		t.Errorf("by id: %v", err)
	}
}

func TestInstallingAgainRepairs(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	s := open(t, home)
	in := mustInstall(t, s, "local/notes", "one")
	dir, _ := s.Dir(in)
	main := filepath.Join(dir, "server", "main.js")
	before, _ := os.Stat(main)

	mustInstall(t, s, "local/notes", "one")
	if after, err := os.Stat(main); err != nil || !os.SameFile(before, after) {
		t.Errorf("files that are as they should be were replaced: %v", err)
	}
	if err := errors.Join(os.Chmod(main, 0o600), os.WriteFile(main, []byte("evil"), 0o600)); err != nil {
		t.Fatal(err)
	}
	release, err := s.Hold(in)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := install(s, "local/notes", "one", nil); err == nil {
		t.Error("changed files were replaced under a running server, or left in place")
	}
	release()
	mustInstall(t, s, "local/notes", "one")
	if data, _ := os.ReadFile(main); string(data) != "one" {
		t.Errorf("not repaired: %q", data)
	}
	wantFiles(t, home, of("one"))
}

func TestAVersionInUseStays(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	s := open(t, home)
	one := mustInstall(t, s, "local/notes", "one")
	release, err := s.Hold(one)
	if err != nil {
		t.Fatal(err)
	}
	two := mustInstall(t, s, "local/notes", "two")
	dir, _ := s.Dir(one)
	if _, err := os.Stat(filepath.Join(dir, "server", "main.js")); err != nil {
		t.Fatalf("the files of a running server are gone: %v", err)
	}
	if err := open(t, home).Remove(two, true); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "server", "main.js")); err != nil {
		t.Fatalf("the files of a running server are gone: %v", err)
	}
	if list, err := s.List(); err != nil || len(list) != 0 {
		t.Errorf("still listed: %v, %v", list, err)
	}
	release()
	open(t, home)
	wantFiles(t, home, []string{})
	if left, _ := os.ReadDir(s.home.Staging()); len(left) > 0 {
		t.Errorf("left in staging: %v", left)
	}
	if _, err := s.Hold(one); err == nil {
		t.Error("a version that is gone can be held")
	}
}

func TestPurgeTakesTheOwnFolderToo(t *testing.T) {
	t.Parallel()
	for _, purge := range []bool{false, true} {
		home := t.TempDir()
		s := open(t, home)
		in := mustInstall(t, s, "local/notes", "one")
		dir, err := s.DataDir(in.ID)
		if err == nil {
			err = errors.Join(os.Mkdir(filepath.Join(dir, "ro"), 0o700), os.WriteFile(filepath.Join(dir, "ro", "f"), nil, 0o400), os.Chmod(filepath.Join(dir, "ro"), 0o500))
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.Chmod(filepath.Join(dir, "ro"), 0o700) })
		if err := s.Remove(in, purge); err != nil {
			t.Fatal(err)
		}
		want := []string{"data/local/notes/ro/f"}
		if purge {
			want = []string{}
		}
		wantFiles(t, home, want)
	}
}

func TestAbortLeavesNothing(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	s := open(t, home)
	g, in, err := stage(s, "local/notes", "one")
	if err != nil {
		t.Fatal(err)
	}
	g.Abort()
	g.Abort()
	if err := g.Commit(in); err == nil {
		t.Error("Commit after Abort succeeded")
	}
	wantFiles(t, home, []string{})
	if left, _ := os.ReadDir(s.home.Staging()); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestASweepLeavesStagingThatIsInUse(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	g, in, err := stage(open(t, home), "local/notes", "one")
	if err != nil {
		t.Fatal(err)
	}
	open(t, home)
	if err := g.Commit(in); err != nil {
		t.Fatalf("another process swept it: %v", err)
	}
}

func TestUpdatesDoNotLoseEachOther(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	mustInstall(t, open(t, home), "local/notes", "one")
	var group sync.WaitGroup
	for i := range 16 {
		group.Go(func() {
			err := open(t, home).Update("local/notes", func(in *Installation) error {
				in.Answers = maps.Clone(in.Answers)
				if in.Answers == nil {
					in.Answers = map[string]any{}
				}
				in.Answers[fmt.Sprint(i)] = true
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	s := open(t, home)
	in, err := s.Get("notes")
	if err != nil || len(in.Answers) != 16 {
		t.Errorf("answers lost: %v, %v", in.Answers, err)
	}
	refused := errors.New("refused")
	if err := s.Update("local/notes", func(in *Installation) error { in.Answers = nil; return refused }); !errors.Is(err, refused) {
		t.Errorf("got %v", err)
	}
	if in, err := s.Get("notes"); err != nil || len(in.Answers) != 16 || in.Version != "one" {
		t.Errorf("a refused update changed it: %v, %v", in, err)
	}
	if err := setAnswers(s, "local/nothing", nil, nil); problem.CodeOf(err) != problem.NotFound {
		t.Errorf("answers of nothing: %v", err)
	}
	if left, _ := os.ReadDir(filepath.Join(s.home.Extensions(), "local")); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
}

func TestAnAnswerThatCannotBeWrittenChangesNothing(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	s := open(t, home)
	mustInstall(t, s, "local/notes", "one")
	for _, f := range []func() error{
		func() error { return setAnswers(s, "local/notes", map[string]any{"x": func() {}}, nil) },
		func() error { return setAnswers(s, "local/notes", nil, map[string]any{"x": make(chan int)}) },
	} {
		if err := f(); err == nil {
			t.Error("no error")
		}
		if in, err := s.Get("notes"); err != nil || in.Secrets["token"] != "secret of one" {
			t.Errorf("something changed: %+v, %v", in, err)
		}
	}
	wantFiles(t, home, of("one"))
}

func BenchmarkList200(b *testing.B) {
	s := open(b, b.TempDir())
	for i := range 200 {
		mustInstall(b, s, fmt.Sprintf("local/ext-%d", i), fmt.Sprint(i))
	}
	for b.Loop() {
		if list, err := open(b, s.home.Data).List(); err != nil || len(list) != 200 {
			b.Fatal(len(list), err)
		}
	}
}

// setAnswers replaces the answers of an installed extension.
func setAnswers(s *Store, id string, open, secret map[string]any) error {
	return s.Update(id, func(in *Installation) error {
		in.Answers, in.Secrets = open, secret
		return nil
	})
}
