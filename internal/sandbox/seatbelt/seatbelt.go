package seatbelt

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"satchel/internal/problem"
	"satchel/internal/spec"
)

// A Server is what the rules are made from. All paths are absolute and real: no link is left in them.
type Server struct {
	Sandbox  spec.Sandbox
	Programs []string // what it may run beside its bundle and its runtime
	Links    []string // the links that lead to them
	Bundle   string   // its files, to read and run; empty: none
	Runtime  []string // folders that its program belongs to, to read and run
	Dir      string   // its own folder, to write
	Doors    []int    // ports of this machine's loopback where a proxy listens for it
}

// mostText bounds the rules, which are an argument of a program.
const mostText = 256 << 10

// Profile writes the rules for a server. Errors are problems of class Refused: a path that cannot be written, or too many.
func Profile(s Server) (string, error) {
	p := &profile{seen: map[string]bool{}}
	p.basis()
	p.network(s.Sandbox.Net, s.Doors)
	p.system()
	p.granted(s)
	p.own(s)
	p.programs(s)
	p.wayTo(s.Links)
	if p.err != nil {
		return "", p.err
	}
	if p.text.Len() > mostText {
		return "", problem.New(problem.Refused, "sandbox/too-wide", "needs more than %d KiB of rules", mostText>>10).At(s.Dir).From("docs/sandbox.md").
			Try("grant fewer folders")
	}
	return p.text.String(), nil
}

// A profile is the text as it grows. Its first error stays.
type profile struct {
	text strings.Builder
	seen map[string]bool // folders on the way to what is allowed
	err  error
}

// rule adds a rule with filters, one of which must match; without filters there is no rule.
func (p *profile) rule(head string, filters ...string) {
	if len(filters) == 0 {
		return
	}
	fmt.Fprintf(&p.text, "(%s\n  %s)\n", head, strings.Join(filters, "\n  "))
}

func (p *profile) line(text string) { p.text.WriteString(text + "\n") }

// at makes a filter of each path, and keeps the way to it.
func (p *profile) at(kind string, names ...string) (filters []string) {
	for _, name := range names {
		q, err := quote(name)
		if err != nil {
			p.err = first(p.err, err)
			continue
		}
		for dir := path.Dir(name); dir != "/"; dir = path.Dir(dir) {
			p.seen[dir] = true
		}
		filters = append(filters, "("+kind+" "+q+")")
	}
	return filters
}

func (p *profile) subpaths(names ...string) []string { return p.at("subpath", names...) }
func (p *profile) literals(names ...string) []string { return p.at("literal", names...) }

func first(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

func named(kind string, names ...string) (filters []string) {
	for _, n := range names {
		filters = append(filters, "("+kind+" "+text(n)+")")
	}
	return filters
}

// basis is what every program needs. Of the kernel's figures those are left out that tell of other processes: their
// arguments hold their environment (kern.procargs2). User names come from a service; no other service can be asked.
func (p *profile) basis() {
	p.line("(version 1)")
	p.line("(deny default)")
	p.line("(allow process-fork)")
	p.line("(allow signal (target same-sandbox))")
	p.line("(allow process-info* (target same-sandbox))")
	p.line("(allow file-map-executable)") // of what it may read
	p.line("(allow ipc-posix-sem)")       // Python's multiprocessing
	p.line("(allow mach-host*)")          // the number of processors, in Node
	p.rule("allow mach-lookup", named("global-name", "com.apple.system.opendirectoryd.libinfo")...)
	p.rule("allow sysctl-read", append(named("sysctl-name", strings.Fields(`
		kern.argmax kern.bootargs kern.boottime kern.hostname kern.maxfilesperproc kern.maxproc kern.osproductversion kern.osrelease
		kern.ostype kern.osvariant_status kern.osversion kern.secure_kernel kern.usrstack64 kern.version
		machdep.ptrauth_enabled sysctl.proc_cputype sysctl.proc_translated vm.loadavg`)...),
		named("sysctl-name-prefix", "hw.", "machdep.cpu.")...)...)
}

// network lets it connect to the doors and to the granted ports of this machine, by TCP and to nothing else: the language
// knows no other host than localhost. With any host granted it may also have certificates checked by the system's
// service, which fetches what it needs by itself.
func (p *profile) network(n spec.Net, doors []int) {
	if n.None() {
		return
	}
	var to []string
	for _, port := range slices.Concat(doors, n.Ports) {
		if port < 1 || port > 65535 {
			p.err = first(p.err, problem.New(problem.Refused, "sandbox/port", "is no port").At(fmt.Sprint(port)).From("docs/sandbox.md").Try("grant a port from 1 to 65535"))
			continue
		}
		to = append(to, fmt.Sprintf(`(remote tcp "localhost:%d")`, port))
	}
	p.rule("allow network-outbound", to...)
	p.rule("allow sysctl-read", named("sysctl-name-prefix", "net.routetable.")...) // the machine's addresses, in Node
	if n.Any {
		p.rule("allow mach-lookup", named("global-name", "com.apple.trustd.agent")...)
	}
}

// system shows the system's libraries and what package managers put beside them, but not their settings and data.
func (p *profile) system() {
	dirs := []string{
		"/Library/Apple", "/Library/Developer/CommandLineTools", "/Library/Frameworks", "/System/Cryptexes", "/System/Library",
		"/System/Volumes/Preboot/Cryptexes", "/private/etc/ssl", "/private/var/db/dyld", "/private/var/db/timezone", "/usr/lib", "/usr/share",
	}
	for _, prefix := range []string{"/opt/homebrew", "/opt/local", "/usr/local"} {
		for _, part := range []string{"Cellar", "Frameworks", "lib", "libexec", "opt", "share", "etc/ca-certificates", "etc/openssl", "etc/openssl@3"} {
			dirs = append(dirs, prefix+"/"+part)
		}
	}
	p.rule("allow file-read*", append(p.subpaths(dirs...), p.literals(
		"/", "/dev/random", "/dev/urandom", "/private/etc/hosts", "/private/etc/localtime", "/private/etc/passwd", "/private/etc/protocols", "/private/etc/services",
	)...)...)
	p.rule("allow file-read* file-write-data", append(p.literals("/dev/null", "/dev/zero"), p.subpaths("/dev/fd")...)...)
}

// granted shows the files of the grant, and takes away again what is protected. Nothing is renamed that a protected path
// or a granted folder hangs on: elsewhere its name would match no rule.
func (p *profile) granted(s Server) {
	var read, write, pinned []string
	for _, f := range s.Sandbox.Files {
		read = append(read, f.Path)
		if f.Write {
			write = append(write, f.Path)
			pinned = append(pinned, f.Path)
			for _, name := range s.code() {
				if isBelow(name, f.Path) {
					pinned = append(pinned, between(f.Path, name)...)
				}
			}
		}
	}
	p.rule("allow file-read*", p.subpaths(read...)...)
	p.rule("allow file-write*", p.subpaths(write...)...)
	var secret, fixed []string
	for _, x := range s.Sandbox.Protect {
		over := slices.DeleteFunc(slices.Clone(read), func(dir string) bool { return !isBelow(x.Path, dir) })
		for _, dir := range over {
			pinned = append(pinned, between(dir, x.Path)...)
		}
		switch {
		case len(over) == 0: // out of reach anyway
		case x.Secret:
			secret = append(secret, p.protected(x.Path)...)
		default:
			fixed = append(fixed, p.protected(x.Path)...)
		}
	}
	slices.Sort(pinned)
	p.rule("deny file-write-unlink", p.literals(slices.Compact(pinned)...)...)
	p.rule("deny file-write*", fixed...)
	p.rule("deny file-read* file-write*", secret...)
}

// protected is a path with all that is below, in whatever case.
func (p *profile) protected(name string) []string {
	filters := p.subpaths(name)
	re := pattern(name)
	return append(filters, "(regex "+text(re+"$")+")", "(regex "+text(re+"/")+")")
}

// code is what it may run.
func (s Server) code() []string {
	names := slices.Concat(s.Programs, s.Runtime)
	if s.Bundle != "" {
		names = append(names, s.Bundle)
	}
	return names
}

// own shows the extension its files, which it never changes, and its folder to write to: after what is protected, of which
// our store is a part.
func (p *profile) own(s Server) {
	p.rule("allow file-read*", p.subpaths(s.code()...)...)
	p.rule("deny file-write*", p.subpaths(s.code()...)...)
	p.rule("allow file-read* file-write*", p.subpaths(s.Dir)...)
	p.rule("deny file-write-unlink", p.literals(s.Dir)...)
}

func (p *profile) programs(s Server) {
	if s.Sandbox.Programs.Any {
		p.rule("allow file-read*", p.subpaths("/bin", "/sbin", "/usr/bin", "/usr/libexec", "/usr/sbin", "/opt/homebrew/bin", "/opt/local/bin", "/usr/local/bin")...)
		p.line("(allow process-exec*)")
		return
	}
	p.rule("allow process-exec*", p.subpaths(s.code()...)...)
}

// wayTo lets it look at the folders on the way to everything that is allowed, and at links: that they are there, not what
// is in them.
func (p *profile) wayTo(links []string) {
	own := p.literals(slices.Concat(links, []string{"/etc", "/tmp", "/var"})...)
	dirs := make([]string, 0, len(p.seen))
	for dir := range p.seen {
		dirs = append(dirs, dir)
	}
	slices.Sort(dirs)
	p.rule("allow file-read-metadata", append(own, p.literals(dirs...)...)...)
}

// isBelow tells whether a path is another one or below it, in whatever case.
func isBelow(name, dir string) bool {
	name, dir = strings.ToLower(name), strings.ToLower(dir)
	return name == dir || dir == "/" || strings.HasPrefix(name, dir+"/")
}

// between gives the folders below outer on the way to inner, without both.
func between(outer, inner string) (dirs []string) {
	for dir := path.Dir(inner); len(dir) > max(1, len(outer)); dir = path.Dir(dir) { // "/" and "." are their own
		dirs = append(dirs, dir)
	}
	return dirs
}
