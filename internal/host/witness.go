package host

import (
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"satchel/internal/activity"
	"satchel/internal/egress"
	"satchel/internal/grant"
	"satchel/internal/sandbox"
	"satchel/internal/spec"
	"satchel/internal/supervisor"
)

// A witness writes down what one server does.
type witness struct {
	*activity.Recorder
	spec   spec.Spec
	getenv func(string) string
	runs   int // events about programs so far
}

// listen records a server that is started.
func (h *Host) listen(s spec.Spec) supervisor.Listener {
	w := &witness{Recorder: h.activity.Recorder(s.ID), spec: s, getenv: h.machine.Getenv}
	h.last.Store(w.Recorder)
	l := supervisor.Listener{
		Started: func(mode sandbox.Mode, blind error) { w.Begin(w.start(mode, blind)) },
		Ended: func(code int, err error) {
			end := activity.Record{Code: &code}
			if err != nil {
				end.Why = err.Error()
			}
			w.End(end)
		},
	}
	if s.Sandbox != nil && s.Learn == nil {
		l.Attempt = func(a egress.Attempt) { w.Add(attempted(a)) }
		l.Event = w.event
	}
	return l
}

// start says how a server is held, and what of it will not become known.
func (w *witness) start(mode sandbox.Mode, blind error) activity.Record {
	rec := activity.Record{Mode: string(mode), App: asker()}
	var unknown []string
	switch box := w.spec.Sandbox; {
	case box == nil:
		rec.Mode = NotSandboxed
		unknown = append(unknown, "it is not sandboxed: only its start and its end become known")
	case w.spec.Learn != nil:
		unknown = append(unknown, "started to learn what it needs, with nothing that stays: what it tried is not recorded")
	case box.Net.None() && mode != sandbox.Namespaces && mode != sandbox.Bubblewrap:
		unknown = append(unknown, "no network: where it tries to reach does not become known")
	case mode == sandbox.Landlock && len(box.Net.Ports) > 0:
		unknown = append(unknown, "no namespaces: what it does at granted ports does not become known")
	}
	if blind != nil {
		unknown = append(unknown, "which programs it starts does not become known: "+blind.Error())
	}
	rec.Why = strings.Join(unknown, "; ")
	return rec
}

func attempted(a egress.Attempt) activity.Record {
	what := a.Host
	if a.Port > 0 {
		what = net.JoinHostPort(a.Host, strconv.Itoa(a.Port))
	}
	return activity.Record{
		Time: a.Time, Kind: activity.Net, What: what, Denied: !a.Allowed, Rule: a.Rule, Why: a.Why, Grant: a.Grant,
		Via: string(a.Via), Address: a.Address, Proxy: a.Proxy, Sent: a.Sent, Received: a.Received,
	}
}

// event writes down an event, but not that the server itself is started, nor where its libraries look for a program that
// is elsewhere. Arguments are not kept: they often hold secrets.
func (w *witness) event(e sandbox.Event) {
	rec := activity.Record{Time: e.Time, What: e.Real, Denied: !e.Allowed, Count: e.Count}
	if e.Real == "" {
		rec.What = e.Path
	}
	switch e.Kind {
	case sandbox.RunEvent:
		rec.Kind = activity.Run
		w.runs++
		if w.runs == 1 && e.Path == w.spec.Argv[0] || !e.Allowed && e.Real == "" && inSearchPath(e.Path) {
			return
		}
		if rec.Denied {
			rec.Grant = w.programWord(e)
		}
	case sandbox.ReadEvent, sandbox.WriteEvent:
		rec.Kind = activity.Kind(e.Kind)
		if rec.Denied && e.Needs != "" {
			rec.Grant = string(e.Kind) + ":" + e.Needs
		}
	default:
		rec.Kind, rec.Denied = activity.Lost, false
	}
	w.Add(rec)
}

// inSearchPath tells whether a program would be where every search for programs looks.
func inSearchPath(name string) bool {
	return slices.Contains([]string{"/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"}, filepath.Dir(name))
}

// programWord is what would let a program run: by its name where this machine finds it by that.
func (w *witness) programWord(e sandbox.Event) string {
	if e.Real == "" {
		return ""
	}
	name := filepath.Base(e.Path)
	for _, dir := range filepath.SplitList(w.getenv("PATH")) {
		at := filepath.Join(dir, name)
		if info, err := os.Stat(at); err != nil || !info.Mode().IsRegular() || info.Mode()&0o111 == 0 {
			continue
		}
		if realPath(at) == e.Real {
			return string(grant.KindRun) + ":" + name
		}
		break
	}
	return string(grant.KindRun) + ":" + e.Real
}
