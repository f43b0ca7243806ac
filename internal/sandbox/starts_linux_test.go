package sandbox

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"satchel/internal/spec"
)

// roundsVariable is how many starts TestStarts makes; make starts sets it to 1,000.
const roundsVariable = "SATCHEL_STARTS"

// A round is one start of a server that leaves processes of its own, and its end.
type round struct {
	launcher *Launcher
	mode     Mode
	dir      string
	mark     string // in the environment of every process of the server
	count    int
	hosts    []int // programs that were killed
}

const manyProcesses = `sleep 1000 & (setsid sh -c 'trap "" TERM HUP INT; sleep 1000' &) & echo ready; exec sleep 1001`

// endings are the ways to an end, in turn.
func endings() map[string]func(*testing.T, *round, *Process) {
	return map[string]func(*testing.T, *round, *Process){
		"asked to end":     func(t *testing.T, _ *round, p *Process) { _ = p.Signal(syscall.SIGTERM) },
		"killed":           func(t *testing.T, _ *round, p *Process) { p.Kill() },
		"server killed":    func(t *testing.T, r *round, _ *Process) { r.killServer(t) },
		"init killed":      func(t *testing.T, r *round, p *Process) { r.killInit(t, p) },
		"start cancelled":  nil,
		"its host, killed": nil,
	}
}

// TestStarts: after many starts, with ends of every kind, nothing is left of them: no process, mount, control group,
// temporary file, nor a descriptor here; and so no namespace either, which lives by one of those.
func TestStarts(t *testing.T) {
	rounds := 36
	if n, err := strconv.Atoi(os.Getenv(roundsVariable)); err == nil {
		rounds = n
	}
	t.Setenv("TMPDIR", realTemp(t))
	r := &round{launcher: NewLauncher(), dir: realTemp(t), mark: "SATCHEL_MARK=" + rand.Text()}
	var modes []Mode
	for _, m := range []Mode{Namespaces, Bubblewrap, Landlock} {
		if p, err := r.launcher.Only(m).Start(t.Context(), shell(spec.Sandbox{}, r.dir, "true", nil), nil); err == nil {
			<-p.Done()
			modes = append(modes, m)
		} else {
			t.Logf("without %s: %v", m, err)
		}
	}
	if len(modes) == 0 {
		t.Skip("this machine has no sandbox")
	}
	ways := slices.Sorted(maps.Keys(endings()))
	before := r.left(t)
	for r.count = range rounds {
		r.mode = modes[r.count%len(modes)]
		r.play(t, ways[r.count/len(modes)%len(ways)])
	}
	r.sweep(t)
	if after := r.left(t); after != before {
		t.Errorf("after %d starts there is\n%s\nbefore there was\n%s", rounds, after, before)
	}
	t.Logf("%d starts, %d hosts killed", rounds, len(r.hosts))
}

// play makes a round. What the server's processes write ends when the last of them has.
func (r *round) play(t *testing.T, how string) {
	t.Helper()
	switch how {
	case "start cancelled":
		r.cancel(t)
		return
	case "its host, killed":
		r.killHost(t)
		return
	}
	out, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	p, err := r.launcher.Only(r.mode).Start(t.Context(), r.command(w), closeDoor)
	w.Close()
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	if line, err := lines.ReadString('\n'); line != "ready\n" {
		t.Fatalf("%s, %s: %q, %v", r.mode, how, line, err)
	}
	endings()[how](t, r, p)
	if rest, err := io.ReadAll(lines); err != nil {
		t.Errorf("%q, %v", rest, err)
	}
	<-p.Done()
}

func closeDoor(_ Door, l net.Listener) { l.Close() }

func (r *round) command(out *os.File) Command {
	var box spec.Sandbox
	if r.mode != Landlock {
		box.Net.Ports = []int{5432}
	}
	c := shell(box, r.dir, manyProcesses, out)
	c.Env = append(c.Env, r.mark)
	return c
}

// cancel ends a start at some moment of it.
func (r *round) cancel(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Duration(r.count%20)*time.Millisecond)
	defer cancel()
	p, err := r.launcher.Only(r.mode).Start(ctx, r.command(nil), closeDoor)
	if err == nil {
		p.Kill()
		<-p.Done()
	}
}

func (r *round) killHost(t *testing.T) {
	t.Helper()
	cmd := &exec.Cmd{Path: self, Args: []string{"host"}, Env: append(os.Environ(), "SANDBOX_HOST="+manyProcesses, "SANDBOX_MODE="+string(r.mode), "SANDBOX_DIR="+r.dir)}
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	out := bufio.NewReader(pipe)
	if line, err := out.ReadString('\n'); line != "ready\n" {
		t.Errorf("%q, %v", line, err)
	}
	r.hosts = append(r.hosts, cmd.Process.Pid)
	_ = cmd.Process.Kill()
	if rest, err := io.ReadAll(out); err != nil {
		t.Errorf("%q, %v", rest, err)
	}
	_ = cmd.Wait()
}

// processes are those of the servers, by the mark in their environment.
func (r *round) processes(t *testing.T) (found []string) {
	t.Helper()
	procs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		t.Fatal(err)
	}
	for _, proc := range procs {
		if env, err := os.ReadFile(proc + "/environ"); err == nil && bytes.Contains(env, []byte(r.mark)) {
			found = append(found, proc)
		}
	}
	return found
}

// killServer kills the server itself, which alone is called so, once it has replaced its shell.
func (r *round) killServer(t *testing.T) {
	t.Helper()
	for start := time.Now(); time.Since(start) < 10*time.Second; {
		for _, proc := range r.processes(t) {
			if args, err := os.ReadFile(proc + "/cmdline"); err == nil && string(args) == "sleep\x001001\x00" {
				kill(t, proc)
				return
			}
		}
	}
	t.Fatal("there is no server to kill")
}

// killInit kills the first process of the world; with bwrap, bwrap's own in turn with it. Without a world there is none.
func (r *round) killInit(t *testing.T, p *Process) {
	t.Helper()
	tree, ok := p.tree.(*initTree)
	if !ok {
		p.Kill()
		return
	}
	first := fmt.Sprintf("/proc/%d", tree.cmd.Process.Pid)
	children, err := os.ReadFile(fmt.Sprintf("%s/task/%d/children", first, tree.cmd.Process.Pid))
	if inner := strings.Fields(string(children)); err == nil && r.mode == Bubblewrap && len(inner) == 1 && r.count%2 == 0 {
		first = "/proc/" + inner[0]
	}
	kill(t, first)
}

func kill(t *testing.T, proc string) {
	t.Helper()
	pid, err := strconv.Atoi(filepath.Base(proc))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Error(err)
	}
}

// sweep does what the next program does a minute later: it removes the control groups of those that were killed.
func (r *round) sweep(t *testing.T) {
	t.Helper()
	for _, dir := range r.groups(t) {
		long := time.Now().Add(-2 * sweepAfter)
		if err := os.Chtimes(dir, long, long); err != nil {
			t.Error(err)
		}
	}
	sweepGroups()
}

// groups are the control groups of this program and of those that were killed.
func (r *round) groups(t *testing.T) (found []string) {
	t.Helper()
	for _, parent := range groupParents() {
		for _, pid := range append(r.hosts, os.Getpid()) {
			some, err := filepath.Glob(filepath.Join(parent, fmt.Sprintf("%s%d-*", groupPrefix, pid)))
			if err != nil {
				t.Fatal(err)
			}
			found = append(found, some...)
		}
	}
	return found
}

// left is what there is of servers, as a text to compare.
func (r *round) left(t *testing.T) string {
	t.Helper()
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(os.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	descriptors, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	procs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		t.Fatal(err)
	}
	var children []string
	for _, proc := range procs {
		if stat, err := os.ReadFile(proc + "/stat"); err == nil {
			_, after, _ := strings.Cut(string(stat), ") ")
			if f := strings.Fields(after); len(f) > 1 && f[1] == strconv.Itoa(os.Getpid()) {
				children = append(children, string(stat))
			}
		}
	}
	return fmt.Sprintf("%d mounts, files %v, %d descriptors, processes %v, children %v, groups %v",
		bytes.Count(mounts, []byte("\n")), files, len(descriptors), r.processes(t), children, r.groups(t))
}
