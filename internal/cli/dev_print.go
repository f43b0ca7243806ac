package cli

import (
	"encoding/json"
	"fmt"
	"strings"

	"satchel/internal/devloop"
	"satchel/internal/term"
	"satchel/mcpb/manifest"
)

// show prints one event: as one JSON line when that was asked for, else for people. It is safe for concurrent use.
func (d *devSession) show(e devloop.Event) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if e.Event == devloop.Started {
		d.names = e.Tools
	}
	if d.a.json {
		line, err := json.Marshal(e)
		if err == nil { // an event is texts and numbers
			d.a.out.Printf("%s\n", term.VisibleJSON(line))
		}
		return
	}
	for _, line := range devLines(d.a.out, e) {
		d.a.out.Printf("%s\n", line)
	}
}

// devLines are the lines of an event. All that an author, a server or an app wrote goes through term.
func devLines(o *term.Out, e devloop.Event) []string {
	text := func(s string) string { return cut(term.VisibleLine(s), 400) }
	line := func(format string, args ...any) []string { return []string{fmt.Sprintf(format, args...)} }
	took := o.Faint(fmt.Sprintf("%.0f ms", e.MS))
	switch e.Event {
	case devloop.Changed:
		return line("%s %s", o.Faint("changed:"), text(strings.Join(e.Files, ", ")))
	case devloop.Building:
		return line("%s %s", o.Faint("building:"), text(e.Text))
	case devloop.Built:
		if e.Error != "" {
			return line("%s %s; waiting for a change", o.Red("the build failed:"), text(e.Error))
		}
		return line("built %s", took)
	case devloop.Checked:
		return findingLines(o, e.Findings)
	case devloop.Started:
		return line("%s %s %s", o.Green("started:"), text(toolList(e.Tools)), took)
	case devloop.Failed:
		lines := line("%s %s", o.Red("it does not start:"), term.VisibleLine(e.Error))
		return append(lines, lastGood(o, e))
	case devloop.Ended:
		return line("%s %s; waiting for a change", o.Red("the server ended by itself:"), text(e.Error))
	case devloop.Log:
		source := e.Source
		if e.App != "" {
			source = e.App
		}
		return line("%s %s", o.Faint(term.VisibleLine(source)+" |"), term.VisibleLine(e.Text))
	case devloop.Note:
		return line("%s %s", o.Faint("note:"), term.VisibleLine(e.Text))
	}
	return appLines(o, e, text, took)
}

// appLines are the lines of events about apps.
func appLines(o *term.Out, e devloop.Event, text func(string) string, took string) []string {
	who := o.Faint(text(e.App) + ":")
	lines := []string{}
	if e.Lost > 0 {
		lines = append(lines, o.Yellow(fmt.Sprintf("%d events were too many to show", e.Lost)))
	}
	add := func(format string, args ...any) []string { return append(lines, fmt.Sprintf(format, args...)) }
	what := text(strings.TrimSpace(e.Method + " " + e.Tool))
	switch e.Event {
	case devloop.AppJoined:
		return add("%s uses it now", text(e.App))
	case devloop.AppLeft:
		return add("%s has left", text(e.App))
	case devloop.Call:
		if e.Error != "" {
			return add("%s %s %s %s %s", who, what, o.Faint(text(e.Arguments)), o.Red("failed: "+text(e.Error)), took)
		}
		return add("%s %s %s %s %s", who, what, o.Faint(text(e.Arguments)), text(e.Result), took)
	case devloop.Notified:
		return add("%s %s says %s %s", who, text(e.From), what, o.Faint(text(e.Arguments)))
	case devloop.Restarted:
		if e.Error != "" {
			return append(add("%s %s %s", who, o.Red("its server does not start:"), text(e.Error)), lastGood(o, e))
		}
		return add("%s its server was started anew %s", who, took)
	}
	return lines
}

func lastGood(o *term.Out, e devloop.Event) string {
	if e.Runs {
		return o.Yellow("THE LAST SERVER THAT WORKED STILL RUNS, without this change")
	}
	return o.Yellow("no server runs; waiting for a change")
}

func toolList(names []string) string {
	if len(names) == 0 {
		return "no tools"
	}
	return fmt.Sprintf("%d tools: %s", len(names), strings.Join(names, ", "))
}

func findingLines(o *term.Out, raw json.RawMessage) (lines []string) {
	var findings []manifest.Finding
	if json.Unmarshal(raw, &findings) != nil {
		return nil
	}
	for _, f := range findings {
		mark := o.Yellow(string(f.Severity) + ":")
		if f.Severity == manifest.Error {
			mark = o.Red("error:")
		}
		lines = append(lines, fmt.Sprintf("manifest.json:%d:%d %s %s (%s)", f.Line, f.Column, mark, term.VisibleLine(f.Message), f.Rule))
	}
	return lines
}
