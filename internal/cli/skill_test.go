package cli

import (
	"encoding/json"
	"io"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"satchel/internal/lint"
	"satchel/internal/term"
	"satchel/mcpb/manifest"
)

// commandsIn finds every command of ours in a text: lines of sh blocks, and what stands between backquotes.
func commandsIn(text string) (lines []string) {
	for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(text, -1) {
		for line := range strings.SplitSeq(strings.TrimSpace(block[1]), "\n") {
			lines = append(lines, line)
		}
	}
	prose := regexp.MustCompile("(?s)```.*?```").ReplaceAllString(text, "")
	for _, m := range regexp.MustCompile("`(satchel [^`]+)`").FindAllStringSubmatch(prose, -1) {
		lines = append(lines, m[1])
	}
	return lines
}

// TestTheSkillNamesOnlyWhatThereIs holds each command and flag of the text against the command line itself.
func TestTheSkillNamesOnlyWhatThereIs(t *testing.T) {
	t.Parallel()
	none := func(string) string { return "" }
	root := newRoot(&app{out: term.New(io.Discard, none), err: term.New(io.Discard, none), getenv: none})
	lines := commandsIn(skillText)
	used := map[string]bool{}
	for _, line := range lines {
		words := strings.Fields(line)
		if words[0] != "satchel" {
			t.Errorf("%q is no command of ours", line)
			continue
		}
		if cmd := checkLine(t, root, line, words[1:]); cmd != nil {
			used[cmd.Name()] = true
		}
	}
	for _, name := range []string{
		"init", "validate", "lint", "pack", "info", "clean", "install", "tools", "call", "configure", "dev", "sign", "verify", "unsign", "diff", "mcpb", "schema", "run", "uninstall",
	} {
		if !used[name] {
			t.Errorf("the skill does not teach %s", name)
		}
	}
	for _, flag := range regexp.MustCompile("`(--?[a-z][a-z-]*)").FindAllStringSubmatch(skillText, -1) {
		if !strings.Contains(strings.Join(lines, "\n")+" --json ", " "+flag[1]) && !anyHas(root, flag[1]) {
			t.Errorf("no command has the flag %s", flag[1])
		}
	}
}

// checkLine finds the command of a line, and holds its flags and the number of its arguments to what that takes.
func checkLine(t *testing.T, root *cobra.Command, line string, words []string) *cobra.Command {
	t.Helper()
	cmd, rest, err := root.Find(words)
	if err != nil || cmd == root {
		t.Errorf("%q: there is no such command: %v", line, err)
		return nil
	}
	if cmd.DisableFlagParsing {
		return cmd // mcpb, whose own commands are the reference's
	}
	rest = afterFrom(append([]string{cmd.Name()}, rest...))[1:]
	if err := cmd.ParseFlags(rest); err != nil {
		t.Errorf("%q: %v", line, err)
		return cmd
	}
	if err := cmd.Args(cmd, cmd.Flags().Args()); err != nil {
		t.Errorf("%q: %v", line, err)
	}
	return cmd
}

func anyHas(root *cobra.Command, flag string) bool {
	name := strings.TrimLeft(flag, "-")
	for _, cmd := range root.Commands() {
		if cmd.Flags().Lookup(name) != nil || len(name) == 1 && cmd.Flags().ShorthandLookup(name) != nil || cmd.InheritedFlags().Lookup(name) != nil {
			return true
		}
	}
	return false
}

// The manifests that the text shows are valid, and the rules that it names are rules.
func TestTheSkillShowsWhatIsValid(t *testing.T) {
	t.Parallel()
	blocks := regexp.MustCompile("(?s)```json\n(.*?)```").FindAllStringSubmatch(skillText, -1)
	if len(blocks) != 2 {
		t.Fatalf("%d blocks of JSON, want a manifest and its options", len(blocks))
	}
	whole := strings.TrimSuffix(strings.TrimSpace(blocks[0][1]), "}") + "," + blocks[1][1] + "}"
	for _, text := range []string{blocks[0][1], whole} {
		if !json.Valid([]byte(text)) {
			t.Errorf("no JSON: %s", text)
		}
		for _, f := range manifest.Validate([]byte(text), manifest.Checks{}).Findings {
			if f.Severity != manifest.Hint { // the options are used in another file
				t.Errorf("%s: %s %s", f.Rule, f.Path, f.Message)
			}
		}
	}
	rules := map[string]bool{}
	for _, r := range lint.Rules() {
		rules[r.ID] = true
	}
	for _, id := range regexp.MustCompile(`lint/[a-z-]+`).FindAllString(skillText, -1) {
		if !rules[id] {
			t.Errorf("there is no rule %s", id)
		}
	}
	if !regexp.MustCompile(`\A---\nname: [a-z-]+\ndescription: [^\n]{50,999}\n---\n\n# `).MatchString(skillText) {
		t.Error("the front matter is not a name and a description, a line each")
	}
}
