package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// An answering is a home where the filesystem example is installed and configured.
type answering struct {
	*home
	folder, second string // the folders that the server may read; greeting.txt lies in the first
}

const greeting = "Grüße aus dem Ordner\n"

// install packs, installs and configures the example as its README says. The folders have names that nothing on the
// way to the server may interpret.
func install(t *testing.T) answering {
	t.Helper()
	src := example(t)
	program(t, "node")
	h := newHome(t)
	a := answering{h, filepath.Join(h.dir, "My ${HOME} $& 'files' ☃"), filepath.Join(h.dir, "second;folder")}
	write(t, a.greeting(), greeting)
	write(t, filepath.Join(a.second, "other.txt"), "")
	h.run(t, "satchel", "pack", src, "filesystem.mcpb")
	h.run(t, "satchel", "install", "filesystem.mcpb", "--yes", "--config", "folders="+a.folder, "--config", "folders="+a.second)
	return a
}

func (a answering) greeting() string { return filepath.Join(a.folder, "greeting.txt") }

// declaredTools are the names that the example's manifest promises.
func declaredTools(t *testing.T) []string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(example(t), "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	return toolNames(t, string(data))
}

// toolNames reads the names in the "tools" of a JSON document, which manifests, satchel and the Inspector all have.
func toolNames(t *testing.T, document string) (names []string) {
	t.Helper()
	var list struct{ Tools []struct{ Name string } }
	decode(t, document, &list)
	for _, tool := range list.Tools {
		names = append(names, tool.Name)
	}
	slices.Sort(names)
	return names
}

// answer reads the text in a tool's answer, which satchel and the Inspector print alike.
func answer(t *testing.T, document string) string {
	t.Helper()
	var res struct{ Content []struct{ Text string } }
	decode(t, document, &res)
	if len(res.Content) != 1 {
		t.Fatalf("%d pieces of content in %s", len(res.Content), document)
	}
	return res.Content[0].Text
}

func decode(t *testing.T, document string, v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(document), v); err != nil {
		t.Fatalf("%v in %q", err, document)
	}
}

func TestFilesystemAnswersSatchel(t *testing.T) {
	t.Parallel()
	a := install(t)
	if got, want := toolNames(t, a.run(t, "satchel", "tools", "filesystem", "--json")), declaredTools(t); !slices.Equal(got, want) {
		t.Errorf("tools %v, the manifest says %v", got, want)
	}
	if got, want := a.run(t, "satchel", "call", "filesystem", "list_directory", "--arg", "path="+a.folder), "[FILE] greeting.txt\n"; got != want {
		t.Errorf("list_directory: %q, want %q", got, want)
	}
	input, err := json.Marshal(map[string]any{"path": a.greeting(), "head": 1})
	if err != nil {
		t.Fatal(err)
	}
	if got := answer(t, a.run(t, "satchel", "call", "filesystem", "read_text_file", string(input), "--json")); got != strings.TrimSpace(greeting) {
		t.Errorf("read_text_file: %q, want the first line of the file", got)
	}
	allowed := a.run(t, "satchel", "call", "filesystem", "list_allowed_directories")
	if want := a.folder + "\n" + a.second; !strings.Contains(allowed, want) {
		t.Errorf("the server may read:\n%s\nwant:\n%s", allowed, want)
	}
	if res := a.try(t, "satchel", "call", "filesystem", "list_directory", "--arg", "path="+a.dir); res.code != 1 || !strings.Contains(res.stdout, "denied") {
		t.Errorf("a folder that was not given: exit code %d, %s", res.code, res.stdout)
	}
}

func TestFilesystemAnswersTheInspector(t *testing.T) {
	t.Parallel()
	cli := inspector(t)
	a := install(t)
	call := func(args ...string) string {
		return a.run(t, cli, append([]string{"--cli", "satchel", "run", "filesystem", "--method"}, args...)...)
	}
	if got, want := toolNames(t, call("tools/list")), declaredTools(t); !slices.Equal(got, want) {
		t.Errorf("tools %v, the manifest says %v", got, want)
	}
	if got := answer(t, call("tools/call", "--tool-name", "list_directory", "--tool-arg", "path="+a.folder)); got != "[FILE] greeting.txt" {
		t.Errorf("list_directory: %q", got)
	}
	if got := answer(t, call("tools/call", "--tool-name", "read_text_file", "--tool-arg", "path="+a.greeting())); got != greeting {
		t.Errorf("read_text_file: %q, want %q", got, greeting)
	}
}

func TestFilesystemIsConnectedInClaudeCode(t *testing.T) {
	t.Parallel()
	cli := claude(t)
	a := install(t)
	a.run(t, cli, "mcp", "add", "filesystem", "--", "satchel", "run", "filesystem")
	if out := a.run(t, cli, "mcp", "list"); !strings.Contains(out, "filesystem: satchel run filesystem - ✔ Connected") {
		t.Errorf("with the extension installed, claude mcp list says:\n%s", out)
	}
	a.run(t, "satchel", "uninstall", "filesystem", "--yes")
	if out := a.run(t, cli, "mcp", "list"); !strings.Contains(out, "filesystem: satchel run filesystem - ✘ Failed to connect") {
		t.Errorf("after uninstall, claude mcp list says:\n%s", out)
	}
}

func TestFilesystemLifeOnTheMachine(t *testing.T) {
	t.Parallel()
	src := example(t)
	h := newHome(t)
	h.run(t, "satchel", "pack", src, "filesystem.mcpb")
	var info struct {
		Valid    bool
		Manifest struct{ Name string }
	}
	decode(t, h.run(t, "satchel", "info", "filesystem.mcpb", "--json"), &info)
	if !info.Valid || info.Manifest.Name != "filesystem" {
		t.Errorf("info: %+v", info)
	}
	h.run(t, "satchel", "install", "filesystem.mcpb", "--yes")
	if got := extensions(t, h); !slices.Equal(got, []string{"local/filesystem"}) {
		t.Errorf("installed: %v", got)
	}
	if msg := h.fails(t, 7, "satchel", "tools", "filesystem"); !strings.Contains(msg, "folders") {
		t.Errorf("without the required answer: %s", msg)
	}
	h.run(t, "satchel", "configure", "filesystem", "folders="+h.work)
	h.run(t, "satchel", "tools", "filesystem")
	h.run(t, "satchel", "uninstall", "filesystem", "--yes")
	h.fails(t, 6, "satchel", "show", "filesystem")
	if got := extensions(t, h); len(got) != 0 {
		t.Errorf("after uninstall: %v", got)
	}
}

// extensions lists the ids of what is installed.
func extensions(t *testing.T, h *home) (ids []string) {
	t.Helper()
	var list struct{ Extensions []struct{ ID string } }
	decode(t, h.run(t, "satchel", "list", "--json"), &list)
	for _, e := range list.Extensions {
		ids = append(ids, e.ID)
	}
	return ids
}
