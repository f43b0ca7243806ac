package e2e

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"satchel/internal/sample"
	"satchel/internal/sandbox"
)

// A call is one call of a tool, and what its answer has in it.
type call struct {
	tool string
	args args
	want string
}

// led is a call of what knows nothing of proxies: the sandbox leads it there, and nothing else does.
func (c call) led() bool { return c.tool == "ignorant" }

// shared is a call that needs memory which programs share: where the machine's own would be it, there is none.
func (c call) shared() bool { return c.tool == "pool" }

// A real is a server that people use, or one that does what theirs do, with the grant that follows from its answers.
type real struct {
	name     string
	packages []string // of npm, with what they need; the last one is the server unless there is a script
	scripts  []string // of testdata/servers, the server first
	command  string   // default: node
	argv     []string // after the entry point
	manifest args     // what is not the same for all
	grants   []string // by name
	config   []string
	calls    []call
	beyond   []call // what was not granted: it works bare
}

// realServers are set up around a home with a folder "mine", a repository in it, and a file beside that is nobody's business.
func realServers(t *testing.T, h *home) []real {
	t.Helper()
	var e ears
	database, another := e.stream(t, "tcp4", "127.0.0.1:0"), e.stream(t, "tcp4", "127.0.0.1:0")
	port := "port" + database[strings.LastIndexByte(database, ':'):]
	mine, secret := filepath.Join(h.dir, "mine"), filepath.Join(h.dir, "private.txt")
	folder := args{"user_config": args{"folder": args{"type": "directory", "title": "Folder", "description": "Of yours.", "required": true}}}
	writes := maps.Clone(folder)
	writes["_meta"] = args{"dev.satchel": args{"permissions": args{"write": []string{"${user_config.folder}"}}}}
	memory := maps.Clone(writes)
	memory["env"] = args{"MEMORY_FILE_PATH": "${user_config.folder}/memory.jsonl"}
	answered := []string{"folder=" + mine}
	host := []string{"net:" + granted}
	pages := []call{{"fetch", args{"url": "https://" + granted + "/"}, "this is " + granted}}
	others := []call{{"fetch", args{"url": "https://" + other + "/"}, "this is " + other}}
	return []real{
		{
			name: "filesystem", packages: []string{"@modelcontextprotocol/server-filesystem"}, argv: []string{"${user_config.folder}", h.dir}, manifest: writes, config: answered,
			calls: []call{
				{"read_text_file", args{"path": filepath.Join(mine, "letter.txt")}, "Dear"},
				{"write_file", args{"path": filepath.Join(mine, "answer.txt"), "content": "Hello"}, "Success"},
				{"edit_file", args{"path": filepath.Join(mine, "answer.txt"), "edits": []args{{"oldText": "Hello", "newText": "Bye"}}}, "+Bye"},
				{"search_files", args{"path": mine, "pattern": "*.txt"}, "letter.txt"},
			},
			beyond: []call{{"read_text_file", args{"path": secret}, "nobody's business"}},
		},
		{
			name: "memory", packages: []string{"@modelcontextprotocol/server-memory"}, manifest: memory, config: answered,
			calls: []call{
				{"create_entities", args{"entities": []args{{"name": "Ada", "entityType": "person", "observations": []string{"wrote the first program"}}}}, ""}, // what it knows already it does not say again
				{"search_nodes", args{"query": "first program"}, "Ada"},
			},
		},
		{
			name: "sequential-thinking", packages: []string{"@modelcontextprotocol/server-sequential-thinking"},
			calls: []call{{"sequentialthinking", args{"thought": "walls", "nextThoughtNeeded": false, "thoughtNumber": 1, "totalThoughts": 1}, `"thoughtNumber": 1`}},
		},
		{
			name: "everything", packages: []string{"@modelcontextprotocol/server-everything"}, argv: []string{"stdio"},
			calls: []call{{"echo", args{"message": "hello"}, "hello"}, {"get-sum", args{"a": 2, "b": 40}, "42"}, {"get-env", args{}, "PATH"}, {"trigger-long-running-operation", args{"duration": 0.1, "steps": 2}, "completed"}},
		},
		{name: "python", scripts: []string{"server.py"}, command: "python3", calls: []call{{"facts", args{}, "sum 10 child 42"}, {"pool", args{}, "3"}}},
		{
			name: "child", scripts: []string{"child.mjs", "mcp.mjs"}, manifest: folder, config: answered, grants: []string{"run:git"},
			calls: []call{{"log", args{"folder": mine}, "The first one"}}, beyond: []call{{"list", args{"folder": mine}, "letter.txt"}},
		},
		{
			name: "native", packages: []string{"classic-level"}, scripts: []string{"native.mjs", "mcp.mjs"},
			calls: []call{{"keep", args{"text": "a"}, "499500"}},
		},
		{name: "network-node", packages: []string{"undici"}, scripts: []string{"fetch.mjs", "mcp.mjs"}, grants: host, calls: append(pages, call{"ignorant", args{"url": "https://" + granted + "/"}, "this is " + granted}), beyond: others},
		{name: "network-python", scripts: []string{"server.py"}, command: "python3", grants: host, calls: pages, beyond: others},
		{
			name: "database", scripts: []string{"server.py"}, command: "python3", grants: []string{port},
			calls: []call{{"knock", args{"address": database}, "heard"}}, beyond: []call{{"knock", args{"address": another}, "heard"}},
		},
	}
}

// TestRealServers: they answer in every way of starting them, unchanged, and reach what was granted and nothing else. All
// are installed in one home, as on a person's machine.
func TestRealServers(t *testing.T) {
	t.Parallel()
	h := realHome(t)
	h.run(t, "satchel", "doctor", "--sandbox") // once for all
	for _, r := range realServers(t, h) {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			r.serveAll(t, h, r.part(t, h))
		})
	}
	t.Run("go", func(t *testing.T) {
		t.Parallel()
		dir, mine := filepath.Join(h.work, "notes"), filepath.Join(h.dir, "mine")
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := sample.Write(dir, filepath.Join(bin, "satchel")); err != nil {
			t.Fatal(err)
		}
		r := real{calls: []call{{"save_note", args{"title": "walls", "text": "of stone"}, "Saved"}, {"read_note", args{"title": "walls"}, "of stone"}}}
		r.serveAll(t, h, part{ID: "local/notes", Dir: dir, Config: []string{"folder=" + mine}, Grants: []string{"write:" + mine}})
	})
}

// TestRealServersOfVersionManagers: a runtime in the person's own folders is the server's to read, and nothing beside it.
func TestRealServersOfVersionManagers(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	venv, nvm := filepath.Join(h.dir, "venv"), filepath.Join(h.dir, ".nvm/versions/node/v20.0.0")
	h.run(t, program(t, "python3"), "-m", "venv", "--without-pip", venv)
	write(t, filepath.Join(nvm, "include/node/node.h"), "")
	node, err := filepath.EvalSymlinks(program(t, "node"))
	if err != nil {
		t.Fatal(err)
	}
	h.run(t, program(t, "install"), "-D", node, filepath.Join(nvm, "bin/node"))
	h.env[0] = "PATH=" + strings.Join([]string{bin, filepath.Join(venv, "bin"), filepath.Join(nvm, "bin"), "/usr/bin", "/bin"}, ":")
	for _, r := range []real{
		{name: "venv", scripts: []string{"server.py"}, command: "python3", calls: []call{{"facts", args{}, "child 42"}, {"where", args{}, venv}}},
		{name: "nvm", packages: []string{"classic-level"}, scripts: []string{"native.mjs", "mcp.mjs"}, calls: []call{{"keep", args{"text": "a"}, "499500"}, {"where", args{}, nvm}}},
	} {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			r.serveAll(t, h, r.part(t, h))
		})
	}
}

func realHome(t *testing.T) *home {
	t.Helper()
	h := newHome(t)
	git := program(t, "git")
	write(t, filepath.Join(h.dir, "private.txt"), "nobody's business\n")
	write(t, filepath.Join(h.dir, "mine", "letter.txt"), "Dear Ada\n")
	for _, words := range [][]string{{"init", "-q"}, {"add", "."}, {"-c", "user.name=Ada", "-c", "user.email=ada@example.com", "commit", "-qm", "The first one"}} {
		h.run(t, git, append([]string{"-C", filepath.Join(h.dir, "mine")}, words...)...)
	}
	h.reach(newFar(t, &ears{}))
	// The machine's own Python, where somebody has others too.
	h.env[0] = strings.Join([]string{"PATH=" + bin, "/usr/bin", "/bin", os.Getenv("PATH")}, ":")
	return h
}

// reach makes a far proxy the machine's own, and trusts its authority.
func (h *home) reach(f *far) {
	for i, e := range h.env {
		if key, _, _ := strings.Cut(e, "="); key == "HTTP_PROXY" || key == "HTTPS_PROXY" {
			h.env[i] = key + "=" + f.proxy.URL
		}
	}
	h.env = append(h.env, "SSL_CERT_FILE="+f.authority, "NODE_EXTRA_CA_CERTS="+f.authority)
}

// part lays the extension out.
func (r real) part(t *testing.T, h *home) part {
	t.Helper()
	p := part{ID: "local/" + r.name, Dir: filepath.Join(h.work, r.name), Config: r.config, Grants: r.grants}
	from := npmTree{p.Dir, npm(t)}
	if r.name == "filesystem" {
		from.from = filepath.Join(example(t), "node_modules")
	}
	if len(r.packages) > 0 {
		from.copy(t, from.needs(t, r.packages...))
	}
	entry := ""
	for _, name := range r.scripts {
		text, err := os.ReadFile(inSource(t, "internal", "e2e", "testdata", "servers", name))
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(p.Dir, "server", name), string(text))
	}
	if len(r.scripts) > 0 {
		entry = "server/" + r.scripts[0]
	} else {
		entry = "node_modules/" + r.packages[0] + "/dist/index.js"
	}
	write(t, filepath.Join(p.Dir, "manifest.json"), r.manifestText(t, entry))
	return p
}

func (r real) manifestText(t *testing.T, entry string) string {
	t.Helper()
	kind, command := "node", "node"
	if r.command != "" {
		kind, command = "python", r.command
	}
	run := args{"command": command, "args": append([]string{"${__dirname}/" + entry}, r.argv...)}
	m := args{
		"manifest_version": "0.3", "name": r.name, "version": "1.0.0", "description": "A real server.", "author": args{"name": "The Satchel authors"},
		"server": args{"type": kind, "entry_point": entry, "mcp_config": run},
	}
	for key, v := range r.manifest {
		if key == "env" {
			run[key] = v
		} else {
			m[key] = v
		}
	}
	text, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// realWays leave out what another one shows: satchel takes the strongest mode, and an ordinary user's bwrap is root's.
func realWays() []way {
	if os.Getuid() != 0 && os.Getenv(built) != "" {
		return []way{typed, way(sandbox.Landlock)}
	}
	return []way{bare, typed, way(sandbox.Bubblewrap), way(sandbox.Landlock)}
}

func (r real) serveAll(t *testing.T, h *home, p part) {
	t.Helper()
	for _, w := range realWays() {
		t.Run(string(w), func(t *testing.T) {
			p := p
			p.Way = w
			s := h.serve(t, p)
			list, err := s.ListTools(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range r.calls {
				if !slices.ContainsFunc(list.Tools, func(x *mcp.Tool) bool { return x.Name == c.tool }) {
					t.Errorf("%s is not listed", c.tool)
				}
				none := c.shared() && w.limited() || c.led() && w == bare
				if text, failed := s.ask(t, c.tool, c.args); failed != none || !none && !strings.Contains(text, c.want) {
					t.Errorf("%s: failed %v: %s\n%s", c.tool, failed, text, s.log)
				}
			}
			for _, c := range r.beyond {
				text, failed := s.ask(t, c.tool, c.args)
				if got := !failed && strings.Contains(text, c.want); got != (w == bare) {
					t.Errorf("%s of what was not granted: it worked: %v: %s", c.tool, got, text)
				}
			}
			_ = s.Close() // not every server ends with its input: that one is killed
		})
	}
}
