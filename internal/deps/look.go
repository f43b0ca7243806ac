package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// A program that tests start, the Debian packages that bring it (one or more, by spaces), and what it is for.
type program struct{ name, debian, reason string }

// programs is everything outside Go and npm that the tests start.
func programs() []program {
	return []program{
		{"git", "git", "the list of our own files in make check"},
		{"gcc", "gcc libc6-dev", "the race detector"},
		{"node", "nodejs", "runs the servers of extensions, the reference implementation and the strict ZIP reader"},
		{"npm", "npm", "installs the programs that the tests run against"},
		{"python3", "python3", "reads our bundles with the zipfile module"},
		{"unzip", "unzip", "reads our bundles"},
		{"openssl", "openssl", "makes certificates, revocation lists and timestamps, and verifies our signatures"},
		{"zip", "zip", "makes bundles as authors do by hand"},
		{"bwrap", "bubblewrap", "the second way to a sandbox, where user namespaces are not to be had"},
		{"unshare", "util-linux", "simulates machines that refuse user namespaces"},
		{"dbus-daemon", "dbus-daemon", "a session's bus with a keychain on it, for the hostile extension"},
		{"7z", "p7zip-full", "makes bundles as authors do by hand"},
		{"curl", "curl", "goes through the proxy of a sandbox by HTTP and by SOCKS"},
		{"bsdtar", "libarchive-tools", "makes bundles as authors do by hand"},
	}
}

// npmFolders are the folders with a lock file, relative to the root of the source.
func npmFolders(bench bool) []string {
	dirs := []string{"testdata/npm", "examples/filesystem", "internal/scaffold/template/node"}
	if bench {
		dirs = append(dirs, "testdata/npm-bench")
	}
	return dirs
}

// A lack is what the tests need and the machine does not have.
type lack struct {
	programs []program
	folders  []npmFolder
}

// look compares the machine with what is needed. It changes nothing and asks nothing of the network.
func look(root string, bench bool, has func(program string) bool) (lack, error) {
	var l lack
	for _, p := range programs() {
		if !has(p.name) {
			l.programs = append(l.programs, p)
		}
	}
	for _, dir := range npmFolders(bench) {
		f := npmFolder{filepath.Join(root, filepath.FromSlash(dir))}
		ready, err := f.ready()
		if err != nil {
			return lack{}, err
		}
		if !ready {
			l.folders = append(l.folders, f)
		}
	}
	return l, nil
}

func (l lack) none() bool { return len(l.programs) == 0 && len(l.folders) == 0 }

func (l lack) packages() (names []string) {
	for _, p := range l.programs {
		names = append(names, strings.Fields(p.debian)...)
	}
	return names
}

// describe lists the lack and the commands that mend it. how is the beginning of an apt-get line, empty where there is none.
func (l lack) describe(how []string) string {
	var b strings.Builder
	for _, p := range l.programs {
		fmt.Fprintf(&b, "  %-8s %s (Debian: %s)\n", p.name, p.reason, p.debian)
	}
	if len(l.programs) > 0 {
		if len(how) == 0 {
			how = []string{"sudo", "apt-get"}
		}
		fmt.Fprintf(&b, "    %s\n", strings.Join(aptLine(how, l.packages()), " "))
	}
	for _, f := range l.folders {
		fmt.Fprintf(&b, "  npm packages of %s\n    (cd %s && %s)\n", f.dir, f.dir, strings.Join(npmLine(), " "))
	}
	return b.String()
}

// installer gives the beginning of an apt-get line that works here without a question, nil when there is none: no
// Debian, or neither root nor a sudo that asks for no password.
func installer(has func(program string) bool, euid int, sudo func() bool) []string {
	switch {
	case !has("apt-get"):
		return nil
	case euid == 0:
		return []string{"apt-get"}
	case has("sudo") && sudo():
		return []string{"sudo", "-n", "apt-get"}
	}
	return nil
}

func aptLine(how, packages []string) []string {
	// Another package manager may hold the lock for a while on a machine that has just started.
	line := append(how[:len(how):len(how)], "install", "-y", "-qq", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=120")
	return append(line, packages...)
}

// npmLine installs exactly what a lock file says. Nothing of the packages runs while they are installed.
func npmLine() []string {
	return []string{"npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"}
}

// An npmFolder has a package.json and a package-lock.json; npm puts its node_modules beside them.
type npmFolder struct{ dir string }

// ready tells whether node_modules is what the lock file says: its stamp, written after npm ended well, fits.
func (f npmFolder) ready() (bool, error) {
	want, err := f.digest()
	if err != nil {
		return false, err
	}
	got, err := os.ReadFile(f.stampFile())
	return err == nil && string(got) == want, nil
}

func (f npmFolder) stamp() error {
	digest, err := f.digest()
	if err != nil {
		return err
	}
	return os.WriteFile(f.stampFile(), []byte(digest), 0o644)
}

// stampFile lies inside node_modules, so that it goes when that is deleted; npm ci deletes it first.
func (f npmFolder) stampFile() string { return filepath.Join(f.dir, "node_modules", ".satchel-deps") }

// digest is over both files and the system, because npm leaves out packages that are for another one.
func (f npmFolder) digest() (string, error) {
	h := sha256.New()
	fmt.Fprintf(h, "%s/%s\n", runtime.GOOS, runtime.GOARCH)
	for _, name := range []string{"package.json", "package-lock.json"} {
		data, err := os.ReadFile(filepath.Join(f.dir, name))
		if err != nil {
			return "", err
		}
		h.Write(data)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
