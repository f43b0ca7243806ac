package source

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A listed is what another parser finds in a file; nil where it cannot read it.
type listed struct{ Imports, Calls []string }

// oracle asks a program about files, one line each way.
func oracle(t *testing.T, files []string, program string, args ...string) []*listed {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		t.Skipf("%s is not here: make deps installs it", program)
	}
	cmd := exec.Command(program, args...)
	cmd.Stdin = strings.NewReader(strings.Join(files, "\n") + "\n")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", program, err, stderr.String())
	}
	lines := bytes.Split(bytes.TrimSpace(out), []byte("\n"))
	if len(lines) != len(files) {
		t.Fatalf("%d answers about %d files", len(lines), len(files))
	}
	list := make([]*listed, len(files))
	for i, l := range lines {
		if err := json.Unmarshal(l, &list[i]); err != nil {
			t.Fatal(err)
		}
	}
	return list
}

// programs lists files of a folder by their endings, at most n of them, spread over all.
func programs(t *testing.T, dir string, n int, ends ...string) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && slices.Contains(ends, filepath.Ext(name)) && !strings.Contains(name, "\n") {
			files = append(files, name)
		}
		return err
	})
	if err != nil {
		t.Skipf("%s cannot be listed: make deps installs it: %v", dir, err)
	}
	if len(files) <= n {
		return files
	}
	var some []string
	for i := range n {
		some = append(some, files[i*len(files)/n])
	}
	return some
}

// compare counts the files about which both agree, and logs the others.
func compare(t *testing.T, files []string, theirs []*listed, read func(data []byte) Facts) {
	t.Helper()
	parsed, same := 0, 0
	for i, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		ours := read(data)
		if theirs[i] == nil || len(ours.Imports) == MaxRefs {
			continue
		}
		parsed++
		imports, calls := names(ours.Imports), names(ours.Calls)
		theirs[i].Imports, theirs[i].Calls = slices.Compact(theirs[i].Imports), slices.Compact(theirs[i].Calls)
		if slices.Equal(imports, theirs[i].Imports) && slices.Equal(calls, theirs[i].Calls) {
			same++
			continue
		}
		t.Logf("%s:\n  ours   %q %q\n  theirs %q %q", file, imports, calls, theirs[i].Imports, theirs[i].Calls)
	}
	t.Logf("%d of %d files the same", same, parsed)
	if parsed < 100 || float64(same) < 0.995*float64(parsed) {
		t.Errorf("only %d of %d files the same", same, parsed)
	}
}

func names(refs []Ref) []string {
	list := []string{}
	for _, r := range refs {
		list = append(list, r.Text)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// TestJavaScriptAgainstAcorn compares with a real parser on real packages.
func TestJavaScriptAgainstAcorn(t *testing.T) {
	t.Parallel()
	dir, err := filepath.Abs("../../../testdata/npm/node_modules")
	if err != nil {
		t.Fatal(err)
	}
	files := programs(t, dir, 200, ".js", ".mjs", ".cjs")
	calls := map[string]bool{"fetch": true, "WebSocket": true, "EventSource": true, "XMLHttpRequest": true}
	compare(t, files, oracle(t, files, "node", "testdata/acorn.mjs", dir), func(data []byte) Facts { return JavaScript(data, calls) })
}

// TestPythonAgainstAST compares with Python's own parser on its standard library.
func TestPythonAgainstAST(t *testing.T) {
	t.Parallel()
	out, err := exec.Command("python3", "-c", "import os; print(os.path.dirname(os.__file__))").Output()
	if err != nil {
		t.Skip("python3 is not here: make deps installs it")
	}
	files := programs(t, strings.TrimSpace(string(out)), 200, ".py")
	wanted := []string{"os.system", "os.popen", "socket.socket", "urllib.request.urlopen", "asyncio.create_subprocess_exec", "os.execv"}
	calls := map[string]bool{}
	for _, w := range wanted {
		calls[w] = true
	}
	compare(t, files, oracle(t, files, "python3", "testdata/oracle.py", strings.Join(wanted, " ")), func(data []byte) Facts { return Python(data, calls) })
}
