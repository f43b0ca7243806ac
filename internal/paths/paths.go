// Package paths knows where everything lives: Satchel's own folders and the person's.
//
// [Find] is a pure function of the environment and the system's name, so that golden tests on one system cover all of
// them; [Home.Ensure] makes the folders and refuses those that another user could change or exchange.
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

// Activity is where what servers did is recorded.
func (h Home) Activity() string { return filepath.Join(h.Data, "activity") }

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

// Ensure makes the folders for data and cache, for the caller alone, and refuses what another user could change or
// exchange: see [Own]. A home that SATCHEL_HOME names must be closed to others altogether (mode 0700), and no link.
func (h Home) Ensure() error {
	if err := checkAbove(h.Data); err != nil {
		return err
	}
	if err := os.MkdirAll(h.Data, 0o700); err != nil {
		return problem.New(problem.Failed, "paths/home", "cannot be made").At(h.Data).Because(err).Try("set SATCHEL_HOME to a folder of your own")
	}
	if err := h.checkNamed(); err != nil {
		return err
	}
	if h.Cache != "" && checkAbove(h.Cache) == nil {
		_ = os.MkdirAll(h.Cache, 0o700) // what cannot be made is not used
	}
	for _, dir := range []string{h.Data, h.Config, h.Cache} {
		if dir == "" {
			continue
		}
		if err := Own(dir); err != nil {
			return err
		}
	}
	return nil
}

// checkNamed holds the home that SATCHEL_HOME names to more: its name says nothing about what it is for.
func (h Home) checkNamed() error {
	if !h.own {
		return nil
	}
	info, err := os.Lstat(h.Data)
	if err != nil {
		return problem.New(problem.Failed, "paths/home", "cannot be looked at").At(h.Data).Because(err)
	}
	if !info.IsDir() {
		return refuse(h.Data, "is not a folder").Try("%s", another)
	}
	why := notOurs(info, 0o077)
	if why == "" {
		return nil
	}
	p := refuse(h.Data, why)
	if _, err := os.Stat(h.Extensions()); err != nil || !mine(info) {
		return p.Try("%s", another) // it may be any folder, such as /tmp: chmod would break what uses it
	}
	return p.Try("see that nobody put anything into it, then: chmod 700 %s", h.Data)
}

const another = "set SATCHEL_HOME to a folder that does not exist yet: it is made for you alone"

// Own refuses a folder of ours that belongs to another user or that others can write to, and one that lies in a folder
// whose entries others can exchange: one of another user but root, or one that others can write to and that has no
// sticky bit. A group counts as others unless it is root's or has the caller's own name and id, as private groups do.
// The rule for the folders above is OpenSSH's StrictModes, but for the sticky bit and such groups. A folder that is not
// there is fine. On Windows nothing is checked: a folder below a user's profile is private there by inheritance.
func Own(dir string) error {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return checkAbove(dir)
	case err != nil:
		return problem.New(problem.Failed, "paths/home", "cannot be looked at").At(dir).Because(err)
	case !info.IsDir():
		return refuse(dir, "is not a folder").Try("see what it is, and move it away")
	}
	if why := notOurs(info, 0o022); why != "" {
		p := refuse(dir, why).Try("%s", another)
		if mine(info) { // its name says that it is ours alone
			p = p.Try("see that nobody put anything into it, then: chmod 700 %s", dir)
		}
		return p
	}
	if err := checkAbove(dir); err != nil {
		return err
	}
	real, err := filepath.EvalSymlinks(dir)
	if err != nil || real == dir {
		return err
	}
	return checkAbove(real)
}

// checkAbove looks at the folders above dir that are there.
func checkAbove(dir string) error {
	for above := filepath.Dir(dir); ; above = filepath.Dir(above) {
		if info, err := os.Stat(above); err == nil {
			if why := exchangeable(info); why != "" {
				return problem.New(problem.Refused, "paths/home-owner", "%s: another user could exchange %s in it", why, dir).At(above).
					From("docs/security.md").Try("%s, where only you can write", another)
			}
		}
		if above == filepath.Dir(above) {
			return nil
		}
	}
}

func refuse(dir, why string) *problem.Problem {
	return problem.New(problem.Refused, "paths/home-owner", "%s: another user could plant extensions in it, or say whom to trust", why).At(dir).From("docs/security.md")
}
