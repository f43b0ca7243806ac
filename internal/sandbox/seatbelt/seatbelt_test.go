package seatbelt

import (
	"errors"
	"flag"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"satchel/internal/problem"
	"satchel/internal/spec"
)

var update = flag.Bool("update", false, "write the golden files anew")

const home = "/Users/ann"

// plain is a Node server with the grant that most have.
func plain() Server {
	return Server{
		Sandbox: spec.Sandbox{
			Files: []spec.File{{Path: home + "/Documents"}, {Path: home + "/proj", Write: true}},
			Protect: []spec.Protected{
				{Path: home + "/.ssh", Secret: true}, {Path: home + "/Documents/keys", Secret: true}, {Path: home + "/proj/.git/hooks"},
				{Path: home + "/Library/Application Support/satchel", Secret: true},
			},
		},
		Programs: []string{"/opt/homebrew/Cellar/node/22.1.0/bin/node"}, Links: []string{"/opt/homebrew/bin/node"},
		Runtime: []string{"/opt/homebrew/Cellar/node/22.1.0"},
		Bundle:  home + "/Library/Application Support/satchel/bundles/1", Dir: home + "/Library/Application Support/satchel/data/1",
	}
}

func networked() Server {
	s := plain()
	s.Sandbox.Files, s.Sandbox.Protect = nil, nil
	s.Sandbox.Net = spec.Net{Hosts: []spec.Host{{Name: "api.example.com", Port: 443}}, Ports: []int{5432}}
	s.Sandbox.Programs = spec.Programs{Paths: []string{"/usr/bin/git"}}
	s.Programs = append(s.Programs, "/usr/bin/git")
	s.Doors = []int{50123, 50124}
	return s
}

func everything() Server {
	s := plain()
	s.Sandbox = spec.Sandbox{
		Files: []spec.File{{Path: home}}, Protect: s.Sandbox.Protect, Net: spec.Net{Any: true}, Programs: spec.Programs{Any: true},
	}
	s.Doors = []int{50123}
	return s
}

func TestGolden(t *testing.T) {
	for name, s := range map[string]Server{"files": plain(), "network": networked(), "everything": everything()} {
		t.Run(name, func(t *testing.T) {
			got, err := Profile(s)
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join("testdata", name+".sb")
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil || got != string(want) {
				t.Errorf("%s differs (-update writes it anew), %v:\n%s", file, err, got)
			}
		})
	}
}

// TestDecisions asks the rules what they let the server do.
func TestDecisions(t *testing.T) {
	const (
		data   = home + "/Library/Application Support/satchel/data/1"
		bundle = home + "/Library/Application Support/satchel/bundles/1"
		node   = "/opt/homebrew/Cellar/node/22.1.0/bin/node"
	)
	for _, c := range []struct {
		s             Server
		operation, on string
		want          bool
	}{
		{plain(), "file-read-data", home + "/Documents/a/b", true},
		{plain(), "file-write-data", home + "/Documents/a/b", false},
		{plain(), "file-read-data", home + "/Documents2/a", false},
		{plain(), "file-read-data", home, false},
		{plain(), "file-read-metadata", home, true},
		{plain(), "file-read-data", home + "/.ssh/id_rsa", false},
		{plain(), "file-read-metadata", home + "/.ssh/id_rsa", false},
		{plain(), "file-read-data", "/private/etc/master.passwd", false},
		{plain(), "file-read-data", "/Library/Keychains/System.keychain", false},
		{plain(), "file-read-data", "/private/tmp/x", false},
		{plain(), "file-read-data", "/usr/lib/libSystem.B.dylib", true},
		{plain(), "file-read-data", "/opt/homebrew/var/postgres/x", false},

		{plain(), "file-read-data", home + "/Documents/keys/x", false},
		{plain(), "file-read-metadata", home + "/Documents/keys", false},
		{plain(), "file-read-data", home + "/Documents/KEYS/x", false},
		{plain(), "file-read-data", home + "/Documents/keys2", true},
		{plain(), "file-write-create", home + "/proj/new", true},
		{plain(), "file-write-create", home + "/proj/.git/hooks/post-commit", false},
		{plain(), "file-write-create", home + "/proj/.GIT/Hooks/post-commit", false},
		{plain(), "file-write-create", home + "/proj/.git/hooks", false},
		{plain(), "file-write-create", home + "/proj/.git/hooks2", true},
		{plain(), "file-read-data", home + "/proj/.git/hooks/post-commit", true},
		{plain(), "file-write-unlink", home + "/proj/.git", false},
		{plain(), "file-write-unlink", home + "/proj", false},
		{plain(), "file-write-unlink", home + "/proj/a", true},
		{plain(), "file-write-data", home + "/proj/.git/config", true},

		{plain(), "file-write-create", data + "/x", true},
		{plain(), "file-write-unlink", data, false},
		{plain(), "file-read-data", bundle + "/server.js", true},
		{plain(), "file-write-data", bundle + "/server.js", false},
		{plain(), "file-read-data", home + "/Library/Application Support/satchel/data/2/x", false},

		{plain(), "process-exec", node, true},
		{plain(), "process-exec", bundle + "/bin/tool", true},
		{plain(), "process-exec", "/bin/sh", false},
		{plain(), "process-exec", data + "/tool", false},
		{plain(), "process-exec", home + "/proj/tool", false},
		{networked(), "process-exec", "/usr/bin/git", true},
		{networked(), "process-exec", "/usr/bin/gitk", false},
		{everything(), "process-exec", "/bin/sh", true},

		{plain(), "network-outbound", "tcp localhost:50123", false},
		{plain(), "network-bind", "tcp localhost:1", false},
		{networked(), "network-outbound", "tcp localhost:50123", true},
		{networked(), "network-outbound", "tcp localhost:5432", true},
		{networked(), "network-outbound", "tcp localhost:5433", false},
		{networked(), "network-outbound", "udp localhost:5432", false},
		{networked(), "network-outbound", "tcp *:443", false},
		{networked(), "network-inbound", "tcp localhost:50123", false},
		{everything(), "network-outbound", "tcp *:443", false},

		{plain(), "mach-lookup", "com.apple.system.opendirectoryd.libinfo", true},
		{plain(), "mach-lookup", "com.apple.SecurityServer", false},
		{plain(), "mach-lookup", "com.apple.coreservices.launchservicesd", false},
		{networked(), "mach-lookup", "com.apple.trustd.agent", false},
		{everything(), "mach-lookup", "com.apple.trustd.agent", true},
		{plain(), "signal", "same-sandbox", true},
		{plain(), "signal", "others", false},
		{plain(), "sysctl-read", "hw.ncpu", true},
		{plain(), "sysctl-read", "kern.procargs2", false},
		{plain(), "sysctl-write", "hw.ncpu", false},

		{everything(), "file-read-data", home + "/notes", true},
		{everything(), "file-read-data", home + "/.ssh/id_rsa", false},
		{everything(), "file-read-data", home + "/.SSH/id_rsa", false},
		{everything(), "file-write-create", home + "/.zshrc", false},
		{everything(), "file-read-data", data + "/x", true},
		{everything(), "file-read-data", home + "/Library/Application Support/satchel/data/2/x", false},
		{everything(), "appleevent-send", "", false},
		{everything(), "lsopen", "", false},
		{everything(), "job-creation", "", false},
	} {
		if got := rules(t, c.s).allows(c.operation, c.on); got != c.want {
			t.Errorf("%s %s: %v", c.operation, c.on, got)
		}
	}
}

// TestCodeIsNeverWritten: a bundle below a folder that is granted for writing stays as it is, also by way of its parents.
func TestCodeIsNeverWritten(t *testing.T) {
	s := plain()
	s.Bundle = home + "/proj/deep/dist"
	p := rules(t, s)
	for operation, on := range map[string]string{
		"file-write-data": s.Bundle + "/server.js", "file-write-create": s.Bundle + "/new", "file-write-unlink": home + "/proj/deep",
	} {
		if p.allows(operation, on) {
			t.Errorf("%s %s is allowed", operation, on)
		}
	}
	if !p.allows("process-exec", s.Bundle+"/tool") || !p.allows("file-write-create", home+"/proj/deep/x") {
		t.Error("more is refused than the bundle")
	}
}

// hostile are names that try to be rules.
func hostile() []string {
	return []string{
		`a")) (allow default) (allow file-read* (subpath "/x`,
		`a\")) (allow default) (x "`,
		`a\\")) (allow default) (x "`,
		`back\`, `quote"`, `(paren)`, `;comment`, `#"raw"`, `#|block|#`, `$(param "X")`, `.*`, `^$[a-z]+?{1}|b`, `ümläut`, `日本`, `a b`,
		`%s`, `'`, "`", "\u202e\u2028", "\u0085",
	}
}

// TestHostileNamesStayNames wherever a path can be written.
func TestHostileNamesStayNames(t *testing.T) {
	for _, name := range hostile() {
		dir := "/Users/" + name
		s := Server{
			Sandbox: spec.Sandbox{
				Files:   []spec.File{{Path: dir + "/read"}, {Path: dir + "/write", Write: true}},
				Protect: []spec.Protected{{Path: dir + "/read/" + name, Secret: true}, {Path: dir + "/write/a/" + name}},
			},
			Programs: []string{dir + "/program"}, Links: []string{dir + "/link"}, Bundle: dir + "/bundle", Runtime: []string{dir + "/runtime"}, Dir: dir + "/own",
		}
		p := rules(t, s)
		benign := s
		benign.Sandbox.Files = []spec.File{{Path: "/Users/a/read"}, {Path: "/Users/a/write", Write: true}}
		benign.Sandbox.Protect = []spec.Protected{{Path: "/Users/a/read/x", Secret: true}, {Path: "/Users/a/write/a/x"}}
		benign.Programs, benign.Links, benign.Bundle, benign.Runtime, benign.Dir = []string{"/Users/a/p"}, []string{"/Users/a/l"}, "/Users/a/b", []string{"/Users/a/r"}, "/Users/a/o"
		if want := rules(t, benign); len(p) != len(want) || slices.ContainsFunc(p, func(f form) bool { return f.list == nil }) {
			t.Errorf("%q makes %d rules of %d", name, len(p), len(want))
		}
		for on, want := range map[string]bool{
			dir + "/read/x": true, dir + "/read/" + name: false, dir + "/read/" + strings.ToUpper(asciiOnly(name)): false,
			"/etc/shadow": false, dir: false,
		} {
			if got := p.allows("file-read-data", on); got != want && on != dir+"/read/" {
				t.Errorf("%q: reading %q: %v", name, on, got)
			}
		}
		if !p.allows("process-exec", dir+"/program") || !p.allows("file-write-create", dir+"/own/x") || p.allows("file-write-create", dir+"/write/a/"+name) {
			t.Errorf("%q: wrong decisions", name)
		}
	}
}

// asciiOnly gives a name whose capitals are the same letters to the file system: other letters stay as they are there.
func asciiOnly(name string) string {
	for _, r := range name {
		if r > 0x7f {
			return ""
		}
	}
	return name
}

func TestNamesThatCannotBeWrittenAreRefused(t *testing.T) {
	for _, name := range []string{"", "relative", "/a/../b", "/a/", "//a", "/a\x00b", "/a\nb", "/a\rb", "/a\tb", "/a\x7fb", "/a\xffb"} {
		places := map[string]func(*Server){
			"read":    func(s *Server) { s.Sandbox.Files = []spec.File{{Path: name}} },
			"write":   func(s *Server) { s.Sandbox.Files = []spec.File{{Path: name, Write: true}} },
			"program": func(s *Server) { s.Programs = []string{name} },
			"link":    func(s *Server) { s.Links = []string{name} },
			"runtime": func(s *Server) { s.Runtime = []string{name} },
			"own":     func(s *Server) { s.Dir = name },
			"bundle":  func(s *Server) { s.Bundle = name },
		}
		if path.IsAbs(name) && path.Clean(name) == name {
			places["protect"] = func(s *Server) {
				s.Sandbox.Files, s.Sandbox.Protect = []spec.File{{Path: home}}, []spec.Protected{{Path: home + name, Secret: true}}
			}
		}
		for place, put := range places {
			if place == "bundle" && name == "" {
				continue
			}
			s := plain()
			put(&s)
			text, err := Profile(s)
			if p := as(err); text != "" || p.Rule != "sandbox/path" || p.Code != problem.Refused {
				t.Errorf("%q as %s: %v", name, place, err)
			}
		}
	}
}

// as gives the problem that an error is; the zero problem for another one.
func as(err error) *problem.Problem {
	if p, ok := errors.AsType[*problem.Problem](err); ok {
		return p
	}
	return &problem.Problem{}
}

func TestBounds(t *testing.T) {
	s := networked()
	for _, port := range []int{0, -1, 65536} {
		s.Doors = []int{port}
		if _, err := Profile(s); as(err).Rule != "sandbox/port" {
			t.Errorf("port %d: %v", port, err)
		}
	}
	s = plain()
	for range 3000 {
		s.Sandbox.Files = append(s.Sandbox.Files, spec.File{Path: "/" + strings.Repeat("x", 100)})
	}
	if _, err := Profile(s); as(err).Rule != "sandbox/too-wide" {
		t.Errorf("much too long: %v", err)
	}
}

// FuzzQuote: what is written is read back as the same, as one string, and what is not written is refused for a reason.
func FuzzQuote(f *testing.F) {
	for _, name := range hostile() {
		f.Add("/" + name)
	}
	f.Add("/a\nb")
	f.Fuzz(func(t *testing.T, name string) {
		text, err := quote(name)
		if err != nil {
			if as(err).Rule != "sandbox/path" || text != "" {
				t.Fatal(err)
			}
			return
		}
		forms, err := read(text)
		if err != nil || len(forms) != 1 || !forms[0].quoted || forms[0].atom != name {
			t.Fatalf("%q is written %s and read %v, %v", name, text, forms, err)
		}
		for _, c := range text {
			if c < ' ' || c == 0x7f {
				t.Fatalf("%q has a control character", text)
			}
		}
		p := policy{{list: []form{{atom: "allow"}, {atom: "file-read*"}, {list: []form{{atom: "regex"}, {atom: pattern(name) + "$", quoted: true}}}}}}
		if !p.allows("file-read*", name) || p.allows("file-read*", name+"x") || p.allows("file-read*", "/x"+name) {
			t.Fatalf("%s does not match %q alone", pattern(name), name)
		}
	})
}
