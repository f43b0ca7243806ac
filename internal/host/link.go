package host

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"satchel/internal/answers"
	"satchel/internal/launch"
	"satchel/internal/problem"
	"satchel/internal/spec"
	"satchel/internal/store"
	"satchel/mcpb"
	"satchel/mcpb/manifest"
)

// InspectLink makes the review of linking a folder: of installing it so that it is used where it is, as its author
// changes it. Nothing is written and nothing runs. All answers are kept when the same folder was linked before.
func (h *Host) InspectLink(ctx context.Context, dir string, pairs []string, t Terms) (*Candidate, error) {
	real, err := linkable(dir)
	if err != nil {
		return nil, err
	}
	m, data, report, err := readLinked(real)
	if err != nil {
		return nil, err
	}
	id, err := manifest.ID(manifest.Local, m.Name)
	if err != nil {
		return nil, err
	}
	given, err := answers.Parse(m.UserConfig, pairs, h.machine.User.Home)
	if err != nil {
		return nil, err
	}
	old, lost := h.installed(id)
	given, forgets := inherit(m.UserConfig, old, given, old != nil && old.Link == real)
	open, secret := answers.Split(m.UserConfig, given)
	c := &Candidate{record: store.Installation{ID: id, Version: m.Version, Source: real, Link: real, Manifest: data, Answers: open, Secrets: secret}}
	if err := h.reviewLink(c, m, given); err != nil {
		return nil, named(dir, err)
	}
	c.Review.Forgets, c.Review.Warnings = forgets, warnings(report)
	c.risks = append(c.risks, lost...)
	if old != nil {
		c.Review.Replaces = old.Version
	}
	if err := h.bargain(ctx, c, m, old, given, t); err != nil {
		return nil, named(dir, err)
	}
	return c, ctx.Err()
}

// linkable gives the absolute path, without links, of a folder.
func linkable(dir string) (string, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	real, err := filepath.EvalSymlinks(abs)
	if errors.Is(err, fs.ErrNotExist) {
		return "", problem.New(problem.NotFound, "link/folder", "there is no such folder").At(dir)
	}
	if err != nil {
		return "", problem.New(problem.Failed, "link/folder", "cannot be looked at").At(dir).Because(err)
	}
	if info, err := os.Stat(real); err != nil || !info.IsDir() {
		return "", problem.New(problem.Usage, "link/folder", "is not a folder").At(dir).Try("a bundle is installed without --link: satchel install %s", problem.Words(dir))
	}
	return real, nil
}

// readLinked reads the manifest of a folder as it is now.
func readLinked(dir string) (*manifest.Manifest, []byte, *manifest.Report, error) {
	name := filepath.Join(dir, "manifest.json")
	data, err := mcpb.ReadFile(dir, "manifest.json", manifest.MaxSize)
	if problem.CodeOf(err) == problem.NotFound {
		return nil, nil, nil, problem.New(problem.NotFound, "link/manifest", "is not there").At(name).Try("link another folder, or satchel uninstall what is linked to this one")
	}
	if err != nil {
		return nil, nil, nil, err
	}
	m, report, err := manifest.Parse(data)
	if err != nil {
		report.File = name
		return nil, nil, nil, report.Err()
	}
	return m, data, report, nil
}

func (h *Host) reviewLink(c *Candidate, m *manifest.Manifest, given answers.Values) error {
	ext := h.launching(&c.record, m, given)
	plan, err := launch.Make(ext, h.machine)
	if err != nil {
		return err
	}
	c.Review = plan.Review(ext)
	c.risks = c.Review.Risks
	c.Review.Source, c.Review.Signature = c.record.Link, "none: a linked folder"
	c.risks = append(c.risks, spec.Risk{
		Level: spec.Medium, Text: "linked: each start runs what is in the folder then; no digest is checked",
	})
	if info, err := os.Stat(c.record.Link); err == nil && info.Mode().Perm()&0o002 != 0 {
		c.risks = append(c.risks, spec.Risk{Level: spec.High, Text: fmt.Sprintf("every user of this machine can change what runs: the folder has mode %04o", info.Mode().Perm())})
	}
	return nil
}

// link installs a linked folder that was agreed to.
func (h *Host) link(c *Candidate) (*Installed, error) {
	res := &Installed{Review: c.Review, Replaced: c.Review.Replaces, Sets: c.Sets()}
	c.record.Installed = time.Now().UTC()
	if err := h.store.Link(&c.record); err != nil {
		return nil, err
	}
	return res, h.installedAs(c, res)
}
