package host

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"satchel/internal/problem"
	"satchel/internal/sandbox"
	"satchel/internal/spec"
	"satchel/mcpb"
)

// A world is a host on a home of its own, with node in PATH.
type world struct {
	*Host
	dir string
}

func newWorld(t *testing.T) world {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	w := world{dir: dir}
	if err := errors.Join(os.Mkdir(w.path("bin"), 0o755), os.Mkdir(w.path("home"), 0o700), os.WriteFile(w.path("bin/node"), []byte("#!/bin/sh\n"), 0o755)); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{"HOME": dir, "PATH": w.path("bin"), "SATCHEL_HOME": w.path("home")}
	if w.Host, err = Open(func(key string) string { return env[key] }); err != nil {
		t.Fatal(err)
	}
	report, err := tried()
	if err == nil {
		err = w.store.KeepReport(report)
	}
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// tried is what the probe finds of this machine: one second, once for all tests.
var tried = sync.OnceValues(func() ([]byte, error) {
	report, err := sandbox.NewLauncher().Prove(context.Background())
	if err != nil {
		return nil, err
	}
	return json.Marshal(proof{thisMachine(), time.Now(), report})
})

func (w world) path(name string) string { return filepath.Join(w.dir, filepath.FromSlash(name)) }

// manifestWith is a manifest that asks for a folder and a secret, changed.
func manifestWith(change func(m map[string]any)) map[string]any {
	m := map[string]any{
		"manifest_version": "0.3", "name": "demo", "version": "1.0.0", "description": "D.", "author": map[string]any{"name": "A"},
		"server": map[string]any{"type": "node", "entry_point": "index.js", "mcp_config": map[string]any{"command": "node", "args": []string{"${__dirname}/index.js", "${user_config.folder}"}}},
		"user_config": map[string]any{
			"folder": map[string]any{"type": "directory", "title": "Folder", "description": "F", "required": true},
			"key":    map[string]any{"type": "string", "title": "Key", "description": "K", "sensitive": true},
		},
	}
	if change != nil {
		change(m)
	}
	return m
}

// bundle packs a manifest with a server and gives the file.
func (w world) bundle(t *testing.T, name string, m map[string]any) string {
	t.Helper()
	text, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	dir := w.path("src-" + name)
	if err := errors.Join(os.Mkdir(dir, 0o755), os.WriteFile(filepath.Join(dir, "manifest.json"), text, 0o644), os.WriteFile(filepath.Join(dir, "index.js"), []byte(name), 0o644)); err != nil {
		t.Fatal(err)
	}
	out := w.path(name + ".mcpb")
	if _, err := mcpb.PackFile(t.Context(), dir, out, mcpb.PackOptions{Entry: "index.js"}); err != nil {
		t.Fatal(err)
	}
	return out
}

func (w world) install(t *testing.T, file string, pairs ...string) *Installed {
	t.Helper()
	c, err := w.Inspect(t.Context(), file, pairs, Terms{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	res, err := w.Install(t.Context(), c, func(int64, int64) {})
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// snapshot gives every file of the home with its content; locks come and go.
func (w world) snapshot(t *testing.T) map[string]string {
	t.Helper()
	got := map[string]string{}
	err := filepath.WalkDir(w.path("home"), func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(name, ".lock") || filepath.Dir(name) == w.path("home") {
			return err // what is at the top belongs to the home: its key, what the probe found
		}
		data, err := os.ReadFile(name)
		got[name] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func wantProblem(t *testing.T, err error, code problem.Code, rule string) {
	t.Helper()
	p, ok := errors.AsType[*problem.Problem](err)
	if !ok || p.Code != code || p.Rule != rule {
		t.Errorf("got %v (%+v), want %s of rule %s", err, p, code, rule)
	}
}

// Looking at a bundle writes nothing, whatever is in it; a bundle that is refused installs nothing.
func TestInspectWritesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.install(t, w.bundle(t, "first", manifestWith(nil)))
	before := w.snapshot(t)
	for name, c := range map[string]struct {
		change func(m map[string]any)
		pairs  []string
		code   problem.Code
		rule   string
	}{
		"fine":          {nil, nil, "", ""},
		"platform":      {func(m map[string]any) { m["compatibility"] = map[string]any{"platforms": []string{"win32"}} }, nil, problem.Refused, "launch/platform"},
		"no program":    {func(m map[string]any) { command(m)["command"] = "satchel-test-no-such" }, nil, problem.NotFound, "launch/program"},
		"outside":       {func(m map[string]any) { command(m)["command"] = "${__dirname}/../../evil" }, nil, problem.Invalid, "expand/command-outside"},
		"not in bundle": {func(m map[string]any) { command(m)["command"] = "bin/nothing" }, nil, problem.Invalid, "install/command"},
		"too long":      {func(m map[string]any) { command(m)["args"] = []string{strings.Repeat("${__dirname}", 30_000)} }, nil, problem.Invalid, "expand/too-long"},
		"nul":           {func(m map[string]any) { command(m)["args"] = []string{"a\x00"} }, nil, problem.Invalid, "expand/nul"},
		"environment":   {func(m map[string]any) { command(m)["env"] = map[string]string{"A=B": "x"} }, nil, problem.Invalid, "expand/environment"},
		"unknown key":   {nil, []string{"x=y"}, problem.Usage, "answers/key"},
		"wrong answer":  {nil, []string{"folder=/nowhere"}, problem.NeedsConfig, "answers/value"},
	} {
		m := manifestWith(c.change)
		cand, err := w.Inspect(t.Context(), w.bundleOf(t, name, m), c.pairs, Terms{})
		switch {
		case c.code != "":
			wantProblem(t, err, c.code, c.rule)
			if p, _ := errors.AsType[*problem.Problem](err); p == nil || !strings.HasPrefix(p.Subject, w.dir) || p.Hint == "" {
				t.Errorf("%s: %v names no bundle, or no way out", name, err)
			}
		case err != nil:
			t.Errorf("%s: %v", name, err)
		default:
			if err := cand.Close(); err != nil {
				t.Error(err)
			}
		}
	}
	if after := w.snapshot(t); !maps.Equal(before, after) {
		t.Errorf("files before: %q, after: %q", slices.Sorted(maps.Keys(before)), slices.Sorted(maps.Keys(after)))
	}
}

func command(m map[string]any) map[string]any {
	return m["server"].(map[string]any)["mcp_config"].(map[string]any)
}

func (w world) bundleOf(t *testing.T, name string, m map[string]any) string {
	t.Helper()
	return w.bundle(t, strings.ReplaceAll(name, " ", "-"), m)
}

func TestUpdateKeepsAnswersButNoSecrets(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.install(t, w.bundle(t, "v1", manifestWith(nil)), "folder="+w.dir, "key=s3cret")
	same := w.install(t, w.path("v1.mcpb"))
	if same.Extension.Answers["key"] != "***" || len(same.Review.Forgets) > 0 {
		t.Errorf("the same bundle lost the secret: %+v", same)
	}
	if in, err := w.store.Get("demo"); err != nil || in.Secrets["key"] != "s3cret" {
		t.Errorf("the same bundle lost the secret: %v", err)
	}
	res := w.install(t, w.bundle(t, "v2", manifestWith(func(m map[string]any) { m["version"] = "2.0.0" })))
	if res.Replaced != "1.0.0" || res.Extension.Version != "2.0.0" || res.Extension.Answers["folder"] != w.dir {
		t.Errorf("installed %+v", res)
	}
	if _, ok := res.Extension.Answers["key"]; ok {
		t.Error("another author's version inherited the secret")
	}
	if f := res.Review.Forgets; len(f) != 1 || f[0].Key != "key" || !f[0].Secret || f[0].Value != "" {
		t.Errorf("the review says that it forgets %+v", f)
	}
	for name, content := range w.snapshot(t) {
		if strings.Contains(content, "s3cret") {
			t.Errorf("%s still holds the secret", name)
		}
	}
}

// An answer that a new version does not take is not dropped without a word.
func TestAnAnswerThatDoesNotFitAnyMoreIsNamed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.install(t, w.bundle(t, "v1", manifestWith(nil)), "folder="+w.dir)
	res := w.install(t, w.bundle(t, "v2", manifestWith(func(m map[string]any) {
		m["user_config"].(map[string]any)["folder"].(map[string]any)["multiple"] = true
	})))
	if f := res.Review.Forgets; len(f) != 1 || f[0].Key != "folder" || f[0].Secret {
		t.Errorf("the review says that it forgets %+v", f)
	}
}

// What a host passes over in a manifest is in the review; a secret on the command line is in review and show, answered
// or not.
func TestReviewOfADoubtfulManifest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	res := w.install(t, w.bundle(t, "x", manifestWith(func(m map[string]any) {
		m["surprise"] = 1
		m["author"].(map[string]any)["phone"] = "1"
		command(m)["args"] = []string{"--token", "${user_config.key}", "${user_config.folder}"}
	})))
	if got := strings.Join(res.Review.Warnings, "; "); len(res.Review.Warnings) != 2 || !strings.Contains(got, "surprise") || !strings.Contains(got, "author.phone") {
		t.Errorf("warnings %q", res.Review.Warnings)
	}
	if want := []string{"--token", "${user_config.key}"}; !slices.Equal(res.Review.Without, want) {
		t.Errorf("without %q, want %q", res.Review.Without, want)
	}
	onLine := func(r spec.Risk) bool {
		return r.Level == spec.High && strings.Contains(r.Text, "onto the command line")
	}
	ext, err := w.Show("demo")
	if err != nil || !slices.ContainsFunc(res.Review.Risks, onLine) || !slices.ContainsFunc(ext.Risks, onLine) {
		t.Errorf("risks %v, shown %+v, %v", res.Review.Risks, ext, err)
	}
}

// An answer that no longer holds is refused before a start, with the way to mend it.
func TestAFolderThatIsGoneIsAskedForAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	folder := w.path("notes")
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	w.install(t, w.bundle(t, "v1", manifestWith(nil)), "folder="+folder)
	if err := os.Remove(folder); err != nil {
		t.Fatal(err)
	}
	_, _, err := w.Tools(t.Context(), "demo")
	wantProblem(t, err, problem.NeedsConfig, "answers/value")
	if _, err := w.Show("demo"); err != nil {
		t.Errorf("it cannot even be shown: %v", err)
	}
}

func TestADamagedRecordHidesNoOther(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.install(t, w.bundle(t, "a", manifestWith(nil)))
	w.install(t, w.bundle(t, "b", manifestWith(func(m map[string]any) { m["name"] = "other" })))
	if err := os.WriteFile(w.path("home/extensions/local/demo/installation.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	list, err := w.List()
	if len(list) != 1 || list[0].ID != "local/other" || err == nil || !strings.Contains(err.Error(), "local/demo") {
		t.Errorf("%v, %v", list, err)
	}
	w.install(t, w.path("a.mcpb"))
	if list, err := w.List(); len(list) != 2 || err != nil {
		t.Errorf("installed again: %v, %v", list, err)
	}
}

func TestConfigureAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.install(t, w.bundle(t, "v1", manifestWith(func(m map[string]any) {
		options := m["user_config"].(map[string]any)
		for i := range 8 {
			options[fmt.Sprint("n", i)] = map[string]any{"type": "number", "title": "N", "description": "N"}
		}
	})))
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			if _, err := w.Configure("demo", []string{fmt.Sprintf("n%d=%d", i, i)}, nil); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	ext, err := w.Show("demo")
	if err != nil {
		t.Fatal(err)
	}
	for i := range 8 {
		if got := ext.Answers[fmt.Sprint("n", i)]; got != float64(i) {
			t.Errorf("n%d is %v", i, got)
		}
	}
}

// A changed file, a new one, a link and a mode are all noticed before the server starts.
func TestChangedFilesAreNotRun(t *testing.T) {
	t.Parallel()
	for what, change := range map[string]func(dir string) error{
		"content": func(dir string) error { return os.WriteFile(filepath.Join(dir, "index.js"), []byte("evil"), 0o644) },
		"new":     func(dir string) error { return os.WriteFile(filepath.Join(dir, "preload.js"), nil, 0o644) },
		"link":    func(dir string) error { return os.Symlink("/bin/sh", filepath.Join(dir, "x")) },
		"gone":    func(dir string) error { return os.Remove(filepath.Join(dir, "index.js")) },
	} {
		w := newWorld(t)
		res := w.install(t, w.bundle(t, "v1", manifestWith(nil)), "folder="+w.dir)
		hex := strings.TrimPrefix(res.Extension.ContentDigest, "sha256:")
		dir := w.path("home/extensions/local/demo/" + hex)
		if err := errors.Join(os.Chmod(dir, 0o755), os.Chmod(filepath.Join(dir, "index.js"), 0o644), change(dir)); err != nil {
			t.Fatal(err)
		}
		_, _, err := w.Tools(t.Context(), "demo")
		if problem.CodeOf(err) != problem.Refused {
			t.Errorf("%s changed: %v", what, err)
		}
	}
}

func TestUninstall(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	before := w.snapshot(t)
	w.install(t, w.bundle(t, "v1", manifestWith(nil)), "key=s3cret")
	if _, err := w.Uninstall("demo", true); err != nil {
		t.Fatal(err)
	}
	if after := w.snapshot(t); !maps.Equal(before, after) {
		t.Errorf("left: %q", slices.Sorted(maps.Keys(after)))
	}
	_, err := w.Uninstall("demo", true)
	wantProblem(t, err, problem.NotFound, "store/installed")
}

// Whatever happened to a record or a folder, the extension can be removed, with nothing left.
func TestUninstallAlwaysWorks(t *testing.T) {
	t.Parallel()
	for what, damage := range map[string]func(dir string) error{
		"nothing":      func(string) error { return nil },
		"cut off":      func(dir string) error { return os.Truncate(filepath.Join(dir, "installation.json"), 20) },
		"empty":        func(dir string) error { return os.Truncate(filepath.Join(dir, "installation.json"), 0) },
		"record gone":  func(dir string) error { return os.Remove(filepath.Join(dir, "installation.json")) },
		"secrets gone": func(dir string) error { return removeAll(filepath.Join(dir, "secrets-*")) },
		"only secrets": func(dir string) error {
			return errors.Join(removeAll(filepath.Join(dir, "*.json")), os.WriteFile(filepath.Join(dir, "secrets-x.json"), nil, 0o600))
		},
		"a folder instead": func(dir string) error {
			return errors.Join(os.Remove(filepath.Join(dir, "installation.json")), os.MkdirAll(filepath.Join(dir, "installation.json", "x"), 0o700))
		},
		"a manifest that is none": func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "installation.json"), []byte(`{"format": 2, "id": "local/demo", "manifest": "e30="}`), 0o600)
		},
	} {
		for _, purge := range []bool{false, true} {
			w := newWorld(t)
			before := w.snapshot(t)
			w.install(t, w.bundle(t, "v1", manifestWith(nil)), "key=s3cret")
			kept := w.path("home/data/local/demo/kept")
			if err := errors.Join(os.WriteFile(kept, nil, 0o600), damage(w.path("home/extensions/local/demo"))); err != nil {
				t.Fatal(err)
			}
			res, err := w.Uninstall("demo", purge)
			if err != nil || res.ID != "local/demo" || (res.DataKept == "") != purge {
				t.Errorf("%s, purge %v: %+v, %v", what, purge, res, err)
			}
			if !purge { // what was kept can go later
				if _, err := w.Uninstall("demo", true); err != nil {
					t.Errorf("%s, purge later: %v", what, err)
				}
			}
			if after := w.snapshot(t); !maps.Equal(before, after) {
				t.Errorf("%s, purge %v: left: %q", what, purge, slices.Sorted(maps.Keys(after)))
			}
			w.install(t, w.path("v1.mcpb"))
		}
	}
}

func removeAll(pattern string) error {
	names, err := filepath.Glob(pattern)
	for _, name := range names {
		err = errors.Join(err, os.Remove(name))
	}
	return err
}

// What starts the server can be executed, whatever the archive says: tools on Windows pack without modes.
func TestTheProgramIsExecutable(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("skipped: Windows has no executable bit")
	}
	w := newWorld(t)
	res := w.install(t, w.bundle(t, "v1", manifestWith(func(m map[string]any) {
		m["server"].(map[string]any)["type"] = "binary"
		command(m)["command"] = "${__dirname}/index.js"
	})))
	hex := strings.TrimPrefix(res.Extension.ContentDigest, "sha256:")
	w.wantModes(t, hex, map[string]fs.FileMode{"index.js": 0o555, "manifest.json": 0o444})
}

func (w world) wantModes(t *testing.T, hex string, modes map[string]fs.FileMode) {
	t.Helper()
	for name, want := range modes {
		info, err := os.Stat(w.path("home/extensions/local/demo/" + hex + "/" + name))
		if err != nil || info.Mode() != want {
			t.Errorf("%s: mode %v, %v; want %v", name, info.Mode(), err, want)
		}
	}
}

// So is the entry point, when the command is another program.
func TestTheEntryPointIsExecutable(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("skipped: Windows has no executable bit")
	}
	w := newWorld(t)
	res := w.install(t, w.bundle(t, "v1", manifestWith(func(m map[string]any) { m["server"].(map[string]any)["entry_point"] = "./index.js" })))
	w.wantModes(t, strings.TrimPrefix(res.Extension.ContentDigest, "sha256:"), map[string]fs.FileMode{"index.js": 0o555, "manifest.json": 0o444})
}

// Between the review and the yes of a person anybody who may write to the file could give it other bytes, with the same
// checksums. What was not reviewed, nor verified, is not installed, and nothing of it is left.
func TestABundleThatChangesAfterTheReview(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	rewrite := func(file string, later time.Duration) error { // the same bytes: this is not about checksums
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		info, err := os.Stat(file)
		if err != nil {
			return err
		}
		f, err := os.OpenFile(file, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		_, err = f.Write(data)
		return errors.Join(err, f.Close(), os.Chtimes(file, time.Time{}, info.ModTime().Add(later)))
	}
	for name, change := range map[string]func(file string, c *Candidate) error{
		"rewritten": func(file string, _ *Candidate) error { return rewrite(file, time.Hour) },
		"longer":    func(file string, _ *Candidate) error { return os.Truncate(file, 1<<20) },
		"set-back": func(file string, c *Candidate) error {
			if runtime.GOOS == "windows" {
				return rewrite(file, time.Hour) // there is no time that cannot be set back
			}
			for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline) && c.bundle.Unchanged() == nil; { // until the clock of the file system ticks
				if err := rewrite(file, 0); err != nil {
					return err
				}
			}
			return nil
		},
	} {
		file := w.bundleOf(t, name+".mcpb", manifestWith(nil))
		before := w.snapshot(t)
		c, err := w.Inspect(t.Context(), file, []string{"folder=" + w.dir, "key=k"}, Terms{})
		if err != nil {
			t.Fatal(err)
		}
		if err := change(file, c); err != nil {
			t.Fatal(err)
		}
		_, err = w.Install(t.Context(), c, nil)
		wantProblem(t, err, problem.Refused, "bundle/changed")
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		if after := w.snapshot(t); !maps.Equal(before, after) {
			t.Errorf("%s: left behind: %v", name, after)
		}
	}
}
