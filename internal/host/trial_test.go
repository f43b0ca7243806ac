package host

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"satchel/internal/problem"
	"satchel/internal/procgroup"
	"satchel/internal/sample"
	"satchel/internal/sandbox"
	"satchel/mcpb/manifest"
)

// The test's own program is the sample's server and procgroup's watcher too.
func TestMain(m *testing.M) {
	sandbox.Main()
	switch args := os.Args[1:]; {
	case procgroup.IsWatcher(args):
		os.Exit(procgroup.WatchMain(args))
	case len(args) > 0 && args[0] == sample.Mode:
		if err := sample.Serve(context.Background(), args[1:]); err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestTrialServesWithoutInstalling(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	before := w.snapshot(t)
	m := &manifest.Manifest{
		Name: "notes", Server: manifest.Server{Type: manifest.Binary, EntryPoint: "x", MCPConfig: &manifest.MCPConfig{
			Command: manifest.Command{Command: self, Args: []string{sample.Mode, "${user_config.folder}"}},
		}},
		UserConfig: manifest.Options{{Key: "folder", Type: manifest.Directory, Title: "Folder", Required: true}},
	}
	try, err := w.TryFolder(w.folder(t, "src"), m, Tries{})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(try.StandIns, []string{"folder"}) || len(try.Review.Command) != 3 {
		t.Errorf("stand-ins %v, command %q", try.StandIns, try.Review.Command)
	}
	served, err := try.Serve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(served.Tools) != 3 || served.Name != "notes" || len(served.Prompts) != 0 {
		t.Errorf("served %+v", served)
	}
	if err := try.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(try.tmp); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the temporary folder is still there: %v", err)
	}
	if after := w.snapshot(t); len(after) != len(before) {
		t.Errorf("the home changed: %v", after)
	}
}

func TestTrialOfACommand(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	try, err := w.TryCommand(w.dir, []string{self, sample.Mode, filepath.Join(w.dir, "notes")}, map[string]string{"X": "y"})
	if err != nil {
		t.Fatal(err)
	}
	defer try.Close()
	if served, err := try.Serve(t.Context()); err != nil || len(served.Tools) != 3 {
		t.Errorf("served %+v, %v", served, err)
	}
	_, err = w.TryCommand(w.dir, nil, nil)
	wantProblem(t, err, problem.Usage, "try/command")
	_, err = w.TryCommand(w.dir, []string{"satchel-test-no-such"}, nil)
	wantProblem(t, err, problem.NotFound, "launch/program")
}

// A server that does not speak MCP says why, and leaves nothing behind.
func TestTrialOfWhatIsNoServer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	try, err := w.TryCommand(w.dir, []string{"/bin/sh", "-c", "echo no such module >&2; exit 3"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer try.Close()
	_, err = try.Serve(t.Context())
	wantProblem(t, err, problem.Failed, "supervisor/ended")
}

// Whoever stops it while the server is silent, or dies with the same signal, has stopped it: that is no failure.
func TestTrialIsStopped(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	started := filepath.Join(w.dir, "started")
	if err := exec.Command("mkfifo", started).Run(); err != nil {
		t.Skipf("no pipe can be made: %v", err)
	}
	try, err := w.TryCommand(w.dir, []string{"/bin/sh", "-c", `echo yes > "$0"; exec cat > /dev/null`, started}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer try.Close()
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		_, _ = os.ReadFile(started)
		cancel()
	}()
	if _, err := try.Serve(ctx); problem.CodeOf(err) != problem.Interrupted {
		t.Errorf("%v, want interrupted", err)
	}
}

// A server that lists its tools without end is left when it is too much.
func TestAnEndlessListIsLeft(t *testing.T) {
	t.Parallel()
	page := &mcp.ListToolsResult{NextCursor: "on", Tools: []*mcp.Tool{{Name: "t", Description: strings.Repeat("x", 1<<20), InputSchema: map[string]any{"type": "object"}}}}
	pages := 0
	server := mcp.NewServer(&mcp.Implementation{Name: "endless", Version: "1"}, &mcp.ServerOptions{Capabilities: &mcp.ServerCapabilities{Tools: &mcp.ToolCapabilities{}}})
	server.AddReceivingMiddleware(func(next mcp.MethodHandler) mcp.MethodHandler {
		return func(ctx context.Context, method string, req mcp.Request) (mcp.Result, error) {
			if method != "tools/list" {
				return next(ctx, method, req)
			}
			pages++
			return page, nil
		}
	})
	here, there := mcp.NewInMemoryTransports()
	if _, err := server.Connect(t.Context(), there, nil); err != nil {
		t.Fatal(err)
	}
	cs, err := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, nil).Connect(t.Context(), here, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer cs.Close()
	s := &session{cs, func() error { return nil }}
	_, err = s.tools(t.Context())
	wantProblem(t, err, problem.Failed, "host/tools")
	if pages > 100 {
		t.Errorf("%d pages were read", pages)
	}
}
