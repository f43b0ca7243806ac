package host

import (
	"context"
	"errors"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"satchel/internal/answers"
	"satchel/internal/grant"
	"satchel/internal/launch"
	"satchel/internal/problem"
	"satchel/internal/sandbox"
	"satchel/internal/spec"
	"satchel/internal/store"
	"satchel/internal/trust"
	"satchel/mcpb"
	"satchel/mcpb/manifest"
	"satchel/mcpb/signature"
)

// A Candidate is a bundle that may be installed: what the person is asked to agree to. Close it.
type Candidate struct {
	Review    spec.Review
	bundle    *mcpb.Bundle
	record    store.Installation
	signature *signature.Report
	command   string // the program inside the bundle, slash-separated; "" when it is none of the bundle's
	entry     string

	terms   *terms
	granted grant.Grant // what the person agrees to with the review
	risks   []spec.Risk // beside those of what is granted
}

// Close closes the bundle.
func (c *Candidate) Close() error {
	if c.bundle == nil {
		return nil
	}
	return c.bundle.Close()
}

// Installed is what an installation did.
type Installed struct {
	Extension Extension   `json:"extension"`
	Review    spec.Review `json:"review"`
	Replaced  string      `json:"replaced,omitempty"` // the version that was there
	Sets      []grant.Set `json:"-"`                  // to choose from, when nothing is granted
}

// Inspect opens the bundle in a file and makes the review of installing it with the answers given (KEY=VALUE) and what is
// granted by name. Nothing of the bundle runs, and nothing is written but what the probe finds of this machine. An installed version's answers are kept where they still fit, but its secrets
// only by the same content: nothing shows that the same author made another.
func (h *Host) Inspect(ctx context.Context, file string, pairs []string, t Terms) (*Candidate, error) {
	b, err := mcpb.Open(file, mcpb.Limits{})
	if err != nil {
		return nil, err
	}
	c, err := h.inspect(ctx, b, file, pairs, t)
	if err != nil {
		return nil, errors.Join(named(file, err), b.Close())
	}
	return c, nil
}

// named puts the bundle or folder before what a problem is about, where it does not stand already.
func named(source string, err error) error {
	p, ok := errors.AsType[*problem.Problem](err)
	switch {
	case !ok || strings.HasPrefix(p.Subject, source):
		return err
	case p.Subject == "":
		return p.At(source)
	}
	return p.At(source + ": " + p.Subject)
}

func (h *Host) inspect(ctx context.Context, b *mcpb.Bundle, file string, pairs []string, t Terms) (*Candidate, error) {
	if err := b.Portable(); err != nil {
		return nil, err
	}
	data, err := b.Manifest()
	if err != nil {
		return nil, err
	}
	m, report, err := manifest.Parse(data)
	if err != nil {
		report.File = file + "/manifest.json"
		return nil, report.Err()
	}
	id, err := manifest.ID(manifest.Local, m.Name)
	if err != nil {
		return nil, err
	}
	given, err := answers.Parse(m.UserConfig, pairs, h.machine.User.Home)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	rep, err := h.verify(b, file)
	if err != nil {
		return nil, err
	}
	c := &Candidate{bundle: b, signature: rep, entry: m.EntryFile()}
	bundleDigest, contentDigest, err := b.Digests()
	if err != nil {
		return nil, err
	}
	source, err := filepath.Abs(file)
	if err != nil {
		return nil, err
	}
	old, lost := h.installed(id)
	given, forgets := inherit(m.UserConfig, old, given, old != nil && old.ContentDigest == contentDigest)
	open, secret := answers.Split(m.UserConfig, given)
	c.record = store.Installation{
		ID: id, Version: m.Version, Source: source, Digest: bundleDigest, ContentDigest: contentDigest,
		Manifest: data, Answers: open, Secrets: secret,
	}
	if rep.Status == signature.Trusted {
		c.record.Signer = rep.Fingerprint
	}
	if err := h.review(c, m, old, given); err != nil {
		return nil, err
	}
	c.Review.Forgets, c.Review.Warnings = forgets, warnings(report)
	c.risks = append(c.risks, lost...)
	return c, h.bargain(ctx, c, m, old, given, t)
}

// bargain puts what is asked for and granted into the review, and what this machine holds it to.
func (h *Host) bargain(ctx context.Context, c *Candidate, m *manifest.Manifest, old *store.Installation, given answers.Values, t Terms) error {
	var err error
	if c.terms, err = h.newTerms(m, given, t); err != nil {
		return err
	}
	h.inheritTerms(c.terms, old, &c.record)
	report := sandbox.Report{}
	if !c.terms.noSandbox {
		if err := h.checkOwn(c.record.Link); c.record.Link != "" && err != nil {
			return err
		}
		if report, err = h.proved(ctx); err != nil {
			return noSandboxHere(err, problem.Words("satchel", "install", c.record.Source))
		}
	}
	c.Review.Sandbox, c.Review.Enforced, c.Review.Open = enforced(report, c.terms.noSandbox)
	return c.weigh()
}

// inherit adds the answers of the version that is installed where they still fit, its secrets only when secrets is true.
// It also names what was answered and must be answered again.
func inherit(options manifest.Options, old *store.Installation, given answers.Values, secrets bool) (answers.Values, []spec.Answer) {
	forgets := []spec.Answer{}
	if old == nil {
		return given, forgets
	}
	had := values(old)
	all := answers.Join(answers.Kept(options, had, secrets), given)
	for _, o := range options {
		_, was := had[o.Key]
		if _, is := all[o.Key]; was && !is {
			forgets = append(forgets, spec.Answer{Key: o.Key, Title: o.Title, Secret: o.Sensitive})
		}
	}
	return all, forgets
}

// warnings are what a host passes over in a manifest.
func warnings(report *manifest.Report) []string {
	list := []string{}
	for _, f := range report.Findings {
		if f.Severity == manifest.Warning {
			list = append(list, strings.TrimSpace(f.Path+" "+f.Message))
		}
	}
	return list
}

// verify judges the bundle's signature by what the person trusts. A bundle that is not as it was signed is refused.
func (h *Host) verify(b *mcpb.Bundle, file string) (*signature.Report, error) {
	entries, err := h.trust.List()
	if err != nil {
		return nil, err
	}
	t := trust.Of(entries)
	t.System = true
	rep, err := b.Verify(t, time.Now())
	if err == nil && rep.Status.Code() == problem.Tampered {
		p, _ := errors.AsType[*problem.Problem](rep.Err())
		return nil, p.At(file)
	}
	return rep, err
}

// signatureRisk makes the line for a signature that is there and does not count.
func signatureRisk(rep *signature.Report) (spec.Risk, bool) {
	if rep.Status == signature.Trusted || rep.Status == signature.Unsigned {
		return spec.Risk{}, false
	}
	level := spec.Medium
	if rep.Status == signature.Revoked {
		level = spec.High
	}
	return spec.Risk{Level: level, Text: "the signature is not one you trust, " + string(rep.Status) + ": " + strings.Join(rep.Reasons, "; ")}, true
}

// installed gives what is installed under an id, nil when nothing is. A damaged record is replaced, which loses what was
// answered: that is a risk to tell before.
func (h *Host) installed(id string) (*store.Installation, []spec.Risk) {
	in, err := h.store.Get(id)
	switch {
	case err == nil:
		return in, nil
	case store.IsDamaged(err):
		return nil, []spec.Risk{{Level: spec.Medium, Text: "what is installed now has a damaged record: its answers are lost, and must be given again; a copy of the record is kept beside the new one, in a folder damaged-*"}}
	}
	return nil, nil
}

func (h *Host) review(c *Candidate, m *manifest.Manifest, old *store.Installation, given answers.Values) error {
	dir, err := h.store.Dir(&c.record)
	if err != nil {
		return err
	}
	ext := launch.Extension{
		ID: c.record.ID, Manifest: m, Dir: dir, DataDir: h.store.DataPath(c.record.ID), CacheDir: h.store.CacheDir(c.record.ID), Answers: given,
		Exists: func(name string) bool { _, ok := c.bundle.Lookup(name); return ok },
	}
	plan, err := launch.Make(ext, h.machine)
	if err != nil {
		return err
	}
	if rel, ok := strings.CutPrefix(plan.Spec.Argv[0], dir+string(filepath.Separator)); ok {
		c.command = filepath.ToSlash(rel)
		if !ext.Exists(c.command) {
			return problem.New(problem.Invalid, "install/command", "the command is not in the bundle").At(c.command).Try("tell its author: satchel validate finds it")
		}
	}
	c.Review = plan.Review(ext)
	c.risks = c.Review.Risks
	c.Review.Source, c.Review.Digest, c.Review.Signature = c.record.Source, c.record.Digest, c.signature.Line()
	if risk, ok := signatureRisk(c.signature); ok {
		c.risks = append(c.risks, risk)
	}
	if old != nil {
		c.Review.Replaces = old.Version
	}
	if len(c.record.Secrets) > 0 {
		c.risks = append(c.risks, spec.Risk{Level: spec.Medium, Text: "secrets are kept in a file that only you can read, not in the system's keychain"})
	}
	return nil
}

// Install installs a candidate that was agreed to. It is there whole or not at all.
func (h *Host) Install(ctx context.Context, c *Candidate, progress func(done, total int64)) (*Installed, error) {
	if err := h.seal(&c.record, c.granted, c.terms.noSandbox); err != nil {
		return nil, err
	}
	if c.record.Link != "" {
		return h.link(c)
	}
	stage, err := h.store.Begin(ctx)
	if err != nil {
		return nil, err
	}
	defer stage.Abort()
	tree, err := c.bundle.Extract(ctx, stage.Dir(), mcpb.ExtractOptions{
		Executable: executables(c), Digest: true, ReadOnly: true, Portable: true, Sync: runtime.GOOS == "windows", Progress: progress,
	})
	if err == nil {
		err = c.bundle.Unchanged() // what was reviewed, and whose signature was verified, is what was unpacked
	}
	if err != nil {
		return nil, err
	}
	res := &Installed{Review: c.Review, Replaced: c.Review.Replaces, Sets: c.Sets()}
	c.record.TreeDigest, c.record.Installed = tree.Digest, time.Now().UTC()
	if err := stage.Commit(&c.record); err != nil {
		return nil, err
	}
	return res, h.installedAs(c, res)
}

func (h *Host) installedAs(c *Candidate, res *Installed) error {
	if _, err := h.store.DataDir(c.record.ID); err != nil {
		return err
	}
	m, err := manifestOf(&c.record)
	if err != nil {
		return err
	}
	res.Extension = h.extension(&c.record, m)
	return nil
}

// executables are the files that must be executable whatever the archive says: the command inside the bundle, and the
// entry point (modelcontextprotocol/mcpb#294).
func executables(c *Candidate) []string {
	return []string{c.command, c.entry}
}
