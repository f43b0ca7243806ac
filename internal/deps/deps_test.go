package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// source makes a tree with the npm folders of the real one, each with a package.json and a lock file.
func source(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	for _, dir := range npmFolders(true) {
		write(t, filepath.Join(root, dir, "package.json"), `{"name":"x"}`)
		write(t, filepath.Join(root, dir, "package-lock.json"), `{"lockfileVersion":3}`)
	}
	return root
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func all(string) bool { return true }

func allBut(names ...string) func(string) bool {
	return func(name string) bool { return !slices.Contains(names, name) }
}

func TestLookNamesEachMissingProgramAndFolder(t *testing.T) {
	t.Parallel()
	l, err := look(source(t), false, allBut("gcc", "unzip"))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := l.packages(), []string{"gcc", "libc6-dev", "unzip"}; !slices.Equal(got, want) {
		t.Errorf("packages %v, want %v", got, want)
	}
	if len(l.folders) != 3 {
		t.Errorf("%d folders, want the three that the tests need", len(l.folders))
	}
	l, err = look(source(t), true, all)
	if err != nil {
		t.Fatal(err)
	}
	if len(l.programs) != 0 || len(l.folders) != 4 {
		t.Errorf("with -bench: programs %v, %d folders; want none and 4", l.programs, len(l.folders))
	}
}

func TestLookOutsideTheSource(t *testing.T) {
	t.Parallel()
	err := run(t.Output(), t.TempDir(), false, true)
	if err == nil || !strings.Contains(err.Error(), "root of the source") {
		t.Errorf("got %v, want the way to run it", err)
	}
}

func TestFolderIsReadyOnlyAsItsLockFileSays(t *testing.T) {
	t.Parallel()
	steps := []struct {
		name  string
		do    func(t *testing.T, f npmFolder)
		ready bool
	}{
		{"nothing installed", func(*testing.T, npmFolder) {}, false},
		{"npm was interrupted", func(t *testing.T, f npmFolder) { write(t, f.dir+"/node_modules/a/index.js", "") }, false},
		{"installed", stamped, true},
		{"the lock file changed", func(t *testing.T, f npmFolder) { write(t, f.dir+"/package-lock.json", `{"lockfileVersion":4}`) }, false},
		{"installed again", stamped, true},
		{"package.json changed", func(t *testing.T, f npmFolder) { write(t, f.dir+"/package.json", `{"name":"y"}`) }, false},
		{"installed a third time", stamped, true},
		{"node_modules deleted", func(t *testing.T, f npmFolder) { _ = os.RemoveAll(f.dir + "/node_modules") }, false},
	}
	f := npmFolder{filepath.Join(source(t), "testdata", "npm")}
	for _, step := range steps {
		step.do(t, f)
		if ready, err := f.ready(); err != nil || ready != step.ready {
			t.Fatalf("%s: ready %v, %v; want %v", step.name, ready, err, step.ready)
		}
	}
}

// stamped does what follows a good end of npm.
func stamped(t *testing.T, f npmFolder) {
	t.Helper()
	if err := f.stamp(); err != nil {
		t.Fatal(err)
	}
}

func TestSecondRunDoesNothing(t *testing.T) {
	t.Parallel()
	root := source(t)
	for _, dir := range npmFolders(true) {
		f := npmFolder{filepath.Join(root, dir)}
		write(t, filepath.Join(f.dir, "node_modules", "a", "index.js"), "")
		stamped(t, f)
	}
	l, err := look(root, true, all)
	if err != nil || !l.none() {
		t.Errorf("still missing: %+v, %v", l, err)
	}
}

func TestInstaller(t *testing.T) {
	t.Parallel()
	yes, no := func() bool { return true }, func() bool { return false }
	tests := []struct {
		name string
		has  func(string) bool
		euid int
		sudo func() bool
		want string
	}{
		{"root", all, 0, no, "apt-get"},
		{"sudo without a password", all, 1000, yes, "sudo -n apt-get"},
		{"sudo that asks", all, 1000, no, ""},
		{"no sudo", allBut("sudo"), 1000, yes, ""},
		{"not Debian", allBut("apt-get"), 0, yes, ""},
		{"Windows, where there is no user id", allBut("apt-get", "sudo"), -1, no, ""},
	}
	for _, tt := range tests {
		if got := strings.Join(installer(tt.has, tt.euid, tt.sudo), " "); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestDescribeGivesCommandsToType(t *testing.T) {
	t.Parallel()
	l := lack{programs: programs()[:2], folders: []npmFolder{{"testdata/npm"}}}
	for _, tt := range []struct{ how, want string }{
		{"", "    sudo apt-get install -y "},
		{"apt-get", "    apt-get install -y "},
		{"sudo -n apt-get", "    sudo -n apt-get install -y "},
	} {
		text := l.describe(strings.Fields(tt.how))
		for _, want := range []string{tt.want, " git gcc libc6-dev\n", "(cd testdata/npm && npm ci --ignore-scripts"} {
			if !strings.Contains(text, want) {
				t.Errorf("installer %q: %q is not in\n%s", tt.how, want, text)
			}
		}
	}
}

// Lock files must install on every machine, whatever registry it uses, and give the same bytes everywhere.
func TestLockFilesArePinnedAndNameNoRegistry(t *testing.T) {
	t.Parallel()
	exact := regexp.MustCompile(`^\d+\.\d+\.\d+$`)
	for _, dir := range npmFolders(true) {
		dir = filepath.Join("..", "..", filepath.FromSlash(dir))
		var pkg struct{ Dependencies map[string]string }
		readJSON(t, filepath.Join(dir, "package.json"), &pkg)
		for name, version := range pkg.Dependencies {
			if !exact.MatchString(version) {
				t.Errorf("%s: %s is %q, not an exact version", dir, name, version)
			}
		}
		var lock struct {
			Packages map[string]struct{ Resolved, Integrity string }
		}
		readJSON(t, filepath.Join(dir, "package-lock.json"), &lock)
		for name, p := range lock.Packages {
			if p.Resolved != "" {
				t.Errorf("%s: %s names a registry; make the lock file with npm's omit-lockfile-registry-resolved", dir, name)
			}
			if name != "" && p.Integrity == "" {
				t.Errorf("%s: %s has no integrity digest", dir, name)
			}
		}
		if len(lock.Packages) <= len(pkg.Dependencies) {
			t.Errorf("%s: the lock file lists %d packages for %d dependencies", dir, len(lock.Packages), len(pkg.Dependencies))
		}
	}
}

func readJSON(t *testing.T, path string, v any) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, v); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}
