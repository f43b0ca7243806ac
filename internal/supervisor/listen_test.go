//go:build unix

package supervisor

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"satchel/internal/egress"
	"satchel/internal/problem"
	"satchel/internal/sandbox"
	"satchel/internal/spec"
)

// A notebook is a listener that keeps what it is told.
type notebook struct {
	mu   sync.Mutex
	told []string
}

func (n *notebook) write(format string, args ...any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.told = append(n.told, fmt.Sprintf(format, args...))
}

func (n *notebook) listener(s spec.Spec) Listener {
	return Listener{
		Started: func(mode sandbox.Mode, blind error) { n.write("%s started %q %v", s.ID, mode, blind) },
		Attempt: func(a egress.Attempt) { n.write("%s %v %s", a.Host, a.Allowed, a.Grant) },
		Event:   func(e sandbox.Event) { n.write("%s %s %v", e.Kind, e.Path, e.Allowed) },
		Ended:   func(code int, err error) { n.write("ended %d %v", code, err) },
	}
}

func TestAListenerHearsStartAndEnd(t *testing.T) {
	t.Parallel()
	var n notebook
	code, err := New(Options{Listen: n.listener}).Attach(t.Context(), shell(t, "exit 3"), nil, nil, nil)
	if want := []string{`local/test started "" <nil>`, "ended 3 <nil>"}; code != 3 || err != nil || !slices.Equal(n.told, want) {
		t.Errorf("code %d, %v; told %q, not %q", code, err, n.told, want)
	}
}

// TestAServerEndsAfterItsListener: what is told last would be lost otherwise, when the program ends with its server.
func TestAServerEndsAfterItsListener(t *testing.T) {
	t.Parallel()
	ended, on := make(chan struct{}), make(chan struct{})
	srv, err := New(Options{Listen: func(spec.Spec) Listener {
		return Listener{Ended: func(int, error) { close(ended); <-on }}
	}}).Start(t.Context(), shell(t, "exit 0"))
	if err != nil {
		t.Fatal(err)
	}
	<-ended
	select {
	case <-srv.Done():
		t.Error("it counts as ended while its listener is told")
	default:
	}
	close(on)
	srv.Stop()
}

func TestAListenerIsToldNothingOfAFailedStart(t *testing.T) {
	t.Parallel()
	var n notebook
	s := shell(t, "")
	s.Argv[0] = filepath.Join(t.TempDir(), "nothing")
	if _, err := New(Options{Listen: n.listener}).Attach(t.Context(), s, nil, nil, nil); err == nil || len(n.told) > 0 {
		t.Errorf("error %v, told %q", err, n.told)
	}
}

// TestAListenerHearsOfASandboxedServer: a host and a program that are not granted, before the end is told.
func TestAListenerHearsOfASandboxedServer(t *testing.T) {
	t.Parallel()
	curl, err := exec.LookPath("curl")
	if err != nil {
		t.Skip("curl is not here")
	}
	var n notebook
	s := shell(t, curl+" -s http://denied.test/; /usr/bin/env; exit 4")
	if s.Dir, err = filepath.EvalSymlinks(s.Dir); err != nil {
		t.Fatal(err)
	}
	s.Sandbox = &spec.Sandbox{Net: spec.Net{Hosts: []spec.Host{{Name: "granted.test", Port: 443}}}, Programs: spec.Programs{Paths: []string{curl}}}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	code, err := New(Options{Getenv: os.Getenv, Listen: n.listener}).Attach(t.Context(), s, null, null, null)
	if p, ok := errors.AsType[*problem.Problem](err); ok && p.Rule == "sandbox/none" {
		t.Skip("no sandbox here: ", err)
	}
	if err != nil || code != 4 {
		t.Fatalf("code %d, %v", code, err)
	}
	for _, want := range []string{"denied.test false net:denied.test:80", "run " + curl + " true", "run /usr/bin/env false"} {
		if !slices.Contains(n.told, want) {
			t.Errorf("not told: %s", want)
		}
	}
	if last := n.told[len(n.told)-1]; last != "ended 4 <nil>" || t.Failed() {
		t.Errorf("told %q", n.told)
	}
}

// TestAGrantedSocketIsAnsweredAt, also without network, and its listener hears of it.
func TestAGrantedSocketIsAnsweredAt(t *testing.T) {
	t.Parallel()
	curl, err := exec.LookPath("curl")
	if err != nil {
		t.Skip("curl is not here")
	}
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	web := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })}
	go web.Serve(l)
	defer web.Close()
	var n notebook
	s := shell(t, curl+" -sf --unix-socket "+path+" http://service/; exit $?")
	if s.Dir, err = filepath.EvalSymlinks(s.Dir); err != nil {
		t.Fatal(err)
	}
	s.Sandbox = &spec.Sandbox{Net: spec.Net{Sockets: []string{path}}, Programs: spec.Programs{Paths: []string{curl}}}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	code, err := New(Options{Getenv: os.Getenv, Listen: n.listener}).Attach(t.Context(), s, null, null, null)
	if p, ok := errors.AsType[*problem.Problem](err); ok && (p.Rule == "sandbox/none" || p.Rule == "sandbox/socket") {
		t.Skip("no sandbox with sockets here: ", err)
	}
	if err != nil || code != 0 || !slices.Contains(n.told, path+" true socket:"+path) {
		t.Errorf("code %d, %v; told %q", code, err, n.told)
	}
}

// TestTwoListenersHearTheSame, and each of them may hear only a part.
func TestTwoListenersHearTheSame(t *testing.T) {
	t.Parallel()
	var first, second notebook
	v := New(Options{Listen: first.listener}).Hearing(second.listener(spec.Spec{ID: "local/test"}))
	if code, err := v.Attach(t.Context(), shell(t, "exit 3"), nil, nil, nil); code != 3 || err != nil {
		t.Errorf("code %d, %v", code, err)
	}
	if want := []string{`local/test started "" <nil>`, "ended 3 <nil>"}; !slices.Equal(first.told, want) || !slices.Equal(second.told, want) {
		t.Errorf("told %q and %q, not %q", first.told, second.told, want)
	}
	both := first.listener(spec.Spec{}).and(Listener{Files: true})
	both.Event(sandbox.Event{Kind: "run", Path: "/x"})
	(Listener{}).and(both).Attempt(egress.Attempt{Host: "h"})
	(Listener{}).and(Listener{}).Ended(0, nil)
	if n := len(first.told); n != 4 || !both.Files || (Listener{}).and(Listener{}).Event != nil {
		t.Errorf("told %q", first.told)
	}
}
