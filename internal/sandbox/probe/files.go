package probe

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const filesGroup, protectedGroup = "files", "protected paths"

func fileLines() []line {
	const group = filesGroup
	return []line{
		{group: group, name: "read a file outside", attack: func(p *probe) error { return p.reads(p.Outside) }},
		{group: group, name: "list a folder outside", attack: func(p *probe) error { return lists(filepath.Dir(p.Outside)) }},
		{group: group, name: "write outside", attack: func(p *probe) error { return writes(filepath.Join(filepath.Dir(p.Outside), "new")) }},
		{group: group, name: "stat a file outside", attack: func(p *probe) error { _, err := os.Stat(p.Outside); return bare(err) }},
		{group: group, name: "read outside by ..", attack: func(p *probe) error { return p.reads(p.upAndDown()) }},
		{group: group, name: "read outside by a symlink", attack: throughLink},
		{group: group, name: "read outside by a hard link", attack: func(p *probe) error { return p.hardLink(p.Outside) }},
		{group: group, name: "write where only reading is granted", attack: func(p *probe) error { return changes(p.Read) }},
		{group: group, name: "create where only reading is granted", attack: func(p *probe) error { return writes(filepath.Join(p.Read, "new")) }},
		{group: group, name: "chmod where only reading is granted", attack: func(p *probe) error { return bare(os.Chmod(filepath.Join(p.Read, "plain"), 0o600)) }},
		{group: group, name: "touch where only reading is granted", attack: func(p *probe) error {
			long := time.Unix(1, 0)
			return bare(os.Chtimes(filepath.Join(p.Read, "plain"), long, long))
		}},
		{group: group, name: "hard link from what is only read to what is written", attack: func(p *probe) error { return p.hardLink(filepath.Join(p.Read, "plain")) }},
		{group: group, name: "change the extension's own files", attack: func(p *probe) error { return changes(p.Bundle) }},
	}
}

func protectedLines() []line {
	const group = protectedGroup
	secret := func(p *probe) string { return filepath.Join(p.Protected, "secret") }
	return []line{
		{group: group, name: "read a protected file below a granted folder", attack: func(p *probe) error { return p.reads(secret(p)) }},
		{group: group, name: "list a protected folder", attack: func(p *probe) error { return lists(p.Protected) }},
		{group: group, name: "read it after a program replaced it", attack: func(p *probe) error {
			return errors.Join(p.ask(ReplaceProtected), p.reads(secret(p)))
		}},
		{group: group, name: "read it after its folder was made anew", attack: func(p *probe) error {
			return errors.Join(p.ask(RemakeProtected), p.reads(secret(p)))
		}},
		{group: group, name: "read one that was made later", attack: func(p *probe) error {
			return errors.Join(p.ask(MakeLate), p.reads(filepath.Join(p.Late, "secret")))
		}},
		{group: group, name: "list one that was made later", attack: func(p *probe) error {
			return errors.Join(p.ask(MakeLate), lists(p.Late))
		}},
		{group: group, name: "write a git hook", attack: func(p *probe) error { return writes(filepath.Join(p.Write, ".git", "hooks", "post-commit")) }},
		{group: group, name: "write a git hook by another spelling", attack: bySpelling},
		{group: group, name: "put another folder in place of the hooks", attack: func(p *probe) error { return p.exchange(filepath.Join(p.Write, ".git", "hooks")) }},
		{group: group, name: "put another folder in place of the repository", attack: func(p *probe) error { return p.exchange(filepath.Join(p.Write, ".git")) }},
		{group: group, name: "put another folder in place of the granted one", attack: func(p *probe) error { return p.exchange(p.Write) }},
	}
}

// upAndDown is the path of the file outside, by the root above a granted folder. It is not cleaned.
func (p *probe) upAndDown() string {
	up := strings.Repeat(string(filepath.Separator)+"..", 1+strings.Count(p.Read, string(filepath.Separator)))
	return p.Read + up + strings.TrimPrefix(p.Outside, filepath.VolumeName(p.Outside))
}

// bySpelling names the hooks in capitals: the same folder, where the file system does not tell cases apart.
func bySpelling(p *probe) error {
	plain, err := os.Stat(p.Write)
	if err != nil {
		return bare(err)
	}
	other, err := os.Stat(filepath.Join(filepath.Dir(p.Write), strings.ToUpper(filepath.Base(p.Write))))
	if err != nil || !os.SameFile(plain, other) {
		return errNotHere
	}
	return writes(filepath.Join(p.Write, ".GIT", "HOOKS", "post-commit"))
}

// exchange moves a folder away, and puts it back so that the next line has it.
func (p *probe) exchange(dir string) error {
	away := filepath.Join(p.Write, "away")
	if dir == p.Write {
		away = filepath.Join(p.Own, "away")
	}
	if err := os.Rename(dir, away); err != nil {
		return bare(err)
	}
	return os.Rename(away, dir)
}

func lists(dir string) error {
	entries, err := os.ReadDir(dir)
	if err == nil && len(entries) == 0 {
		return errors.New("it is empty")
	}
	return bare(err)
}

func writes(name string) error {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return bare(err)
	}
	return errors.Join(f.Close(), os.Remove(name))
}

func changes(dir string) error {
	f, err := os.OpenFile(filepath.Join(dir, "plain"), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return bare(err)
	}
	return f.Close()
}

func throughLink(p *probe) error {
	name := filepath.Join(p.Write, "link")
	if err := os.Symlink(p.Outside, name); err != nil {
		return bare(err)
	}
	defer os.Remove(name)
	return p.reads(name)
}

// hardLink links a file to a place that can be written to, which would be the file.
func (p *probe) hardLink(file string) error {
	name := filepath.Join(p.Write, "hard")
	defer os.Remove(name)
	return bare(os.Link(file, name))
}
