package cli

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"time"

	"github.com/spf13/cobra"

	"satchel/internal/host"
	"satchel/internal/problem"
	"satchel/internal/spec"
	"satchel/internal/term"
)

type learnOptions struct {
	callOptions
	relay bool
}

func newLearn(a *app) *cobra.Command {
	var o learnOptions
	cmd := &cobra.Command{
		Use:     "learn ID [TOOL [JSON]]",
		GroupID: "user",
		Short:   "Find out what an extension needs, and propose the least that lets it work",
		Long: `Starts an extension to find out what it needs, and proposes what would have to be granted for it. With TOOL one of
its tools is called, as by satchel call; without, its tools are listed; with --relay an AI app uses it as by satchel run,
and the proposal is written to standard error when the app goes away.

Meanwhile it has no network (whom it tries to reach is proposed), it may read your home and run every program of this machine, but it gets no secrets (keys,
browsers, AI apps: docs/permissions.md), and nothing that it writes stays: it writes into memory. What it reads it can
tell whoever uses it, so learn with an app only what you would let it read. Only on Linux.`,
		Example: `  satchel learn notes
  satchel learn notes save_note --arg title=Groceries --arg text=bread
  claude mcp add notes-learning -- satchel learn notes --relay`,
		Args:              wantArgs(1, 3),
		ValidArgsFunction: a.completeIDs,
		Annotations:       exits("1 failed, or the tool says so, 2 usage, 4 this machine has no world to learn in, 6 not found, 7 needs configuration"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.id = args[0]
			if len(args) > 1 {
				o.tool = args[1]
			}
			if len(args) > 2 {
				o.input = args[2]
			}
			res, err := o.run(cmd.Context(), a)
			if res == nil {
				return err
			}
			return errors.Join(err, o.print(a, res))
		},
	}
	cmd.Flags().StringArrayVar(&o.pairs, "arg", nil, "an argument of the tool, KEY=VALUE (repeatable)")
	cmd.Flags().DurationVar(&o.timeout, "timeout", time.Minute, "how long to wait for the server, but with --relay")
	cmd.Flags().BoolVar(&o.relay, "relay", false, "let an AI app use it on standard input and output")
	return cmd
}

// run uses the extension and gives what was learned, also beside an error.
func (o learnOptions) run(ctx context.Context, a *app) (*host.Learned, error) {
	if o.relay && (o.tool != "" || a.json) {
		return nil, problem.New(problem.Usage, "cli/flags", "--relay excludes a tool and --json: the streams are the server's")
	}
	h, err := a.host()
	if err != nil {
		return nil, err
	}
	if o.relay {
		return h.Learn(ctx, o.id, func(ctx context.Context, h *host.Host) (err error) {
			a.code, err = h.Run(ctx, o.id, os.Stdin, os.Stdout, os.Stderr)
			return err
		})
	}
	args, err := await(ctx, func() (json.RawMessage, error) { return o.arguments(a.in) })
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	return h.Learn(ctx, o.id, func(ctx context.Context, h *host.Host) error {
		if o.tool == "" {
			_, _, err := h.Tools(ctx, o.id)
			return err
		}
		res, err := h.Call(ctx, o.id, o.tool, args)
		if err == nil && res.IsError {
			a.err.Printf("%s the tool says that it failed, as it may without network\n", a.err.Yellow("note:"))
			a.code = problem.Failed.Exit()
		}
		return err
	})
}

func (o learnOptions) print(a *app, l *host.Learned) error {
	if a.json {
		return a.show(l, nil)
	}
	out := a.out
	if o.relay {
		out = a.err // the other one is the server's
	}
	if len(l.Items) == 0 {
		out.Printf("%s wanted nothing that it may not do\n", l.ID)
	} else {
		rows := make([][]string, len(l.Items))
		for i, s := range l.Items {
			risk := term.VisibleLine(s.Risk)
			if s.Level == spec.High {
				risk = out.Red("high: " + risk)
			}
			rows[i] = []string{term.VisibleLine(s.Item.String()), cut(term.VisibleLine(s.Why), 90), risk}
		}
		_ = out.Table([]string{"PERMISSION", "BECAUSE IT", "RISK"}, rows) // a closed pipe is the reader's wish
	}
	for _, n := range l.Never {
		what := "read"
		if n.Write {
			what = "write"
		}
		out.Printf("%s %s %s: %s\n", out.Yellow("not proposed:"), what, term.VisibleLine(n.Path), term.VisibleLine(n.Why))
	}
	if l.Lost > 0 {
		out.Printf("%s %d things that it did were not seen: there may be more to grant\n", out.Yellow("note:"), l.Lost)
	}
	if len(l.Command) > 0 {
		out.Printf("to grant it: %s\n", term.VisibleLine(problem.Words(l.Command...)))
	}
	return nil
}
