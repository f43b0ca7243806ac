package host

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"satchel/internal/problem"
	"satchel/internal/prune"
	"satchel/mcpb"
)

const (
	maxStarts  = 40               // of one Verify
	leastStart = 20 * time.Second // that every start gets, however fast the first one was
)

// Prepare makes the review of starting the server. Nothing runs yet. Errors are those of [Host.TryFolder].
func (c *Cleaning) Prepare(ctx context.Context) error {
	if err := c.checkTemporary(); err != nil {
		return err
	}
	trial, err := c.trial(ctx, c.bundle)
	if err != nil {
		return err
	}
	c.Review, c.StandIns = &trial.Review, trial.StandIns
	return trial.Close()
}

// checkTemporary refuses a temporary folder from where Node.js finds packages that are not in the bundle.
func (c *Cleaning) checkTemporary() error {
	real, err := filepath.EvalSymlinks(c.tmp)
	if err != nil {
		return problem.New(problem.Failed, "clean/temporary", "cannot be looked at").At(c.tmp).Because(err)
	}
	for dir := real; ; dir = filepath.Dir(dir) {
		if info, err := os.Stat(filepath.Join(dir, "node_modules")); err == nil && info.IsDir() {
			return problem.New(problem.Failed, "clean/temporary", "is where Node.js would find packages of %s: a start would prove nothing", filepath.Join(dir, "node_modules")).
				At(c.tmp).Try("set TMPDIR to a folder elsewhere")
		}
		if dir == filepath.Dir(dir) {
			return nil
		}
	}
}

// Verify starts the server as it is and as it would be, after Review was agreed to. What it then lacks is put back, so
// that in the end it offers the same tools and prompts. timeout bounds each start. told gets a line for each step. The
// error is a problem clean/original when the server does not start as it is.
func (c *Cleaning) Verify(ctx context.Context, timeout time.Duration, told func(line string)) error {
	told("starting the server as it is")
	begin := time.Now()
	served, _, err := c.serve(ctx, c.bundle, timeout)
	if errors.Is(ctx.Err(), context.Canceled) {
		return ctx.Err() // a person stopped it, whatever the server made of that
	}
	if err != nil {
		return c.notStarting(err)
	}
	timeout = min(timeout, max(leastStart, 5*time.Since(begin)))
	c.result.Tools, c.result.Prompts = len(served.Tools), len(served.Prompts)
	want := plainText(served)
	if len(c.Plan.Units) > 0 {
		c.stay, err = prune.Search(c.Plan.Units, maxStarts, func(stay map[string]bool) (string, error) {
			told(fmt.Sprintf("starting it without %d of %d", len(c.Plan.Units)-len(stay), len(c.Plan.Units)))
			why, err := c.differs(ctx, stay, timeout, want)
			if why != "" {
				first, _, _ := strings.Cut(why, "\n")
				told("  it does less: " + first)
			}
			return why, err
		})
		if err != nil {
			return err
		}
	}
	c.result.Verified = true
	return nil
}

// notStarting says what may help an extension that does not start as it is.
func (c *Cleaning) notStarting(err error) error {
	p := problem.New(problem.Failed, "clean/original", "the server does not start as it is, so there is nothing to compare with").At(c.path).Because(err)
	hint := "--no-start cleans it without starting it: nothing shows then that it still works"
	if len(c.StandIns) > 0 {
		p = p.Coded(problem.NeedsConfig)
		hint = "give real answers for those that were made up: --config " + strings.Join(c.StandIns, "=VALUE --config ") + "=VALUE\n" + hint
	}
	if said, ok := errors.AsType[*problem.Problem](err); ok && said.Hint != "" {
		hint = said.Hint + "\n" + hint
	}
	return p.Try("%s", hint)
}

// differs starts the server with all units dropped but those of stay and says what is not as wanted.
func (c *Cleaning) differs(ctx context.Context, stay map[string]bool, timeout time.Duration, want string) (string, error) {
	file := filepath.Join(c.tmp, "cleaned.mcpb")
	f, err := os.Create(file)
	if err != nil {
		return "", problem.New(problem.Failed, "clean/temporary", "cannot be written").At(file).Because(err)
	}
	_, err = c.bundle.Subset(ctx, f, c.opts.ModTime, c.keeps(stay))
	if err := errors.Join(err, f.Close()); err != nil {
		return "", err
	}
	b, err := mcpb.Open(file, mcpb.Limits{})
	if err != nil {
		return "", err
	}
	defer b.Close()
	served, said, err := c.serve(ctx, b, timeout)
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	if p, ok := errors.AsType[*problem.Problem](err); ok && !strings.HasPrefix(p.Rule, "extract/") && !strings.HasPrefix(p.Rule, "bundle/") {
		return p.Error() + "\n" + strings.Join(said, "\n"), nil
	}
	if err != nil {
		return "", err
	}
	if plainText(served) != want {
		return "it offers other tools or prompts", nil
	}
	return "", nil
}

// trial unpacks a bundle into the one folder that all starts share, so that no path differs between them.
func (c *Cleaning) trial(ctx context.Context, b *mcpb.Bundle) (*Trial, error) {
	dir := filepath.Join(c.tmp, "server")
	if err := os.RemoveAll(dir); err != nil {
		return nil, problem.New(problem.Failed, "clean/temporary", "cannot be removed").At(dir).Because(err)
	}
	if _, err := b.Extract(ctx, dir, mcpb.ExtractOptions{Executable: append(c.manifest.Programs(b.FS()), c.manifest.EntryFile())}); err != nil {
		return nil, err
	}
	return c.host.TryFolder(dir, c.manifest, Tries{c.opts.Answers, c.opts.NoSandbox})
}

// serve starts the server of a bundle and gives what it offers, free of what differs from start to start, and what it
// wrote to its error stream.
func (c *Cleaning) serve(ctx context.Context, b *mcpb.Bundle, timeout time.Duration) (*Served, []string, error) {
	trial, err := c.trial(ctx, b)
	if err != nil {
		return nil, nil, err
	}
	c.result.Starts++
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	served, err := trial.Serve(ctx)
	if err := errors.Join(err, trial.Close()); err != nil {
		return nil, trial.Log, err
	}
	served, err = withoutPath(served, trial.tmp)
	return served, trial.Log, err
}

// withoutPath takes the name of a temporary folder out of what a server says, and sorts it.
func withoutPath(s *Served, tmp string) (*Served, error) {
	text := strings.ReplaceAll(plainText(s), filepath.ToSlash(tmp), "")
	var plain Served
	if err := json.Unmarshal([]byte(text), &plain); err != nil {
		return nil, err
	}
	slices.SortFunc(plain.Tools, func(a, b Tool) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(plain.Prompts, func(a, b ServedPrompt) int { return strings.Compare(a.Name, b.Name) })
	return &plain, nil
}

func plainText(s *Served) string {
	text, err := json.Marshal(s)
	if err != nil {
		return err.Error() // raw JSON of a server that is none, which the SDK has refused before
	}
	return string(text)
}
