package cli

import (
	"encoding/json"
	"fmt"
	"strings"

	"satchel/internal/problem"
	"satchel/internal/sandbox"
	"satchel/internal/term"
)

// event writes what a server does to standard error, in one line.
func (a *app) event(e sandbox.Event) {
	if a.json {
		if text, err := json.Marshal(e); err == nil {
			_, _ = a.err.Write(append(term.VisibleJSON(text), '\n')) // nobody may be listening
		}
		return
	}
	answer := "refused"
	switch {
	case e.Kind == sandbox.LostEvent:
		a.err.Printf("%s %s\n", a.err.Yellow("lost"), fmt.Sprintf("%d things that it did came too fast, or were hidden", e.Count))
		return
	case e.Allowed:
		answer = "allowed"
	}
	times := ""
	if e.Count > 1 {
		times = fmt.Sprintf(" (%d times)", e.Count)
	}
	line := fmt.Sprintf("%s %-7s %-5s %s%s", e.Time.Format("15:04:05.000"), answer, e.Kind, term.VisibleLine(eventText(e)), times)
	if !e.Allowed {
		line = a.err.Red(line)
	}
	a.err.Printf("%s\n", line)
}

// eventText says what a server started or touched.
func eventText(e sandbox.Event) string {
	text := e.Path
	switch {
	case e.Path == "":
		text = "a program whose name it hides"
	case len(e.Argv) > 1:
		text = problem.Words(append([]string{e.Path}, e.Argv[1:]...)...)
	}
	if e.Real != "" && e.Real != e.Path {
		text += " -> " + e.Real
	}
	return strings.TrimSpace(text)
}
