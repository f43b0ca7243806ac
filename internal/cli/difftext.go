package cli

import (
	"fmt"
	"strings"

	"github.com/rogpeppe/go-internal/diff"

	"satchel/internal/term"
	"satchel/mcpb/manifest"
)

// unifiedDiff gives what differs between two texts, "" when nothing does. The names go into its head.
func unifiedDiff(oldName string, old []byte, newName string, new []byte) string {
	_, text, _ := strings.Cut(string(diff.Diff(oldName, old, newName, new)), "\n") // the first line names a command that nobody gave
	return text
}

// printDiff shows a unified diff of somebody else's texts.
func (a *app) printDiff(text string) {
	for line := range strings.Lines(text) {
		shown := strings.ReplaceAll(term.VisibleLine(strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")), `\x09`, "\t")
		switch line[0] {
		case '+':
			shown = a.out.Green(shown)
		case '-':
			shown = a.out.Red(shown)
		case '@':
			shown = a.out.Faint(shown)
		}
		a.out.Println(shown)
	}
}

// changeText says in a line what was changed, or would be.
func changeText(file string, c manifest.Change) string {
	if c.After == "" {
		at := ""
		if c.Path != "" {
			at = c.Path + ": "
		}
		return fmt.Sprintf("%s:%d: %s%s taken away [%s]", file, c.Line, at, cut(c.Before, 80), c.Rule)
	}
	return fmt.Sprintf("%s:%d: %s: %s -> %s [%s]", file, c.Line, c.Path, cut(c.Before, 80), cut(c.After, 80), c.Rule)
}
