package paths

import (
	"io/fs"
	"os"
	"path/filepath"
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
