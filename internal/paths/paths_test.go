package paths

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"satchel/internal/problem"
)

func env(pairs ...string) func(string) string {
	m := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	return func(k string) string { return m[k] }
}

func TestFind(t *testing.T) {
	cases := []struct {
		name, goos string
		getenv     func(string) string
		want       Home
	}{
		{"linux", "linux", env("HOME", "/home/ada"), Home{Data: "/home/ada/.local/share/satchel", Config: "/home/ada/.config/satchel", Cache: "/home/ada/.cache/satchel"}},
		{"xdg", "linux", env("HOME", "/home/ada", "XDG_DATA_HOME", "/x", "XDG_CACHE_HOME", "relative"), Home{Data: "/x/satchel", Config: "/home/ada/.config/satchel", Cache: "/home/ada/.cache/satchel"}},
		{"macOS", "darwin", env("HOME", "/Users/ada", "XDG_DATA_HOME", "/x"), Home{Data: "/Users/ada/Library/Application Support/Satchel", Config: "/Users/ada/Library/Application Support/Satchel", Cache: "/Users/ada/Library/Caches/Satchel"}},
		{"Windows", "windows", env("LOCALAPPDATA", `C:\Users\ada\AppData\Local`), Home{Data: `C:\Users\ada\AppData\Local\Satchel`, Config: `C:\Users\ada\AppData\Local\Satchel\config`, Cache: `C:\Users\ada\AppData\Local\Satchel\cache`}},
		{"moved", "linux", env("HOME", "/home/ada", "SATCHEL_HOME", "/srv/s"), Home{Data: "/srv/s", Config: "/srv/s/config", Cache: "/srv/s/cache", own: true}},
	}
	for _, c := range cases {
		got, err := Find(c.goos, c.getenv)
		if err != nil || got != c.want {
			t.Errorf("%s: got %+v, %v; want %+v", c.name, got, err, c.want)
		}
	}
	for name, getenv := range map[string]func(string) string{"no home": env(), "relative SATCHEL_HOME": env("HOME", "/h", "SATCHEL_HOME", "x")} {
		if _, err := Find("linux", getenv); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestFindUser(t *testing.T) {
	none := func(string) ([]byte, error) { return nil, fs.ErrNotExist }
	dirs := func(name string) ([]byte, error) {
		if name != "/home/ada/.config/user-dirs.dirs" {
			return nil, fs.ErrNotExist
		}
		return []byte("# comment\nXDG_DESKTOP_DIR=\"$HOME/Schreibtisch\"\nXDG_DOCUMENTS_DIR=\"/srv/docs/\"\nXDG_DOWNLOAD_DIR=\"relative\"\n"), nil
	}
	cases := []struct {
		goos   string
		getenv func(string) string
		read   func(string) ([]byte, error)
		want   User
	}{
		{"linux", env("HOME", "/home/ada"), none, User{"/home/ada", "/home/ada/Desktop", "/home/ada/Documents", "/home/ada/Downloads", "/tmp"}},
		{"linux", env("HOME", "/home/ada", "TMPDIR", "/t"), dirs, User{"/home/ada", "/home/ada/Schreibtisch", "/srv/docs", "/home/ada/Downloads", "/t"}},
		{"darwin", env("HOME", "/Users/ada", "TMPDIR", "/var/t"), dirs, User{"/Users/ada", "/Users/ada/Desktop", "/Users/ada/Documents", "/Users/ada/Downloads", "/var/t"}},
		{"windows", env("USERPROFILE", `C:\Users\ada`, "TEMP", `C:\T`), none, User{`C:\Users\ada`, `C:\Users\ada\Desktop`, `C:\Users\ada\Documents`, `C:\Users\ada\Downloads`, `C:\T`}},
	}
	for _, c := range cases {
		if got := FindUser(c.goos, c.getenv, c.read); got != c.want {
			t.Errorf("%s: got %+v, want %+v", c.goos, got, c.want)
		}
	}
}

func TestAForeignOrOpenHomeIsRefused(t *testing.T) {
	dir := t.TempDir()
	home := Home{Data: dir, own: true}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := home.Ensure(); problem.CodeOf(err) != problem.Refused {
		t.Errorf("a home with mode 0755: %v", err)
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := home.Ensure(); err != nil {
		t.Errorf("a private home: %v", err)
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	if err := (Home{Data: link, own: true}).Ensure(); problem.CodeOf(err) != problem.Refused {
		t.Errorf("a link to a home: %v", err)
	}
	if os.Geteuid() != 0 {
		t.Log("a foreign home is tried by root only: another user's folder cannot be made otherwise")
		return
	}
	if err := os.Chown(dir, 65534, 65534); err != nil {
		t.Fatal(err)
	}
	if err := home.Ensure(); problem.CodeOf(err) != problem.Refused {
		t.Errorf("a home of another user: %v", err)
	}
}

func TestEnsureMakesPrivateFolders(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	if err := (Home{Data: dir, own: true}).Ensure(); err != nil {
		t.Fatal(err)
	}
	if info, _ := os.Stat(dir); info.Mode().Perm() != 0o700 {
		t.Errorf("mode %v, want 0700", info.Mode())
	}
}

// made makes folders below a new one, each with its mode: "a/b 0777" and so on.
func made(t *testing.T, folders ...string) string {
	t.Helper()
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range folders {
		name, octal, _ := strings.Cut(f, " ")
		mode, err := strconv.ParseUint(octal, 8, 32)
		if err != nil {
			t.Fatal(err)
		}
		perm := fs.FileMode(mode & 0o777)
		if mode&0o1000 != 0 {
			perm |= fs.ModeSticky
		}
		if err := errors.Join(os.MkdirAll(filepath.Join(root, name), 0o755), os.Chmod(filepath.Join(root, name), perm)); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// Every folder of ours is looked at, in whatever way its place was found, and those above it.
func TestFoldersThatOthersCouldChangeAreRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		folders []string
		refused string // what; "" for nothing
	}{
		{"as it is made", nil, ""},
		{"that others can read", []string{"a/data 0755", "a/cache 0755"}, ""},
		{"that others can write to", []string{"a/data 0777"}, "a/data"},
		{"that a group can write to", []string{"a/data 0775"}, "a/data"},
		{"a cache that others can write to", []string{"a/cache 0777"}, "a/cache"},
		{"settings that others can write to", []string{"a/config 0777"}, "a/config"},
		{"in a folder that others can write to", []string{"a 0777"}, "a"},
		{"in one that is there for long", []string{"a/data 0700", "a 0777"}, "a"},
		{"in a folder like /tmp", []string{"a 1777"}, ""},
		{"far below one that others can write to", []string{"a/b 0755", "a 0777"}, "a"},
	} {
		root := made(t, c.folders...)
		at := func(name string) string { return filepath.Join(root, name) }
		err := Home{Data: at("a/data"), Config: at("a/config"), Cache: at("a/cache")}.Ensure()
		if c.refused == "" {
			if err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
			continue
		}
		p, ok := errors.AsType[*problem.Problem](err)
		if !ok || p.Code != problem.Refused || p.Rule != "paths/home-owner" || p.Subject != at(c.refused) || p.Hint == "" {
			t.Errorf("%s: %v (%+v), want %s refused", c.name, err, p, c.refused)
		}
		if entries, _ := os.ReadDir(at("a")); c.refused == "a" && len(entries) > len(c.folders)-1 {
			t.Errorf("%s: something was made: %v", c.name, entries)
		}
	}
}

// A folder that is moved to a larger disk by a link is fine, when the place that it leads to is.
func TestALinkedHome(t *testing.T) {
	t.Parallel()
	root := made(t, "disk/data 0700", "open/data 0700", "open 0777", "home 0755")
	for to, good := range map[string]bool{"disk": true, "open": false} {
		link := filepath.Join(root, "home", to)
		if err := os.Symlink(filepath.Join(root, to, "data"), link); err != nil {
			t.Fatal(err)
		}
		if err := (Home{Data: link}).Ensure(); (err == nil) != good {
			t.Errorf("to %s: %v", to, err)
		}
	}
}

func TestOwnersOfTheFoldersAbove(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("skipped: only root can give folders away")
	}
	for _, c := range []struct {
		mode     string
		uid, gid int
		refused  bool
	}{
		{"0755", 12345, 12345, true},
		{"1777", 12345, 12345, true},
		{"0777", 65534, 65534, true},
		{"0755", 65534, 65534, false}, // how root is seen in a user namespace
		{"0775", 0, 12345, true},
		{"0775", 0, 0, false},
	} {
		root := made(t, "a "+c.mode)
		a := filepath.Join(root, "a")
		if err := os.Chown(a, c.uid, c.gid); err != nil {
			t.Fatal(err)
		}
		if c.mode == "1777" {
			if err := os.Chmod(a, 0o777|fs.ModeSticky); err != nil {
				t.Fatal(err)
			}
		}
		if err := (Home{Data: filepath.Join(a, "data")}).Ensure(); (problem.CodeOf(err) == problem.Refused) != c.refused {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// The hint never breaks a machine: SATCHEL_HOME may be any folder, such as /tmp.
func TestTheHintIsSafe(t *testing.T) {
	t.Parallel()
	root := made(t, "tmp 1777", "etc 0755", "ours/extensions 0700", "ours 0755")
	for name, chmod := range map[string]bool{"tmp": false, "etc": false, "ours": true} {
		dir := filepath.Join(root, name)
		err := Home{Data: dir, own: true}.Ensure()
		p, ok := errors.AsType[*problem.Problem](err)
		if !ok || p.Code != problem.Refused || p.Hint == "" || strings.Contains(p.Hint, "chmod") != chmod {
			t.Errorf("%s: %v (%+v)", name, err, p)
		}
	}
}
