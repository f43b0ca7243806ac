package sandbox

import (
	"fmt"
	"os"
	"path"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"satchel/internal/problem"
	"satchel/internal/sandbox/inside"
	"satchel/internal/sandbox/seccomp"
	"satchel/internal/spec"
)

// hostInside is the name of the machine in every world.
const hostInside = "sandbox"

// The limits where a grant names none.
const (
	defaultTemp   = 256 << 20
	defaultShared = 64 << 20
	lockedMemory  = 8 << 20
)

// A planner turns a command into an order. It looks at the machine and changes nothing.
type planner struct {
	c        Command
	protect  []spec.Protected
	steps    []inside.Step
	seals    []inside.Step // after all steps
	rules    []inside.Rule
	programs programs
}

// plan makes the order for a command in a mode, for a server that is seen as uid and gid inside and finds the proxies at
// an entrance.
func plan(m Mode, c Command, e entrance, uid, gid int) (inside.Order, error) {
	if c.Learn != nil {
		c = c.learning()
	}
	p := &planner{c: c, protect: c.Sandbox.Protect}
	if err := p.programs.find(c); err != nil {
		return inside.Order{}, err
	}
	p.system()
	p.etc(uid, gid)
	p.devices()
	p.processes()
	p.temp()
	files := p.granted
	if c.Learn != nil {
		files = p.learned
	}
	if err := files(); err != nil {
		return inside.Order{}, err
	}
	p.ownFiles()
	p.executables()
	n := c.Sandbox.Net
	env, brought := c.environment(wayOf(m, c, e))
	if m != Landlock {
		p.bring(brought)
	}
	if len(n.Sockets) > 0 {
		if err := p.sockets(e.sockets); err != nil {
			return inside.Order{}, err
		}
	}
	p.add(p.seals...)
	filter, err := seccomp.Filter(runtime.GOARCH, seccomp.Rules{
		Internet: doors(m, n), Datagrams: !n.None() && m != Landlock, Netlink: m != Landlock, Unix: len(n.Sockets) > 0, Shared: m == Landlock, Notify: c.watched(),
	})
	if err != nil {
		return inside.Order{}, problem.New(problem.Refused, "sandbox/arch", "this machine's processor has no sandbox").Because(err).From("docs/sandbox.md")
	}
	o := inside.Order{
		Build: m == Namespaces, Path: c.Path, Argv: c.Argv, Env: env, Dir: c.Dir, UID: uid, GID: gid, Host: hostInside,
		Root: p.steps, Rules: p.rules, Net: doors(m, n), Filter: filter, Watch: c.Events != nil, Limits: limits(c.Sandbox.Limits),
	}
	if m == Landlock {
		o.Net = false
		o.Connect = e.ports(n)
		return withoutWorld(o, brought)
	}
	if doors(m, n) {
		o.Doors = []int{int(HTTPDoor), int(SOCKSDoor)}
		o.Doors = append(o.Doors, n.Ports...)
	}
	return o, nil
}

// withoutWorld changes an order for the machine's own root: what is made up there is not, and what all of the machine's
// programs share is out of reach. The server's temporary folder is one in its own.
func withoutWorld(o inside.Order, files []brought) (inside.Order, error) {
	o.Rules = slices.DeleteFunc(o.Rules, func(r inside.Rule) bool {
		return r.Path == "/" || r.Path == tempInside || r.Path == "/dev/shm" || r.Path == "/proc"
	})
	o.Rules = append(o.Rules, inside.Rule{Path: "/proc/self", Here: true})
	for _, name := range strings.Fields("cpuinfo meminfo stat version uptime loadavg filesystems sys/kernel/osrelease sys/kernel/ostype sys/vm/overcommit_memory") {
		o.Rules = append(o.Rules, inside.Rule{Path: "/proc/" + name, Maybe: true})
	}
	for i := range o.Rules {
		if strings.HasPrefix(o.Rules[i].Path, "/etc/") {
			o.Rules[i].Maybe, o.Rules[i].Here = true, true
		}
	}
	if err := bringTo(o.Dir, files); err != nil {
		return inside.Order{}, problem.New(problem.Failed, "sandbox/start", "the server's own folder cannot be written to").At(o.Dir).Because(err)
	}
	o.Env = withDefaults(o.Env, []string{"GIT_CONFIG_NOSYSTEM=1"})                                               // git ends where it may not read the machine's settings
	o.Limits = slices.DeleteFunc(o.Limits, func(l inside.Limit) bool { return l.Resource == unix.RLIMIT_NPROC }) // it would count all of the user's
	return o, nil
}

func limits(l spec.Limits) []inside.Limit {
	list := []inside.Limit{
		{Resource: unix.RLIMIT_CORE}, {Resource: unix.RLIMIT_MSGQUEUE}, {Resource: unix.RLIMIT_MEMLOCK, Value: lockedMemory},
		{Resource: unix.RLIMIT_NOFILE, Value: uint64(or(l.Files, defaultFiles))},
		{Resource: unix.RLIMIT_NPROC, Value: uint64(or(l.Processes, defaultProcesses))},
	}
	if l.CPU > 0 {
		list = append(list, inside.Limit{Resource: unix.RLIMIT_CPU, Value: uint64(max(1, l.CPU.Seconds()))})
	}
	return list
}

func (p *planner) add(steps ...inside.Step) { p.steps = append(p.steps, steps...) }

// system shows the machine's libraries and shared files. Its programs are shown when any may run, else only those that
// were found for the grant: what is not there cannot be run by any trick.
func (p *planner) system() {
	for _, dir := range []string{"/usr", "/lib", "/lib32", "/lib64", "/libx32", "/bin", "/sbin"} {
		info, err := os.Lstat(dir)
		switch {
		case err != nil:
		case info.Mode()&os.ModeSymlink != 0:
			if to, err := os.Readlink(dir); err == nil {
				p.add(inside.Step{Kind: inside.StepLink, Path: dir, From: to})
			}
		case p.c.Sandbox.Programs.Any:
			p.add(inside.Step{Kind: inside.StepBind, Path: dir, From: dir})
			p.rules = append(p.rules, inside.Rule{Path: dir, Execute: true})
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
		p.add(inside.Step{Kind: inside.StepDir, Path: dir})
		return
	case !slices.ContainsFunc(hidden, func(h string) bool { return isBelow(h, dir) }):
		p.add(inside.Step{Kind: inside.StepBind, Path: dir, From: dir})
		p.rules = append(p.rules, inside.Rule{Path: dir})
		return
	}
	p.add(inside.Step{Kind: inside.StepDir, Path: dir})
	entries, err := os.ReadDir(dir)
	if err != nil {
		return // nothing of it is shown then
	}
	for _, e := range entries {
		name := path.Join(dir, e.Name())
		if e.Type()&os.ModeSymlink != 0 {
			if to, err := os.Readlink(name); err == nil {
				p.add(inside.Step{Kind: inside.StepLink, Path: name, From: to})
			}
		} else if e.IsDir() {
			p.withoutPrograms(name)
		}
	}
}

// etc shows what libraries look up, and makes up what says who and where the server is.
func (p *planner) etc(uid, gid int) {
	for _, name := range strings.Fields(`/etc/ssl/certs /etc/ssl/cert.pem /etc/ssl/openssl.cnf /etc/pki/ca-trust /etc/pki/tls/certs /etc/pki/tls/cert.pem
		/etc/pki/tls/openssl.cnf /etc/ca-certificates /etc/crypto-policies /etc/ld.so.cache /etc/alternatives /etc/mime.types /etc/fonts`) {
		p.shared(name)
	}
	for _, f := range [][2]string{
		{"/etc/passwd", fmt.Sprintf("user:x:%d:%d::%s:/bin/sh\n", uid, gid, homeInside)},
		{"/etc/group", fmt.Sprintf("user:x:%d:\n", gid)},
		{"/etc/hosts", "127.0.0.1 localhost " + hostInside + "\n::1 localhost\n"},
		{"/etc/resolv.conf", ""},
		{"/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n"},
	} {
		p.add(inside.Step{Kind: inside.StepText, Path: f[0], From: f[1]})
		p.rules = append(p.rules, inside.Rule{Path: f[0]})
	}
	if zone, err := realPath("/etc/localtime"); err == nil {
		p.add(inside.Step{Kind: inside.StepBind, Path: "/etc/localtime", From: zone, Maybe: true})
		p.rules = append(p.rules, inside.Rule{Path: "/etc/localtime", Maybe: true})
	}
}

// shared shows a file or folder of the machine under its name, where it is there; also one that is a link.
func (p *planner) shared(name string) {
	real, err := realPath(name)
	if err != nil {
		return
	}
	if to, err := os.Readlink(name); err == nil && !p.shown(name) {
		p.add(inside.Step{Kind: inside.StepLink, Path: name, From: to})
	}
	if !p.shown(real) {
		p.add(inside.Step{Kind: inside.StepBind, Path: real, From: real, Maybe: true})
	}
	p.rules = append(p.rules, inside.Rule{Path: real, Maybe: true})
}

func (p *planner) devices() {
	for _, name := range []string{"null", "zero", "full", "random", "urandom"} {
		p.add(inside.Step{Kind: inside.StepDev, Path: "/dev/" + name, From: "/dev/" + name})
		p.rules = append(p.rules, inside.Rule{Path: "/dev/" + name, Write: true})
	}
	for _, l := range [][2]string{{"fd", "/proc/self/fd"}, {"stdin", "/proc/self/fd/0"}, {"stdout", "/proc/self/fd/1"}, {"stderr", "/proc/self/fd/2"}} {
		p.add(inside.Step{Kind: inside.StepLink, Path: "/dev/" + l[0], From: l[1]})
	}
	p.add(inside.Step{Kind: inside.StepTemp, Path: "/dev/shm", Size: defaultShared})
	p.rules = append(p.rules, inside.Rule{Path: "/dev/shm", Write: true})
}

// processes shows the processes of the world, without what /proc tells of the machine.
func (p *planner) processes() {
	p.add(inside.Step{Kind: inside.StepProc, Path: "/proc"})
	for _, name := range strings.Fields(`acpi asound bootconfig buddyinfo bus cgroups cmdline config.gz consoles diskstats driver fs
		interrupts iomem ioports irq kallsyms kcore key-users keys kmsg kpagecgroup kpagecount kpageflags latency_stats locks
		modules mtrr pagetypeinfo partitions pressure sched_debug schedstat scsi slabinfo softirqs swaps sysrq-trigger
		timer_list timer_stats tty vmallocinfo zoneinfo`) {
		p.add(inside.Step{Kind: inside.StepMask, Path: "/proc/" + name})
	}
	p.rules = append(p.rules, inside.Rule{Path: "/proc"}, inside.Rule{Path: "/", List: true})
}

func (p *planner) temp() {
	p.add(inside.Step{Kind: inside.StepTemp, Path: tempInside, Size: or(p.c.Sandbox.Limits.Temp, defaultTemp)},
		inside.Step{Kind: inside.StepDir, Path: "/run"}, inside.Step{Kind: inside.StepDir, Path: homeInside})
	p.rules = append(p.rules, inside.Rule{Path: tempInside, Write: true, Execute: p.c.Sandbox.Programs.Any})
}

// ownFiles shows the extension its files to read and run, its folder to write to, and what its program brings.
func (p *planner) ownFiles() {
	for _, dir := range p.c.Runtime {
		p.add(inside.Step{Kind: inside.StepBind, Path: dir, From: dir})
		p.rules = append(p.rules, inside.Rule{Path: dir})
	}
	if p.c.Bundle != "" {
		p.add(inside.Step{Kind: inside.StepBind, Path: p.c.Bundle, From: p.c.Bundle})
		p.rules = append(p.rules, inside.Rule{Path: p.c.Bundle, Execute: true})
	}
	p.add(p.ownFolder())
	p.rules = append(p.rules, inside.Rule{Path: p.c.Dir, Write: true, Execute: p.c.Sandbox.Programs.Any})
}

// ownFolder is where the server keeps its data: what it learns with is not kept.
func (p *planner) ownFolder() inside.Step {
	dir := p.c.Dir
	switch {
	case p.c.Learn == nil:
		return inside.Step{Kind: inside.StepBind, Path: dir, From: dir, Write: true}
	case p.c.noOverlay:
		return inside.Step{Kind: inside.StepTemp, Path: dir, Size: or(p.c.Sandbox.Limits.Temp, defaultTemp)}
	}
	return p.over(spec.File{Path: dir})
}

// executables shows the programs that were found and lets them run.
func (p *planner) executables() {
	for _, l := range p.programs.links {
		if !p.shown(l.path) {
			p.add(inside.Step{Kind: inside.StepLink, Path: l.path, From: l.to})
		}
	}
	for _, file := range p.programs.files {
		if !p.shown(file) {
			p.add(inside.Step{Kind: inside.StepBind, Path: file, From: file})
		}
		p.rules = append(p.rules, inside.Rule{Path: file, Execute: true})
	}
}

// shown tells whether a path is below something that is bound already.
func (p *planner) shown(name string) bool {
	return slices.ContainsFunc(p.steps, func(s inside.Step) bool {
		return (s.Kind == inside.StepBind && isBelow(name, s.Path)) || (s.Kind == inside.StepOver && isBelow(name, s.Path) && !hides(s, name)) || (s.Kind == inside.StepLink && s.Path == name)
	})
}

// bring shows the files that the sandbox brings.
func (p *planner) bring(files []brought) {
	for _, f := range files {
		p.add(inside.Step{Kind: inside.StepText, Path: path.Join(broughtInside, f.name), From: f.text})
	}
	p.rules = append(p.rules, inside.Rule{Path: broughtInside, Maybe: true})
}
