//go:build unix

package mcpb

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"satchel/internal/problem"
)

func mergeBundle(t *testing.T) *Bundle {
	t.Helper()
	return openBytes(t, zipOf(file("a/1", "first"), file("a/b/2", strings.Repeat("second", 20_000)), file("c", "third")))
}

// What is there and the same stays as it is, and what is not in the bundle stays too.
func TestMergeAddsToAFolder(t *testing.T) {
	t.Parallel()
	b, dir := mergeBundle(t), t.TempDir()
	err := errors.Join(os.MkdirAll(filepath.Join(dir, "a/b"), 0o700), os.WriteFile(filepath.Join(dir, "a/b/2"), []byte(strings.Repeat("second", 20_000)), 0o600),
		os.WriteFile(filepath.Join(dir, "mine"), []byte("mine"), 0o600))
	if err != nil {
		t.Fatal(err)
	}
	tree, err := b.Extract(t.Context(), dir, ExtractOptions{Merge: true, Digest: true})
	if err != nil {
		t.Fatal(err)
	}
	want := contents(t, b)
	want["mine"] = "mine"
	if got := onDisk(t, dir); !maps.Equal(got, want) {
		t.Errorf("on disk %q", slices.Sorted(maps.Keys(got)))
	}
	if tree.Files != 4 || modes(t, dir)["a/b/2"] != 0o600 {
		t.Errorf("%+v, %v", tree, modes(t, dir))
	}
	if _, err := b.Extract(t.Context(), dir, ExtractOptions{Merge: true}); err != nil {
		t.Errorf("a second time: %v", err)
	}
}

// Whatever is in the way is refused, and nothing is left of the rest. No link is followed, whatever it leads to.
func TestMergeRefusesWhatIsInTheWay(t *testing.T) {
	t.Parallel()
	outside := t.TempDir()
	for name, text := range map[string]string{"first": "first", "d/2": strings.Repeat("second", 20_000)} {
		if err := errors.Join(os.MkdirAll(filepath.Dir(filepath.Join(outside, name)), 0o755), os.WriteFile(filepath.Join(outside, name), []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	for what, prepare := range map[string]func(dir string) error{
		"another file of the same size": func(dir string) error { return os.WriteFile(dir+"/c", []byte("THIRD"), 0o644) },
		"a shorter file":                func(dir string) error { return os.WriteFile(dir+"/c", nil, 0o644) },
		"a longer file":                 func(dir string) error { return os.WriteFile(dir+"/c", []byte("third and more"), 0o644) },
		"a large file with one bit": func(dir string) error {
			return errors.Join(os.MkdirAll(dir+"/a/b", 0o755), os.WriteFile(dir+"/a/b/2", []byte(strings.Repeat("second", 19_999)+"seconD"), 0o644))
		},
		"a folder":            func(dir string) error { return os.Mkdir(dir+"/c", 0o755) },
		"a file for a folder": func(dir string) error { return os.WriteFile(dir+"/a", nil, 0o644) },
		"a link to the same content": func(dir string) error {
			return errors.Join(os.Mkdir(dir+"/a", 0o755), os.Symlink(outside+"/first", dir+"/a/1"))
		},
		"a link to nowhere": func(dir string) error { return os.Symlink("nowhere", dir+"/c") },
		"a link for a folder": func(dir string) error {
			return errors.Join(os.Mkdir(dir+"/a", 0o755), os.Symlink(outside+"/d", dir+"/a/b"))
		},
		"a pipe":                      func(dir string) error { return syscall.Mkfifo(dir+"/c", 0o644) },
		"a file that may not be read": func(dir string) error { return os.WriteFile(dir+"/c", []byte("third!"), 0) },
	} {
		b, dir := mergeBundle(t), t.TempDir()
		if err := prepare(dir); err != nil {
			t.Fatal(err)
		}
		before, beyond := listing(t, dir), listing(t, outside)
		_, err := b.Extract(t.Context(), dir, ExtractOptions{Merge: true})
		checkProblem(t, err, problem.Failed, "extract/exists")
		if after := listing(t, dir); !slices.Equal(before, after) {
			t.Errorf("%s: before %q, after %q", what, before, after)
		}
		if after := listing(t, outside); !slices.Equal(beyond, after) {
			t.Errorf("%s: outside before %q, after %q", what, beyond, after)
		}
	}
}

// A link to a folder is no folder to merge into either: whoever names it resolves it first.
func TestMergeDoesNotFollowALinkAsTarget(t *testing.T) {
	t.Parallel()
	top := t.TempDir()
	if err := errors.Join(os.Mkdir(top+"/real", 0o755), os.Symlink("real", top+"/link")); err != nil {
		t.Fatal(err)
	}
	_, err := mergeBundle(t).Extract(t.Context(), top+"/link", ExtractOptions{Merge: true})
	checkProblem(t, err, problem.Failed, "extract/target")
}
