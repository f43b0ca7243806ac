package e2e

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The example's README is typed into a shell line by line, and every line must end well.
func TestReadmeOfTheExample(t *testing.T) {
	t.Parallel()
	sh := program(t, "sh")
	h := newHome(t)
	h.env = append(h.env, "PATH="+strings.Join([]string{bin, filepath.Dir(claude(t)), filepath.Dir(inspector(t)), os.Getenv("PATH")}, string(filepath.ListSeparator)))
	h.work = filepath.Join(h.dir, "filesystem")
	if err := os.CopyFS(h.work, os.DirFS(example(t))); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(h.dir, "Documents", "greeting.txt"), greeting)
	write(t, filepath.Join(h.dir, "Downloads", "other.txt"), "")

	said := map[string]string{}
	for _, line := range commandsOf(t, filepath.Join(h.work, "README.md")) {
		said[line] = h.run(t, sh, "-c", withoutTerminal(line))
	}
	for line, want := range map[string]string{
		"satchel call filesystem list_directory --arg path=$HOME/Documents": "[FILE] greeting.txt",
		"mcp-inspector --cli satchel run filesystem --method tools/list":    `"read_text_file"`,
		"claude mcp add filesystem -- satchel run filesystem":               "filesystem",
		"satchel install filesystem.mcpb --config folders=$HOME/Documents":  "local/filesystem",
		"satchel configure filesystem folders=$HOME/Downloads":              "Downloads",
		"satchel uninstall filesystem":                                      "local/filesystem",
	} {
		if got, ok := said[line]; !ok || !strings.Contains(got, want) {
			t.Errorf("%s\nsays %q, want %q in it", line, got, want)
		}
	}
}

// What the main README types at a prompt is typed into a shell in a fresh clone, after npm has fetched what it asks for.
func TestReadme(t *testing.T) {
	t.Parallel()
	sh := program(t, "sh")
	program(t, "node")
	readme := inSource(t, "README.md")
	typed := typedIn(t, readme)
	fetch, pack := slices.Index(typed, "npm ci --ignore-scripts --prefix examples/filesystem"), slices.Index(typed, "satchel pack examples/filesystem")
	if fetch < 0 || pack < fetch {
		t.Errorf("%s does not fetch the server before it packs: %q", readme, typed)
	}
	h := newHome(t)
	if err := os.CopyFS(filepath.Join(h.work, "examples", "filesystem"), os.DirFS(example(t))); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(h.dir, "Documents", "greeting.txt"), greeting)
	said := ""
	for _, line := range typed {
		if !strings.HasPrefix(line, "npm ") {
			said = h.run(t, sh, "-c", withoutTerminal(line))
		}
	}
	if !strings.Contains(said, "[FILE] greeting.txt") {
		t.Errorf("the last command says %q", said)
	}
}

// typedIn gives what a text types at a prompt.
func typedIn(t *testing.T, name string) (lines []string) {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		if command, ok := strings.CutPrefix(strings.TrimSpace(line), "$ "); ok {
			lines = append(lines, command)
		}
	}
	return lines
}

// commandsOf gives the indented lines of a README, but for npm: it is no part of the test that packages can be fetched.
func commandsOf(t *testing.T, readme string) (lines []string) {
	t.Helper()
	data, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		command, indented := strings.CutPrefix(strings.TrimRight(line, "\n"), "    ")
		if indented && !strings.HasPrefix(command, "npm ") {
			lines = append(lines, command)
		}
	}
	return lines
}

// withoutTerminal agrees by flag to what a person agrees to at the terminal.
func withoutTerminal(line string) string {
	if strings.HasPrefix(line, "satchel install ") || strings.HasPrefix(line, "satchel uninstall ") {
		return line + " --yes"
	}
	return line
}
