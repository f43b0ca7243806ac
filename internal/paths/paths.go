// Package paths knows where everything lives: Satchel's own folders and the person's.
//
// [Find] is a pure function of the environment and the system's name, so that golden tests on one system cover all of
// them; [Home.Ensure] makes the folders and refuses a home that is not the caller's alone.
package paths

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"satchel/internal/problem"
)

// A Home is where Satchel keeps things. The folders may not exist yet.
type Home struct {
	Data   string // extensions, their folders, records
	Config string // the person's settings
	Cache  string // what may be deleted at any time
	own    bool   // set by SATCHEL_HOME: it must be the caller's alone
}

// Extensions is where the installed versions are.
func (h Home) Extensions() string { return filepath.Join(h.Data, "extensions") }

// ExtensionData is where the extensions' own folders are.
func (h Home) ExtensionData() string { return filepath.Join(h.Data, "data") }

// Staging is where installations are made ready.
func (h Home) Staging() string { return filepath.Join(h.Data, "staging") }

// Find gives the folders of a system (a GOOS): XDG on Linux and the like, ~/Library on macOS, %LOCALAPPDATA% on
// Windows. SATCHEL_HOME moves them all. XDG values that are no absolute path are ignored, as the XDG Base Directory
// Specification says.
func Find(goos string, getenv func(string) string) (Home, error) {
	if home := getenv("SATCHEL_HOME"); home != "" {
		if !isAbs(goos, home) {
			return Home{}, problem.New(problem.Usage, "paths/home", "SATCHEL_HOME is not an absolute path").At(home)
		}
		return Home{Data: home, Config: join(goos, home, "config"), Cache: join(goos, home, "cache"), own: true}, nil
	}
	if goos == "windows" {
		local := getenv("LOCALAPPDATA")
		if local == "" {
			return Home{}, noHome("LOCALAPPDATA")
		}
		base := join(goos, local, "Satchel")
		return Home{Data: base, Config: join(goos, base, "config"), Cache: join(goos, base, "cache")}, nil
	}
	home := getenv("HOME")
	if !isAbs(goos, home) {
		return Home{}, noHome("HOME")
	}
	if goos == "darwin" {
		base := join(goos, home, "Library", "Application Support", "Satchel")
		return Home{Data: base, Config: base, Cache: join(goos, home, "Library", "Caches", "Satchel")}, nil
	}
	xdg := func(key, def string) string {
		if v := getenv(key); isAbs(goos, v) {
			return join(goos, v, "satchel")
		}
		return join(goos, home, def, "satchel")
	}
	return Home{Data: xdg("XDG_DATA_HOME", ".local/share"), Config: xdg("XDG_CONFIG_HOME", ".config"), Cache: xdg("XDG_CACHE_HOME", ".cache")}, nil
}

func noHome(key string) error {
	return problem.New(problem.Failed, "paths/home", "%s is not set: there is no place to keep things", key).Try("set SATCHEL_HOME to a folder of your own")
}

// Ensure makes the data folder, for the caller alone. A home that SATCHEL_HOME names is refused when it belongs to
// another user or others can enter it: they could plant extensions in it. On Windows the check is not made: a folder
// below a user's profile is private there by inheritance.
func (h Home) Ensure() error {
	if err := os.MkdirAll(h.Data, 0o700); err != nil {
		return problem.New(problem.Failed, "paths/home", "cannot be made").At(h.Data).Because(err)
	}
	if !h.own {
		return nil
	}
	info, err := os.Lstat(h.Data)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !info.IsDir() {
		return refuseHome(h.Data, "is not a folder")
	}
	if err != nil {
		return problem.New(problem.Failed, "paths/home", "cannot be looked at").At(h.Data).Because(err)
	}
	if why := notPrivate(info); why != "" {
		return refuseHome(h.Data, why)
	}
	return nil
}

func refuseHome(dir, why string) error {
	return problem.New(problem.Refused, "paths/home-owner", "%s: another user could plant extensions in it", why).At(dir).
		From("docs/security.md").Try("chmod 700 %s, or choose a folder of your own", dir)
}
