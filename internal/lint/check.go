package lint

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"satchel/internal/term"
	"satchel/mcpb/manifest"
)

// maxFindings is how many findings of one rule a report holds; the others are counted.
const maxFindings = 25

// A check is one rule at work.
type check struct {
	*run
	rule     Rule
	severity Severity
	found    []Finding
	more     int
	seen     map[string]bool // what was reported once, for rules that say a thing only once
}

// add reports a finding; what is beyond the bound is counted only, so the caller need not stop.
func (c *check) add(f Finding) {
	if len(c.found) >= maxFindings {
		c.more++
		return
	}
	f.Rule, f.Severity = c.rule.ID, c.severity
	f = c.unsecret(f)
	if f.Fix == "" {
		f.Fix = c.rule.Fix
	}
	c.found = append(c.found, f)
}

// unsecret keeps the secrets of a line out of what other rules say about it.
func (c *check) unsecret(f Finding) Finding {
	if source := c.tree.byName[f.File]; source != nil && (f.Rule != "lint/secret" || f.Path != "") { // those of files are cut already
		for _, s := range source.secrets {
			if s.line == f.Line {
				f.Snippet = term.Snippet{}
			}
		}
	}
	for _, text := range []*string{&f.Message, &f.Fix} {
		for _, m := range slices.Backward(c.tree.scanner.Scan([]byte(*text), maxSecrets)) {
			*text = (*text)[:m.Start] + mask((*text)[m.Start:m.End]) + (*text)[m.End:]
		}
	}
	return f
}

// full tells whether the next finding will only be counted: its place need not be worked out.
func (c *check) full() bool { return len(c.found) >= maxFindings }

// once tells the first time that it is asked about key.
func (c *check) once(key string) bool {
	first := !c.seen[key]
	c.seen[key] = true
	return first
}

// at makes a finding about the value of the manifest that keys lead to, or the nearest one above that is there.
func (c *check) at(keys []any, format string, args ...any) Finding {
	f := Finding{File: manifestName, Line: 1, Column: 1, Message: fmt.Sprintf(format, args...)}
	if c.full() {
		return f
	}
	for {
		v, ok := c.outline.Find(keys...)
		if ok && len(keys) > 0 {
			return c.atValue(v, f)
		}
		if len(keys) == 0 {
			return f
		}
		keys = keys[:len(keys)-1]
	}
}

func (c *check) atValue(v manifest.Value, f Finding) Finding {
	f.Path = v.Path
	f.Line, f.Column = lineColumn(c.text, v.Offset)
	end := v.EndOffset
	if !v.IsText { // of an object, the brace is enough
		end = min(end, v.Offset+1)
	}
	f.Snippet = term.CutSnippet(c.text, v.Offset, end)
	return f
}

// atText makes a finding about a text of the manifest.
func (c *check) atText(v manifest.Value, format string, args ...any) Finding {
	f := Finding{File: manifestName, Message: fmt.Sprintf(format, args...)}
	if c.full() {
		return f
	}
	return c.atValue(v, f)
}

// inFile makes a finding about a place in a file, or about the whole of it when the place is the zero value.
func inFile(name string, p spot, format string, args ...any) Finding {
	return Finding{File: name, Line: p.line, Column: p.column, Snippet: p.snippet, Message: fmt.Sprintf(format, args...)}
}

// served makes a finding about what the server serves.
func served(path, format string, args ...any) Finding {
	return Finding{Path: path, Message: fmt.Sprintf(format, args...)}
}

// maxQuoted is how many characters of foreign text a message repeats.
const maxQuoted = 60

// quote gives foreign text for a message, cut when it is long.
func quote(s string) string {
	if utf8.RuneCountInString(s[:min(len(s), 8*maxQuoted)]) > maxQuoted {
		s = string([]rune(s[:min(len(s), 8*maxQuoted)])[:maxQuoted]) + "…"
	}
	return fmt.Sprintf("%q", s)
}

// list joins up to three quoted texts, and says how many there are more.
func list(names []string) string {
	var quoted []string
	for _, n := range names[:min(len(names), 3)] {
		quoted = append(quoted, quote(n))
	}
	text := strings.Join(quoted, ", ")
	if n := len(names) - 3; n > 0 {
		text += fmt.Sprintf(" and %d more", n)
	}
	return text
}

// plural gives "1 file", "2 files".
func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
