package cli

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"satchel/internal/atomicfile"
	"satchel/internal/host"
	"satchel/internal/lint"
	"satchel/internal/problem"
	"satchel/internal/term"
	"satchel/mcpb"
	"satchel/mcpb/manifest"
)

type lintOptions struct {
	path      string
	profile   string
	start     bool
	config    []string
	timeout   time.Duration
	yes       bool
	noSandbox bool
	fix       bool
	sarif     bool
	only      []string
	disable   []string
	failOn    string
	rules     bool
	explain   string
}

type lintResult struct {
	Subject string `json:"subject"`
	OK      bool   `json:"ok"`
	*lint.Report
	Fixed []lint.Mended `json:"fixed,omitempty"`
	at    lint.Place
}

func newLint(a *app) *cobra.Command {
	o := lintOptions{path: "."}
	cmd := &cobra.Command{
		Use:     "lint [DIR|FILE]",
		GroupID: "author",
		Short:   "Look for secrets, traps and mistakes in an extension",
		Long: `Looks for what the manifest's schema cannot say: secrets in the bundle, secret answers on the command line,
dependencies that change by themselves, programs for another system, texts that speak to the model. docs/lint.md has
every rule.

DIR is a folder with a manifest.json (default: this folder); looked at is what satchel pack would put into the bundle.
FILE is a bundle, or a manifest alone. The manifest must be valid: satchel validate.

With --start the server is started after a review, and what it serves is compared with the manifest. Nothing of the
extension runs otherwise. --fix changes the manifest of a folder where that is safe, and leaves every other byte.

An author silences a rule with a reason, under _meta: {"dev.satchel": {"lint": {"lint/RULE": "why"}}}. Reviewers
(--profile reviewer) see those findings all the same.`,
		Example: "  satchel lint\n  satchel lint my-extension.mcpb --profile reviewer\n  satchel lint --start --config folder=/tmp\n" +
			"  satchel lint --sarif > lint.sarif\n  satchel lint --explain lint/unpinned",
		Args:        wantArgs(0, 1),
		Annotations: exits("1 failed, 2 usage, 3 something was found (see --fail-on) or not valid, 4 not agreed to, 6 not found, 7 a wrong answer"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				o.path = args[0]
			}
			return o.main(cmd.Context(), a)
		},
	}
	o.flags(cmd)
	return cmd
}

func (o *lintOptions) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.profile, "profile", "author", "for whom: author or reviewer; it decides how bad each finding is")
	f.BoolVar(&o.start, "start", false, "start the server, and compare what it serves with the manifest")
	f.StringArrayVarP(&o.config, "config", "c", nil, "with --start: an answer, KEY=VALUE (repeatable)")
	f.DurationVar(&o.timeout, "timeout", time.Minute, "with --start: how long to wait for the server")
	f.BoolVar(&o.noSandbox, "no-sandbox", false, "with --start: start the server with all your rights")
	f.BoolVarP(&o.yes, "yes", "y", false, "with --start: agree to what the review says")
	f.BoolVar(&o.fix, "fix", false, "mend the manifest where that is safe")
	f.BoolVar(&o.sarif, "sarif", false, "write a SARIF 2.1.0 log, for code-scanning services")
	f.StringSliceVar(&o.only, "rule", nil, "apply only these rules (repeatable, or separated by commas)")
	f.StringSliceVar(&o.disable, "disable", nil, "leave these rules out (repeatable, or separated by commas)")
	f.StringVar(&o.failOn, "fail-on", "error", "the least severity that makes the exit code 3: error, warning or hint")
	f.BoolVar(&o.rules, "rules", false, "list the rules")
	f.StringVar(&o.explain, "explain", "", "explain one rule")
}

// main does what the flags ask for: explain, list, or look.
func (o lintOptions) main(ctx context.Context, a *app) error {
	if o.explain != "" || o.rules {
		return o.about(a)
	}
	if err := o.check(a); err != nil {
		return err
	}
	res, err := o.run(ctx, a)
	if err != nil {
		return err
	}
	return o.print(a, res)
}

func (o lintOptions) check(a *app) error {
	switch limit := lint.Severity(o.failOn); {
	case limit != lint.Error && limit != lint.Warning && limit != lint.Hint:
		return problem.New(problem.Usage, "cli/flags", "--fail-on %s: it is error, warning or hint", o.failOn)
	case a.json && o.sarif:
		return problem.New(problem.Usage, "cli/flags", "--json and --sarif are two forms of one answer: give one of them")
	case len(o.config) > 0 && !o.start:
		return problem.New(problem.Usage, "cli/flags", "--config is for a server that is started").Try("add --start")
	}
	return nil
}

func (o lintOptions) run(ctx context.Context, a *app) (*lintResult, error) {
	src, err := openLintSource(o.path)
	if err != nil {
		return nil, err
	}
	defer src.close()
	if o.fix && src.manifest == "" {
		return nil, problem.New(problem.Usage, "lint/fix-bundle", "a bundle is not changed").At(o.path).Try("unpack it, mend the folder with --fix, and pack it again")
	}
	options := lint.Options{Profile: lint.Profile(o.profile), Only: o.only, Disable: o.disable}
	report, err := lint.Run(ctx, src.subject, options) // before anything is started: what is not valid does not run
	if err != nil {
		return nil, lintRefusal(err, o.path)
	}
	if o.start {
		if src.subject.Served, err = o.serve(ctx, a, src); err != nil {
			return nil, err
		}
		if report, err = lint.Run(ctx, src.subject, options); err != nil {
			return nil, err
		}
	}
	res := &lintResult{Subject: o.path, Report: report, at: src.at}
	if o.fix {
		if err := o.mend(ctx, src, options, res); err != nil {
			return nil, err
		}
	}
	res.OK = res.Counts.Of(lint.Severity(o.failOn)) == 0
	return res, nil
}

// lintRefusal says where all that is wrong with a manifest is listed.
func lintRefusal(err error, path string) error {
	p, ok := errors.AsType[*problem.Problem](err)
	if ok && strings.HasPrefix(p.Rule, "manifest/") {
		at := path
		if filepath.Ext(path) != ".json" {
			at = filepath.Join(path, "manifest.json")
		}
		return p.At(strings.Replace(p.Subject, "manifest.json", at, 1)).Try("%s", strings.TrimSpace(p.Hint+"\nsatchel validate "+problem.Words(path)))
	}
	return err
}

const maxMends = 5 // rounds

// mend writes the mended manifest, and looks again.
func (o lintOptions) mend(ctx context.Context, src *lintSource, options lint.Options, res *lintResult) error {
	fixed := src.subject.Manifest
	for range maxMends { // one mend may make room for another: two tools are alike once what hid in a name is gone
		text, done, err := lint.Fix(fixed, res.Report)
		if err != nil {
			return err
		}
		if len(done) == 0 {
			break
		}
		fixed, res.Fixed = text, append(res.Fixed, done...)
		src.subject.Manifest = fixed
		if res.Report, err = lint.Run(ctx, src.subject, options); err != nil {
			return err
		}
	}
	if len(res.Fixed) == 0 {
		return nil
	}
	info, err := os.Lstat(src.manifest)
	if err != nil {
		return notFound(src.manifest, err)
	}
	if !info.Mode().IsRegular() {
		return problem.New(problem.Invalid, "cli/file", "is not a regular file").At(src.manifest)
	}
	if err := atomicfile.Write(src.manifest, fixed, info.Mode().Perm()); err != nil {
		return problem.New(problem.Failed, "lint/fix", "cannot be written").At(src.manifest).Because(err)
	}
	return nil
}

// serve starts the server after a review, and gives what it serves.
func (o lintOptions) serve(ctx context.Context, a *app, src *lintSource) (*lint.Served, error) {
	dir, remove, err := src.folder(ctx)
	if err != nil {
		return nil, err
	}
	defer remove()
	m, _, err := manifest.Parse(src.subject.Manifest)
	if err != nil {
		return nil, err
	}
	h, err := a.host()
	if err != nil {
		return nil, err
	}
	trial, err := h.TryFolder(dir, m, host.Tries{Answers: o.config, NoSandbox: o.noSandbox})
	if err != nil {
		return nil, err
	}
	defer trial.Close()
	if err := o.agree(ctx, a, trial); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	served, err := trial.Serve(ctx)
	if err != nil {
		return nil, err
	}
	return toServed(served), nil
}

func (o lintOptions) agree(ctx context.Context, a *app, trial *host.Trial) error {
	if !a.json && !o.sarif || !o.yes {
		trial.Review.Render(a.err, a.err.Color)
		for _, key := range trial.StandIns {
			a.err.Printf("  it gets a made-up answer for %s: give one with --config %s=VALUE\n", term.VisibleLine(key), term.VisibleLine(key))
		}
	}
	if o.yes {
		return nil
	}
	ok, err := a.confirm(ctx, agreement{"Start it?", true})
	if err == nil && !ok {
		err = problem.New(problem.Refused, "cli/agree", "not agreed to; nothing was started").At(o.path)
	}
	return err
}

func toServed(s *host.Served) *lint.Served {
	out := &lint.Served{}
	for _, t := range s.Tools {
		out.Tools = append(out.Tools, lint.Tool{Name: t.Name, Title: t.Title, Description: t.Description, Schema: t.InputSchema})
	}
	for _, p := range s.Prompts {
		out.Prompts = append(out.Prompts, lint.Prompt{Name: p.Name, Description: p.Description})
	}
	return out
}

// A lintSource is a subject and where it is.
type lintSource struct {
	subject  lint.Subject
	at       lint.Place
	manifest string // the file that --fix changes; "" for a bundle
	dir      string // "" for a bundle or a manifest alone
	bundle   *mcpb.Bundle
	close    func() error
}

func openLintSource(path string) (*lintSource, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, notFound(path, err)
	}
	switch {
	case info.IsDir():
		return openLintFolder(path)
	case isBundle(path):
		b, err := mcpb.Open(path, mcpb.Limits{})
		if err != nil {
			return nil, err
		}
		data, err := b.Manifest()
		if err != nil {
			return nil, errors.Join(err, b.Close())
		}
		return &lintSource{subject: lint.Subject{Manifest: data, Files: b.FS()}, at: lint.Place{Archive: relativeTo(path)}, bundle: b, close: b.Close}, nil
	}
	data, err := mcpb.ReadFile(filepath.Dir(path), filepath.Base(path), manifest.MaxSize)
	if err != nil {
		return nil, err
	}
	return &lintSource{subject: lint.Subject{Manifest: data}, at: lint.Place{Dir: relativeTo(filepath.Dir(path))}, manifest: path, close: noClose}, nil
}

func noClose() error { return nil }

// openLintFolder looks at a folder as it would be packed.
func openLintFolder(dir string) (*lintSource, error) {
	data, err := mcpb.ReadFile(dir, "manifest.json", manifest.MaxSize)
	if err != nil {
		return nil, err
	}
	plan, err := mcpb.Plan(dir, mcpb.PackOptions{Follow: true})
	if err != nil {
		return nil, err
	}
	files, err := plan.FS()
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir) // links out of the folder are not followed
	if err != nil {
		return nil, notFound(dir, err)
	}
	return &lintSource{
		subject: lint.Subject{Manifest: data, Files: files, Beside: root.FS()},
		at:      lint.Place{Dir: relativeTo(dir)}, manifest: filepath.Join(dir, "manifest.json"), dir: dir, close: root.Close,
	}, nil
}

// relativeTo gives a path as it is seen from the working folder, with slashes; of one outside, the last part.
func relativeTo(path string) string {
	abs, err := filepath.Abs(path)
	if err != nil {
		return filepath.ToSlash(path)
	}
	wd, err := os.Getwd()
	if err != nil {
		return filepath.ToSlash(path)
	}
	rel, err := filepath.Rel(wd, abs)
	if err != nil || !filepath.IsLocal(rel) {
		return filepath.Base(abs)
	}
	return filepath.ToSlash(rel)
}

// folder gives the folder that a server is started in: a bundle is unpacked into a temporary one, which remove takes away.
func (s *lintSource) folder(ctx context.Context) (dir string, remove func(), err error) {
	if s.dir != "" {
		return s.dir, func() {}, nil
	}
	if s.bundle == nil {
		return "", nil, problem.New(problem.Usage, "lint/start", "a manifest alone has no server to start").Try("give the folder or the bundle")
	}
	tmp, err := os.MkdirTemp("", "satchel-lint-")
	if err != nil {
		return "", nil, problem.New(problem.Failed, "lint/start", "cannot make a temporary folder").Because(err)
	}
	remove = func() { _ = os.RemoveAll(tmp) } // in the system's own folder for what may stay behind
	dir = filepath.Join(tmp, "extension")
	if _, err := s.bundle.Extract(ctx, dir, mcpb.ExtractOptions{}); err != nil {
		remove()
		return "", nil, err
	}
	return dir, remove, nil
}
