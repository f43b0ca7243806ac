package dropin_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "rewrite the drop-in's section of docs/compatibility.md")

// A machine has both programs. TestMain sets it before any test starts.
type machine struct {
	bin string // the folder with satchel, and links to it called mcpb and dxt
	ref string // a copy of the reference, which keeps its key in its own folder; "" when it is not installed
}

var here machine

func TestMain(m *testing.M) { os.Exit(testMain(m)) }

func testMain(m *testing.M) int {
	flag.Parse()
	dir, err := os.MkdirTemp("", "satchel-dropin-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	if here, err = newMachine(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

func newMachine(dir string) (machine, error) {
	m := machine{bin: filepath.Join(dir, "bin")}
	build := exec.Command("go", "build", "-o", filepath.Join(m.bin, "satchel"), "satchel/cmd/satchel")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return m, fmt.Errorf("building satchel: %w", err)
	}
	for _, name := range []string{"mcpb", "dxt"} {
		if err := os.Symlink("satchel", filepath.Join(m.bin, name)); err != nil {
			return m, err
		}
	}
	modules, err := filepath.Abs("../../../testdata/npm/node_modules")
	if err != nil {
		return m, err
	}
	source := filepath.Join(modules, "@anthropic-ai", "mcpb")
	if _, err := os.Stat(source); errors.Is(err, fs.ErrNotExist) {
		return m, nil
	}
	m.ref = filepath.Join(dir, "reference")
	return m, errors.Join(os.CopyFS(m.ref, os.DirFS(source)), os.Symlink(modules, filepath.Join(m.ref, "node_modules")))
}

// needReference skips a test that compares with the reference when it is not here.
func needReference(t *testing.T) {
	t.Helper()
	_, err := exec.LookPath("node")
	switch {
	case here.ref != "" && err == nil:
	case os.Getenv("CI") == "true":
		t.Fatal("the reference or node is not here: run make deps")
	default:
		t.Skip("the reference or node is not here: run make deps")
	}
}

// A result is how a command ended.
type result struct {
	Code           int
	Stdout, Stderr string
}

// patience is how long one command may take on a busy machine before the test gives up.
const patience = 2 * time.Minute

// start runs a program in a folder, as a person of its own would, and waits for its end. Standard input is empty.
func start(t *testing.T, home, dir string, argv ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	var stdout, stderr bytes.Buffer
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &stdout, &stderr
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + home, "SATCHEL_HOME=" + filepath.Join(home, "satchel"), "LANG=C.UTF-8", "NO_COLOR=1", "TZ=UTC",
	}
	err := cmd.Run()
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited || ctx.Err() != nil {
		t.Fatalf("%q: %v, %v\n%s%s", argv, err, ctx.Err(), &stdout, &stderr)
	}
	return result{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// A call is a command line and the folder to type it in.
type call struct {
	Dir  string   `json:"dir"`
	Args []string `json:"args"`
}

// askReference runs many command lines by the reference, one after the other, in one process; testdata/cli.mjs says how.
func askReference(t *testing.T, calls []call) []result {
	t.Helper()
	file := filepath.Join(t.TempDir(), "calls.json")
	data, err := json.Marshal(calls)
	if err == nil {
		err = os.WriteFile(file, data, 0o600)
	}
	script, err2 := filepath.Abs("testdata/cli.mjs")
	if err = errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	r := start(t, t.TempDir(), filepath.Dir(file), "node", script, here.ref, file)
	var results []result
	if err := json.Unmarshal([]byte(r.Stdout), &results); err != nil || len(results) != len(calls) {
		t.Fatalf("the reference: %v, %+v", err, r)
	}
	return results
}

// The program speaks the reference's command line under its names, as a link and as a copy.
func TestByItsName(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(filepath.Join(here.bin, "satchel"))
	if err != nil {
		t.Fatal(err)
	}
	copies := t.TempDir()
	for _, name := range []string{"mcpb", "MCPB.exe", "dxt.exe"} {
		if err := os.WriteFile(filepath.Join(copies, name), data, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, argv := range [][]string{
		{filepath.Join(here.bin, "mcpb")}, {filepath.Join(here.bin, "dxt")}, {filepath.Join(here.bin, "satchel"), "mcpb"},
		{filepath.Join(copies, "mcpb")}, {filepath.Join(copies, "MCPB.exe")}, {filepath.Join(copies, "dxt.exe")},
	} {
		if got := start(t, t.TempDir(), copies, append(argv, "--version")...); got != (result{0, "2.1.2\n", ""}) {
			t.Errorf("%q: %+v", argv, got)
		}
		if got := start(t, t.TempDir(), copies, append(argv, "vreify", "x")...); got != (result{1, "", "error: unknown command 'vreify'\n(Did you mean verify?)\n"}) {
			t.Errorf("%q: %+v", argv, got)
		}
	}
	if got := start(t, t.TempDir(), copies, filepath.Join(here.bin, "satchel"), "--version"); got.Stdout == "2.1.2\n" {
		t.Error("satchel takes itself for mcpb")
	}
}
