package paths

import (
	"os"
	"path/filepath"
	"strings"
)

// A User is the person's own folders, as the variables ${HOME}, ${DESKTOP} and so on name them. They may not exist.
type User struct {
	Home, Desktop, Documents, Downloads, Temp string
}

// FindUser gives the person's folders of a system (a GOOS). On Linux the desktop's own settings count
// (user-dirs.dirs of xdg-user-dirs), which readFile gives; pass os.ReadFile.
func FindUser(goos string, getenv func(string) string, readFile func(string) ([]byte, error)) User {
	home := getenv("HOME")
	if goos == "windows" {
		home = getenv("USERPROFILE")
	}
	u := User{Home: home, Desktop: join(goos, home, "Desktop"), Documents: join(goos, home, "Documents"), Downloads: join(goos, home, "Downloads")}
	switch goos {
	case "windows":
		u.Temp = getenv("TEMP")
	default:
		if u.Temp = getenv("TMPDIR"); !isAbs(goos, u.Temp) {
			u.Temp = "/tmp"
		}
	}
	if goos != "windows" && goos != "darwin" {
		u.readXDG(getenv, readFile)
	}
	return u
}

// readXDG reads lines such as XDG_DESKTOP_DIR="$HOME/Schreibtisch".
func (u *User) readXDG(getenv func(string) string, readFile func(string) ([]byte, error)) {
	config := getenv("XDG_CONFIG_HOME")
	if !filepath.IsAbs(config) {
		config = filepath.Join(u.Home, ".config")
	}
	data, err := readFile(filepath.Join(config, "user-dirs.dirs"))
	if err != nil {
		return // without the file the usual names hold
	}
	dirs := map[string]*string{"XDG_DESKTOP_DIR": &u.Desktop, "XDG_DOCUMENTS_DIR": &u.Documents, "XDG_DOWNLOAD_DIR": &u.Downloads}
	for line := range strings.Lines(string(data)) {
		key, val, ok := strings.Cut(strings.TrimSpace(line), "=")
		val = strings.Trim(val, `"`)
		if to := dirs[key]; ok && to != nil {
			if rest, found := strings.CutPrefix(val, "$HOME"); found {
				val = u.Home + rest
			}
			if filepath.IsAbs(val) {
				*to = filepath.Clean(val)
			}
		}
	}
}

// Real gives the folders of this machine's user.
func Real(goos string, getenv func(string) string) User { return FindUser(goos, getenv, os.ReadFile) }
