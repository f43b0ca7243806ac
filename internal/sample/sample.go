// Package sample is the extension that ships with the source and that quickstart installs: a small notebook whose
// server is this very program in a hidden mode, so that nothing needs to be downloaded.
//
// [Write] lays out its folder, ready to pack; [Serve] is the server.
package sample

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// Mode is the hidden first argument that turns the program into the sample's server.
const Mode = "__sample-server"

//go:embed bundle
var bundle embed.FS

// Write lays the extension's folder out in dir, which must exist and be empty; exe is the program that becomes its server.
func Write(dir, exe string) error {
	files, err := fs.Sub(bundle, "bundle")
	if err != nil {
		return err
	}
	if err := os.CopyFS(dir, files); err != nil {
		return err
	}
	if err := os.Mkdir(filepath.Join(dir, "server"), 0o755); err != nil {
		return err
	}
	return copyProgram(filepath.Join(dir, "server", "satchel-notes"), exe)
}

func copyProgram(to, from string) error {
	src, err := os.Open(from)
	if err != nil {
		return err
	}
	defer src.Close()
	dst, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(dst, src)
	return errors.Join(err, dst.Close())
}

type noteArgs struct {
	Title string `json:"title" jsonschema:"a short title: letters, digits, spaces and dashes"`
	Text  string `json:"text" jsonschema:"what to remember"`
}

type titleArgs struct {
	Title string `json:"title" jsonschema:"the title of a saved note"`
}

// Serve runs the notebook over standard input and output until the input ends or ctx is done. Notes are text files in
// the folder args[0].
func Serve(ctx context.Context, args []string) error {
	if len(args) != 1 {
		return errors.New("the sample server takes one argument: the folder of the notes")
	}
	if err := os.MkdirAll(args[0], 0o700); err != nil {
		return err
	}
	root, err := os.OpenRoot(args[0])
	if err != nil {
		return err
	}
	defer root.Close()
	return newServer(notebook{root}).Run(ctx, &mcp.StdioTransport{})
}

func newServer(n notebook) *mcp.Server {
	s := mcp.NewServer(&mcp.Implementation{Name: "notes", Version: "1.0.0"}, nil)
	yes, no := true, false
	mcp.AddTool(s, &mcp.Tool{
		Name: "save_note", Description: "Saves a note as a text file in the folder that you chose.",
		Annotations: &mcp.ToolAnnotations{DestructiveHint: &yes, OpenWorldHint: &no, IdempotentHint: true},
	}, n.save)
	mcp.AddTool(s, &mcp.Tool{
		Name: "read_note", Description: "Reads a note.",
		Annotations: &mcp.ToolAnnotations{ReadOnlyHint: true, OpenWorldHint: &no},
	}, n.read)
	mcp.AddTool(s, &mcp.Tool{
		Name: "list_notes", Description: "Lists the titles of all notes.",
		Annotations: &mcp.ToolAnnotations{ReadOnlyHint: true, OpenWorldHint: &no},
	}, n.list)
	return s
}

// A notebook keeps notes in one folder and cannot leave it.
type notebook struct{ root *os.Root }

func (n notebook) save(_ context.Context, _ *mcp.CallToolRequest, in noteArgs) (*mcp.CallToolResult, any, error) {
	name, err := fileName(in.Title)
	if err != nil {
		return nil, nil, err
	}
	if err := n.root.WriteFile(name, []byte(in.Text+"\n"), 0o600); err != nil {
		return nil, nil, err
	}
	return text("Saved %q (%d characters) to %s.", in.Title, len([]rune(in.Text)), name), nil, nil
}

func (n notebook) read(_ context.Context, _ *mcp.CallToolRequest, in titleArgs) (*mcp.CallToolResult, any, error) {
	name, err := fileName(in.Title)
	if err != nil {
		return nil, nil, err
	}
	data, err := n.root.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, fmt.Errorf("there is no note %q", in.Title)
	}
	if err != nil {
		return nil, nil, err
	}
	return text("%s", data), nil, nil
}

func (n notebook) list(context.Context, *mcp.CallToolRequest, struct{}) (*mcp.CallToolResult, any, error) {
	names, err := fs.Glob(n.root.FS(), "*.txt")
	if err != nil {
		return nil, nil, err
	}
	if len(names) == 0 {
		return text("No notes yet."), nil, nil
	}
	slices.Sort(names)
	return text("%s", strings.ReplaceAll(strings.Join(names, "\n"), ".txt", "")), nil, nil
}

// fileName turns a title into the name of a file. The model is not trusted with path syntax.
func fileName(title string) (string, error) {
	if !regexp.MustCompile(`^[\pL\pN][\pL\pN -]{0,79}$`).MatchString(title) {
		return "", fmt.Errorf("%q cannot be a title: use letters, digits, spaces and dashes, at most 80", title)
	}
	return title + ".txt", nil
}

func text(format string, args ...any) *mcp.CallToolResult {
	return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: fmt.Sprintf(format, args...)}}}
}
