package sandbox

import (
	"context"
	"errors"
	"os"
	"path"
	"slices"
	"strings"

	"satchel/internal/problem"
	"satchel/internal/sandbox/inside"
	"satchel/internal/spec"
)

// learn starts a server to find out what it needs.
func (l *Launcher) learn(ctx context.Context, c Command, accept Accept) (*Process, error) {
	c.Sandbox.Net = spec.Net{Told: c.Sandbox.Net.Told}
	var refusals []error
	for _, without := range []bool{false, true} {
		if !slices.Contains(l.modes, Namespaces) {
			break
		}
		c.noOverlay = without
		p, err := l.startIn(ctx, Namespaces, c, accept)
		if err == nil {
			return p, nil
		}
		if _, ok := errors.AsType[*errMode](err); !ok {
			return nil, err
		}
		refusals = append(refusals, err)
	}
	return nil, noLearning(c, errors.Join(refusals...))
}

// learning is the command as it is started to learn.
func (c Command) learning() Command {
	c.Sandbox.Programs.Any = true
	return c
}

// asGranted is the command as it would be started to work.
func (c Command) asGranted() Command {
	c.Learn = nil
	return c
}

// learned shows the folders to learn in, and what is granted beside them. Nothing of it can be changed.
func (p *planner) learned() error {
	files := slices.Clone(p.c.Sandbox.Files)
	for _, dir := range p.c.Learn {
		files = append(files, spec.File{Path: dir})
	}
	slices.SortStableFunc(files, func(a, b spec.File) int { return strings.Compare(a.Path, b.Path) })
	var outer []string
	for _, f := range files {
		if err := grantable(f.Path); err != nil {
			return err
		}
		shown := func(dir string) bool { return isBelow(f.Path, dir) }
		secret := func(x spec.Protected) bool { return x.Secret && isBelow(f.Path, x.Path) }
		if slices.ContainsFunc(outer, shown) || slices.ContainsFunc(p.protect, secret) {
			continue
		}
		info, err := os.Lstat(f.Path)
		if err != nil {
			return problem.New(problem.Failed, "sandbox/grant", "a granted folder cannot be read").At(f.Path).Because(err)
		}
		outer, f.Write = append(outer, f.Path), false
		if p.c.noOverlay || !info.IsDir() {
			if err := p.readable(f); err != nil {
				return err
			}
			continue
		}
		p.add(p.over(f))
		p.rules = append(p.rules, inside.Rule{Path: f.Path, Write: true, Execute: true})
	}
	return nil
}

// over shows a folder to read, with its changes in memory and its secrets left out.
func (p *planner) over(f spec.File) inside.Step {
	s := inside.Step{Kind: inside.StepOver, Path: f.Path, From: f.Path, Dev: f.Dev, Ino: f.Ino, Size: or(p.c.Sandbox.Limits.Temp, defaultTemp)}
	for _, secret := range p.secretsBelow(f.Path) {
		if secret != f.Path {
			s.Hide = append(s.Hide, strings.TrimPrefix(secret, f.Path+"/"))
		}
	}
	return s
}

// hides tells whether an overlay leaves a path out.
func hides(s inside.Step, name string) bool {
	return slices.ContainsFunc(s.Hide, func(h string) bool { return isBelow(name, path.Join(s.Path, h)) })
}
