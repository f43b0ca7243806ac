package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/spf13/cobra"

	"satchel/internal/problem"
	"satchel/internal/term"
)

type callOptions struct {
	id, tool string
	input    string
	pairs    []string
	timeout  time.Duration
}

func newCall(a *app) *cobra.Command {
	var o callOptions
	cmd := &cobra.Command{
		Use:     "call ID TOOL [JSON]",
		GroupID: "user",
		Short:   "Start an extension and call one of its tools",
		Long: `Starts an extension, calls one of its tools and prints the answer.

The tool's arguments are a JSON object (- reads it from standard input), or --arg KEY=VALUE. A VALUE that reads as a
JSON number, boolean, list or object is taken as that, everything else as text; KEY:=VALUE takes VALUE as text always.`,
		Example: `  satchel call notes save_note --arg title=Groceries --arg text=bread
  satchel call notes read_note '{"title": "Groceries"}'`,
		Args:              wantArgs(2, 3),
		ValidArgsFunction: a.completeIDs,
		Annotations:       exits("1 failed, or the tool says so, 2 usage, 6 not found, 7 needs configuration"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.id, o.tool = args[0], args[1]
			if len(args) == 3 {
				o.input = args[2]
			}
			res, err := o.run(cmd.Context(), a)
			if err != nil {
				return err
			}
			return o.print(a, res)
		},
	}
	cmd.Flags().StringArrayVar(&o.pairs, "arg", nil, "an argument of the tool, KEY=VALUE (repeatable)")
	cmd.Flags().DurationVar(&o.timeout, "timeout", time.Minute, "how long to wait for the server")
	return cmd
}

func (o callOptions) run(ctx context.Context, a *app) (*mcp.CallToolResult, error) {
	args, err := await(ctx, func() (json.RawMessage, error) { return o.arguments(a.in) })
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	h, err := a.host()
	if err != nil {
		return nil, err
	}
	res, err := h.Call(ctx, o.id, o.tool, args)
	if err != nil || res.IsError {
		a.hintRefused(h)
	}
	return res, err
}

// arguments makes the tool's arguments from the JSON object and the pairs.
func (o callOptions) arguments(in io.Reader) (json.RawMessage, error) {
	object := map[string]any{}
	if text, err := o.text(in); err != nil {
		return nil, err
	} else if len(text) > 0 {
		dec := json.NewDecoder(bytes.NewReader(text))
		dec.UseNumber()
		if err := dec.Decode(&object); err != nil || object == nil || dec.More() {
			return nil, problem.New(problem.Usage, "call/json", "the arguments are not one JSON object").At(cut(string(text), 60)).
				Try(`satchel call %s '{"key": "value"}'`, problem.Words(o.id, o.tool))
		}
	}
	for _, pair := range o.pairs {
		key, val, ok := strings.Cut(pair, "=")
		if !ok || key == "" {
			return nil, problem.New(problem.Usage, "call/arg", "an argument is KEY=VALUE").At(pair)
		}
		if text, isText := strings.CutSuffix(key, ":"); isText {
			object[text] = val
		} else {
			object[key] = guess(val)
		}
	}
	return json.Marshal(object)
}

func (o callOptions) text(in io.Reader) ([]byte, error) {
	if o.input == "-" {
		return io.ReadAll(io.LimitReader(in, 16<<20))
	}
	return []byte(o.input), nil
}

// guess reads val as a JSON number, boolean, list or object; anything else is text.
func guess(val string) any {
	dec := json.NewDecoder(strings.NewReader(val))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil || v == nil || dec.InputOffset() != int64(len(val)) {
		return val
	}
	if s, ok := v.(string); ok {
		return s
	}
	return v
}

func (o callOptions) print(a *app, res *mcp.CallToolResult) error {
	err := a.show(res, func() {
		for _, c := range res.Content {
			a.out.Println(contentText(c))
		}
		if len(res.Content) == 0 && res.StructuredContent != nil {
			_ = a.showJSON(res.StructuredContent, "") // what is lost is noticed at the end
		}
	})
	if err != nil || !res.IsError {
		return err
	}
	return errors.Join(errShown, problem.New(problem.Failed, "call/tool", "the tool says that it failed").At(o.tool))
}

// contentText is how one piece of a tool's answer is shown on a terminal.
func contentText(c mcp.Content) string {
	switch c := c.(type) {
	case *mcp.TextContent:
		return term.Visible(strings.TrimRight(c.Text, "\n"))
	case *mcp.ImageContent:
		return "[image, " + term.VisibleLine(c.MIMEType) + ", " + term.Bytes(int64(len(c.Data))) + "; --json shows it]"
	case *mcp.AudioContent:
		return "[audio, " + term.VisibleLine(c.MIMEType) + ", " + term.Bytes(int64(len(c.Data))) + "; --json shows it]"
	case *mcp.ResourceLink:
		return "[resource " + term.VisibleLine(c.URI) + "]"
	default:
		return "[content of another kind; --json shows it]"
	}
}
