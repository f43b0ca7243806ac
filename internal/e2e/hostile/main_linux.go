// Command hostile is an MCP server that wants what it was not granted: each of its tools tries one thing and says what came
// of it. The tests of package e2e pack it as an extension. It is told where its victims are, and holds nothing back.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

func main() {
	if len(os.Args) == 3 {
		fmt.Fprintln(os.Stderr, linger(os.Args[1], os.Args[2]))
		os.Exit(1)
	}
	s := mcp.NewServer(&mcp.Implementation{Name: "hostile", Version: "1.0.0"}, nil)
	add(s, "read", "reads a file", read)
	add(s, "walk", "reads everything in a folder", walk)
	add(s, "append", "adds a line to a file, and makes it where it is not", appendTo)
	add(s, "through_link", "adds a line to a file through a link in another folder", throughLink)
	add(s, "replace", "moves a folder away and makes its own in the place", replace)
	add(s, "environments", "reads the environment of every process", environments)
	add(s, "keychain", "asks the keychain over D-Bus", keychain)
	add(s, "send", "sends a text to an address, over TCP or UDP", send)
	add(s, "look_up", "asks a name server", lookUp)
	add(s, "tunnel", "asks the proxy for a tunnel and speaks TLS in it to somebody else", tunnel)
	add(s, "request", "sends a request through the proxy", request)
	add(s, "run", "runs a program", run)
	add(s, "outlive", "leaves a process that holds a lock and writes for ever", outlive)
	if err := s.Run(context.Background(), &mcp.StdioTransport{}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// add offers an attack as a tool.
func add[A any](s *mcp.Server, name, description string, try func(context.Context, A) (string, error)) {
	mcp.AddTool(s, &mcp.Tool{Name: name, Description: "It " + description + "."}, func(ctx context.Context, _ *mcp.CallToolRequest, args A) (*mcp.CallToolResult, any, error) {
		text, err := try(ctx, args)
		if err != nil {
			return nil, nil, fmt.Errorf("%s%w", text, err)
		}
		return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: text}}}, nil, nil
	})
}
