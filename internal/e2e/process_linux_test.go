package e2e

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// checkNoProcess fails the test when a process that belongs to the home at dir still runs. An app that ends does not
// wait for its servers, so they get a moment to see the end of their input.
func checkNoProcess(t *testing.T, dir string) {
	t.Helper()
	deadline, tick := time.After(10*time.Second), time.NewTicker(20*time.Millisecond)
	defer tick.Stop()
	for {
		alive := processesOf(dir)
		if len(alive) == 0 {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Errorf("still running after the test:\n  %s", strings.Join(alive, "\n  "))
			return
		}
	}
}

// checkProcess demands that a process of dir is there, with a word in its description.
func checkProcess(t *testing.T, dir, word string) {
	t.Helper()
	if alive := processesOf(dir); !slices.ContainsFunc(alive, func(p string) bool { return strings.Contains(p, word) }) {
		t.Errorf("%s is not among %q", word, alive)
	}
}

// processesOf lists the processes that have dir in their environment or arguments, or work below it. A process that
// ends while we look, or is another person's, is none.
func processesOf(dir string) (found []string) {
	procs, _ := filepath.Glob("/proc/[0-9]*")
	for _, proc := range procs {
		env, _ := os.ReadFile(filepath.Join(proc, "environ"))
		args, _ := os.ReadFile(filepath.Join(proc, "cmdline"))
		cwd, _ := os.Readlink(filepath.Join(proc, "cwd"))
		ours := bytes.Contains(env, []byte(dir)) || bytes.Contains(args, []byte(dir)) || strings.HasPrefix(cwd, dir)
		if ours && filepath.Base(proc) != strconv.Itoa(os.Getpid()) {
			found = append(found, fmt.Sprintf("%s: %s", filepath.Base(proc), bytes.ReplaceAll(args, []byte{0}, []byte{' '})))
		}
	}
	return found
}

// The check at the end of every test sees what it should see.
func TestLeftProcessIsSeen(t *testing.T) {
	t.Parallel()
	cat := program(t, "cat")
	h := newHome(t)
	cmd := h.command(t.Context(), cat)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if alive := processesOf(h.dir); len(alive) != 1 {
		t.Errorf("one process runs, and the check sees %v", alive)
	}
	stdin.Close()
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}

// When satchel is killed, the server goes too, although the app's ends of its pipes stay open.
func TestKilledRunLeavesNoServer(t *testing.T) {
	t.Parallel()
	a := install(t)
	cmd := a.command(t.Context(), "satchel", "run", "filesystem")
	client := mcp.NewClient(&mcp.Implementation{Name: "e2e", Version: "1"}, nil)
	session, err := client.Connect(t.Context(), &mcp.CommandTransport{Command: cmd}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if list, err := session.ListTools(t.Context(), nil); err != nil || len(list.Tools) == 0 {
		t.Fatalf("tools: %v, %v", list, err)
	}
	if alive := strings.Join(processesOf(a.dir), "\n"); !strings.Contains(alive, "server-filesystem") {
		t.Errorf("the server answers, but it is not among:\n%s", alive)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	checkNoProcess(t, a.dir)
	_ = session.Close() // it reports the kill
}
