package host

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"satchel/internal/devloop"
	"satchel/internal/problem"
	"satchel/internal/spec"
)

// linkFolder links the folder of a manifest that asks for a folder and a secret.
func (w world) linkFolder(t *testing.T, pairs ...string) string {
	t.Helper()
	w.bundle(t, "linked", manifestWith(nil))
	dir := w.path("src-linked")
	c, err := w.InspectLink(t.Context(), dir, pairs, Terms{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := w.Install(t.Context(), c, nil); err != nil {
		t.Fatal(err)
	}
	return dir
}

// Looking at a folder writes nothing; the review says that it is a link, and that others can change the folder.
func TestInspectLinkWritesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.bundle(t, "x", manifestWith(nil))
	before := w.snapshot(t)
	for mode, risky := range map[os.FileMode]bool{0o755: false, 0o777: true} {
		if err := os.Chmod(w.path("src-x"), mode); err != nil {
			t.Fatal(err)
		}
		c, err := w.InspectLink(t.Context(), w.path("src-x"), nil, Terms{})
		if err != nil {
			t.Fatal(err)
		}
		linked := slices.ContainsFunc(c.Review.Risks, func(r spec.Risk) bool { return strings.HasPrefix(r.Text, "linked: ") })
		open := slices.ContainsFunc(c.Review.Risks, func(r spec.Risk) bool { return strings.HasPrefix(r.Text, "every user") && r.Level == spec.High })
		if !linked || open != risky || c.Review.Digest != "" {
			t.Errorf("mode %v: %+v", mode, c.Review)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
	if after := w.snapshot(t); len(after) != len(before) {
		t.Errorf("the home changed: %v", after)
	}
}

func TestLinked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.install(t, w.bundle(t, "demo", manifestWith(nil)))
	if id, linked, err := w.Linked(w.path("src-demo")); id != "local/demo" || linked || err != nil {
		t.Errorf("installed from a bundle: %s, %v, %v", id, linked, err)
	}
	wantProblem(t, w.Dev(t.Context(), "demo", DevOptions{}), problem.Usage, "dev/linked")
	wantProblem(t, w.Dev(t.Context(), "nothing", DevOptions{}), problem.NotFound, "store/installed")
	dir := w.linkFolder(t)
	if id, linked, err := w.Linked(dir); id != "local/demo" || !linked || err != nil {
		t.Errorf("linked: %s, %v, %v", id, linked, err)
	}
	if _, err := w.Uninstall("demo", true); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "index.js")); err != nil {
		t.Errorf("removing the link touched the folder: %v", err)
	}
}

// Where nothing is known of an extension's secrets, nothing is shown.
func TestRedactor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.linkFolder(t, "key=s3cret")
	if got := w.redactor("local/demo")("a s3cret b"); got != "a *** b" {
		t.Errorf("%q", got)
	}
	if got := w.redactor("local/gone")("a s3cret b"); got != "" {
		t.Errorf("%q", got)
	}
}

func TestDevIgnore(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, ".mcpbignore"), []byte("src/\nmanifest.json\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for build, out := range map[bool][]string{false: {"src/x.ts"}, true: nil} {
		ignored, err := devIgnore(dir, build)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range append(out, ".git/index", "debug.log", "index.js~", "a/.index.js.swp", ".#index.js", "node_modules/.cache/x") {
			if !ignored(name) {
				t.Errorf("build %v: %s counts", build, name)
			}
		}
		for _, name := range []string{"manifest.json", ".mcpbignore", "index.js", "node_modules/a/index.js"} {
			if ignored(name) {
				t.Errorf("build %v: %s does not count", build, name)
			}
		}
		if build && ignored("src/x.ts") {
			t.Error("with a build, sources do not count")
		}
	}
	if err := errors.Join(os.Remove(filepath.Join(dir, ".mcpbignore")), os.Mkdir(filepath.Join(dir, ".mcpbignore"), 0o755)); err != nil {
		t.Fatal(err)
	}
	_, err := devIgnore(dir, false)
	wantProblem(t, err, problem.Failed, "dev/watch")
}

// A second dev is refused, and one that hears no calls says so and goes on.
func TestDevHub(t *testing.T) {
	t.Parallel()
	if !devloop.Shows() {
		t.Skip("this system has no sockets for it")
	}
	w := newWorld(t)
	w.linkFolder(t)
	in, err := w.store.Get("demo")
	if err != nil {
		t.Fatal(err)
	}
	first, err := w.hub(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.hub(in, nil)
	wantProblem(t, err, problem.Failed, "dev/busy")
	if err := errors.Join(first.Close(), os.RemoveAll(w.path("home/run")), os.MkdirAll(w.path("home/run/dev-local@demo.sock/x"), 0o700)); err != nil {
		t.Fatal(err)
	}
	var notes []string
	deaf, err := w.hub(in, func(e devloop.Event) { notes = append(notes, e.Text) })
	if err != nil || len(notes) != 1 || !strings.HasPrefix(notes[0], "calls of apps are not shown") {
		t.Fatalf("%v, %q", err, notes)
	}
	deaf.Restart()
	if err := deaf.Close(); err != nil {
		t.Error(err)
	}
}
