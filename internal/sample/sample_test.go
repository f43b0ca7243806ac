package sample

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// connect starts the server over an in-memory pipe with a fresh folder.
func connect(t *testing.T) (*mcp.ClientSession, string) {
	t.Helper()
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	client, server := mcp.NewInMemoryTransports()
	ss, err := newServer(notebook{root}).Connect(t.Context(), server, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ss.Close() })
	cs, err := mcp.NewClient(&mcp.Implementation{Name: "test"}, nil).Connect(t.Context(), client, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cs.Close() })
	return cs, dir
}

func call(t *testing.T, cs *mcp.ClientSession, tool string, args map[string]any) (string, bool) {
	t.Helper()
	res, err := cs.CallTool(context.Background(), &mcp.CallToolParams{Name: tool, Arguments: args})
	if err != nil {
		t.Fatal(err)
	}
	return res.Content[0].(*mcp.TextContent).Text, res.IsError
}

func TestNotebook(t *testing.T) {
	cs, dir := connect(t)
	if got, _ := call(t, cs, "list_notes", nil); got != "No notes yet." {
		t.Errorf("an empty notebook lists %q", got)
	}
	if got, isErr := call(t, cs, "save_note", map[string]any{"title": "Groceries", "text": "bread"}); isErr || !strings.HasPrefix(got, `Saved "Groceries"`) {
		t.Errorf("save_note = %q, %v", got, isErr)
	}
	if data, err := os.ReadFile(filepath.Join(dir, "Groceries.txt")); err != nil || string(data) != "bread\n" {
		t.Errorf("the note's file holds %q, %v", data, err)
	}
	if got, _ := call(t, cs, "read_note", map[string]any{"title": "Groceries"}); got != "bread\n" {
		t.Errorf("read_note = %q", got)
	}
	if got, _ := call(t, cs, "list_notes", nil); got != "Groceries" {
		t.Errorf("list_notes = %q", got)
	}
	if _, isErr := call(t, cs, "read_note", map[string]any{"title": "Nothing"}); !isErr {
		t.Error("a missing note is no error")
	}
}

func TestNoTitleLeavesTheFolder(t *testing.T) {
	cs, dir := connect(t)
	for _, title := range []string{"../x", "a/b", `a\b`, "..", "", ".hidden", "a\x00b", strings.Repeat("x", 81), "C:x"} {
		if got, isErr := call(t, cs, "save_note", map[string]any{"title": title, "text": "x"}); !isErr {
			t.Errorf("title %q was accepted: %s", title, got)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) > 0 {
		t.Errorf("files appeared: %v", left)
	}
}

func TestWriteLaysOutABundle(t *testing.T) {
	dir, exe := t.TempDir(), filepath.Join(t.TempDir(), "exe")
	if err := os.WriteFile(exe, []byte("program"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Write(dir, exe); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"manifest.json", "icon.png", "server/satchel-notes"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
	if err := Write(dir, exe); err == nil {
		t.Error("a folder that is not empty was overwritten")
	}
}
