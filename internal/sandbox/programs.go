package sandbox

import (
	"bufio"
	"debug/elf"
	"io"
	"os"
	"path"
	"runtime"
	"slices"
	"strings"

	"satchel/internal/problem"
)

// programs are the files that a server may execute beside its own: its program, what that needs to run at all, and what
// was granted.
type programs struct {
	files []string // real paths
	links []link   // the links on the way to them
}

// A link is a symbolic link and what is in it.
type link struct{ path, to string }

// find looks the programs of a command up. The error is a problem of class NotFound.
func (p *programs) find(c Command) error {
	names := append([]string{c.Path}, c.Sandbox.Programs.Paths...)
	for _, name := range names {
		if c.Bundle != "" && isBelow(name, c.Bundle) {
			p.interpreters(name, 0)
			continue
		}
		if err := p.add(name, 0); err != nil {
			return problem.New(problem.NotFound, "sandbox/program", "is not a program of this machine").At(name).Because(err)
		}
	}
	for _, name := range loaders() {
		if real, err := realPath(name); err == nil && !slices.Contains(p.files, real) {
			p.files = append(p.files, real)
		}
	}
	return nil
}

// loaders are what the programs of a bundle name as their interpreter, with glibc and with musl.
func loaders() []string {
	switch runtime.GOOS + "/" + runtime.GOARCH {
	case "linux/arm64":
		return []string{"/lib/ld-linux-aarch64.so.1", "/lib/ld-musl-aarch64.so.1"}
	case "linux/amd64":
		return []string{"/lib64/ld-linux-x86-64.so.2", "/lib/ld-musl-x86_64.so.1"}
	}
	return nil
}

// mostHops bounds links to links, and interpreters of interpreters.
const mostHops = 8

// add takes a program with the links that lead to it and what the kernel needs to run it.
func (p *programs) add(name string, hop int) error {
	for range mostHops {
		dir, err := realPath(path.Dir(name))
		if err != nil {
			return err
		}
		name = path.Join(dir, path.Base(name))
		to, err := os.Readlink(name)
		if err != nil {
			break
		}
		p.links = append(p.links, link{name, to})
		if !path.IsAbs(to) {
			to = path.Join(dir, to)
		}
		name = to
	}
	real, err := realPath(name)
	if err != nil {
		return err
	}
	if slices.Contains(p.files, real) {
		return nil
	}
	p.files = append(p.files, real)
	p.interpreters(real, hop)
	return nil
}

// interpreters takes what the kernel runs a file with: a dynamic loader, or what the first line of a script names.
func (p *programs) interpreters(file string, hop int) {
	if hop >= mostHops {
		return
	}
	for _, name := range interpretersOf(file) {
		_ = p.add(name, hop+1) // a script whose interpreter is missing fails when it is run, and says so
	}
}

func interpretersOf(file string) []string {
	f, err := os.Open(file)
	if err != nil {
		return nil
	}
	defer f.Close()
	if bin, err := elf.NewFile(f); err == nil {
		for _, part := range bin.Progs {
			if part.Type == elf.PT_INTERP && part.Filesz < 4096 {
				name, err := io.ReadAll(part.Open())
				if err == nil {
					return []string{strings.TrimRight(string(name), "\x00")}
				}
			}
		}
		return nil
	}
	line, err := bufio.NewReader(io.NewSectionReader(f, 0, 256)).ReadString('\n')
	if (err != nil && err != io.EOF) || !strings.HasPrefix(line, "#!") {
		return nil
	}
	words := strings.Fields(line[2:])
	if len(words) == 0 {
		return nil
	}
	names := words[:1]
	if path.Base(words[0]) == "env" {
		for _, w := range words[1:] {
			if !strings.HasPrefix(w, "-") && !strings.Contains(w, "=") {
				return append(names, lookUp(w))
			}
		}
	}
	return names
}

// pathInside is where programs are looked up inside.
const pathInside = "/usr/local/bin:/usr/bin:/bin"

func lookUp(name string) string {
	for _, dir := range strings.Split(pathInside, ":") {
		if info, err := os.Stat(path.Join(dir, name)); err == nil && info.Mode().IsRegular() {
			return path.Join(dir, name)
		}
	}
	return path.Join("/usr/bin", name)
}
