package host

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"satchel/internal/activity"
	"satchel/internal/egress"
	"satchel/internal/sandbox"
	"satchel/internal/spec"
)

// deeds gives what is recorded, in one line each.
func (w world) deeds(t *testing.T, id string) (lines []string, list []Deed) {
	t.Helper()
	feed, err := w.Activity(id)
	if err != nil {
		t.Fatal(err)
	}
	got, err := feed.Next()
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range got.List {
		lines = append(lines, fmt.Sprintf("%s %s %s %v %s", d.ID, d.Kind, d.What, d.Denied, d.Grant))
	}
	return lines, got.List
}

// TestWhatIsWrittenDown of what a server did: neither its own start, nor where libraries look for programs, nor arguments.
func TestWhatIsWrittenDown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tool := w.path("tool")
	if err := os.WriteFile(tool, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	node := w.path("bin/node")
	l := w.listen(spec.Spec{ID: "local/demo", Argv: []string{node, "index.js"}, Sandbox: &spec.Sandbox{}})
	l.Started(sandbox.Namespaces, errors.New("a debugger does"))
	for i, e := range []sandbox.Event{
		{Kind: sandbox.RunEvent, Path: node, Real: node, Allowed: true, Argv: []string{"node", "seekrit"}},
		{Kind: sandbox.RunEvent, Path: node, Real: node, Allowed: true, Argv: []string{"node", "seekrit"}},
		{Kind: sandbox.RunEvent, Path: "/usr/local/bin/nowhere"},
		{Kind: sandbox.RunEvent, Path: "/tmp/made", Argv: []string{"seekrit"}},
		{Kind: sandbox.RunEvent, Path: "/bin/node", Real: node},
		{Kind: sandbox.RunEvent, Path: "/bin/tool", Real: tool},
		{Kind: sandbox.RunEvent},
		{Kind: sandbox.ReadEvent, Path: "/x", Real: "/real/x", Allowed: true},
		{Kind: sandbox.ReadEvent, Path: "/y", Real: "/real/y", Needs: "/real/y"},
		{Kind: sandbox.WriteEvent, Path: "/z", Real: "/real/z", Needs: "/real/z"},
		{Kind: sandbox.WriteEvent, Path: "/gone"},
		{Kind: sandbox.LostEvent, Count: 7},
	} {
		e.Time = time.Now().Add(time.Duration(i) * time.Hour) // the order
		l.Event(e)
	}
	l.Attempt(egress.Attempt{Time: time.Now().Add(20 * time.Hour), Host: "::1", Port: 80, Rule: "egress/not-granted", Why: "no", Grant: "port:80"})
	l.Attempt(egress.Attempt{Time: time.Now().Add(21 * time.Hour), Host: "a@b c", Why: "no name"})
	l.Attempt(egress.Attempt{Time: time.Now().Add(22 * time.Hour), Host: "x.test", Port: 443, Allowed: true, Grant: "net:x.test", Sent: 1, Received: 2, Proxy: "p:1"})
	refused := w.Refused()
	l.Ended(1, errors.New("killed"))

	lines, list := w.deeds(t, "demo")
	want := []string{
		"run " + node + " false ", "run /tmp/made true ", "run " + node + " true run:node", "run " + tool + " true run:" + tool, "run  true ",
		"read /real/x false ", "read /real/y true read:/real/y", "write /real/z true write:/real/z", "write /gone true ", "lost  false ",
		"net [::1]:80 true port:80", "net a@b c true ", "net x.test:443 false net:x.test",
	}
	for i := range want {
		want[i] = "local/demo " + want[i]
	}
	var got []string
	for i, d := range list {
		switch d.Kind {
		case activity.Start:
			if d.Mode != "namespaces" || !strings.Contains(d.Why, "a debugger does") {
				t.Errorf("start: %+v", d)
			}
		case activity.End:
			if *d.Code != 1 || d.Why != "killed" {
				t.Errorf("end: %+v", d)
			}
		default:
			got = append(got, lines[i])
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nnot\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if last := list[len(list)-1]; last.Sent != 1 || last.Received != 2 || last.Proxy != "p:1" {
		t.Errorf("the last attempt: %+v", last)
	}
	if len(refused) != 8 || refused[0].What != "/tmp/made" || refused[0].ID != "local/demo" {
		t.Errorf("refused: %+v", refused)
	}
}

// TestWhatCannotBeKnownIsSaid at the start of a server, and nothing is said that is not so.
func TestWhatCannotBeKnownIsSaid(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	one := spec.Net{Hosts: []spec.Host{{Name: "x.test", Port: 443}}}
	for _, c := range []struct {
		spec  spec.Spec
		mode  sandbox.Mode
		shown string
		why   string
		hears bool
	}{
		{spec.Spec{}, "", "none", "not sandboxed", false},
		{spec.Spec{Sandbox: &spec.Sandbox{}}, sandbox.Landlock, "landlock", "no network", true},
		{spec.Spec{Sandbox: &spec.Sandbox{}}, sandbox.Namespaces, "namespaces", "", true},
		{spec.Spec{Sandbox: &spec.Sandbox{Net: one}}, sandbox.Namespaces, "namespaces", "", true},
		{spec.Spec{Sandbox: &spec.Sandbox{Net: spec.Net{Ports: []int{1}}}}, sandbox.Namespaces, "namespaces", "", true},
		{spec.Spec{Sandbox: &spec.Sandbox{Net: spec.Net{Ports: []int{1}}}}, sandbox.Landlock, "landlock", "granted ports", true},
		{spec.Spec{Sandbox: &spec.Sandbox{Net: one}, Learn: []string{"/home"}}, sandbox.Namespaces, "namespaces", "to learn", false},
	} {
		c.spec.ID, c.spec.Argv = "local/demo", []string{"/bin/x"}
		l := w.listen(c.spec)
		if hears := l.Event != nil && l.Attempt != nil; hears != c.hears {
			t.Errorf("%s: hears %v", c.why, hears)
		}
		l.Started(c.mode, nil)
		l.Ended(0, nil)
		_, list := w.deeds(t, "local/demo")
		start := list[slices.IndexFunc(list, func(d Deed) bool { return d.Kind == activity.Start && d.Run == list[len(list)-1].Run })]
		if start.Mode != c.shown || !strings.Contains(start.Why, c.why) || (c.why == "") != (start.Why == "") {
			t.Errorf("%q: %+v", c.why, start)
		}
	}
}

// TestRemediesWork: only what can be granted, is not granted, and matters.
func TestRemediesWork(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if err := errors.Join(os.MkdirAll(w.path(".ssh"), 0o700), os.MkdirAll(w.path("docs"), 0o700)); err != nil {
		t.Fatal(err)
	}
	id := w.install(t, w.bundle(t, "demo", manifestWith(nil)), "folder="+w.path("docs")).Extension.ID
	var list []Deed
	for _, word := range []string{
		"net:new.test", "read:" + w.path("docs"), "read:" + w.path(".ssh"), "read:" + w.path("nowhere"), "run:nothing-of-that-name",
		"run:node", "net:new.test", "nonsense:x", "net:*", "", "net:any",
	} {
		list = append(list, Deed{id, activity.Record{Denied: true, Grant: word}})
	}
	list = append(list, Deed{"local/gone", activity.Record{Denied: true, Grant: "net:x.test"}}, Deed{id, activity.Record{Grant: "net:allowed.test"}})
	want := []Remedy{{id, "run:node"}, {id, "net:new.test"}, {id, "net:any"}}
	got := w.Remedies(list)
	if !slices.Equal(got, want) {
		t.Errorf("got %v, not %v", got, want)
	}
	for _, r := range got {
		if err := w.Permit(r.ID, Change{Grant: []string{r.Word}}); err != nil {
			t.Errorf("%s: %v", r.Command(), err)
		}
	}
	if left := w.Remedies(list); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	free := true
	if err := w.Permit(id, Change{NoSandbox: &free, Revoke: []string{"net:any"}}); err != nil {
		t.Fatal(err)
	}
	if left := w.Remedies(list); len(left) > 0 {
		t.Errorf("nothing holds it, but it is to be granted: %v", left)
	}
}
