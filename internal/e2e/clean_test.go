package e2e

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// An npmTree is a folder of an extension whose packages are copied from those that make deps installs, as npm would put
// them there: nested where they are nested.
type npmTree struct{ dir, from string }

func newTree(t *testing.T, h *home, name, server string) npmTree {
	t.Helper()
	program(t, "node")
	x := npmTree{filepath.Join(h.dir, name), npm(t)}
	write(t, filepath.Join(x.dir, "manifest.json"), strings.Replace(treeManifest, "round-trip", name, 1))
	write(t, filepath.Join(x.dir, "server", "index.js"), server)
	return x
}

// needs gives the packages and what their dependencies are, as folders below node_modules.
func (x npmTree) needs(t *testing.T, names ...string) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	var add func(in, name string)
	add = func(in, name string) {
		dir := filepath.Join(in, "node_modules", name)
		data, err := os.ReadFile(filepath.Join(filepath.Dir(x.from), dir, "package.json"))
		switch {
		case err != nil && in == "":
			return // an optional peer that is not installed
		case err != nil:
			above, _, _ := cutLast(in, "node_modules")
			add(strings.TrimSuffix(above, "/"), name)
			return
		case found[dir]:
			return
		}
		found[dir] = true
		var p struct{ Dependencies, PeerDependencies map[string]string }
		decode(t, string(data), &p)
		for _, list := range []map[string]string{p.Dependencies, p.PeerDependencies} {
			for needed := range list {
				add(dir, needed)
			}
		}
	}
	for _, name := range names {
		add("", name)
	}
	return found
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// copy copies packages without what is nested in them and not needed.
func (x npmTree) copy(t *testing.T, packages map[string]bool) {
	t.Helper()
	for dir := range packages {
		err := filepath.WalkDir(filepath.Join(filepath.Dir(x.from), dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			name, err := filepath.Rel(filepath.Dir(x.from), path)
			if d.IsDir() && d.Name() == "node_modules" {
				return filepath.SkipDir
			}
			if err != nil || !d.Type().IsRegular() {
				return err
			}
			data, err := os.ReadFile(path)
			if err == nil {
				write(t, filepath.Join(x.dir, name), string(data))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func (x npmTree) list(t *testing.T, dependencies, dev []string) {
	t.Helper()
	lists := map[string]map[string]string{"dependencies": {}, "devDependencies": {}}
	for _, name := range dependencies {
		lists["dependencies"][name] = "*"
	}
	for _, name := range dev {
		lists["devDependencies"][name] = "*"
	}
	data, err := json.Marshal(lists)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(x.dir, "package.json"), string(data))
}

// packagesIn are the folders of a bundle that have a package.json of a package.
func packagesIn(t *testing.T, h *home, bundle string) []string {
	t.Helper()
	found := map[string]bool{}
	for _, f := range strings.Split(strings.TrimSpace(h.run(t, "satchel", "info", bundle, "--files")), "\n") {
		name := f[strings.LastIndexByte(f, ' ')+1:]
		dir, ok := strings.CutSuffix(name, "/package.json")
		if _, below, inside := cutLast(dir, "node_modules/"); ok && inside && strings.Count(below, "/") == strings.Count(below[:1], "@") {
			found[dir] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// A cleaned is what satchel clean --json says.
type cleaned struct {
	Before, After    struct{ Files, Unpacked, Packed int }
	Digest           string
	Dropped, PutBack []struct{ Name, Reason string }
	Notes            []string
	Verified         bool
	Tools, Starts    int
	Unchanged        bool
}

func (h *home) clean(t *testing.T, args ...string) (res cleaned) {
	t.Helper()
	decode(t, h.run(t, "satchel", append([]string{"clean", "--yes", "--json"}, args...)...), &res)
	return res
}

// A server over the official SDK keeps exactly what npm would install without development dependencies.
func TestCleanDropsDevelopmentDependencies(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	x := newTree(t, h, "shout", "import('./main.mjs')\n")
	write(t, filepath.Join(x.dir, "server", "main.mjs"), shoutServer)
	write(t, filepath.Join(x.dir, "server", "main.test.mjs"), "import 'serve-handler'\n")
	x.list(t, []string{"@modelcontextprotocol/sdk", "zod"}, []string{"concurrently", "serve-handler"})
	production := x.needs(t, "@modelcontextprotocol/sdk", "zod", "supports-color") // which debug loads where it is
	dev := x.needs(t, "concurrently", "serve-handler")
	x.copy(t, production)
	x.copy(t, dev)
	h.run(t, "satchel", "pack", x.dir, "shout.mcpb")

	res := h.clean(t, "shout.mcpb")
	want := slices.Sorted(maps.Keys(production))
	if got := packagesIn(t, h, "shout.mcpb"); !slices.Equal(got, want) {
		t.Errorf("packages after cleaning:\n%q\nwant:\n%q", got, want)
	}
	if !res.Verified || res.Tools != 1 || res.Starts != 2 || len(res.PutBack) != 0 || res.After.Packed >= res.Before.Packed {
		t.Errorf("cleaned: %+v", res)
	}
	h.run(t, "satchel", "install", "shout.mcpb", "--yes")
	if got := h.run(t, "satchel", "call", "shout", "shout", "--arg", "text=still here"); !strings.Contains(got, "STILL HERE") {
		t.Errorf("the cleaned server answers %q", got)
	}
	if again := h.clean(t, "shout.mcpb"); !again.Unchanged || again.Starts != 1 {
		t.Errorf("cleaned twice: %+v", again)
	}
}

// What only a start shows is put back, with what it needs, whether the server says so or silently offers less.
func TestCleanPutsBackWhatOnlyAStartShows(t *testing.T) {
	t.Parallel()
	for name, rescue := range map[string]string{"loud": "throw e", "silent": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHome(t)
			x := newTree(t, h, name, fmt.Sprintf(plainServer, rescue))
			x.list(t, []string{"ms"}, []string{"fs-extra", "concurrently"})
			x.copy(t, x.needs(t, "ms", "fs-extra", "concurrently"))
			h.run(t, "satchel", "pack", x.dir, "x.mcpb")

			res := h.clean(t, "x.mcpb")
			var back []string
			for _, u := range res.PutBack {
				back = append(back, u.Name)
			}
			want := slices.Sorted(maps.Keys(x.needs(t, "fs-extra")))
			if !slices.Equal(back, want) || !res.Verified || res.Tools != 2 {
				t.Errorf("put back %q, want %q; %+v", back, want, res)
			}
			h.run(t, "satchel", "install", "x.mcpb", "--yes")
			if got := toolNames(t, h.run(t, "satchel", "tools", name, "--json")); !slices.Equal(got, []string{"always", "extra"}) {
				t.Errorf("tools %v", got)
			}
		})
	}
}

// The filesystem example has nothing to drop: its bundle stays as it is, to the byte.
func TestCleanLeavesACleanBundleAlone(t *testing.T) {
	t.Parallel()
	src := example(t)
	h := newHome(t)
	h.run(t, "satchel", "pack", src, "filesystem.mcpb")
	before := digestOf(t, h, "filesystem.mcpb")
	res := h.clean(t, "filesystem.mcpb")
	if !res.Unchanged || !res.Verified || res.Tools != len(declaredTools(t)) || digestOf(t, h, "filesystem.mcpb") != before {
		t.Errorf("cleaned: %+v", res)
	}
}

func digestOf(t *testing.T, h *home, file string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(h.work, file))
	if err != nil {
		t.Fatal(err)
	}
	return hexDigest(data)
}

// What the reference's clean does to these bundles: (a) the server is lost, "Clean Complete"; (b) nothing happens,
// "Clean Complete"; (c) node_modules is emptied; (d) a stack trace.
func TestCleanHasNoneOfTheReferencesFailures(t *testing.T) {
	t.Parallel()
	zip := program(t, "zip")
	for name, extra := range map[string]string{"folder-entry": "", "unknown-key": `"foo": 1,`} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHome(t)
			x := newTree(t, h, name, fmt.Sprintf(plainServer, ""))
			text := strings.Replace(strings.Replace(treeManifest, "round-trip", name, 1), "{", "{"+extra, 1)
			write(t, filepath.Join(x.dir, "manifest.json"), text)
			write(t, filepath.Join(x.dir, "debug.log"), "to be dropped")
			h.run(t, "sh", "-c", `cd "$1" && `+zip+` -q "$2" manifest.json && `+zip+` -qr "$2" server debug.log`, "sh", x.dir, filepath.Join(h.work, "x.mcpb"))
			res := h.clean(t, "x.mcpb")
			h.run(t, "satchel", "unpack", "x.mcpb", "out")
			got := readTree(t, filepath.Join(h.work, "out"))
			if len(res.Dropped) != 1 || len(got) != 2 || got["manifest.json"].SHA256 != hexDigest([]byte(text)) || got["server/index.js"].SHA256 != hexDigest([]byte(fmt.Sprintf(plainServer, ""))) {
				t.Errorf("%+v, %v", res, got)
			}
		})
	}
	t.Run("no dependencies listed", func(t *testing.T) {
		t.Parallel()
		h := newHome(t)
		x := newTree(t, h, "unlisted", fmt.Sprintf(plainServer, ""))
		x.list(t, nil, nil)
		x.copy(t, x.needs(t, "fs-extra"))
		h.run(t, "satchel", "pack", x.dir, "x.mcpb")
		before := packagesIn(t, h, "x.mcpb")
		res := h.clean(t, "x.mcpb")
		if got := packagesIn(t, h, "x.mcpb"); len(before) == 0 || !slices.Equal(got, before) || len(res.Notes) != 1 {
			t.Errorf("packages %v, were %v; %+v", got, before, res)
		}
	})
	t.Run("no such file", func(t *testing.T) {
		t.Parallel()
		if msg := newHome(t).fails(t, 6, "satchel", "clean", "nothing.mcpb"); !strings.Contains(msg, "no such file") || strings.Contains(msg, "goroutine") {
			t.Errorf("it says %s", msg)
		}
	})
}

// Where Node.js would find the dropped packages above the temporary folder, a start would prove nothing.
func TestCleanRefusesATemporaryFolderThatHasPackages(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	x := newTree(t, h, "x", fmt.Sprintf(plainServer, ""))
	if err := os.Mkdir(filepath.Join(h.dir, "node_modules"), 0o755); err != nil {
		t.Fatal(err)
	}
	h.run(t, "satchel", "pack", x.dir, "x.mcpb")
	if msg := h.fails(t, 1, "satchel", "clean", "x.mcpb", "--yes"); !strings.Contains(msg, "clean/temporary") {
		t.Errorf("it says %s", msg)
	}
}

const shoutServer = `
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import { z } from "zod";

const server = new McpServer({ name: "shout", version: "1.0.0" });
server.tool("shout", "Says it in capitals.", { text: z.string() }, async ({ text }) => ({
  content: [{ type: "text", text: text.toUpperCase() }],
}));
await server.connect(new StdioServerTransport());
`

// plainServer needs no package, but offers one tool more where it finds fs-extra by a name that no reading finds; %s is
// what it does when it does not.
const plainServer = `
const tools = [{ name: "always", inputSchema: { type: "object" } }];
try {
  require(["fs", "extra"].join("-"));
  tools.push({ name: "extra", inputSchema: { type: "object" } });
} catch (e) { %s }
require("readline").createInterface({ input: process.stdin }).on("line", (line) => {
  const { id, method, params } = JSON.parse(line);
  const results = {
    initialize: () => ({ protocolVersion: params.protocolVersion, capabilities: { tools: {} }, serverInfo: { name: "plain", version: "1" } }),
    "tools/list": () => ({ tools }),
  };
  if (id !== undefined) console.log(JSON.stringify({ jsonrpc: "2.0", id, result: results[method]?.() ?? {} }));
});
`
