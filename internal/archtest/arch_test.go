package archtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

type listed struct {
	ImportPath string
	Name       string
	Dir        string
	Doc        string
	Standard   bool
	Imports    []string
	GoFiles    []string
}

// goList gives the packages of the module as `go list -json` sees them for goos.
func goList(t *testing.T, goos string) []listed {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Name,Dir,Doc,Imports,GoFiles", "./...")
	cmd.Dir = "../.."
	cmd.Env = append(cmd.Environ(), "GOOS="+goos, "CGO_ENABLED=0")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var pkgs []listed
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return pkgs
		} else if err != nil {
			t.Fatal(err)
		}
		pkgs = append(pkgs, p)
	}
}

// owner gives the package whose floor path stands on: a package inside an internal folder belongs to the folder's owner.
func owner(path string) string {
	if before, _, found := strings.Cut(path, "mcpb/internal/"); found {
		return before + "mcpb"
	}
	for p := path; p != "satchel"; p = p[:strings.LastIndex(p, "/")] {
		if _, ok := floors[p]; ok {
			return p
		}
	}
	return path
}

func TestFloors(t *testing.T) {
	for _, goos := range []string{"linux", "darwin", "windows"} {
		for _, p := range goList(t, goos) {
			if _, ok := tools[p.ImportPath]; ok {
				continue
			}
			from := owner(p.ImportPath)
			if _, ok := floors[from]; !ok {
				t.Errorf("%s stands on no floor: give it one in internal/archtest/table.go and in ARCHITECTURE.md", p.ImportPath)
				continue
			}
			for _, imp := range p.Imports {
				if strings.HasPrefix(imp, "satchel/") {
					checkEdge(t, from, owner(imp))
				}
			}
		}
	}
}

func checkEdge(t *testing.T, from, to string) {
	t.Helper()
	if from == to {
		return
	}
	if why, ok := tools[to]; ok {
		t.Errorf("%s imports %s, which is a tool (%s): nothing that ships may need it", from, to, why)
		return
	}
	switch up, down := floors[from], floors[to]; {
	case up < down:
		t.Errorf("%s (floor %d) imports %s (floor %d): imports go downwards only; declare a small interface where you use it and let internal/host pass the part in", from, up, to, down)
	case up == down && edges[[2]string{from, to}] == "":
		t.Errorf("%s imports its neighbour %s on floor %d: parts of one floor do not know each other; put what both need a floor down, or the use of both a floor up", from, to, up)
	}
}

func TestEveryPackageSaysWhenToUseIt(t *testing.T) {
	for _, p := range goList(t, "linux") {
		if len(p.GoFiles) > 0 && len(p.Doc) < 20 {
			t.Errorf("%s has no package comment that says when to use it", p.ImportPath)
		}
	}
}

func TestModules(t *testing.T) {
	cmd := exec.Command("go", "mod", "edit", "-json")
	cmd.Dir = "../.."
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var mod struct {
		Require []struct {
			Path     string
			Indirect bool
		}
	}
	if err := json.Unmarshal(out, &mod); err != nil {
		t.Fatal(err)
	}
	direct := map[string]bool{}
	for _, r := range mod.Require {
		if !r.Indirect {
			direct[r.Path] = true
			if modules[r.Path] == "" {
				t.Errorf("%s is a direct dependency without a reason: check its last release, licence and weight, then add it to internal/archtest/table.go", r.Path)
			}
		}
	}
	for _, path := range slices.Sorted(maps.Keys(modules)) {
		if !direct[path] {
			t.Errorf("%s is in the list of modules but go.mod does not need it: delete the line", path)
		}
	}
	if len(direct) > 25 {
		t.Errorf("%d direct dependencies: the budget is 25", len(direct))
	}
}
