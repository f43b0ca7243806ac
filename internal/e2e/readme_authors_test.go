package e2e

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// An authorsLine is a line of the README's list for authors: how it begins, and a word of what it says.
type authorsLine struct {
	start, says string
	before      func(h *home, t *testing.T) // makes what the list itself does not
	code        int
}

func authorsLines() []authorsLine {
	return []authorsLine{
		{start: "satchel init ./my-extension --template node", says: "wrote my-extension/server/index.js"},
		{start: "satchel init . --from", says: "wrote manifest.json", before: (*home).serverOfOnesOwn},
		{start: "satchel skill", says: "name: desktop-extension"},
		{start: "satchel validate ./my-extension", says: "is valid"},
		{start: "satchel validate --fix ./my-extension", says: `"Version" -> "version"`, before: (*home).misspell},
		{start: "satchel lint ./my-extension", says: "0 errors, 0 warnings", before: (*home).packages},
		{start: "satchel schema --out manifest.schema.json", says: "manifest.schema.json"},
		{start: "satchel pack ./my-extension --list", says: "server/index.js"},
		{start: "satchel pack ./my-extension", says: "my-extension.mcpb"},
		{start: "satchel diff my-1.0.mcpb my-1.1.mcpb", says: "1.1.0", before: (*home).twoVersions},
		{start: "satchel info my-extension.mcpb", says: "node, server/index.js"},
		{start: "satchel unpack my-extension.mcpb look", says: "into look"},
		{start: "satchel dev ./my-extension", says: "waiting for a change"},
		{start: "satchel clean my-extension.mcpb", says: "verified"},
		{start: "satchel sign my-extension.mcpb --self-signed", says: "signed my-extension.mcpb"},
		{start: "satchel verify my-extension.mcpb", says: "nobody but the signer vouches", code: 5},
	}
}

// What the README lists for authors is typed line by line, as it stands there, but for the flags that agree in a
// person's place. A line that no test knows is an error, and so is one that is gone.
func TestReadmeForAuthors(t *testing.T) {
	t.Parallel()
	program(t, "node")
	h := newHome(t)
	known := authorsLines()
	for _, line := range listedUnder(t, inSource(t, "README.md"), "## For authors") {
		i := 0
		for i < len(known) && line != known[i].start && !strings.HasPrefix(line, known[i].start+" ") {
			i++
		}
		if i == len(known) {
			t.Errorf("no test knows what this line does: %s", line)
			continue
		}
		k := known[i]
		known = append(known[:i:i], known[i+1:]...)
		if k.before != nil {
			k.before(h, t)
		}
		if said := h.typed(t, line, k); !strings.Contains(said, k.says) {
			t.Errorf("%s\nsays %q, want %q in it", line, said, k.says)
		}
	}
	for _, k := range known {
		t.Errorf("the README does not have: %s", k.start)
	}
}

// listedUnder gives the commands that are listed under a heading of a text, without their comments.
func listedUnder(t *testing.T, name, heading string) (lines []string) {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(data), "\n"+heading+"\n")
	if !found {
		t.Fatalf("%s has no %q", name, heading)
	}
	section, _, _ = strings.Cut(section, "\n## ")
	for line := range strings.Lines(section) {
		if command, indented := strings.CutPrefix(line, "    "); indented {
			command, _, _ = strings.Cut(command, "#")
			lines = append(lines, strings.TrimSpace(command))
		}
	}
	return lines
}

// typed gives what a line says. What goes on until it is stopped is stopped when it has said its word.
func (h *home) typed(t *testing.T, line string, k authorsLine) string {
	t.Helper()
	for _, agree := range []string{"satchel init", "satchel dev", "satchel clean"} {
		if strings.HasPrefix(line, agree) {
			line = strings.Replace(line, agree, agree+" --yes", 1)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	said := &watched{word: k.says, stop: func() {}}
	cmd := h.command(ctx, program(t, "sh"), "-c", "exec "+line)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.Stdout, cmd.Stderr = said, said
	if strings.HasPrefix(line, "satchel dev") {
		said.stop = cancel
	}
	err := cmd.Run()
	if code := cmd.ProcessState.ExitCode(); code != k.code && ctx.Err() == nil {
		t.Errorf("%s: exit code %d, want %d: %v\n%s", line, code, k.code, err, said.text.String())
	}
	return said.text.String()
}

// A watched is what a command says; stop is called when it has said a word.
type watched struct {
	text bytes.Buffer
	word string
	stop func()
}

func (w *watched) Write(p []byte) (int, error) {
	w.text.Write(p)
	if strings.Contains(w.text.String(), w.word) {
		w.stop()
	}
	return len(p), nil
}

// serverOfOnesOwn puts a server where there is no manifest.
func (h *home) serverOfOnesOwn(t *testing.T) {
	t.Helper()
	write(t, filepath.Join(h.work, "server", "index.js"), strings.Replace(workServer, "%s", `["first"]`, 1))
}

func (h *home) misspell(t *testing.T) {
	t.Helper()
	path := filepath.Join(h.work, "my-extension", "manifest.json")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	write(t, path, strings.Replace(string(data), `"version"`, `"Version"`, 1))
}

func (h *home) packages(t *testing.T) {
	t.Helper()
	nodeModules(t, h, filepath.Join(h.work, "my-extension"))
}

func (h *home) twoVersions(t *testing.T) {
	t.Helper()
	for _, v := range []string{"1.0", "1.1"} {
		dir := filepath.Join(h.dir, "my-"+v)
		write(t, filepath.Join(dir, "manifest.json"), strings.Replace(treeManifest, "1.0.0", v+".0", 1))
		write(t, filepath.Join(dir, "server", "index.js"), "")
		h.run(t, "satchel", "pack", dir, "my-"+v+".mcpb")
	}
}
