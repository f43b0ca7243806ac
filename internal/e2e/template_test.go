package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// A kind is a template, and how its project is made ready and tested.
type kind struct {
	template string
	prepare  func(t *testing.T, h *home, dir string)
	test     []string
	bin      string // a folder for the front of PATH
	grant    string // beside what follows from the answers
}

// Each template becomes a project whose own test passes, that nobody has anything against, and that is packed,
// installed and called. Nothing asks the network: newHome sees to it.
func TestTemplatesWork(t *testing.T) {
	t.Parallel()
	for _, k := range []kind{
		{template: "node", test: []string{"node", "--test"}, prepare: nodeModules},
		{template: "python", test: []string{"python3", "-m", "unittest"}},
		{template: "go", test: []string{"go", "test", "./..."}, prepare: buildPrograms},
	} {
		t.Run(k.template, func(t *testing.T) {
			t.Parallel()
			k.works(t, newHome(t))
		})
	}
}

// There is no uv in Debian, npm or the Go proxy. The stub reads the command line as uv does, and runs the program with
// the system's Python: what is tested is our part, the command and the environment.
func TestUVTemplateWorksWithAStub(t *testing.T) {
	t.Parallel()
	python := systemPython(t)
	bin := t.TempDir()
	stub := "#!/bin/sh\nset -eu\n[ \"$1\" = run ] && [ \"$2\" = --directory ]\ncd \"$3\"\n[ -f pyproject.toml ]\n" +
		"case \"$UV_PROJECT_ENVIRONMENT\" in /*/.cache/*/venv) ;; *) exit 9 ;; esac\nshift 3\nexec " + python + " \"$@\"\n"
	if err := os.WriteFile(filepath.Join(bin, "uv"), []byte(stub), 0o755); err != nil {
		t.Fatal(err)
	}
	kind{template: "uv", test: []string{"python3", "-m", "unittest"}, bin: bin, grant: "run:" + python}.works(t, newHome(t))
}

// systemPython is Debian's own: what a version manager puts into PATH is below a home that is not the test's.
func systemPython(t *testing.T) string {
	t.Helper()
	const python = "/usr/bin/python3"
	if _, err := os.Stat(python); err != nil {
		lacking(t, python)
	}
	return python
}

func TestUVTemplateWorksWithUV(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("uv"); err != nil {
		t.Skip("uv is not here, and nothing that `make deps` uses has it: the template is tested with a stub only")
	}
	kind{template: "uv", test: []string{"uv", "run", "--offline", "python", "-m", "unittest"}, prepare: func(t *testing.T, h *home, dir string) {
		h.runIn(t, dir, "uv", "lock", "--offline")
	}}.works(t, newHome(t))
}

func (k kind) works(t *testing.T, h *home) {
	program(t, k.test[0])
	if k.bin != "" {
		for i, pair := range h.env {
			if path, ok := strings.CutPrefix(pair, "PATH="); ok {
				h.env[i] = "PATH=" + k.bin + string(filepath.ListSeparator) + path
			}
		}
	}
	h.env = append(h.env, "PYTHONDONTWRITEBYTECODE=1")
	h.run(t, "satchel", "init", "my-"+k.template, "--template", k.template, "-y")
	dir := filepath.Join(h.work, "my-"+k.template)
	if k.prepare != nil {
		k.prepare(t, h, dir)
	}
	h.runIn(t, dir, k.test[0], k.test[1:]...)
	k.nothingFound(t, h, dir)
	k.answers(t, h, dir)
}

// nothingFound wants no word of validate and lint, and no objection of the reference. A reviewer is told of programs.
func (k kind) nothingFound(t *testing.T, h *home, dir string) {
	t.Helper()
	for _, args := range [][]string{{"validate", dir}, {"lint", dir}} {
		var report struct{ Findings []any }
		document := h.run(t, "satchel", append(args, "--json")...)
		if decode(t, document, &report); len(report.Findings) > 0 {
			t.Errorf("satchel %v: %s", args, document)
		}
	}
	h.run(t, "satchel", "lint", dir, "--profile", "reviewer")
	h.run(t, reference(t), "validate", dir)
}

func (k kind) answers(t *testing.T, h *home, dir string) {
	t.Helper()
	notes := filepath.Join(h.dir, "notes & more")
	write(t, filepath.Join(notes, "a.txt"), "nothing\nthe Word\n")
	h.run(t, "satchel", "pack", dir, "x.mcpb")
	install := []string{"install", "x.mcpb", "--yes", "--config", "folder=" + notes}
	if k.grant != "" {
		install = append(install, "--grant", k.grant)
	}
	h.run(t, "satchel", install...)
	if got := toolNames(t, h.run(t, "satchel", "tools", "my-"+k.template, "--json")); len(got) != 1 || got[0] != "search_files" {
		t.Errorf("tools %v", got)
	}
	if got := h.run(t, "satchel", "call", "my-"+k.template, "search_files", "--arg", "query=word"); got != "a.txt:2: the Word\n" {
		t.Errorf("search_files: %q", got)
	}
}

// runIn is run in another folder.
func (h *home) runIn(t *testing.T, dir, name string, args ...string) {
	t.Helper()
	cmd := h.command(t.Context(), name, args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s %v in %s: %v\n%s", name, args, dir, err, out)
	}
}

// nodeModules brings what `npm ci` would: the packages of the template's own lock file, which `make deps` installs.
func nodeModules(t *testing.T, _ *home, dir string) {
	t.Helper()
	modules := inSource(t, "internal", "scaffold", "template", "node", "node_modules")
	if _, err := os.Stat(filepath.Join(modules, "@modelcontextprotocol", "sdk")); err != nil {
		lacking(t, "the MCP SDK of "+modules)
	}
	if err := os.CopyFS(filepath.Join(dir, "node_modules"), os.DirFS(modules)); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "node_modules", ".satchel-deps")); err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
}

// buildPrograms builds for every platform of the manifest, offline, with the caches of this machine.
func buildPrograms(t *testing.T, h *home, dir string) {
	t.Helper()
	if runtime.GOOS+"/"+runtime.GOARCH != "linux/amd64" && runtime.GOOS+"/"+runtime.GOARCH != "darwin/arm64" {
		t.Skipf("the template has no program for %s/%s", runtime.GOOS, runtime.GOARCH)
	}
	out, err := exec.Command("go", "env", "GOCACHE", "GOMODCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	caches := strings.Fields(string(out))
	h.env = append(h.env, "GOPROXY=off", "GOFLAGS=", "GOTOOLCHAIN=local", "GOWORK=off", "CGO_ENABLED=0", "GOCACHE="+caches[0], "GOMODCACHE="+caches[1])
	h.runIn(t, dir, "go", "run", "./build")
	file, err := exec.Command("go", "version", "-m", filepath.Join(dir, "server", "my-go-linux-amd64")).Output()
	if err != nil || !strings.Contains(string(file), "CGO_ENABLED=0") {
		t.Errorf("not a static program: %s, %v", file, err)
	}
}
