package cli

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"satchel/internal/sandbox"
	"satchel/internal/term"
)

// TestEventsAreVisible: what a server calls its files and programs reaches no terminal as it is, and stays in its line.
func TestEventsAreVisible(t *testing.T) {
	for _, asJSON := range []bool{false, true} {
		var b bytes.Buffer
		a := &app{err: &term.Out{Writer: &b}, json: asJSON}
		a.event(sandbox.Event{Kind: sandbox.RunEvent, Path: "/x\n\x1b[31m", Argv: []string{"x", "a\u202eb\nallowed run /y"}, Time: time.Unix(0, 0), Count: 3})
		a.event(sandbox.Event{Kind: sandbox.RunEvent})
		a.event(sandbox.Event{Kind: sandbox.ReadEvent, Path: "/a", Real: "/b", Allowed: true})
		a.event(sandbox.Event{Kind: sandbox.LostEvent, Count: 7})
		got := b.String()
		if strings.Count(got, "\n") != 4 || strings.ContainsAny(got, "\x1b\u202e") {
			t.Errorf("got %q", got)
		}
		if want := []string{"(3 times)", "a program whose name it hides", "/a -> /b", "7 things"}; !asJSON {
			for _, w := range want {
				if !strings.Contains(got, w) {
					t.Errorf("%q is not in %q", w, got)
				}
			}
		}
	}
}
