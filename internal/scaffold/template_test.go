package scaffold

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/format"
	"image/png"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/BurntSushi/toml"
	"golang.org/x/mod/modfile"

	"satchel/internal/problem"
	"satchel/mcpb/manifest"
)

func someValues() Values {
	return Values{Name: "notes", DisplayName: "Notes", Version: "0.1.0", Author: manifest.Author{Name: "Ann"}, Year: 2031}
}

func mustFiles(t *testing.T, template Template, v Values) map[string][]byte {
	t.Helper()
	files, err := template.Files(v)
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// Every template's manifest is valid without a finding, but for the programs that go builds first.
func TestTemplatesAreValid(t *testing.T) {
	t.Parallel()
	for _, template := range Templates() {
		files := mustFiles(t, template, someValues())
		tree := fstest.MapFS{}
		for name, data := range files {
			tree[name] = &fstest.MapFile{Data: data, Mode: 0o644}
		}
		if template == GoTemplate {
			for _, platform := range []string{"linux-amd64", "darwin-arm64", "windows-amd64.exe"} {
				tree["server/notes-"+platform] = &fstest.MapFile{Mode: 0o755}
			}
		}
		if report := manifest.Validate(files["manifest.json"], manifest.Checks{Files: tree}); len(report.Findings) > 0 {
			t.Errorf("%s: %+v", template, report.Findings)
		}
		for name, data := range files {
			for _, mark := range []string{nameMark, titleMark, authorMark, versionMark} {
				if bytes.Contains(data, []byte(mark)) {
					t.Errorf("%s: %q still stands in %s", template, mark, name)
				}
			}
		}
		for _, name := range []string{"README.md", "LICENSE", ".mcpbignore", ".gitignore", "icon.png"} {
			if len(files[name]) == 0 {
				t.Errorf("%s has no %s", template, name)
			}
		}
		if !strings.Contains(string(files["LICENSE"]), "Copyright (c) 2031 Ann\n") {
			t.Errorf("%s: the licence names nobody", template)
		}
	}
}

// Texts that would break out of a file's syntax stay texts.
func TestTemplatesTakeAnyText(t *testing.T) {
	t.Parallel()
	v := someValues()
	v.DisplayName, v.Description, v.Author.Name = `"]}<script>`+"`${x}`", "\"\\\n\u2028 }{", `A "B" <c>, \d`
	for _, template := range Templates() {
		files := mustFiles(t, template, v)
		var m manifest.Manifest
		if err := json.Unmarshal(files["manifest.json"], &m); err != nil || m.DisplayName != v.DisplayName || m.Description != v.Description || m.Author.Name != v.Author.Name {
			t.Errorf("%s: %+v, %v", template, m, err)
		}
		for name, data := range files {
			var any map[string]any
			switch {
			case strings.HasSuffix(name, ".json") && !json.Valid(data):
				t.Errorf("%s: %s is no JSON", template, name)
			case strings.HasSuffix(name, ".toml") && toml.Unmarshal(data, &any) != nil:
				t.Errorf("%s: %s is no TOML", template, name)
			case strings.HasSuffix(name, ".go"):
				if formatted, err := format.Source(data); err != nil || !bytes.Equal(formatted, data) {
					t.Errorf("%s: %s is not formatted: %v", template, name, err)
				}
			}
		}
	}
}

func TestTemplatesRefuse(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(v *Values){
		"no name":      func(v *Values) { v.Name = "" },
		"two words":    func(v *Values) { v.Name = "a b" },
		"a path":       func(v *Values) { v.Name = "../a" },
		"upper case":   func(v *Values) { v.Name = "Notes" },
		"a long name":  func(v *Values) { v.Name = strings.Repeat("a", 65) },
		"no version":   func(v *Values) { v.Version = "1" },
		"a quote":      func(v *Values) { v.Version = `1.0.0-"` },
		"two lines":    func(v *Values) { v.Author.Name = "a\nb" },
		"a bad e-mail": func(v *Values) { v.Author.Email = "nobody" },
	} {
		v := someValues()
		change(&v)
		if _, err := NodeTemplate.Files(v); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	if _, err := Template("rust").Files(someValues()); problem.CodeOf(err) != problem.Usage {
		t.Errorf("rust: %v", err)
	}
}

func TestIcon(t *testing.T) {
	t.Parallel()
	a, err := icon("notes")
	if err != nil {
		t.Fatal(err)
	}
	b, err := icon("weather")
	if err != nil || bytes.Equal(a, b) {
		t.Errorf("two names have one picture: %v", err)
	}
	img, err := png.Decode(bytes.NewReader(a))
	if err != nil || img.Bounds().Dx() != 512 || img.Bounds().Dy() != 512 || len(a) > 10_000 {
		t.Errorf("%v, %v, %d bytes", img.Bounds(), err, len(a))
	}
}

// The Go template needs nothing that this module does not need, so that it builds wherever this module was built.
func TestGoTemplateNeedsWhatWeNeed(t *testing.T) {
	t.Parallel()
	ours, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	have := map[string]string{}
	for _, r := range requirements(t, ours) {
		have[r.Mod.Path] = r.Mod.Version
	}
	needs := requirements(t, mustFiles(t, GoTemplate, someValues())["go.mod"])
	for _, r := range needs {
		if have[r.Mod.Path] != r.Mod.Version {
			t.Errorf("the template needs %s, this module %q", r.Mod, have[r.Mod.Path])
		}
	}
	if len(needs) == 0 {
		t.Error("the template needs nothing")
	}
}

func requirements(t *testing.T, data []byte) []*modfile.Require {
	t.Helper()
	f, err := modfile.Parse("go.mod", data, nil)
	if err != nil {
		t.Fatal(err)
	}
	return f.Require
}

// What lies in the template folders but is named nowhere would be missing from every project.
func TestEveryTemplateFileIsEmbedded(t *testing.T) {
	t.Parallel()
	err := fs.WalkDir(os.DirFS("."), "template", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && slices.Contains([]string{"node_modules", "__pycache__"}, d.Name()) {
			return fs.SkipDir
		}
		if _, err := fs.Stat(templateFiles, name); !d.IsDir() && err != nil {
			t.Errorf("%s is not embedded", name)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func TestWrite(t *testing.T) {
	t.Parallel()
	parent := t.TempDir()
	empty := filepath.Join(parent, "empty")
	if err := os.Mkdir(empty, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{filepath.Join(parent, "new"), empty} {
		names, err := Write(dir, PythonTemplate, someValues())
		if err != nil {
			t.Fatal(err)
		}
		want := slices.Sorted(maps.Keys(mustFiles(t, PythonTemplate, someValues())))
		if got := filesBelow(t, dir); !slices.Equal(got, want) || !slices.Equal(names, want) {
			t.Errorf("%s: %v, want %v", dir, got, want)
		}
	}
	if got := dirNames(t, parent); !slices.Equal(got, []string{"empty", "new"}) {
		t.Errorf("beside the projects: %v", got)
	}
	if _, err := Write(empty, PythonTemplate, someValues()); problem.CodeOf(err) != problem.Refused {
		t.Errorf("a folder in use: %v", err)
	}
}

// On refusal nothing is written, and nothing that is there is touched.
func TestWriteRefuses(t *testing.T) {
	t.Parallel()
	parent := t.TempDir()
	writeFile(t, filepath.Join(parent, "used", "mine.txt"), "mine")
	writeFile(t, filepath.Join(parent, "file"), "mine")
	if err := os.Symlink("nowhere", filepath.Join(parent, "dangling")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"used", "file", "file/below", "no/such/parent", "dangling"} {
		if _, err := Write(filepath.Join(parent, name), NodeTemplate, someValues()); err == nil {
			t.Errorf("%s is written to", name)
		}
	}
	if got := filesBelow(t, parent); !slices.Equal(got, []string{"dangling", "file", "used/mine.txt"}) {
		t.Errorf("files: %v", got)
	}
}

// A file that comes while the project is moved in stays, and the project goes away again.
func TestPublishReplacesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	staging := filepath.Join(dir, ".satchel-init-x")
	writeFile(t, filepath.Join(staging, "a.txt"), "new")
	writeFile(t, filepath.Join(staging, "b", "c.txt"), "new")
	writeFile(t, filepath.Join(staging, "manifest.json"), "new")
	writeFile(t, filepath.Join(dir, "manifest.json"), "mine")
	if err := publish(staging, dir, true); !errors.Is(err, fs.ErrExist) {
		t.Errorf("got %v", err)
	}
	if data, err := os.ReadFile(filepath.Join(dir, "manifest.json")); err != nil || string(data) != "mine" {
		t.Errorf("manifest.json: %q, %v", data, err)
	}
	if got := dirNames(t, dir); !slices.Equal(got, []string{".satchel-init-x", "manifest.json"}) {
		t.Errorf("left: %v", got)
	}
}

func filesBelow(t *testing.T, dir string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, relErr := filepath.Rel(dir, path)
			names, err = append(names, filepath.ToSlash(rel)), relErr
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	return names
}

func dirNames(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// Of two who begin at the same moment one has the folder, whole, and the other is told so.
func TestTwoBeginTheSameFolder(t *testing.T) {
	t.Parallel()
	for range 20 {
		dir := filepath.Join(t.TempDir(), "x")
		errs := make(chan error)
		for range 2 {
			go func() {
				_, err := Write(dir, PythonTemplate, someValues())
				errs <- err
			}()
		}
		first, second := <-errs, <-errs
		if first == nil {
			first, second = second, first
		}
		if p, ok := errors.AsType[*problem.Problem](first); second != nil || !ok || p.Rule != "init/folder-in-use" {
			t.Fatalf("%v and %v", first, second)
		}
		if left, err := filepath.Glob(filepath.Join(filepath.Dir(dir), ".satchel-*")); err != nil || len(left) > 0 {
			t.Errorf("left: %v, %v", left, err)
		}
	}
}
