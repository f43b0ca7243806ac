package cli

import (
	"encoding/json"
	"strings"
	"testing"

	"satchel/internal/devloop"
	"satchel/internal/term"
)

// Whatever an author, a server or an app wrote, an event reaches the terminal as text that neither drives it nor hides.
func TestDevEventsAreVisible(t *testing.T) {
	evil := "x\x1b[2J\u202e\r\nerror: y"
	out := &term.Out{}
	for _, kind := range []devloop.Kind{
		devloop.Changed, devloop.Building, devloop.Built, devloop.Checked, devloop.Started, devloop.Failed, devloop.Ended, devloop.Log, devloop.Note,
		devloop.AppJoined, devloop.AppLeft, devloop.Call, devloop.Notified, devloop.Restarted,
	} {
		findings, err := json.Marshal([]map[string]any{{"rule": "manifest/x", "message": evil, "line": 3, "column": 4, "severity": "error"}})
		if err != nil {
			t.Fatal(err)
		}
		for _, failed := range []string{"", evil} {
			e := devloop.Event{
				Event: kind, App: evil, Source: evil, Text: evil, Files: []string{evil}, Tools: []string{evil}, Findings: findings, From: evil,
				Method: evil, Tool: evil, Arguments: evil, Result: evil, Error: failed, Lost: 2,
			}
			lines := devLines(out, e)
			if len(lines) == 0 {
				t.Errorf("%s shows nothing", kind)
			}
			for _, line := range lines {
				if strings.ContainsAny(line, "\x1b\u202e\r\n") {
					t.Errorf("%s: %q", kind, line)
				}
			}
		}
	}
	lines := devLines(out, devloop.Event{Event: devloop.Failed, Error: "no", Runs: true})
	if len(lines) != 2 || !strings.Contains(lines[1], "STILL RUNS") {
		t.Errorf("%q", lines)
	}
	red := devLines(&term.Out{Color: true}, devloop.Event{Event: devloop.Call, Error: "no"})
	if !strings.Contains(red[0], "\x1b[1;31mfailed: no") {
		t.Errorf("an error is not red: %q", red)
	}
}
