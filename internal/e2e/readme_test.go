package e2e

import (
	"os"
	"path/filepath"
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
