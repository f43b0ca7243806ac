//go:build unix

package cli_test

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"satchel/internal/cli"
	"satchel/internal/sandbox"
)

// The scenarios in testdata/script run the real command line: the test's own binary under the name satchel.
func TestMain(m *testing.M) {
	sandbox.Main()
	run := func() { os.Exit(cli.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }
	testscript.Main(m, map[string]func(){"satchel": run, "satchel-notes": run}) // the second is the sample's server
}

// keepReport puts what the probe finds of this machine into a script's home: one second, once for all scripts.
func keepReport(env *testscript.Env) error {
	text, err := report(env.Getenv("PATH"))
	if err != nil {
		return err
	}
	home := env.Getenv("SATCHEL_HOME")
	return errors.Join(os.Mkdir(home, 0o700), os.WriteFile(filepath.Join(home, reportName), text, 0o600))
}

const reportName = "sandbox-report.json"

var (
	reportOnce sync.Once
	reportText []byte
	errReport  error
)

func report(path string) ([]byte, error) {
	reportOnce.Do(func() {
		var home string
		if home, errReport = os.MkdirTemp("", "satchel-report-"); errReport != nil {
			return
		}
		defer os.RemoveAll(home)
		dir, _, _ := strings.Cut(path, string(filepath.ListSeparator)) // testscript puts its programs first
		cmd := exec.Command(filepath.Join(dir, "satchel"), "doctor")
		cmd.Env = []string{"SATCHEL_HOME=" + home, "HOME=" + home, "PATH=" + path}
		if out, err := cmd.CombinedOutput(); err != nil {
			errReport = fmt.Errorf("%w: %s", err, out)
			return
		}
		reportText, errReport = os.ReadFile(filepath.Join(home, reportName))
	})
	return reportText, errReport
}

func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("HOME", filepath.Join(env.WorkDir, "home"))
			env.Setenv("SATCHEL_HOME", filepath.Join(env.WorkDir, "satchel-home"))
			env.Setenv("TMPDIR", filepath.Join(env.WorkDir, "tmp"))
			env.Setenv("NO_COLOR", "1")
			env.Setenv("NEWLINE", "x\nerror: spoof")
			return errors.Join(os.Mkdir(filepath.Join(env.WorkDir, "home"), 0o755), os.Mkdir(filepath.Join(env.WorkDir, "tmp"), 0o755), keepReport(env))
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"exits": exits, "zip": zipNames, "fifo": fifo, "empty": empty, "for-each": forEach, "listen": listen,
		},
	})
}

// exits runs a command that must end with the exit code given: exits CODE COMMAND ARGS...
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND ARGS...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		got = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// forEach runs a command with COMMAND replaced by each word: for-each WORD... -- exits CODE COMMAND ARGS...
func forEach(ts *testscript.TestScript, neg bool, args []string) {
	cut := slices.Index(args, "--")
	if neg || cut < 1 || len(args) < cut+4 || args[cut+1] != "exits" {
		ts.Fatalf("usage: for-each WORD... -- exits CODE COMMAND ARGS...")
	}
	for _, word := range args[:cut] {
		line := slices.Clone(args[cut+2:])
		for i := range line {
			line[i] = strings.ReplaceAll(line[i], "COMMAND", word)
		}
		ts.Logf("%s: %s", word, strings.Join(line, " "))
		exits(ts, false, line)
	}
}

// zipNames writes a bundle of files that hold their own names: zip FILE NAME... A manifest.json comes from the script's
// file manifest.json when there is one; NAME@LINK is a symbolic link.
func zipNames(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: zip FILE NAME...")
	}
	f, err := os.Create(ts.MkAbs(args[0]))
	ts.Check(err)
	z := zip.NewWriter(f)
	for _, name := range args[1:] {
		ts.Check(addName(z, ts, name))
	}
	ts.Check(errors.Join(z.Close(), f.Close()))
}

func addName(z *zip.Writer, ts *testscript.TestScript, name string) error {
	name, to, isLink := strings.Cut(name, "@")
	h := &zip.FileHeader{Name: name, Method: zip.Deflate}
	h.SetMode(0o644)
	body := name
	if isLink {
		h.SetMode(0o777 | os.ModeSymlink)
		body = to
	}
	if name == "manifest.json" {
		body = ts.ReadFile("manifest.json")
	}
	w, err := z.CreateHeader(h)
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, body)
	return err
}

func fifo(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: fifo FILE")
	}
	ts.Check(syscall.Mkfifo(ts.MkAbs(args[0]), 0o644))
}

// listen answers HTTP at a port of this machine, whose number it puts into a variable: listen VARIABLE
func listen(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: listen VARIABLE")
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprintln(w, "here") }))
	ts.Defer(s.Close)
	_, port, err := net.SplitHostPort(s.Listener.Addr().String())
	ts.Check(err)
	ts.Setenv(args[0], port)
}

// empty demands that folders hold no file at all, however deep: empty DIR...
func empty(ts *testscript.TestScript, neg bool, args []string) {
	for _, dir := range args {
		err := filepath.WalkDir(ts.MkAbs(dir), func(name string, d os.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				return fmt.Errorf("%s is not empty: %s", dir, name)
			}
			return err
		})
		if (err != nil) != neg {
			ts.Fatalf("%v", err)
		}
	}
}
