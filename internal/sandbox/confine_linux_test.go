package sandbox

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"satchel/internal/problem"
	"satchel/internal/sandbox/probe"
	"satchel/internal/sandbox/seatbelt"
	"satchel/internal/spec"
)

// TestCheckedGrants: what no system can hold a server to is refused on those that do not build a world for it either.
func TestCheckedGrants(t *testing.T) {
	dir := realTemp(t)
	write(t, filepath.Join(dir, "file"), "x")
	info, err := os.Stat(dir)
	if err != nil {
		t.Fatal(err)
	}
	dev, ino, ok := identity(info)
	if !ok || ino == 0 {
		t.Fatalf("%d, %d, %v", dev, ino, ok)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	secret := []spec.Protected{{Path: dir + "/keys", Secret: true}}
	for _, c := range []struct {
		file    spec.File
		protect []spec.Protected
		rule    string
	}{
		{file: spec.File{Path: dir}},
		{file: spec.File{Path: dir, Dev: dev, Ino: ino}},
		{file: spec.File{Path: dir, Write: true, Dev: dev, Ino: ino}, protect: []spec.Protected{{Path: dir + "/.git/hooks"}}},
		{file: spec.File{Path: dir}, protect: secret},
		{file: spec.File{Path: dir, Write: true}, protect: secret, rule: "sandbox/above-secrets"},
		{file: spec.File{Path: dir, Dev: dev, Ino: ino + 1}, rule: "sandbox/grant"},
		{file: spec.File{Path: dir, Dev: dev + 1, Ino: ino}, rule: "sandbox/grant"},
		{file: spec.File{Path: link, Dev: dev, Ino: ino}, rule: "sandbox/grant"}, // a link in the place of the folder
		{file: spec.File{Path: dir + "/gone", Ino: 1}, rule: "sandbox/grant"},
		{file: spec.File{Path: "/"}, rule: "sandbox/system-folder"},
		{file: spec.File{Path: dir + "/../x"}, rule: "sandbox/system-folder"},
		{file: spec.File{Path: "x"}, rule: "sandbox/system-folder"},
		{file: spec.File{Path: "/dev/disk0"}, rule: "sandbox/system-folder"},
	} {
		err := checked(Command{Sandbox: spec.Sandbox{Files: []spec.File{c.file}, Protect: c.protect}})
		p, _ := errors.AsType[*problem.Problem](err)
		if (c.rule == "") != (err == nil) || c.rule != "" && (p == nil || p.Rule != c.rule) {
			t.Errorf("%+v: %v", c.file, err)
		}
	}
}

// TestUnderSeatbelt: what macOS's rules are made from has no link in it, and every link on the way.
func TestUnderSeatbelt(t *testing.T) {
	dir := realTemp(t)
	write(t, filepath.Join(dir, "cellar/node"), "#!"+dir+"/bin/sh -x\n")
	write(t, filepath.Join(dir, "cellar/sh"), "")
	for name, to := range map[string]string{"bin": "opt", "own": "cellar", "opt/node": "../cellar/node", "opt/sh": dir + "/cellar/sh"} {
		if err := errors.Join(os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o755), os.Symlink(to, filepath.Join(dir, name))); err != nil {
			t.Fatal(err)
		}
	}
	c := Command{
		Sandbox: spec.Sandbox{Limits: spec.Limits{CPU: time.Millisecond}},
		Path:    dir + "/bin/node", Argv: []string{"node", "-x", `"`, ""}, Bundle: dir + "/bundle", Dir: dir + "/own", Runtime: []string{dir + "/cellar"},
	}
	s, err := c.seatbelt([]int{7})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{dir + "/cellar/node", dir + "/cellar/sh"}
	if got := slices.DeleteFunc(slices.Clone(s.Programs), func(name string) bool { return strings.HasPrefix(name, "/usr/") || strings.HasPrefix(name, "/lib") }); !slices.Equal(got, want) {
		t.Errorf("programs %q", s.Programs)
	}
	if s.Dir != dir+"/cellar" || s.Bundle != dir+"/bundle" || !slices.Equal(s.Runtime, []string{dir + "/cellar"}) {
		t.Errorf("folders %q, %q, %q", s.Dir, s.Bundle, s.Runtime)
	}
	if want := []string{dir + "/bin", dir + "/opt/node", dir + "/opt/sh", dir + "/own"}; !slices.Equal(s.Links, want) {
		t.Errorf("links %q", s.Links)
	}
	rules, err := seatbelt.Profile(s)
	if err != nil {
		t.Fatal(err)
	}
	o := c.underSeatbelt(rules)
	if want := []string{"/usr/bin/sandbox-exec", "-p", rules, dir + "/bin/node", "-x", `"`, ""}; !reflect.DeepEqual(o.Argv, want) || o.Files != defaultFiles || o.CPU != 1 {
		t.Errorf("%+v", o)
	}
	c.Path = dir + "/nowhere"
	if _, err := c.seatbelt(nil); err == nil {
		t.Error("a program that is not there")
	}
}

// TestAProbeWithoutItsGrantSaysSo: where nothing works, that nothing can be broken out of proves nothing.
func TestAProbeWithoutItsGrantSaysSo(t *testing.T) {
	s, err := newScene()
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	in, out, err := twoPipes()
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := s.command(self, in.r, out.w)
	c.Sandbox.Files = c.Sandbox.Files[1:]
	said, err := os.CreateTemp(t.TempDir(), "stderr")
	if err != nil {
		t.Fatal(err)
	}
	defer said.Close()
	c.Stderr = said
	p, err := NewLauncher().Start(context.Background(), c, nil)
	skipWithout(t, err)
	in.r.Close()
	out.w.Close()
	_, err = s.talk(in.w, out.r)
	in.w.Close()
	if code, _ := p.Wait(); code == 0 || err == nil {
		t.Errorf("code %d, %v", code, err)
	}
	text, _ := os.ReadFile(said.Name())
	if !strings.Contains(string(text), "what was granted does not work") {
		t.Errorf("it said %q", text)
	}
}

// TestWhatFailsOutsideProvesNothing, on the systems that nobody has run: only what worked without a sandbox and does not in
// one is enforced.
func TestWhatFailsOutsideProvesNothing(t *testing.T) {
	inside := []probe.Result{
		{Group: "g", Line: "held", Tried: true, Why: "no"}, {Group: "g", Line: "never", Tried: true, Why: "no"}, {Group: "g", Line: "new", Tried: true},
		{Group: "g", Line: "open", Tried: true, Open: true}, {Group: "g", Line: "none"},
	}
	outside := []probe.Result{
		{Group: "g", Line: "held", Tried: true, Open: true}, {Group: "g", Line: "never", Tried: true, Why: "no ground"}, {Group: "g", Line: "open", Tried: true},
	}
	r := reportOf(Seatbelt, inside)
	r.doubt(outside)
	want := map[string]State{"held": Enforced, "never": Untried, "new": Untried, "open": Open, "none": Untried}
	for _, l := range r.Lines {
		if l.State != want[l.Name] {
			t.Errorf("%s: %s: %s", l.Name, l.State, l.Why)
		}
	}
	if len(r.Lines) != len(want) || !strings.Contains(r.Lines[1].Why, "no ground") {
		t.Errorf("%+v", r.Lines)
	}
}
