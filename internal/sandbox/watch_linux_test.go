package sandbox

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"satchel/internal/sandbox/notify"
	"satchel/internal/sandbox/seccomp"
	"satchel/internal/spec"
)

// everyMode runs a test in each mode that the machine has.
func everyMode(t *testing.T, do func(t *testing.T, m Mode)) {
	for _, m := range []Mode{Namespaces, Bubblewrap, Landlock} {
		t.Run(string(m), func(t *testing.T) { do(t, m) })
	}
}

// watchIn runs a command to its end in a mode and gives its events, what it wrote, and how it ended.
func watchIn(t *testing.T, m Mode, c Command) (events []Event, out string, p *Process) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	c.Stdout, c.Stderr = w, w
	c.Events = func(e Event) { events = append(events, e) } // Done comes after the last one
	l := NewLauncher().Only(m)
	p, err = l.Start(context.Background(), c, nil)
	w.Close()
	skipWithout(t, err)
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	<-p.Done()
	if err := p.Watched(); err != nil {
		t.Errorf("not watched: %v", err)
	}
	return events, string(text), p
}

// told writes events in one line each, in their order.
func told(events []Event) (lines []string) {
	for _, e := range events {
		answer := "refused"
		if e.Allowed {
			answer = "allowed"
		}
		lines = append(lines, fmt.Sprintf("%s %s %s (%s) %s", e.Kind, answer, e.Path, e.Real, strings.Join(e.Argv, " ")))
	}
	return lines
}

func wants(t *testing.T, events []Event, lines ...string) {
	t.Helper()
	got := told(events)
	for _, l := range lines {
		if !slices.Contains(got, l) {
			t.Errorf("missing: %s", l)
		}
	}
	if t.Failed() {
		t.Logf("got\n%s", strings.Join(got, "\n"))
	}
}

// TestProgramsBecomeKnown: what the shell, Node and Python start, and what is not granted.
func TestProgramsBecomeKnown(t *testing.T) {
	everyMode(t, func(t *testing.T, m Mode) {
		bundle := realTemp(t)
		write(t, filepath.Join(bundle, "own"), "#!/bin/sh\necho own\n")
		if err := os.Chmod(filepath.Join(bundle, "own"), 0o700); err != nil {
			t.Fatal(err)
		}
		python, err := realPath("/usr/bin/python3")
		if err != nil {
			t.Skip("this machine has no /usr/bin/python3")
		}
		c := shell(spec.Sandbox{Programs: spec.Programs{Paths: []string{"/usr/bin/python3", "/usr/bin/env"}}}, realTemp(t), "", nil)
		c.Sandbox.Programs.Any = false
		c.Bundle = bundle
		c.Argv = []string{"sh", "-c", `"$0/own"; env true; /usr/bin/python3 -c "
import subprocess
try: subprocess.run(['/usr/bin/id', '-u'])
except OSError as e: print(e.strerror)
subprocess.run(['./own'], cwd='$0')
"; /nowhere/at/all; exec 2>&1`, bundle}
		events, out, _ := watchIn(t, m, c)
		shellFile, err := realPath("/bin/sh")
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(out, "own\n") || strings.Count(out, "own\n") != 2 {
			t.Errorf("it said %s", out)
		}
		first := told(events)[0]
		if !strings.HasPrefix(first, "run allowed /bin/sh ("+shellFile+") sh -c ") {
			t.Errorf("the first event is %s", first)
		}
		wants(t, events,
			"run allowed "+bundle+"/own ("+bundle+"/own) "+bundle+"/own",
			"run refused /usr/bin/id (/usr/bin/id) /usr/bin/id -u",
			"run refused /nowhere/at/all () /nowhere/at/all")
		if !slices.ContainsFunc(events, func(e Event) bool { return e.Real == python && e.Allowed && e.Argv[1] == "-c" && len(e.Argv[2]) <= 256 }) {
			t.Errorf("python is not among %q", told(events))
		}
		if n := count(events, RunEvent, bundle+"/own"); n != 2 {
			t.Errorf("its own program ran %d times", n)
		}
		for _, e := range events {
			if e.Kind != RunEvent || e.Time.IsZero() || e.PID == 0 || e.Count < 1 {
				t.Errorf("event %+v", e)
			}
		}
	})
}

// count adds up what events say of a path.
func count(events []Event, kind EventKind, name string) (n int) {
	for _, e := range events {
		if e.Kind == kind && e.Path == name {
			n += e.Count
		}
	}
	return n
}

// A wanting is a machine with files, and a grant for some of them.
type wanting struct{ base, read, write, secret, other string }

func newWanting(t *testing.T) (w wanting, c Command) {
	base, err := os.MkdirTemp("/var/tmp", "satchel-watch-test-") // /tmp is one of the server's own, where nothing is told of
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(base) })
	w = wanting{base, base + "/read", base + "/write", base + "/read/secret", base + "/other"}
	for _, name := range []string{"read/a", "read/sub/b", "read/secret/key", "write/a", "write/old", "other/file"} {
		write(t, filepath.Join(base, name), name)
	}
	for name, to := range map[string]string{"read/link": "../other/file", "read/link-a": "a"} {
		if err := os.Symlink(to, filepath.Join(base, name)); err != nil {
			t.Fatal(err)
		}
	}
	grant := spec.Sandbox{
		Files:   []spec.File{{Path: w.read}, {Path: w.write, Write: true}},
		Protect: []spec.Protected{{Path: w.secret, Secret: true}},
	}
	c = shell(grant, realTemp(t), "", nil)
	c.Watch = true
	return w, c
}

// touchers do the same things to files in three languages: all of them become known, and nothing else does.
var touchers = map[string][]string{
	"sh": {"/bin/sh", "-c", `cd "$0"; cat read/a read/link-a >&2; cat read/sub/../secret/key read/link other/file missing; ls read >&2
		echo x >write/new; echo x >>write/a; mv write/old write/moved; rm write/moved; mkdir write/dir; rmdir write/dir
		ln -s a write/ln; chmod 600 write/new; truncate -s 0 write/a; echo x >read/new; echo x >other/new; rm other/file; echo own >"$OWN/own"; cat "$OWN/own"`},
	"python": {"/usr/bin/python3", "-c", `
import os, sys
os.chdir(sys.argv[1])
own = os.environ["OWN"] + "/own"
def quiet(f, *a):
    try: return f(*a)
    except OSError as e: return e
def to(name, mode="w"):
    with open(name, mode) as f: f.write("own\n")
def cat(name):
    with open(name) as f: return f.read()
for n in ["read/a", "read/link-a", "read/sub/../secret/key", "read/link", "other/file", "missing"]: quiet(cat, n)
quiet(os.listdir, "read")
quiet(to, "write/new"); quiet(to, "write/a", "a"); os.rename("write/old", "write/moved"); os.remove("write/moved"); os.mkdir("write/dir"); os.rmdir("write/dir")
os.symlink("a", "write/ln"); os.chmod("write/new", 0o600); os.truncate("write/a", 0); quiet(to, "read/new"); quiet(to, "other/new"); quiet(os.remove, "other/file"); to(own); print(cat(own), end="")
`},
	"node": {"node", "-e", `
const fs = require("fs"), own = process.env.OWN + "/own"
process.chdir(process.argv[1])
const quiet = f => { try { return f() } catch (e) { return e } }
for (const n of ["read/a", "read/link-a", "read/sub/../secret/key", "read/link", "other/file", "missing"]) quiet(() => fs.readFileSync(n))
quiet(() => fs.readdirSync("read"))
fs.writeFileSync("write/new", "x"); fs.appendFileSync("write/a", "x"); fs.renameSync("write/old", "write/moved"); fs.rmSync("write/moved"); fs.mkdirSync("write/dir"); fs.rmdirSync("write/dir")
fs.symlinkSync("a", "write/ln"); fs.chmodSync("write/new", 0o600); fs.truncateSync("write/a", 0); quiet(() => fs.writeFileSync("read/new", "")); quiet(() => fs.writeFileSync("other/new", "")); quiet(() => fs.unlinkSync("other/file"))
fs.writeFileSync(own, "own\n"); process.stdout.write(fs.readFileSync(own))
`},
}

func TestFilesBecomeKnown(t *testing.T) {
	everyMode(t, func(t *testing.T, m Mode) {
		for language, argv := range touchers {
			t.Run(language, func(t *testing.T) { touches(t, m, argv) })
		}
	})
}

func touches(t *testing.T, m Mode, argv []string) {
	w, c := newWanting(t)
	c.Path, c.Argv, c.Env = argv[0], append(slices.Clone(argv), w.base), append(c.Env, "OWN="+c.Dir)
	if c.Path == "node" {
		c.Path, c.Runtime = nodeHere(t)
		c.Argv[0] = c.Path
	}
	events, out, _ := watchIn(t, m, c)
	if !strings.HasSuffix(out, "own\n") {
		t.Errorf("it said %s", out)
	}
	file := func(kind, answer, name, real string) string {
		if real != "" {
			real = w.base + "/" + real
		}
		return kind + " " + answer + " " + w.base + "/" + name + " (" + real + ") "
	}
	wanted := []string{
		file("read", "allowed", "read/a", "read/a"), file("read", "allowed", "read/link-a", "read/a"), file("read", "refused", "read/secret/key", "read/secret/key"),
		file("read", "refused", "read/link", "other/file"), file("read", "refused", "other/file", "other/file"), file("read", "allowed", "read", "read"),
		file("write", "allowed", "write/new", "write/new"), file("write", "allowed", "write/a", "write/a"), file("write", "allowed", "write/old", "write/old"),
		file("write", "allowed", "write/moved", "write/moved"), file("write", "allowed", "write/dir", "write/dir"), file("write", "allowed", "write/ln", "write/ln"),
		file("write", "refused", "read/new", "read/new"), file("write", "refused", "other/new", "other/new"), file("write", "refused", "other/file", "other/file"),
	}
	wants(t, events, wanted...)
	for _, line := range told(events) {
		if !slices.Contains(wanted, line) && !strings.HasPrefix(line, "run ") {
			t.Errorf("this became known too: %s", line)
		}
	}
}

// nodeHere gives the node of this machine, with the folders that it needs.
func nodeHere(t *testing.T) (string, []string) {
	t.Helper()
	name, err := exec.LookPath("node")
	if err != nil {
		t.Skip("this machine has no node")
	}
	real, err := realPath(name)
	if err != nil {
		t.Fatal(err)
	}
	return real, []string{filepath.Dir(filepath.Dir(real))}
}

// TestALiarIsWatchedWithoutHarm: what a hostile program asks for is bounded, and neither ends nor stops the watch.
func TestALiarIsWatchedWithoutHarm(t *testing.T) {
	everyMode(t, func(t *testing.T, m Mode) {
		_, c := newWanting(t)
		c.Path, c.Argv = "/usr/bin/python3", []string{"python3", "-c", `
import ctypes, os, threading
libc = ctypes.CDLL(None, use_errno=True)
NULL, BAD = ctypes.c_void_p(0), ctypes.c_void_p(0x10)
argv = (ctypes.c_void_p * 2)(ctypes.c_void_p(0x10).value, 0)
libc.execve(NULL, NULL, NULL); libc.execve(BAD, BAD, BAD); libc.execve(b"/bad/argv", argv, NULL); libc.execve(b"", NULL, NULL)
libc.execve(b"/" + b"x" * 5000, NULL, NULL)
libc.open(NULL, 0); libc.open(BAD, 0); libc.open(b"/" + b"y" * 5000, 0); libc.open(b"", 0); libc.openat(12345, b"relative", 0)
libc.syscall(437, -100, b"/etc/shadow", BAD, 24)
libc.open(b"/var/\xff\xfe\x1b[31m\n", os.O_CREAT | os.O_WRONLY, 0o600)
for i in range(300):
    try: os.execv("/nowhere/" + "z" * 200 + str(i), ["a" * 300] * 50)
    except OSError: pass
def spin():
    for i in range(300):
        try: open("/var/tmp/nothing%d" % (i % 3), "w")
        except OSError: pass
threads = [threading.Thread(target=spin) for i in range(8)]
[t.start() for t in threads]; [t.join() for t in threads]
print("alive", os.fork() == 0 or os.wait()[1])
`}
		events, out, p := watchIn(t, m, c)
		if code, _ := p.Wait(); code != 0 || !strings.Contains(out, "alive 0") {
			t.Errorf("%d: %s", code, out)
		}
		for _, e := range events {
			if len(e.Path) > 4096 || len(e.Argv) > 16 || slices.ContainsFunc(e.Argv, func(a string) bool { return len(a) > 256 }) {
				t.Errorf("an event of %d, %d, %d bytes", len(e.Path), len(e.Argv), len(strings.Join(e.Argv, "")))
			}
		}
		wants(t, events, "run refused /bad/argv () ", "write refused /var/\xff\xfe\x1b[31m\n (/var/\xff\xfe\x1b[31m\n) ")
		n := 0
		for i := range 3 {
			n += count(events, WriteEvent, fmt.Sprintf("/var/tmp/nothing%d", i))
		}
		if n+count(events, LostEvent, "") < 2400 {
			t.Errorf("%d of 2400 were counted", n)
		}
	})
}

// TestWhatHidesIsTold: a server can hide what it starts from an ordinary user in one mode, but not that it does.
func TestWhatHidesIsTold(t *testing.T) {
	everyMode(t, func(t *testing.T, m Mode) {
		_, c := newWanting(t)
		c.Path, c.Argv = "/usr/bin/python3", []string{"python3", "-c", `
import ctypes, os
ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)
if os.fork() == 0: os.execv("/bin/true", ["true"])
print(os.wait()[1])`}
		events, out, _ := watchIn(t, m, c)
		told := slices.ContainsFunc(events[1:], func(e Event) bool {
			return e.Kind == RunEvent && (e.Path == "/bin/true" && e.Allowed || e.Path == "" && m == Landlock && os.Getuid() != 0)
		})
		if out != "0\n" || !told {
			t.Errorf("it said %s, events %+v", out, events)
		}
	})
}

// TestWhereAnotherWatches: the kernel allows one watch over a program. The server starts without ours, and we say why.
func TestWhereAnotherWatches(t *testing.T) {
	if os.Getenv("SANDBOX_NESTED") != "" {
		everyMode(t, func(t *testing.T, m Mode) {
			_, c := newWanting(t)
			c.Argv[2] = "cat /etc/hostname; echo done"
			c.Events = func(e Event) { t.Errorf("event %+v", e) }
			l := NewLauncher().Only(m)
			p, err := l.Start(context.Background(), c, nil)
			skipWithout(t, err)
			if code, err := p.Wait(); code != 0 || err != nil {
				t.Errorf("it ended with %d, %v", code, err)
			}
			if err := p.Watched(); err == nil || !strings.Contains(err.Error(), "busy") {
				t.Errorf("why it is not watched: %v", err)
			}
		})
		return
	}
	// A filter that asks about one call that nobody makes, over a run of this test.
	numbers, err := seccomp.Numbers(runtime.GOARCH, []string{"syncfs"})
	if err != nil {
		t.Fatal(err)
	}
	asks, allows := uint32(seccomp.Notify), uint32(seccomp.Allow)
	filter := []seccomp.Instruction{{Code: 0x20}, {Code: 0x15, Jf: 1, K: numbers["syncfs"]}, {Code: 0x06, K: asks}, {Code: 0x06, K: allows}}
	out := make(chan string)
	go func() {
		runtime.LockOSThread() // and never unlocked: the filter stays with the thread, which ends with this function
		text, err := nested(filter)
		if err != nil {
			text += err.Error()
		}
		out <- text
	}()
	if text := <-out; !strings.Contains(text, "--- PASS: TestWhereAnotherWatches/landlock") || strings.Contains(text, "FAIL") {
		t.Errorf("%s", text)
	}
}

// nested runs TestWhereAnotherWatches below this thread, with a filter around it that is held here.
func nested(filter []seccomp.Instruction) (string, error) {
	prog := struct {
		n    uint16
		code unsafe.Pointer
	}{uint16(len(filter)), unsafe.Pointer(&filter[0])}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return "", err
	}
	fd, _, errno := unix.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_NEW_LISTENER, uintptr(unsafe.Pointer(&prog)))
	if errno != 0 {
		return "", errno
	}
	defer unix.Close(int(fd))
	cmd := exec.Command(self, "-test.v", "-test.run", "^TestWhereAnotherWatches$")
	cmd.Env = append(os.Environ(), "SANDBOX_NESTED=1")
	text, err := cmd.CombinedOutput()
	return string(text), err
}

// TestEveryProcessorCanBeAsked about what its system has.
func TestEveryProcessorCanBeAsked(t *testing.T) {
	for arch, want := range map[string]string{"amd64": "open", "arm64": "openat"} {
		numbers, err := seccomp.Numbers(arch, append(notify.Files(), notify.Exec))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := seccomp.Filter(arch, seccomp.Rules{Notify: slices.Sorted(maps.Keys(numbers))}); err != nil {
			t.Error(err)
		}
		if _, ok := numbers[want]; !ok || len(numbers) < 10 {
			t.Errorf("%s: %v", arch, numbers)
		}
	}
}

// TestNothingOutlivesAWatchedServer: the kernel holds its programs while they wait for us, so our death must end them too.
func TestNothingOutlivesAWatchedServer(t *testing.T) {
	t.Setenv("SANDBOX_WATCH", "1")
	everyMode(t, func(t *testing.T, m Mode) {
		for name, script := range leavers {
			t.Run(name+", host killed", func(t *testing.T) { killsHost(t, m, script) })
		}
		busy := "echo ready; while :; do /bin/true; cat /etc/passwd /var/tmp/nothing 2>/dev/null; done"
		t.Run("busy, host killed", func(t *testing.T) { killsHost(t, m, busy) })
	})
}

// TestASlowListenerLosesEvents, not the server: it goes on, and what was lost is counted.
func TestASlowListenerLosesEvents(t *testing.T) {
	_, c := newWanting(t)
	c.Argv[2] = `i=0; while [ $i -lt 400 ]; do echo >/var/tmp/nothing-$i; i=$((i+1)); done; echo done`
	var events []Event
	wait := make(chan struct{})
	c.Events = func(e Event) {
		<-wait
		events = append(events, e)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	c.Stdout, c.Stderr = w, nil
	p, err := inNamespaces().Start(context.Background(), c, nil)
	w.Close()
	skipWithout(t, err)
	if out, err := io.ReadAll(r); string(out) != "done\n" || err != nil {
		t.Errorf("it said %q, %v", out, err)
	}
	close(wait)
	<-p.Done()
	if lost := count(events, LostEvent, ""); lost < 100 || lost+len(events) < 400 {
		t.Errorf("%d events, %d lost", len(events), lost)
	}
}

func TestFlood(t *testing.T) {
	var got []Event
	f := newFlood(func(e Event) { got = append(got, e) })
	same := Event{Kind: RunEvent, Path: "/a", Allowed: true}
	for range 1000 {
		f.add(same)
	}
	f.add(Event{Kind: RunEvent, Path: "/a"})
	f.flush()
	if len(got) != 3 || got[0].Count != 1 || got[1].Count != 1 || got[2].Count != 999 || got[1].Allowed {
		t.Errorf("got %+v", got)
	}
	got = nil
	for i := range 3 * mostEvents {
		f.add(Event{Kind: ReadEvent, Path: fmt.Sprint("/", i)})
	}
	f.flush()
	if len(got) != mostEvents+1 || got[mostEvents].Kind != LostEvent || got[mostEvents].Count != 2*mostEvents {
		t.Errorf("%d events, the last %+v", len(got), got[len(got)-1])
	}
	got = nil
	for i := range 2000 {
		f.add(Event{Kind: ReadEvent, Path: fmt.Sprint("/", i, strings.Repeat("x", 4000))})
	}
	f.flush()
	if n := len(got) - 1; n*4000 > mostBytes || n < 500 || got[n].Count != 2000-n {
		t.Errorf("%d events, the last %+v", n, got[n])
	}
	got = nil
	f.add(same)
	f.flush()
	if len(got) != 1 {
		t.Errorf("the next window begins with %+v", got)
	}
}
