package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"satchel/internal/problem"
	"satchel/internal/spec"
)

// newHome makes a home to learn in, with secrets there and not there yet, and a server's folder in a hidden place.
func newHome(t *testing.T) (home string, c Command) {
	w, c := newWanting(t)
	home = w.base
	for _, name := range []string{".ssh/id", ".config/app/token", ".config/other/conf", "docs/a", "docs/b", "odd, name:x/file", ".own/store/data/kept", ".own/bundle/file"} {
		write(t, filepath.Join(home, name), "text of "+name+"\n")
	}
	if err := os.Symlink(".ssh", filepath.Join(home, "to-ssh")); err != nil {
		t.Fatal(err)
	}
	c.Dir, c.Bundle, c.Learn = home+"/.own/store/data", home+"/.own/bundle", []string{home}
	c.Sandbox.Files = []spec.File{{Path: home + "/read"}, {Path: home + "/write", Write: true}}
	c.Sandbox.Protect = []spec.Protected{{Path: home + "/.bashrc"}}
	for _, name := range []string{".ssh", ".own", ".config/app", "read/secret", ".later/deep/key", ".netrc", "docs/a/never"} {
		c.Sandbox.Protect = append(c.Sandbox.Protect, spec.Protected{Path: filepath.Join(home, name), Secret: true})
	}
	c.Sandbox.Programs.Any = false
	return home, c
}

// contents gives every file below a folder with its content.
func contents(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(dir, func(name string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			fmt.Fprintln(&b, name)
			return err
		}
		text, err := os.ReadFile(name)
		fmt.Fprintf(&b, "%s: %s\n", name, text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

const learnScript = `cd "$0"
	cat docs/a .config/other/conf "odd, name:x/file" "$OWN/kept" .own/bundle/file
	cat .ssh/id to-ssh/id .config/app/token read/secret/key .own/store/data/../../other .netrc 2>&1 | sed 's/.*: //' | sort -u
	ls -A
	echo new >docs/new && cat docs/new; echo more >>docs/a; cat docs/a; rm docs/b; mkdir -p deep/er && mv docs deep/er/docs && ls deep/er/docs
	mkdir .ssh && echo evil >.ssh/authorized_keys && ls .ssh; echo evil >>.bashrc; echo x >write/new; echo own >"$OWN/own" && cat "$OWN/own"
	git --version >/dev/null 2>&1; id -u >/dev/null; echo done`

func TestLearning(t *testing.T) {
	home, c := newHome(t)
	before := contents(t, home)
	c.Argv, c.Env = []string{"sh", "-c", learnScript, home}, append(c.Env, "OWN="+c.Dir)
	events, out, p := watchIn(t, Namespaces, c)
	want := `text of docs/a
text of .config/other/conf
text of odd, name:x/file
text of .own/store/data/kept
text of .own/bundle/file
No such file or directory
.config
.own
docs
odd, name:x
other
read
to-ssh
write
new
text of docs/a
more
a
new
authorized_keys
own
done
`
	if out != want {
		t.Errorf("it said\n%s", out)
	}
	if after := contents(t, home); after != before {
		t.Errorf("something stays:\n%s\nbefore:\n%s", after, before)
	}
	if code, err := p.Wait(); code != 0 || err != nil {
		t.Errorf("%d, %v", code, err)
	}
	line := func(what, name string) string { return fmt.Sprintf("%s %s/%s (%s/%s) ", what, home, name, home, name) }
	wants(t, events,
		line("read refused", "docs/a"), line("read refused", ".ssh/id"), line("read refused", ".config/app/token"), line("read refused", "read/secret/key"),
		line("write refused", "docs/new"), line("write refused", "docs/b"), line("write refused", ".bashrc"), line("write allowed", "write/new"), line("write refused", "deep/er/docs"),
		fmt.Sprintf("read refused %s/to-ssh/id (%s/.ssh/id) ", home, home))
	if !slices.ContainsFunc(events, func(e Event) bool {
		return e.Kind == RunEvent && !e.Allowed && e.Real == "/usr/bin/id" && e.Argv[0] == "id"
	}) {
		t.Errorf("no word of a program that is not granted: %q", told(events))
	}
	for _, e := range events {
		if strings.HasPrefix(e.Path, c.Dir) || strings.HasPrefix(e.Path, c.Bundle) {
			t.Errorf("told of its own: %+v", e)
		}
	}
}

// TestSecretsThatComeLater: what is hidden stays so, whatever appears in its place while the server runs.
func TestSecretsThatComeLater(t *testing.T) {
	home, c := newHome(t)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	c.Argv, c.Stdin = []string{"sh", "-c", `cd "$0"; ls -A >/dev/null; echo ready; read x; cat .later/deep/key .ssh/id .netrc; echo end`, home}, r
	p, out := started(t, c)
	r.Close()
	if line, _ := out.ReadString('\n'); line != "ready\n" {
		t.Fatalf("got %q", line)
	}
	if err := os.Rename(home+"/.ssh", home+"/.ssh-old"); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{".later/deep/key", ".ssh/id", ".netrc"} {
		write(t, filepath.Join(home, name), "secret\n")
	}
	w.Close()
	for line := ""; line != "end\n"; {
		if line, err = out.ReadString('\n'); err != nil || strings.Contains(line, "secret") {
			t.Fatalf("it got %q, %v", line, err)
		}
	}
	<-p.Done()
}

// TestLearningWithoutAnOverlay: a mount in the home is what makes a kernel refuse one. Then writing is refused, and told.
func TestLearningWithoutAnOverlay(t *testing.T) {
	home, c := newHome(t)
	if os.Getuid() == 0 {
		if err := os.Mkdir(home+"/mounted", 0o700); err != nil {
			t.Fatal(err)
		}
		if err := unix.Mount("test", home+"/mounted", "tmpfs", 0, "size=64k"); err != nil {
			t.Skipf("this machine lets root mount nothing: %v", err)
		}
		t.Cleanup(func() { _ = unix.Unmount(home+"/mounted", unix.MNT_DETACH) })
	} else {
		c.noOverlay = true // nobody else can mount; the planner's part is tried
		o, err := plan(Namespaces, c, entrance{}, 1000, 1000)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range o.Root {
			if s.Kind == "over" || (s.Write && s.Path != c.Dir) {
				t.Errorf("step %+v", s)
			}
		}
		return
	}
	before := contents(t, home)
	c.Argv = []string{"sh", "-c", `cd "$0"; cat docs/a .ssh/id; echo new >docs/new; echo x >write/new; echo own >"$OWN/own"; cat "$OWN/own"`, home}
	c.Env = append(c.Env, "OWN="+c.Dir)
	events, out, _ := watchIn(t, Namespaces, c)
	if !strings.HasPrefix(out, "text of docs/a\n") || strings.Contains(out, "text of .ssh") || strings.Count(out, "Read-only file system") != 2 || !strings.HasSuffix(out, "own\n") {
		t.Errorf("it said\n%s", out)
	}
	if after := contents(t, home); after != before {
		t.Errorf("something stays:\n%s", after)
	}
	wants(t, events, fmt.Sprintf("write refused %s/docs/new (%s/docs/new) ", home, home), fmt.Sprintf("write allowed %s/write/new (%s/write/new) ", home, home))
}

func TestLearningNeedsAWorld(t *testing.T) {
	for _, m := range []Mode{Bubblewrap, Landlock} {
		_, c := newHome(t)
		l := NewLauncher()
		l.modes = []Mode{m}
		_, err := l.Start(context.Background(), c, nil)
		if p, ok := errors.AsType[*problem.Problem](err); !ok || p.Rule != "sandbox/learn" || p.Code != problem.Refused {
			t.Errorf("%s: got %v", m, err)
		}
	}
}

// TestLearningHasNoNetwork, whatever is granted.
func TestLearningHasNoNetwork(t *testing.T) {
	_, c := newHome(t)
	c.Sandbox.Net = spec.Net{Any: true}
	c.Path, c.Argv = "/usr/bin/python3", []string{"python3", "-c", `
import socket
try: socket.socket(socket.AF_INET, socket.SOCK_STREAM)
except OSError as e: print(e.strerror)`}
	_, out, _ := watchIn(t, Namespaces, c)
	if out != "Address family not supported by protocol\n" {
		t.Errorf("it said %s", out)
	}
}
