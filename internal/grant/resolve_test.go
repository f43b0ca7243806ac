package grant

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"satchel/internal/paths"
	"satchel/internal/problem"
	"satchel/internal/spec"
)

// home makes a machine whose person has a home with some files: names that end with a slash are folders.
func home(t testing.TB, files ...string) Machine {
	t.Helper()
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(root, "ada")
	for _, f := range append(files, "ada/") {
		at := filepath.Join(root, f)
		if strings.HasSuffix(f, "/") {
			err = os.MkdirAll(at, 0o755)
		} else {
			err = errors.Join(os.MkdirAll(filepath.Dir(at), 0o755), os.WriteFile(at, []byte(f), 0o755))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	env := map[string]string{"PATH": filepath.Join(root, "bin") + string(filepath.ListSeparator) + "relative"}
	return Machine{OS: runtime.GOOS, Dir: root, User: paths.User{Home: dir, Documents: filepath.Join(dir, "Documents")},
		Own: []string{filepath.Join(dir, "own")}, Getenv: func(key string) string { return env[key] }}
}

func link(t testing.TB, m Machine, to, at string) {
	t.Helper()
	if err := os.Symlink(filepath.Join(m.Dir, to), filepath.Join(m.Dir, at)); err != nil {
		t.Fatal(err)
	}
}

// words makes a grant of words whose paths are below the machine's root.
func words(t testing.TB, m Machine, list ...string) Grant {
	t.Helper()
	items, err := ParseAll(list, m)
	if err != nil {
		t.Fatal(err)
	}
	return Of(items...)
}

func wantProblem(t *testing.T, what string, err error, rule, says string) {
	t.Helper()
	p, ok := errors.AsType[*problem.Problem](err)
	if !ok || p.Rule != rule || p.Hint == "" || p.Subject == "" || !strings.Contains(p.Error()+" "+p.Hint, says) {
		t.Errorf("%s: %v (%+v), want %s with %q", what, err, p, rule, says)
	}
}

func TestResolveAndSandbox(t *testing.T) {
	t.Parallel()
	m := home(t, "ada/notes/a", "ada/proj/.git/hooks/pre-commit", "ada/proj/.git/config", "ada/one", "bin/git")
	link(t, m, "ada/notes", "ada/link")
	if err := os.Mkdir(filepath.Join(m.Dir, "ada/proj/sub"), 0o755); err != nil {
		t.Fatal(err)
	}
	g, err := Resolve(words(t, m, "read:ada/link", "read:ada/one", "write:ada/proj", "read:ada/proj/sub", "run:git", "net:any", "net:tcp:db.example:5432", "port:80", "memory:512M"), m)
	if err != nil {
		t.Fatal(err)
	}
	if want := words(t, m, "read:ada/notes", "read:ada/one", "write:ada/proj", "read:ada/proj/sub", "run:git", "net:any", "net:tcp:db.example:5432", "port:80", "memory:512M"); !g.Equal(want) {
		t.Errorf("resolved: %q", g.Words())
	}
	box, notes, err := Sandbox(g, "local/x", m)
	if err != nil || len(notes) != 0 {
		t.Fatalf("%v, %v", notes, err)
	}
	at := func(name string) string { return filepath.Join(m.Dir, name) }
	var files []string
	for _, f := range box.Files {
		info, err := os.Stat(f.Path)
		if err != nil {
			t.Fatal(err)
		}
		if dev, ino := identity(info); f.Dev != dev || f.Ino != ino {
			t.Errorf("%s is %d:%d, want %d:%d", f.Path, f.Dev, f.Ino, dev, ino)
		}
		files = append(files, fmt.Sprint(f.Path, f.Write))
	}
	// What is below a folder to write to needs no mount of its own, which would take the writing away.
	if want := []string{fmt.Sprint(at("ada/notes"), false), fmt.Sprint(at("ada/one"), false), fmt.Sprint(at("ada/proj"), true)}; !slices.Equal(files, want) {
		t.Errorf("files %q, want %q", files, want)
	}
	for path, kind := range map[string]string{"ada/.ssh": "secret", "ada/own": "secret", "ada/.bashrc": "starts", "ada/proj/.git/hooks": "starts", "ada/proj/.git/config": "starts", "bin": "starts"} {
		if have := protects(box.Protect, at(path)); have != kind {
			t.Errorf("%s is %q, want %s", path, have, kind)
		}
	}
	if n := box.Net; !n.Any || len(n.Hosts) != 1 || n.Hosts[0] != (spec.Host{Name: "db.example", Port: 5432, Raw: true}) || !slices.Equal(n.Ports, []int{80}) {
		t.Errorf("net %+v", n)
	}
	if want := (spec.Limits{Memory: 512 << 20, Temp: 256 << 20, Processes: 256, Files: 4096}); box.Limits != want {
		t.Errorf("limits %+v", box.Limits)
	}
	if box.Programs.Any || !slices.Equal(box.Programs.Paths, []string{at("bin/git")}) {
		t.Errorf("programs %+v", box.Programs)
	}
	box, _, err = Sandbox(of(t, "cpu:1m", "run:any", "clipboard", "secret:k"), "local/x", m)
	if err != nil || box.Limits.CPU != time.Minute || !box.Programs.Any || len(box.Files)+len(box.Protect) != 0 || !box.Net.None() {
		t.Errorf("%+v, %v", box, err)
	}
}

func TestResolveRefuses(t *testing.T) {
	t.Parallel()
	m := home(t, "ada/notes/a", "ada/.ssh/id_rsa", "ada/.config/gh/hosts.yml", "ada/proj/x", "ada/dotfiles/bashrc", "ada/dotfiles/ssh/id", "other/x", "ada/own/store",
		"bin/tool", "ada/w/tool", "bin/plain", "ada/linked/.vscode/x", "ada/worktree/.git")
	link(t, m, "ada/.ssh", "ada/notes/ssh")
	link(t, m, "ada/.ssh/id_rsa", "ada/key")
	link(t, m, "ada/dotfiles/bashrc", "ada/.bashrc")
	link(t, m, "ada/dotfiles/ssh", "ada/.gnupg")
	link(t, m, "/", "ada/root")
	link(t, m, "nowhere", "ada/broken")
	link(t, m, "ada/loop", "ada/loop")
	link(t, m, "ada/linked/.vscode", "ada/proj/.vscode")
	link(t, m, "bin/tool", "ada/w/evil")
	link(t, m, "ada/w/evil", "bin/through")
	if err := errors.Join(os.Remove(filepath.Join(m.Dir, "ada/root")), os.Symlink("/", filepath.Join(m.Dir, "ada/root")),
		os.Chmod(filepath.Join(m.Dir, "bin/plain"), 0o644)); err != nil {
		t.Fatal(err)
	}
	sock, err := net.Listen("unix", filepath.Join(m.Dir, "ada", "s"))
	if err != nil {
		t.Fatal(err)
	}
	defer sock.Close()
	for _, c := range []struct{ grant, rule, says string }{
		{"read:/", "grant/protected", "whole machine"},
		{"read:/proc/self", "grant/protected", "made by the system"},
		{"read:" + m.Dir, "grant/protected", "homes of all users"},
		{"write:ada", "grant/protected", "has secrets in it"},
		{"read:ada/.ssh", "grant/protected", "no extension gets it"},
		{"read:ada/own/store", "grant/protected", "no extension gets it"},
		{"write:ada/.config", "grant/protected", "has secrets in it"},
		{"read:ada/nowhere", "grant/missing", "is not there"},
		{"read:ada/broken", "grant/missing", "is not there"},
		{"read:ada/loop", "grant/path", "cannot be looked at"},
		{"read:ada/notes/a/x", "grant/path", "cannot be looked at"},
		{"read:ada/notes/ssh", "grant/protected", "leads to"},
		{"read:ada/key", "grant/protected", "leads to"},
		{"read:ada/root", "grant/protected", "leads to /"},
		{"read:ada/root/proc", "grant/protected", "leads to /proc"},
		{"read:ada/s", "grant/kind", "neither a folder nor"},
		// Where protected places really are.
		{"write:ada/dotfiles/bashrc", "grant/protected", "programs start"},
		{"write:ada/dotfiles", "grant/protected", "has secrets in it"},
		{"read:ada/dotfiles/ssh", "grant/protected", "no extension gets it"},
		{"write:bin", "grant/protected", "programs start"},
		{"run:nothing", "grant/program", "not in PATH"},
		{"run:plain", "grant/program", "not in PATH"},
		{"run:" + m.Dir + "/bin/plain", "grant/program", "is no program"},
		{"run:" + m.Dir + "/bin", "grant/program", "is no program"},
		{"run:ada/w/tool write:ada/w", "grant/program-writable", "any program"},
		{"run:through write:ada/w", "grant/program-writable", "any program"},
		{"run:ada/.ssh/id_rsa", "grant/protected", "protected place"},
	} {
		_, err := Resolve(words(t, m, strings.Fields(c.grant)...), m)
		wantProblem(t, c.grant, err, c.rule, c.says)
	}
	if _, err := Resolve(words(t, m, "run:through", "read:ada/w", "read:ada/dotfiles/bashrc", "read:ada/linked"), m); err != nil {
		t.Errorf("what may be granted: %v", err)
	}
	if _, _, err := Sandbox(words(t, m, "write:ada/proj"), "local/x", m); err == nil {
		t.Error("a link in place of editor settings was taken")
	} else {
		wantProblem(t, "a link", err, "grant/protected-link", "could be exchanged")
	}
	var many Grant
	for n := range 10_000 {
		many.Files = append(many.Files, File{Path: fmt.Sprintf("/srv/%d", n)})
	}
	if _, err := Resolve(many, m); problem.CodeOf(err) != problem.Refused {
		t.Errorf("10,000 files: %v", err)
	}
	for _, path := range []string{"relative", "/a/../b", "/a\x00b", "", "/a/"} { // from a record, not from Parse
		if _, _, err := Sandbox(Grant{Files: []File{{Path: path}}}, "local/x", m); problem.CodeOf(err) != problem.Refused {
			t.Errorf("%q: %v", path, err)
		}
	}
}

// A grant is for what was there when it was agreed to.
func TestSandboxRefusesWhatChanged(t *testing.T) {
	t.Parallel()
	m := home(t, "ada/notes/a", "ada/notes2/a", "ada/gone/a", "ada/same/a", "ada/.ssh/id")
	at := func(name string) string { return filepath.Join(m.Dir, "ada", name) }
	resolved := func(name string) Grant {
		g, err := Resolve(words(t, m, "read:ada/"+name), m)
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	notes, gone, same := resolved("notes"), resolved("gone"), resolved("same")
	if err := errors.Join(os.RemoveAll(at("gone")), os.WriteFile(at("same/new"), nil, 0o644), os.Chmod(at("same"), 0o700)); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Sandbox(same, "local/x", m); err != nil {
		t.Errorf("a folder with another file in it: %v", err)
	}
	_, _, err := Sandbox(gone, "local/x", m)
	wantProblem(t, "gone", err, "grant/missing", "satchel permissions local/x --revoke read:"+at("gone"))
	if err := os.Rename(at("notes"), at("old")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(at("notes2"), at("notes")); err != nil {
		t.Fatal(err)
	}
	_, _, err = Sandbox(notes, "local/x", m)
	wantProblem(t, "a link in its place", err, "grant/changed", "satchel permissions local/x --grant read:"+at("notes"))
	wantProblem(t, "a link in its place", err, "grant/changed", "leads to "+at("notes2"))
	if err := errors.Join(os.Remove(at("notes")), os.Symlink(at(".ssh"), at("notes"))); err != nil {
		t.Fatal(err)
	}
	_, _, err = Sandbox(notes, "local/x", m)
	wantProblem(t, "a link to secrets", err, "grant/protected", "leads to")
	if err := errors.Join(os.Remove(at("notes")), os.Rename(at("notes2"), at("notes"))); err != nil {
		t.Fatal(err)
	}
	if !lastingInodes(m.Dir) {
		t.Skip("skipped: the file system of the temporary folder does not keep inodes, so another folder is not told apart")
	}
	_, _, err = Sandbox(notes, "local/x", m)
	wantProblem(t, "another folder", err, "grant/changed", "is another one now")
	// Agreeing to something else does not agree to that.
	_, err = Resolve(notes.With(words(t, m, "read:ada/same").Items()...), m)
	wantProblem(t, "beside something else", err, "grant/changed", "if that is meant: --grant read:"+at("notes"))
	again, err := Resolve(notes.With(words(t, m, "read:ada/notes", "read:ada/same").Items()...), m)
	if err != nil {
		t.Errorf("named again: %v", err)
	} else if _, _, err := Sandbox(again, "local/x", m); err != nil {
		t.Errorf("named again: %v", err)
	}
	if g := resolved("notes"); g.Files[0].Inode == notes.Files[0].Inode || g.Files[0].Inode == 0 {
		t.Errorf("agreed to again: %+v", g)
	}
}

func TestFilesOfOthersAreRefused(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" || os.Geteuid() != 0 {
		t.Skip("skipped: only root can give a folder away")
	}
	m := home(t, "ada/shared/a", "ada/nobodys/a")
	for name, uid := range map[string]int{"shared": 12345, "nobodys": 65534} {
		if err := os.Chown(filepath.Join(m.Dir, "ada", name), uid, uid); err != nil {
			t.Fatal(err)
		}
	}
	_, err := Resolve(words(t, m, "read:ada/shared"), m)
	wantProblem(t, "another user's", err, "grant/owner", "another user")
	if _, err := Resolve(words(t, m, "read:ada/nobodys"), m); err != nil { // how root is seen in a user namespace
		t.Errorf("nobody's: %v", err)
	}
}

// A second name of a folder is the folder.
func TestProtectedUnderAnotherName(t *testing.T) {
	t.Parallel()
	m := home(t, "ada/notes/a", "ada/.netrc")
	if err := os.Link(filepath.Join(m.Dir, "ada/.netrc"), filepath.Join(m.Dir, "ada/notes/innocent")); err != nil {
		t.Fatal(err)
	}
	_, err := Resolve(words(t, m, "read:ada/notes/innocent"), m)
	wantProblem(t, "a hard link", err, "grant/protected", "under another name")
}

// A home that is a link, as on systems where /home is one, is protected under both names.
func TestALinkedHome(t *testing.T) {
	t.Parallel()
	m := home(t, "real/home/ada/.ssh/id", "real/home/ada/notes/a", "real/own/x")
	link(t, m, "real/home", "home")
	at := func(name string) string { return filepath.Join(m.Dir, name) }
	env := map[string]string{"HOME": at("home/ada"), "USERPROFILE": at("home/ada")}
	here := Here(paths.Home{Data: at("home/../real/own"), Config: at("home/ada/.config/satchel")}, m.Dir, func(key string) string { return env[key] })
	if here.User.Home != at("real/home/ada") || here.User.Documents != at("real/home/ada/Documents") {
		t.Errorf("here is %+v", here.User)
	}
	if !slices.Equal(here.Own, []string{at("real/own"), at("real/home/ada/.config/satchel")}) {
		t.Errorf("our folders are %q", here.Own)
	}
	asTyped := here
	asTyped.User.Home = at("home/ada")
	for _, m := range []Machine{here, asTyped} {
		for _, word := range []string{"read:home/ada/.ssh", "read:real/home/ada/.ssh/id", "write:home/ada", "write:real/home/ada", "read:real/own"} {
			if _, err := Resolve(words(t, m, word), m); problem.CodeOf(err) != problem.Refused {
				t.Errorf("home %s: %s: %v", m.User.Home, word, err)
			}
		}
		g, err := Resolve(words(t, m, "read:~/notes"), m)
		if err != nil || g.Files[0].Path != at("real/home/ada/notes") {
			t.Errorf("%+v, %v", g, err)
		}
	}
	g, err := Resolve(words(t, here, "read:home/ada"), here)
	if risks := Risks(g, Grant{}, here); err != nil || len(risks) == 0 || risks[0].Level != spec.High {
		t.Errorf("%+v, %v", risks, err)
	}
}

func BenchmarkSandbox(b *testing.B) {
	m := home(b, "ada/notes/a", "ada/proj/a")
	g, err := Resolve(words(b, m, "read:ada/notes", "write:ada/proj"), m)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, _, err := Sandbox(g, "local/x", m); err != nil {
			b.Fatal(err)
		}
	}
}
