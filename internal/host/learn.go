package host

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"strconv"
	"sync"

	"satchel/internal/egress"
	"satchel/internal/grant"
	"satchel/internal/learn"
	"satchel/internal/problem"
	"satchel/internal/sandbox"
	"satchel/internal/spec"
	"satchel/internal/store"
	"satchel/internal/supervisor"
)

// Watching gives the host with a listener to what its servers do to files, too. The functions are called as those of
// [supervisor.Listener]; blind says once, for each server, why nothing of it becomes known.
func (h *Host) Watching(event func(sandbox.Event), blind func(error)) *Host {
	watching := *h
	watching.runs = h.runs.Hearing(supervisor.Listener{
		Event: event, Files: true,
		Started: func(mode sandbox.Mode, err error) {
			if mode == "" {
				err = errors.New("it runs without a sandbox")
			}
			if err != nil {
				blind(err)
			}
		},
	})
	return &watching
}

// Learned is what an extension wanted while it was started to find that out.
type Learned struct {
	ID string `json:"id"`
	learn.Proposal
	Command []string `json:"command,omitempty"` // grants what is proposed
}

// Learn finds out what an extension needs: use is given a host that starts it without network, with the person's home to
// read and with nothing that stays (sandbox.Command.Learn). What was learned is there also when use fails. Errors are
// problems.
func (h *Host) Learn(ctx context.Context, id string, use func(context.Context, *Host) error) (*Learned, error) {
	in, err := h.store.Get(id)
	if err != nil {
		return nil, err
	}
	rec, err := h.agreed(in)
	if err != nil {
		return nil, err
	}
	if rec.NoSandbox {
		return nil, problem.New(problem.Refused, "learn/no-sandbox", "it runs with all your rights, so there is nothing to learn").At(in.ID).
			From("docs/permissions.md").Try("satchel permissions %s --sandbox", in.ID)
	}
	named, err := h.named(in)
	if err != nil {
		return nil, err
	}
	learner := &learner{Learner: learn.New(learn.Question{Granted: rec.Grant, Named: named, Machine: h.grants()})}
	var blind error
	learning := h.Watching(learner.event, func(err error) { blind = err })
	learning.runs = learning.runs.Hearing(supervisor.Listener{Attempt: learner.attempt})
	learning.learn = []string{h.grants().User.Home}
	err = use(ctx, learning)
	if blind != nil {
		return nil, problem.New(problem.Failed, "learn/blind", "what it does does not become known here").At(in.ID).Because(blind).From("docs/sandbox.md")
	}
	return h.learned(in, learner.Propose()), err
}

// A learner is told from many goroutines.
type learner struct {
	mu sync.Mutex
	*learn.Learner
}

func (l *learner) event(e sandbox.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.Add(e)
}

func (l *learner) attempt(a egress.Attempt) {
	who := a.Host
	if a.Port > 0 {
		who = net.JoinHostPort(a.Host, strconv.Itoa(a.Port))
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.Reach(a.Grant, who)
}

// named gives the real paths of the files and folders that the person named in answers.
func (h *Host) named(in *store.Installation) (list []string, err error) {
	asked, err := h.askedBy(in)
	if err != nil {
		return nil, err
	}
	for _, w := range append(asked.Wishes, asked.Suggested...) {
		if w.Key != "" && (w.Item.Kind() == grant.KindRead || w.Item.Kind() == grant.KindWrite) {
			list = append(list, realPath(w.Item.Value()))
		}
	}
	return list, nil
}

// learned is a proposal of which each item can be granted now: the command works.
func (h *Host) learned(in *store.Installation, p learn.Proposal) *Learned {
	l := &Learned{ID: in.ID, Proposal: learn.Proposal{Items: []learn.Suggestion{}, Never: append([]learn.Refusal{}, p.Never...), Lost: p.Lost}}
	command := []string{"satchel", "permissions", in.ID}
	for _, s := range p.Items {
		if _, err := grant.Resolve(grant.Of(s.Item), h.grants()); err != nil {
			l.Never = append(l.Never, learn.Refusal{Path: s.Item.Value(), Write: s.Item.Kind() == grant.KindWrite, Why: err.Error()})
			continue
		}
		l.Items = append(l.Items, s)
		command = append(command, "--grant", s.Item.String())
	}
	if len(l.Items) > 0 {
		l.Command = command
	}
	return l
}

// toLearn changes what is started into what is started to learn.
func (h *Host) toLearn(s *spec.Spec) {
	if h.learn == nil || s.Sandbox == nil {
		return
	}
	s.Sandbox.Net = spec.Net{Told: true}
	for _, dir := range h.learn {
		s.Learn = append(s.Learn, filepath.Clean(dir))
	}
}
