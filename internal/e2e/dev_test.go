package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// A developing is a satchel dev over a folder with a real server in node, whose tools are those of a list in its source.
type developing struct {
	*home
	src    string
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	events chan devEvent
}

// A devEvent is a line of satchel dev --json.
type devEvent struct {
	Event, App, Source, Text, Method, Tool, Arguments, Result, Error, From string
	Files, Tools                                                           []string
	Findings                                                               []struct{ Rule string }
	MS                                                                     float64
	Runs                                                                   bool
}

func newDeveloping(t *testing.T, args ...string) *developing {
	t.Helper()
	program(t, "node")
	h := newHome(t)
	d := &developing{home: h, src: filepath.Join(h.dir, "src"), events: make(chan devEvent, 10_000)}
	manifest := strings.Replace(strings.Replace(treeManifest, "round-trip", "work", 1), `"args"`, `"env": { "TOKEN": "${user_config.token}" }, "args"`, 1)
	write(t, filepath.Join(d.src, "manifest.json"), strings.TrimSuffix(strings.TrimSpace(manifest), "}")+
		`, "user_config": { "token": { "type": "string", "title": "Token", "description": "T", "sensitive": true } } }`)
	d.save(t, `["first"]`)
	d.start(t, args...)
	return d
}

// save writes the server, with an expression for its tools, as editors do: beside it, then in its place.
func (d *developing) save(t *testing.T, tools string) {
	t.Helper()
	path := filepath.Join(d.src, "server", "index.js")
	write(t, path+"~", fmt.Sprintf(workServer, tools))
	if err := os.Rename(path+"~", path); err != nil {
		t.Fatal(err)
	}
}

func (d *developing) start(t *testing.T, args ...string) {
	t.Helper()
	d.cmd = d.command(context.Background(), "satchel", append([]string{"dev", d.src, "--yes", "--json", "--config", "token=tok-s3cret"}, args...)...)
	d.cmd.Stderr = os.Stderr
	var err error
	if d.stdin, err = d.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := d.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			var e devEvent
			if err := json.Unmarshal(lines.Bytes(), &e); err != nil || strings.Contains(lines.Text(), "s3cret") {
				t.Errorf("%v in %s", err, lines.Text())
			}
			d.events <- e
		}
	}()
	t.Cleanup(func() {
		_ = d.cmd.Process.Kill() // most tests have ended it
		<-read
		_ = d.cmd.Wait()
	})
}

// wait gives the next event for which is is true.
func (d *developing) wait(t *testing.T, kind string, is func(e devEvent) bool) devEvent {
	t.Helper()
	deadline := time.After(patience)
	var seen []string
	for {
		select {
		case e := <-d.events:
			if e.Event == kind && (is == nil || is(e)) {
				return e
			}
			seen = append(seen, fmt.Sprintf("%+v", e))
		case <-deadline:
			t.Fatalf("no such event %q among\n%s", kind, strings.Join(seen, "\n"))
		}
	}
}

// end ends it as Ctrl-C does.
func (d *developing) end(t *testing.T) {
	t.Helper()
	if err := d.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := d.cmd.Wait(); err != nil {
		t.Errorf("at the end: %v", err)
	}
}

// The whole of a working day: a server edited while an app uses it.
func TestDevWhileAnAppIsConnected(t *testing.T) {
	t.Parallel()
	d := newDeveloping(t)
	if e := d.wait(t, "started", nil); !slices.Equal(e.Tools, []string{"first"}) || e.MS <= 0 {
		t.Errorf("%+v", e)
	}

	changed := make(chan bool, 10)
	client := mcp.NewClient(&mcp.Implementation{Name: "my app", Version: "7"}, &mcp.ClientOptions{
		ToolListChangedHandler: func(context.Context, *mcp.ToolListChangedRequest) { changed <- true },
	})
	session, err := client.Connect(t.Context(), &mcp.CommandTransport{Command: d.command(t.Context(), "satchel", "run", "work")}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	d.wait(t, "app", func(e devEvent) bool { return strings.HasPrefix(e.App, "my app 7 (process ") })
	call := func(tool, arg string) string {
		res, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: tool, Arguments: map[string]any{"text": arg}})
		if err != nil {
			t.Fatal(err)
		}
		return res.Content[0].(*mcp.TextContent).Text
	}
	if got := call("first", "hello"); got != "first: hello" {
		t.Errorf("the app got %q", got)
	}
	if e := d.wait(t, "call", func(e devEvent) bool { return e.Method == "tools/call" }); e.Tool != "first" || e.Arguments != `{"text":"hello"}` || !strings.Contains(e.Result, "first: hello") || e.MS <= 0 {
		t.Errorf("%+v", e)
	}

	// A new tool appears after a save, in dev and in the app, which stays connected.
	d.save(t, `["first", "second"]`)
	d.wait(t, "started", func(e devEvent) bool { return slices.Equal(e.Tools, []string{"first", "second"}) })
	d.wait(t, "restarted", func(e devEvent) bool { return e.Error == "" })
	<-changed
	if got := call("second", "there"); got != "second: there" {
		t.Errorf("the app got %q", got)
	}

	// A broken save leaves the last server running, and says so.
	d.save(t, `broken(`)
	d.wait(t, "log", func(e devEvent) bool { return strings.Contains(e.Text, "SyntaxError") })
	if e := d.wait(t, "failed", nil); !e.Runs || !strings.Contains(e.Error, "exit code 1") {
		t.Errorf("%+v", e)
	}
	if got := call("second", "still"); got != "second: still" {
		t.Errorf("the app got %q", got)
	}

	// The server's log and the calls come without secrets; an error is one.
	d.save(t, `(console.error("token " + process.env.TOKEN), ["first"])`)
	d.wait(t, "log", func(e devEvent) bool { return e.Source == "server" && e.Text == "token ***" })
	d.wait(t, "restarted", nil)
	if res, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: "gone"}); err == nil {
		t.Errorf("a tool that is gone answers %v", res)
	}
	d.wait(t, "call", func(e devEvent) bool { return e.Tool == "gone" && strings.Contains(e.Error, "no tool gone") })

	// A manifest with a mistake is told, and stops nothing.
	text := d.run(t, "cat", filepath.Join(d.src, "manifest.json"))
	write(t, filepath.Join(d.src, "manifest.json"), strings.Replace(text, `"name"`, `"nmae": 1, "name"`, 1))
	d.wait(t, "checked", func(e devEvent) bool { return len(e.Findings) > 0 })
	d.wait(t, "started", nil)

	if err := session.Close(); err != nil {
		t.Error(err)
	}
	d.wait(t, "app-left", nil)
	d.end(t)
	if got := extensions(t, d.home); !slices.Equal(got, []string{"local/work"}) {
		t.Errorf("after dev: %v", got)
	}
}

// Other clients are seen as well: the MCP Inspector's command line.
func TestDevSeesTheInspectorsCalls(t *testing.T) {
	t.Parallel()
	cli := inspector(t)
	d := newDeveloping(t)
	d.wait(t, "started", nil)
	got := toolNames(t, d.run(t, cli, "--cli", "satchel", "run", "work", "--method", "tools/list"))
	if !slices.Equal(got, []string{"first"}) {
		t.Errorf("tools %v", got)
	}
	d.wait(t, "call", func(e devEvent) bool { return e.Method == "tools/list" && strings.Contains(e.App, "inspector") })
	d.end(t)
}

// kill -9 leaves no server behind; an app's own goes on, and hears of a dev that is started later.
func TestDevKilledLeavesNoProcess(t *testing.T) {
	t.Parallel()
	d := newDeveloping(t)
	d.wait(t, "started", nil)
	checkProcess(t, d.dir, "index.js")
	if err := d.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = d.cmd.Wait() // killed
	checkNoProcess(t, d.dir)

	client := mcp.NewClient(&mcp.Implementation{Name: "app", Version: "1"}, nil)
	session, err := client.Connect(t.Context(), &mcp.CommandTransport{Command: d.command(t.Context(), "satchel", "run", "work")}, nil)
	if err != nil {
		t.Fatal(err)
	}
	again := &developing{home: d.home, src: d.src, events: make(chan devEvent, 10_000)}
	again.start(t)
	again.wait(t, "app", nil)
	if d.fails(t, 1, "satchel", "dev", d.src, "--yes"); t.Failed() {
		t.Error("two at once")
	}
	if err := session.Close(); err != nil {
		t.Error(err)
	}
	again.end(t)
}

// Lines on standard input are keys. The Inspector is opened when it is installed in the folder; else its line is shown.
func TestDevKeys(t *testing.T) {
	t.Parallel()
	d := newDeveloping(t, "--unlink")
	d.wait(t, "started", nil)
	press := func(key string) {
		if _, err := io.WriteString(d.stdin, key+"\n"); err != nil {
			t.Fatal(err)
		}
	}
	press("t")
	d.wait(t, "note", func(e devEvent) bool { return e.Text == "1 tools: first" })
	press("r")
	d.wait(t, "started", nil)
	write(t, filepath.Join(d.src, "node_modules", ".bin", "mcp-inspector"), "#!/bin/sh\necho opened: $*\nsleep 1000\n")
	if err := os.Chmod(filepath.Join(d.src, "node_modules", ".bin", "mcp-inspector"), 0o755); err != nil {
		t.Fatal(err)
	}
	press("i")
	d.wait(t, "log", func(e devEvent) bool {
		return e.Source == "inspector" && strings.Contains(e.Text, "run local/work") && strings.Contains(e.Text, "-e SATCHEL_HOME=")
	})
	press("q")
	if err := d.cmd.Wait(); err != nil {
		t.Errorf("at the end: %v", err)
	}
	if got := extensions(t, d.home); len(got) != 0 {
		t.Errorf("with --unlink: %v", got)
	}
	if _, err := os.Stat(filepath.Join(d.src, "manifest.json")); err != nil {
		t.Error(err)
	}
}

// workServer is a server without packages; %s gives the names of its tools.
const workServer = `
const tools = %s;
require("readline").createInterface({ input: process.stdin }).on("line", (line) => {
  const { id, method, params } = JSON.parse(line);
  const answer = (result) => console.log(JSON.stringify({ jsonrpc: "2.0", id, ...result }));
  if (id === undefined) return;
  if (method === "initialize")
    return answer({ result: { protocolVersion: params.protocolVersion, capabilities: { tools: { listChanged: true } }, serverInfo: { name: "work", version: "1" } } });
  if (method === "tools/list") return answer({ result: { tools: tools.map((name) => ({ name, inputSchema: { type: "object" } })) } });
  if (method === "tools/call" && tools.includes(params.name))
    return answer({ result: { content: [{ type: "text", text: params.name + ": " + params.arguments.text }] } });
  answer({ error: { code: -32602, message: "no tool " + params?.name } });
});
`
