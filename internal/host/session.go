package host

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"satchel/internal/problem"
)

// A Tool is what a running server offers; Schema is JSON Schema, as the server gave it.
type Tool struct {
	Name        string          `json:"name"`
	Title       string          `json:"title,omitempty"`
	Description string          `json:"description,omitempty"`
	ReadOnly    bool            `json:"readOnly"`    // the server says that it changes nothing; a hint, not a promise
	Destructive bool            `json:"destructive"` // the server says or implies that it may destroy things
	InputSchema json.RawMessage `json:"inputSchema"`
}

// A session is an MCP conversation with a server that we started.
type session struct {
	*mcp.ClientSession
	stop func() error
}

// connect speaks initialize with a server over its pipes; stop ends the server, and says how it failed when it did.
func connect(ctx context.Context, id string, stdin io.WriteCloser, stdout io.ReadCloser, stop func() error) (*session, error) {
	client := mcp.NewClient(&mcp.Implementation{Name: "satchel", Version: "0"}, &mcp.ClientOptions{})
	cs, err := client.Connect(ctx, &mcp.IOTransport{Reader: stdout, Writer: stdin}, nil)
	if err != nil {
		ended := stop()
		switch {
		case errors.Is(ctx.Err(), context.Canceled):
			return nil, ctx.Err() // a person stopped it, and the server with it
		case ended != nil:
			return nil, ended
		}
		return nil, notAnswering(ctx, id, err)
	}
	return &session{cs, stop}, nil
}

func notAnswering(ctx context.Context, id string, err error) error {
	p := problem.New(problem.Failed, "host/initialize", "the server did not answer the MCP handshake").At(id).From("MCP specification, lifecycle")
	look := "look: satchel run " + id
	if strings.HasPrefix(id, trialOf) { // it is not installed
		look = "start its command by hand and look"
	}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return p.Try("it may need more time (--timeout, where the command has it), or wait for something; %s", look).Because(ctx.Err())
	}
	return p.Try("it may have written something else than MCP to its standard output; %s", look).Because(err)
}

// A listing refuses a server that lists without end.
type listing struct{ size int }

// maxListing bounds what a server's list of tools or prompts takes in memory, in bytes.
const maxListing = 64 << 20

func (l *listing) add(texts ...string) error {
	l.size += 256 // what an item costs beside its texts
	for _, t := range texts {
		l.size += len(t)
	}
	if l.size > maxListing {
		return fmt.Errorf("the list has more than %d bytes", maxListing)
	}
	return nil
}

// unlisted is the error of a list that did not come to its end.
func unlisted(ctx context.Context, p *problem.Problem, err error) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return ctx.Err()
	}
	return p.Because(err)
}

// close ends the conversation and the server.
func (s *session) close() error {
	_ = s.ClientSession.Close() // the server's end is what counts
	return s.stop()
}

// tools lists what the server offers, over all pages.
func (s *session) tools(ctx context.Context) ([]Tool, error) {
	list := []Tool{}
	if s.InitializeResult().Capabilities.Tools == nil {
		return list, nil
	}
	var all listing
	for t, err := range s.Tools(ctx, nil) {
		var schema []byte
		if err == nil {
			schema, err = json.Marshal(t.InputSchema)
		}
		if err == nil {
			err = all.add(t.Name, t.Title, t.Description, string(schema))
		}
		if err != nil {
			return nil, unlisted(ctx, problem.New(problem.Failed, "host/tools", "the server did not list its tools"), err)
		}
		list = append(list, Tool{
			Name: t.Name, Title: t.Title, Description: t.Description, InputSchema: schema,
			ReadOnly: readOnly(t.Annotations), Destructive: destructive(t.Annotations),
		})
	}
	return list, nil
}

func readOnly(a *mcp.ToolAnnotations) bool { return a != nil && a.ReadOnlyHint }

// destructive follows the specification's default: a tool that does not say so may destroy.
func destructive(a *mcp.ToolAnnotations) bool {
	if a == nil || a.DestructiveHint == nil {
		return !readOnly(a)
	}
	return *a.DestructiveHint && !a.ReadOnlyHint
}

// call calls a tool; args is a JSON object.
func (s *session) call(ctx context.Context, tool string, args json.RawMessage) (*mcp.CallToolResult, error) {
	res, err := s.CallTool(ctx, &mcp.CallToolParams{Name: tool, Arguments: args})
	if err != nil {
		if errors.Is(ctx.Err(), context.Canceled) {
			return nil, problem.New(problem.Interrupted, "host/call", "interrupted; the tool may have done its work all the same").At(tool)
		}
		return nil, problem.New(problem.Failed, "host/call", "the server refused the call").At(tool).Because(err)
	}
	return res, nil
}
