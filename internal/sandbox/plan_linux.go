package sandbox

import (
	"errors"
	"fmt"
	"os"
	"path"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"satchel/internal/problem"
	"satchel/internal/sandbox/seccomp"
	"satchel/internal/spec"
)

// What every world has for its user.
const (
	homeInside = "/home/user"
	tempInside = "/tmp"
	hostInside = "sandbox"
)

// The limits where a grant names none.
const (
	defaultTemp      = 256 << 20
	defaultShared    = 64 << 20
	defaultProcesses = 256
	defaultFiles     = 4096
	lockedMemory     = 8 << 20
)

// A planner turns a command into an order. It looks at the machine and changes nothing.
type planner struct {
	c        Command
	protect  []spec.Protected
	steps    []step
	seals    []step // after all steps
	rules    []rule
	programs programs
}

// plan makes the order for a command in a mode, for a server that is seen as uid and gid inside.
func plan(m Mode, c Command, uid, gid int) (order, error) {
	if m == Landlock && !c.Sandbox.Net.None() {
		return order{}, &errMode{m, errors.New("it cannot hold a server to hosts")}
	}
	p := &planner{c: c, protect: c.Sandbox.Protect}
	if err := p.programs.find(c); err != nil {
		return order{}, err
	}
	p.system()
	p.etc(uid, gid)
	p.devices()
	p.processes()
	p.temp()
	if err := p.granted(); err != nil {
		return order{}, err
	}
	p.ownFiles()
	p.executables()
	p.add(p.seals...)
	n := c.Sandbox.Net
	filter, err := seccomp.Filter(runtime.GOARCH, seccomp.Rules{Internet: !n.None(), Datagrams: !n.None(), Netlink: m != Landlock})
	if err != nil {
		return order{}, problem.New(problem.Refused, "sandbox/arch", "this machine's processor has no sandbox").Because(err).From("docs/sandbox.md")
	}
	o := order{
		Mode: m, Path: c.Path, Argv: c.Argv, Env: c.Env, Dir: c.Dir, UID: uid, GID: gid, Host: hostInside,
		Root: p.steps, Rules: p.rules, Net: !n.None(), Filter: filter, Limits: limits(c.Sandbox.Limits),
	}
	if m == Landlock {
		return o.withoutWorld()
	}
	if !n.None() {
		o.Doors = []Door{HTTPDoor, SOCKSDoor}
		for _, port := range n.Ports {
			o.Doors = append(o.Doors, Door(port))
		}
	}
	return o, nil
}

// withoutWorld changes an order for the machine's own root: what is made up there is not, and what all of the machine's
// programs share is out of reach. The server's temporary folder is one in its own.
func (o order) withoutWorld() (order, error) {
	o.Rules = slices.DeleteFunc(o.Rules, func(r rule) bool {
		return r.Path == "/" || r.Path == tempInside || r.Path == "/dev/shm" || r.Path == "/proc"
	})
	o.Rules = append(o.Rules, rule{Path: "/proc/self", Here: true})
	for _, name := range strings.Fields("cpuinfo meminfo stat version uptime loadavg filesystems sys/kernel/osrelease sys/kernel/ostype sys/vm/overcommit_memory") {
		o.Rules = append(o.Rules, rule{Path: "/proc/" + name, Maybe: true})
	}
	for i := range o.Rules {
		if strings.HasPrefix(o.Rules[i].Path, "/etc/") {
			o.Rules[i].Maybe, o.Rules[i].Here = true, true
		}
	}
	temp := path.Join(o.Dir, ".tmp")
	if err := os.MkdirAll(temp, 0o700); err != nil {
		return order{}, problem.New(problem.Failed, "sandbox/start", "the server's own folder cannot be written to").At(o.Dir).Because(err)
	}
	o.Env = append(slices.DeleteFunc(slices.Clone(o.Env), func(e string) bool {
		return strings.HasPrefix(e, "TMPDIR=") || strings.HasPrefix(e, "HOME=")
	}), "TMPDIR="+temp, "HOME="+o.Dir)
	o.Limits = slices.DeleteFunc(o.Limits, func(l limit) bool { return l.Resource == unix.RLIMIT_NPROC }) // it would count all of the user's
	return o, nil
}

func limits(l spec.Limits) []limit {
	list := []limit{
		{unix.RLIMIT_CORE, 0}, {unix.RLIMIT_MSGQUEUE, 0}, {unix.RLIMIT_MEMLOCK, lockedMemory},
		{unix.RLIMIT_NOFILE, uint64(or(l.Files, defaultFiles))},
		{unix.RLIMIT_NPROC, uint64(or(l.Processes, defaultProcesses))},
	}
	if l.CPU > 0 {
		list = append(list, limit{unix.RLIMIT_CPU, uint64(max(1, l.CPU.Seconds()))})
	}
	return list
}

func or[T int | int64](v, def T) T {
	if v > 0 {
		return v
	}
	return def
}

func (p *planner) add(steps ...step) { p.steps = append(p.steps, steps...) }

// system shows the machine's libraries and shared files. Its programs are shown when any may run, else only those that
// were found for the grant: what is not there cannot be run by any trick.
func (p *planner) system() {
	for _, dir := range []string{"/usr", "/lib", "/lib32", "/lib64", "/libx32", "/bin", "/sbin"} {
		info, err := os.Lstat(dir)
		switch {
		case err != nil:
		case info.Mode()&os.ModeSymlink != 0:
			if to, err := os.Readlink(dir); err == nil {
				p.add(step{Kind: stepLink, Path: dir, From: to})
			}
		case p.c.Sandbox.Programs.Any:
			p.add(step{Kind: stepBind, Path: dir, From: dir})
			p.rules = append(p.rules, rule{Path: dir, Execute: true})
		default:
			p.withoutPrograms(dir)
		}
	}
}

func programDirs() []string {
	return []string{"/usr/bin", "/usr/sbin", "/usr/games", "/usr/local/bin", "/usr/local/sbin", "/usr/local/games", "/bin", "/sbin"}
}

// withoutPrograms shows a folder but for the folders of programs in it.
func (p *planner) withoutPrograms(dir string) {
	hidden := programDirs()
	switch {
	case slices.Contains(hidden, dir):
		p.add(step{Kind: stepDir, Path: dir})
		return
	case !slices.ContainsFunc(hidden, func(h string) bool { return inside(h, dir) }):
		p.add(step{Kind: stepBind, Path: dir, From: dir})
		p.rules = append(p.rules, rule{Path: dir})
		return
	}
	p.add(step{Kind: stepDir, Path: dir})
	entries, err := os.ReadDir(dir)
	if err != nil {
		return // nothing of it is shown then
	}
	for _, e := range entries {
		name := path.Join(dir, e.Name())
		if e.Type()&os.ModeSymlink != 0 {
			if to, err := os.Readlink(name); err == nil {
				p.add(step{Kind: stepLink, Path: name, From: to})
			}
		} else if e.IsDir() {
			p.withoutPrograms(name)
		}
	}
}

// etc shows what libraries look up, and makes up what says who and where the server is.
func (p *planner) etc(uid, gid int) {
	for _, name := range []string{"/etc/ssl", "/etc/pki", "/etc/ca-certificates", "/etc/ld.so.cache", "/etc/alternatives", "/etc/mime.types", "/etc/fonts"} {
		p.add(step{Kind: stepBind, Path: name, From: name, Maybe: true})
		p.rules = append(p.rules, rule{Path: name, Maybe: true})
	}
	for name, text := range map[string]string{
		"/etc/passwd":        fmt.Sprintf("user:x:%d:%d::%s:/bin/sh\n", uid, gid, homeInside),
		"/etc/group":         fmt.Sprintf("user:x:%d:\n", gid),
		"/etc/hosts":         "127.0.0.1 localhost " + hostInside + "\n::1 localhost\n",
		"/etc/resolv.conf":   "",
		"/etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
	} {
		p.add(step{Kind: stepText, Path: name, From: text})
		p.rules = append(p.rules, rule{Path: name})
	}
	if zone, err := realPath("/etc/localtime"); err == nil {
		p.add(step{Kind: stepBind, Path: "/etc/localtime", From: zone, Maybe: true})
		p.rules = append(p.rules, rule{Path: "/etc/localtime", Maybe: true})
	}
}

func (p *planner) devices() {
	for _, name := range []string{"null", "zero", "full", "random", "urandom"} {
		p.add(step{Kind: stepDev, Path: "/dev/" + name, From: "/dev/" + name})
		p.rules = append(p.rules, rule{Path: "/dev/" + name, Write: true})
	}
	for name, to := range map[string]string{"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2"} {
		p.add(step{Kind: stepLink, Path: "/dev/" + name, From: to})
	}
	p.add(step{Kind: stepTemp, Path: "/dev/shm", Size: defaultShared})
	p.rules = append(p.rules, rule{Path: "/dev/shm", Write: true})
}

// processes shows the processes of the world, without what /proc tells of the machine.
func (p *planner) processes() {
	p.add(step{Kind: stepProc, Path: "/proc"})
	for _, name := range strings.Fields(`acpi asound bootconfig buddyinfo bus cgroups cmdline config.gz consoles diskstats driver fs
		interrupts iomem ioports irq kallsyms kcore key-users keys kmsg kpagecgroup kpagecount kpageflags latency_stats locks
		modules mtrr pagetypeinfo partitions pressure sched_debug schedstat scsi slabinfo softirqs swaps sysrq-trigger
		timer_list timer_stats tty vmallocinfo zoneinfo`) {
		p.add(step{Kind: stepMask, Path: "/proc/" + name})
	}
	p.rules = append(p.rules, rule{Path: "/proc"}, rule{Path: "/", List: true})
}

func (p *planner) temp() {
	p.add(step{Kind: stepTemp, Path: tempInside, Size: or(p.c.Sandbox.Limits.Temp, defaultTemp)},
		step{Kind: stepDir, Path: "/run"}, step{Kind: stepDir, Path: homeInside})
	p.rules = append(p.rules, rule{Path: tempInside, Write: true, Execute: p.c.Sandbox.Programs.Any})
}

// ownFiles shows the extension its files to read and run, its folder to write to, and what its program brings.
func (p *planner) ownFiles() {
	for _, dir := range p.c.Runtime {
		p.add(step{Kind: stepBind, Path: dir, From: dir})
		p.rules = append(p.rules, rule{Path: dir})
	}
	if p.c.Bundle != "" {
		p.add(step{Kind: stepBind, Path: p.c.Bundle, From: p.c.Bundle})
		p.rules = append(p.rules, rule{Path: p.c.Bundle, Execute: true})
	}
	p.add(step{Kind: stepBind, Path: p.c.Dir, From: p.c.Dir, Write: true})
	p.rules = append(p.rules, rule{Path: p.c.Dir, Write: true, Execute: p.c.Sandbox.Programs.Any})
}

// executables shows the programs that were found and lets them run.
func (p *planner) executables() {
	for _, l := range p.programs.links {
		if !p.shown(l.Path) {
			p.add(l)
		}
	}
	for _, file := range p.programs.files {
		if !p.shown(file) {
			p.add(step{Kind: stepBind, Path: file, From: file})
		}
		p.rules = append(p.rules, rule{Path: file, Execute: true})
	}
}

// shown tells whether a path is below something that is bound already.
func (p *planner) shown(name string) bool {
	return slices.ContainsFunc(p.steps, func(s step) bool {
		return (s.Kind == stepBind && inside(name, s.Path)) || (s.Kind == stepLink && s.Path == name)
	})
}
