package host

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"satchel/internal/answers"
	"satchel/internal/devloop"
	"satchel/internal/problem"
	"satchel/internal/spec"
	"satchel/internal/store"
	"satchel/mcpb"
)

// ready gives the Spec of an extension that may start now: its answers are complete, its files are as installed. Until
// release is called its files stay.
func (h *Host) ready(id string) (s spec.Spec, release func(), err error) {
	in, m, err := h.get(id)
	if err == nil && in.Link != "" {
		m, _, _, err = readLinked(in.Link)
	}
	if err != nil {
		return spec.Spec{}, nil, err
	}
	if err := answers.Check(m.UserConfig, values(in)); err != nil {
		return spec.Spec{}, nil, err
	}
	rec, err := h.agreed(in)
	if err != nil {
		return spec.Spec{}, nil, err
	}
	if _, err := h.store.Dir(in); err != nil {
		return spec.Spec{}, nil, err
	}
	plan, _, err := h.confined(h.launching(in, m, values(in)), rec)
	if err != nil {
		return spec.Spec{}, nil, err
	}
	if err := plan.Ready(); err != nil {
		return spec.Spec{}, nil, err
	}
	if _, err := h.store.DataDir(in.ID); err != nil {
		return spec.Spec{}, nil, err
	}
	if release, err = h.store.Hold(in); err != nil {
		return spec.Spec{}, nil, err
	}
	if err := h.checkFiles(in); err != nil {
		release()
		return spec.Spec{}, nil, err
	}
	h.toLearn(&plan.Spec)
	return plan.Spec, release, nil
}

// checkFiles compares the files with what was installed. A program of the same user can change them between this and
// the start: docs/security.md says so.
func (h *Host) checkFiles(in *store.Installation) error {
	if in.Link != "" {
		return nil // its author changes it all the time: the review says so
	}
	dir, err := h.store.Dir(in)
	if err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return problem.New(problem.Failed, "run/files", "its files cannot be opened").At(in.ID).Because(err).Try("install it again")
	}
	defer root.Close()
	tree, err := mcpb.TreeDigest(root)
	if err == nil && tree.Digest == in.TreeDigest {
		return nil
	}
	source := problem.Words(in.Source)
	if _, err := os.Stat(in.Source); err != nil {
		source = "FILE, with the bundle that it came from"
	}
	return problem.New(problem.Refused, "run/changed-files", "its files are not those that were installed").At(in.ID).Because(err).
		From("docs/security.md").Try("install it again: satchel install %s", source)
}

// Run runs an extension on the given streams until it ends, and gives its exit code.
func (h *Host) Run(ctx context.Context, id string, stdin, stdout, stderr *os.File) (int, error) {
	if in, err := h.store.Get(id); err == nil && in.Link != "" && devloop.Shows() {
		return h.relay(ctx, in.ID, stdin, stdout, stderr)
	}
	s, release, err := h.ready(id)
	if err != nil {
		return 0, err
	}
	defer release()
	held, cancel := h.whileGranted(ctx, s.ID)
	defer cancel()
	code, err := h.runs.Attach(held, s, stdin, stdout, stderr)
	if err == nil && ctx.Err() == nil && held.Err() != nil {
		return code, context.Cause(held)
	}
	return code, err
}

// noticeEvery is how soon a running server hears of another grant.
const noticeEvery = time.Second

// whileGranted gives a context that ends when what an extension may do was changed since now, or when it was removed.
func (h *Host) whileGranted(ctx context.Context, id string) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	begin, err := h.store.Get(id)
	if err != nil {
		return ctx, func() { cancel(nil) } // ready has just read it
	}
	stamp := h.store.Stamp(id)
	go func() {
		tick := time.NewTicker(noticeEvery)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			now := h.store.Stamp(id)
			if now == stamp {
				continue
			}
			stamp = now
			if in, err := h.store.Get(id); err == nil && bytes.Equal(in.Grant, begin.Grant) {
				continue
			}
			cancel(problem.New(problem.Failed, "permissions/changed", "what it may do was changed: the server was ended").At(id).
				Try("start it again: the app does so when it connects again"))
		}
	}()
	return ctx, func() { cancel(nil) }
}

// start starts an extension and speaks initialize with it.
func (h *Host) start(ctx context.Context, id string) (*session, string, error) {
	s, release, err := h.ready(id)
	if err != nil {
		return nil, "", err
	}
	srv, err := h.runs.Start(ctx, s)
	if err != nil {
		release()
		return nil, "", err
	}
	sess, err := connect(ctx, s.ID, srv.Stdin, srv.Stdout, func() error {
		srv.Stop()
		release()
		return srv.Ended()
	})
	return sess, s.ID, err
}

// Tools starts an extension and lists its tools; it also gives the id.
func (h *Host) Tools(ctx context.Context, id string) (string, []Tool, error) {
	s, full, err := h.start(ctx, id)
	if err != nil {
		return "", nil, err
	}
	tools, err := s.tools(ctx)
	s.close()
	return full, tools, err
}

// Call starts an extension and calls a tool with a JSON object as arguments. A tool that does not exist is a problem of
// class NotFound that lists those that do.
func (h *Host) Call(ctx context.Context, id, tool string, args json.RawMessage) (*mcp.CallToolResult, error) {
	s, full, err := h.start(ctx, id)
	if err != nil {
		return nil, err
	}
	defer s.close()
	tools, err := s.tools(ctx)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, t := range tools {
		if t.Name == tool {
			return s.call(ctx, tool, args)
		}
		names = append(names, t.Name)
	}
	return nil, errors.Join(problem.New(problem.NotFound, "host/tool", "%s has no such tool", full).At(tool).Try("it has: %s", strings.Join(names, ", ")))
}
