package procgroup

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestMain lets the test binary be the watcher, and the parent that is killed.
func TestMain(m *testing.M) {
	if IsWatcher(os.Args[1:]) {
		os.Exit(WatchMain(os.Args[1:]))
	}
	if script := os.Getenv("PROCGROUP_PARENT"); script != "" {
		p, err := Start(Cmd{Path: "/bin/sh", Args: []string{"sh", "-c", script}, Env: os.Environ(), Stdout: os.Stdout})
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		code, _ := p.Wait()
		os.Exit(code)
	}
	os.Exit(m.Run())
}

// run starts a shell script and gives its standard output as a reader.
func run(t *testing.T, script string) (*Process, *bufio.Reader) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	p, err := Start(Cmd{Path: "/bin/sh", Args: []string{"sh", "-c", script}, Env: os.Environ(), Stdout: w, Stderr: os.Stderr})
	w.Close()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Kill)
	return p, bufio.NewReader(r)
}

func readPid(t *testing.T, r *bufio.Reader) int {
	t.Helper()
	line, err := r.ReadString('\n')
	if err != nil {
		t.Fatalf("no pid: %q, %v", line, err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

// gone waits until a process has ended, and has been reaped.
func gone(t *testing.T, pid int) {
	t.Helper()
	poll := time.NewTicker(time.Millisecond)
	defer poll.Stop()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); <-poll.C {
		if syscall.Kill(pid, 0) == syscall.ESRCH {
			return
		}
	}
	stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	t.Errorf("process %d is still there: %s", pid, stat)
}

func TestExitCodes(t *testing.T) {
	for script, want := range map[string]int{"exit 0": 0, "exit 7": 7, "kill -TERM $$": 128 + 15} {
		p, _ := run(t, script)
		if code, err := p.Wait(); code != want || err != nil {
			t.Errorf("%s: %d, %v; want %d", script, code, err, want)
		}
	}
}

func TestAProgramThatCannotStartIsAnError(t *testing.T) {
	_, err := Start(Cmd{Path: "/nowhere/at/all", Args: []string{"x"}})
	if err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("got %v", err)
	}
}

func TestStreamsAreThePrograms(t *testing.T) {
	inR, inW, _ := os.Pipe()
	outR, outW, _ := os.Pipe()
	p, err := Start(Cmd{Path: "/bin/cat", Args: []string{"cat"}, Stdin: inR, Stdout: outW})
	inR.Close()
	outW.Close()
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(inW, "hello")
	inW.Close()
	if got, err := io.ReadAll(outR); string(got) != "hello" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	if code, _ := p.Wait(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

func TestTheEnvironmentIsOnlyWhatWasGiven(t *testing.T) {
	r, w, _ := os.Pipe()
	p, err := Start(Cmd{Path: "/usr/bin/env", Args: []string{"env"}, Env: []string{"ONLY=this"}, Stdout: w})
	w.Close()
	if err != nil {
		t.Fatal(err)
	}
	got, _ := io.ReadAll(r)
	if _, _ = p.Wait(); string(got) != "ONLY=this\n" {
		t.Errorf("environment %q", got)
	}
}

// leavers are programs that leave a process behind in every way that a shell can; each prints the pid of it.
var leavers = map[string]string{
	"child":            `sleep 1000 & echo $!; wait`,
	"orphan":           `sh -c 'sleep 1000 & echo $!'; sleep 1000`,
	"own session":      `setsid sh -c 'echo $$; exec sleep 1000' & wait`,
	"double fork":      `sh -c '(setsid sh -c "echo \$\$; exec sleep 1000" &) &'; sleep 1000`,
	"ignores TERM":     `sh -c 'trap "" TERM HUP INT; echo $$; sleep 1000' & wait`,
	"closed its files": `setsid sh -c 'echo $$; exec >&- 2>&- <&-; exec sleep 1000' & wait`,
}

func TestKillEndsTheWholeTree(t *testing.T) {
	for name, script := range leavers {
		t.Run(name, func(t *testing.T) {
			p, out := run(t, script)
			pid := readPid(t, out)
			p.Kill()
			if _, err := p.Wait(); err != nil {
				t.Error(err)
			}
			gone(t, pid)
		})
	}
}

func TestTheProgramsEndEndsTheWholeTree(t *testing.T) {
	p, out := run(t, `setsid sh -c 'echo $$; exec sleep 1000' & sleep 0.1; exit 3`)
	pid := readPid(t, out)
	if code, _ := p.Wait(); code != 3 {
		t.Errorf("exit code %d, want 3", code)
	}
	gone(t, pid)
}

// TestKill9OfTheParent is security.md rule 10: nothing survives, as root and as an ordinary user.
func TestKill9OfTheParent(t *testing.T) {
	users := map[string]*syscall.SysProcAttr{"same user": nil}
	if os.Geteuid() == 0 {
		users["ordinary user"] = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	for user, attr := range users {
		for name, script := range leavers {
			t.Run(user+"/"+name, func(t *testing.T) {
				cmd := exec.Command(copyOfTheTest(t))
				cmd.Env = append(os.Environ(), "PROCGROUP_PARENT="+script)
				cmd.SysProcAttr, cmd.Dir = attr, "/"
				out, err := cmd.StdoutPipe()
				if err != nil {
					t.Fatal(err)
				}
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				pid := readPid(t, bufio.NewReader(out))
				_ = cmd.Process.Kill()
				_ = cmd.Wait()
				gone(t, pid)
			})
		}
	}
}

// copyOfTheTest puts the test binary where another user can run it.
func copyOfTheTest(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.CreateTemp("", "procgroup-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Remove(f.Name()) })
	if _, err := f.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := f.Chmod(0o755); err != nil {
		t.Fatal(err)
	}
	f.Close()
	return f.Name()
}

func TestSignalsReachTheProgram(t *testing.T) {
	p, out := run(t, `trap 'echo got; exit 5' TERM; echo ready; while :; do sleep 0.01; done`)
	if line, _ := out.ReadString('\n'); line != "ready\n" {
		t.Fatalf("got %q", line)
	}
	if err := p.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code, _ := p.Wait(); code != 5 {
		t.Errorf("exit code %d, want 5", code)
	}
	if err := p.Signal(syscall.SIGTERM); err != nil {
		t.Errorf("a signal to a program that has ended: %v", err)
	}
}

func TestNoDescriptorsLeak(t *testing.T) {
	p, out := run(t, `ls /proc/self/fd | tr '\n' ' '; echo`)
	line, _ := out.ReadString('\n')
	if _, _ = p.Wait(); strings.TrimSpace(line) != "0 1 2 3" { // 3 is ls reading the folder
		t.Errorf("the program has descriptors %q", line)
	}
}
