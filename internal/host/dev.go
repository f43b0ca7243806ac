package host

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/signal"
	"path"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"satchel/internal/answers"
	"satchel/internal/devloop"
	"satchel/internal/problem"
	"satchel/internal/spec"
	"satchel/internal/store"
	"satchel/internal/supervisor"
	"satchel/mcpb"
	"satchel/mcpb/manifest"
)

// DevOptions say how [Host.Dev] works on a linked extension.
type DevOptions struct {
	Build   []string            // a program and its arguments, run before each start; nil: none
	Timeout time.Duration       // of one start
	Emit    func(devloop.Event) // gets all that happens; safe for concurrent use
	Restart <-chan struct{}     // asks for a start without a change
}

// Linked tells whether the extension of a folder is installed as a link to it, and gives its id.
func (h *Host) Linked(dir string) (id string, linked bool, err error) {
	real, err := linkable(dir)
	if err != nil {
		return "", false, err
	}
	m, _, _, err := readLinked(real)
	if err != nil {
		return "", false, err
	}
	if id, err = manifest.ID(manifest.Local, m.Name); err != nil {
		return "", false, err
	}
	in, _ := h.installed(id)
	return id, in != nil && in.Link == real, nil
}

// Dev watches the folder of a linked extension until ctx ends: it starts the server anew when something changed, under
// the apps that use it as well, and emits each call of theirs. Errors are problems: NotFound when nothing is linked under
// id, Failed when another Dev watches the extension or the folder cannot be watched.
func (h *Host) Dev(ctx context.Context, id string, o DevOptions) error {
	in, _, err := h.get(id)
	if err != nil {
		return err
	}
	if in.Link == "" {
		return problem.New(problem.Usage, "dev/linked", "is not linked to a folder").At(in.ID).Try("satchel dev DIR links it")
	}
	ignored, err := devIgnore(in.Link, len(o.Build) > 0)
	if err != nil {
		return err
	}
	hub, err := h.hub(in, o.Emit)
	if err != nil {
		return err
	}
	defer hub.Close()
	d := &dev{Host: h, in: in, opts: o}
	loop := &devloop.Loop{
		Dir: in.Link, Ignored: ignored, Build: o.Build, Check: d.check, Start: d.start, Emit: o.Emit, Restart: o.Restart, Replaced: hub.Restart,
	}
	if err := loop.Run(ctx); err != nil {
		return problem.New(problem.Failed, "dev/watch", "cannot be watched").At(in.Link).Because(err)
	}
	return nil
}

// A hub is where the relays of apps tell what goes on; a system without sockets has one that hears nothing.
type hub interface {
	Restart()
	Close() error
}

type noHub struct{}

func (noHub) Restart()     {}
func (noHub) Close() error { return nil }

func (h *Host) hub(in *store.Installation, emit func(devloop.Event)) (hub, error) {
	dir, err := h.store.RunDir()
	if err != nil {
		return nil, err
	}
	listening, err := devloop.Listen(dir, in.ID, emit)
	switch {
	case errors.Is(err, devloop.ErrBusy):
		return nil, problem.New(problem.Failed, "dev/busy", "is watched by another satchel dev").At(in.ID).Try("end that one first")
	case err != nil:
		emit(devloop.Event{Event: devloop.Note, Time: time.Now(), Text: "calls of apps are not shown: " + err.Error()})
		return noHub{}, nil
	}
	return listening, nil
}

// A dev is what the loop asks for.
type dev struct {
	*Host
	in   *store.Installation
	opts DevOptions
}

// check emits what validating the manifest finds.
func (d *dev) check() {
	data, err := mcpb.ReadFile(d.in.Link, "manifest.json", manifest.MaxSize)
	if err != nil {
		return // the start says so
	}
	report := manifest.Validate(data, manifest.Checks{Files: os.DirFS(d.in.Link)})
	findings, err := json.Marshal(report.Findings)
	if err == nil { // findings are texts and numbers
		d.opts.Emit(devloop.Event{Event: devloop.Checked, Time: time.Now(), Findings: findings})
	}
}

// start starts the server as an app would, with what the folder holds now.
func (d *dev) start(ctx context.Context) (devloop.Server, []string, error) {
	ctx, cancel := context.WithTimeout(ctx, d.opts.Timeout)
	defer cancel()
	s, release, err := d.ready(d.in.ID)
	if err != nil {
		return nil, nil, withHint(err)
	}
	defer release()
	redact := d.redactor(d.in.ID)
	srv, err := d.runs.StartLogged(ctx, s, devloop.LineWriter(func(line string) {
		d.opts.Emit(devloop.Event{Event: devloop.Log, Time: time.Now(), Source: "server", Text: redact(line)})
	}))
	if err != nil {
		return nil, nil, err
	}
	sess, err := connect(ctx, s.ID, srv.Stdin, srv.Stdout, func() error {
		srv.Stop()
		return srv.Ended()
	})
	if err != nil {
		return nil, nil, err
	}
	tools, err := sess.tools(ctx)
	if err != nil {
		_ = sess.close()
		return nil, nil, err
	}
	names := make([]string, len(tools))
	for i, t := range tools {
		names[i] = t.Name
	}
	return devServer{srv, sess}, names, nil
}

// withHint puts what to do into the text of a problem: an event has no place of its own for it.
func withHint(err error) error {
	if p, ok := errors.AsType[*problem.Problem](err); ok && p.Hint != "" {
		return errors.New(p.Error() + "; " + strings.ReplaceAll(p.Hint, "\n", "; "))
	}
	return err
}

// A devServer is a running server that we speak with ourselves.
type devServer struct {
	*supervisor.Server
	sess *session
}

func (s devServer) Stop() { _ = s.sess.close() } // how it ended was asked before

// redactor replaces the secret answers of an extension.
func (h *Host) redactor(id string) func(string) string {
	in, err := h.store.Get(id)
	if err != nil {
		return func(string) string { return "" } // nothing is shown rather than too much
	}
	var secrets []string
	for _, v := range answers.Restore(in.Secrets) {
		if list, ok := v.([]string); ok {
			secrets = append(secrets, list...)
		} else {
			secrets = append(secrets, answers.Text(v))
		}
	}
	return devloop.Redact(secrets)
}

const maxIgnoreFile = 1 << 20 // bytes of .mcpbignore, as for pack

// devIgnore tells which changes do not count: of files that Pack leaves out, which the server does not see once it is
// packed, and of what editors put beside a file. With a build, what .mcpbignore names counts: sources are often there.
func devIgnore(dir string, build bool) (func(name string) bool, error) {
	own := ""
	if !build {
		data, err := mcpb.ReadFile(dir, ".mcpbignore", maxIgnoreFile)
		if err != nil && problem.CodeOf(err) != problem.NotFound {
			return nil, problem.New(problem.Failed, "dev/watch", ".mcpbignore cannot be read").At(dir).Because(err)
		}
		own = string(data)
	}
	pattern := mcpb.Ignore(own)
	return func(name string) bool {
		base := path.Base(name)
		scratch := strings.HasSuffix(base, "~") || strings.HasSuffix(base, ".swp") || strings.HasSuffix(base, ".swx") || strings.HasPrefix(base, ".#") || base == "4913"
		return name != ".mcpbignore" && name != "manifest.json" && (scratch || pattern(name) != "")
	}, nil
}

// relay runs a linked extension for an app: a satchel dev that watches it sees the calls, and starts the server anew.
func (h *Host) relay(ctx context.Context, id string, stdin io.Reader, stdout, stderr io.Writer) (int, error) {
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGHUP)
	defer stop()
	dir, err := h.store.RunDir()
	if err != nil {
		return 0, err
	}
	line := devloop.NewLine(ctx, dir, id)
	var redact atomic.Value // of the answers that the server was started with last
	r := &devloop.Relay{
		Runs: h.runs, Stdin: stdin, Stdout: stdout, Stderr: stderr, Tell: line.Tell, Again: line.Again,
		Redact: func(text string) string { return redact.Load().(func(string) string)(text) },
		Make: func() (spec.Spec, error) {
			redact.Store(h.redactor(id))
			s, release, err := h.ready(id)
			if err != nil {
				return spec.Spec{}, err
			}
			release() // a linked folder is not held
			return s, nil
		},
	}
	return r.Run(ctx)
}
