package sandbox

import (
	"os"
	"path/filepath"
	"slices"
	"time"

	"satchel/internal/problem"
	"satchel/internal/sandbox/inside"
	"satchel/internal/sandbox/seatbelt"
	"satchel/internal/spec"
)

// noLearning is the problem of a machine that has no world to learn in.
func noLearning(c Command, err error) error {
	return problem.New(problem.Refused, "sandbox/learn", "this machine lets nobody make the world that a server is learned in").At(c.Path).
		Because(err).From("docs/sandbox.md").Try("satchel doctor --sandbox")
}

// checked refuses a grant that no system can hold a server to.
func checked(c Command) error {
	for _, f := range c.Sandbox.Files {
		if err := grantable(f.Path); err != nil {
			return err
		}
		if err := aboveSecrets(f, c.Sandbox.Protect); err != nil {
			return err
		}
		if err := unchanged(f); err != nil {
			return err
		}
	}
	return nil
}

// aboveSecrets refuses to grant a folder for writing that has a secret below.
func aboveSecrets(f spec.File, protect []spec.Protected) error {
	if !f.Write {
		return nil
	}
	for _, x := range protect {
		if x.Secret && isBelow(x.Path, f.Path) {
			return problem.New(problem.Refused, "sandbox/above-secrets", "cannot be granted for writing: %s is in it", x.Path).At(f.Path).From("docs/sandbox.md").
				Try("grant the folders in it that are needed")
		}
	}
	return nil
}

// unchanged refuses another file in the place of the one that was agreed to. It looks before the start; only Linux looks
// at the file that it will show.
func unchanged(f spec.File) error {
	if f.Ino == 0 {
		return nil
	}
	info, err := os.Lstat(f.Path)
	if err != nil {
		return problem.New(problem.NotFound, "sandbox/grant", "a granted folder cannot be read").At(f.Path).Because(err)
	}
	if dev, ino, ok := identity(info); ok && (dev != f.Dev || ino != f.Ino) {
		return problem.New(problem.Refused, "sandbox/grant", "is another file than the one that was granted").At(f.Path).From("docs/sandbox.md").
			Try("look at it, and grant it anew")
	}
	return nil
}

// seatbelt gives what macOS's rules are made from: the real paths of the command, and the links that lead to its programs.
func (c Command) seatbelt(doors []int) (seatbelt.Server, error) {
	var p programs
	if err := p.find(c); err != nil {
		return seatbelt.Server{}, err
	}
	s := seatbelt.Server{Sandbox: c.Sandbox, Programs: p.files, Doors: doors}
	for _, l := range p.links {
		s.Links = append(s.Links, l.path)
	}
	for _, name := range append([]string{c.Path}, c.Sandbox.Programs.Paths...) {
		s.Links = append(s.Links, linksOn(name)...)
	}
	resolved := func(name string) string {
		s.Links = append(s.Links, linksOn(name)...)
		if real, err := realPath(name); err == nil {
			return real
		}
		return name
	}
	s.Dir = resolved(c.Dir)
	if c.Bundle != "" {
		s.Bundle = resolved(c.Bundle)
	}
	for _, dir := range c.Runtime {
		s.Runtime = append(s.Runtime, resolved(dir))
	}
	slices.Sort(s.Links)
	s.Links = slices.Compact(s.Links)
	return s, nil
}

// linksOn gives the links that are followed on the way to a file.
func linksOn(name string) (links []string) {
	for range mostHops {
		link, rest := firstLink(name)
		if link == "" {
			break
		}
		links = append(links, link)
		to, err := os.Readlink(link)
		if err != nil {
			break
		}
		if !filepath.IsAbs(to) {
			to = filepath.Join(filepath.Dir(link), to)
		}
		name = filepath.Join(to, rest)
	}
	return links
}

// firstLink gives the outermost part of a path that is a link, and what comes after it.
func firstLink(name string) (link, rest string) {
	parent, base := filepath.Dir(name), filepath.Base(name)
	if parent == name {
		return "", ""
	}
	if link, rest := firstLink(parent); link != "" {
		return link, filepath.Join(rest, base)
	}
	if info, err := os.Lstat(name); err == nil && info.Mode()&os.ModeSymlink != 0 {
		return name, ""
	}
	return "", ""
}

// underSeatbelt is the order for our shim: its limits, and then the system's program that holds a server to rules.
func (c Command) underSeatbelt(rules string) inside.ShimOrder {
	argv := []string{sandboxExec, "-p", rules, c.Path}
	if len(c.Argv) > 1 {
		argv = append(argv, c.Argv[1:]...)
	}
	return inside.ShimOrder{Files: uint64(or(c.Sandbox.Limits.Files, defaultFiles)), CPU: seconds(c.Sandbox.Limits.CPU), Argv: argv}
}

// seconds are whole ones, at least one where there is a limit at all.
func seconds(d time.Duration) uint64 {
	if d <= 0 {
		return 0
	}
	return uint64(max(1, d.Seconds()))
}

// sandboxExec is the system's program, by its full path: one of another place could be anybody's.
const sandboxExec = "/usr/bin/sandbox-exec"
