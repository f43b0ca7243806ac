package sandbox

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"satchel/internal/problem"
	"satchel/internal/sandbox/inside"
	"satchel/internal/spec"
)

// mostEntries bounds how many entries of folders above a protected path are shown one by one.
const mostEntries = 10_000

// granted shows the files of the grant, outer ones first, so that what is granted inside another comes on top of it.
func (p *planner) granted() error {
	files := slices.Clone(p.c.Sandbox.Files)
	slices.SortStableFunc(files, func(a, b spec.File) int { return strings.Compare(a.Path, b.Path) })
	for _, f := range files {
		if err := grantable(f.Path); err != nil {
			return err
		}
		var err error
		if f.Write {
			err = p.writable(f)
		} else {
			err = p.readable(f)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// readable shows a file or folder to read. A folder with a secret below is shown entry by entry: a mask over the secret
// would fall off when the person's own programs replace the file, and one that is made later would have none. What
// appears in such a folder later is not seen.
func (p *planner) readable(f spec.File) error {
	secrets := p.secretsBelow(f.Path)
	switch {
	case slices.Contains(secrets, f.Path):
		return nil
	case len(secrets) == 0:
		p.show(f, false)
		return nil
	}
	p.add(inside.Step{Kind: inside.StepShelf, Path: f.Path})
	if err := p.split(f, new(int)); err != nil {
		return err
	}
	p.seals = append(p.seals, inside.Step{Kind: inside.StepSeal, Path: f.Path})
	return nil
}

// show shows a file or folder to read; one that maybe is not there any more when the server starts is left out then.
func (p *planner) show(f spec.File, maybe bool) {
	p.add(inside.Step{Kind: inside.StepBind, Path: f.Path, From: f.Path, Dev: f.Dev, Ino: f.Ino, Maybe: maybe})
	p.rules = append(p.rules, inside.Rule{Path: f.Path, Maybe: maybe})
}

// split shows what is in a folder, but for what is protected.
func (p *planner) split(f spec.File, seen *int) error {
	secrets := p.secretsBelow(f.Path)
	switch {
	case slices.Contains(secrets, f.Path):
		return nil
	case len(secrets) == 0:
		p.show(f, true)
		return nil
	}
	entries, err := os.ReadDir(f.Path)
	switch {
	case errors.Is(err, fs.ErrPermission):
		return nil
	case errors.Is(err, unix.ENOTDIR): // a file, where the list of secrets expects a folder
		p.show(f, true)
		return nil
	case err != nil:
		return problem.New(problem.Failed, "sandbox/grant", "a granted folder cannot be read").At(f.Path).Because(err)
	}
	if *seen += len(entries); *seen > mostEntries {
		return problem.New(problem.Refused, "sandbox/too-wide", "has more than %d entries beside protected ones", mostEntries).At(f.Path).From("docs/sandbox.md").
			Try("grant the folders in it that are needed")
	}
	p.add(inside.Step{Kind: inside.StepDir, Path: f.Path})
	for _, e := range entries {
		child := path.Join(f.Path, e.Name())
		switch {
		case e.Type()&fs.ModeSymlink != 0:
			if to, err := os.Readlink(child); err == nil {
				p.add(inside.Step{Kind: inside.StepLink, Path: child, From: to})
			}
		case e.IsDir() || e.Type().IsRegular():
			if err := p.split(spec.File{Path: child}, seen); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *planner) secretsBelow(dir string) (secrets []string) {
	for _, x := range p.protect {
		if x.Secret && isBelow(x.Path, dir) {
			secrets = append(secrets, x.Path)
		}
	}
	return secrets
}

// writable shows a file or folder to write to. What is protected below it becomes unchangeable, and each folder on the
// way a mount of its own: a mount can be neither renamed nor removed, so nothing can be put in its place.
func (p *planner) writable(f spec.File) error {
	if err := aboveSecrets(f, p.protect); err != nil {
		return err
	}
	p.add(inside.Step{Kind: inside.StepBind, Path: f.Path, From: f.Path, Write: true, Dev: f.Dev, Ino: f.Ino})
	p.rules = append(p.rules, inside.Rule{Path: f.Path, Write: true})
	pinned := map[string]bool{f.Path: true}
	for _, x := range p.protect {
		if !isBelow(x.Path, f.Path) {
			continue
		}
		for _, dir := range between(f.Path, x.Path) {
			if !pinned[dir] {
				pinned[dir] = true
				p.add(inside.Step{Kind: inside.StepPin, Path: dir, Write: true})
			}
		}
		p.add(inside.Step{Kind: inside.StepPin, Path: x.Path})
	}
	return nil
}
