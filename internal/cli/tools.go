package cli

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"satchel/internal/host"
	"satchel/internal/term"
)

type toolsResult struct {
	ID    string      `json:"id"`
	Tools []host.Tool `json:"tools"`
}

func newTools(a *app) *cobra.Command {
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:               "tools ID",
		GroupID:           "user",
		Short:             "Start an extension and list its tools",
		Example:           "  satchel tools notes\n  satchel tools notes --json",
		Args:              wantArgs(1, 1),
		ValidArgsFunction: a.completeIDs,
		Annotations:       exits("1 failed, 2 usage, 6 not found, 7 needs configuration"),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, cancel := context.WithTimeout(cmd.Context(), timeout)
			defer cancel()
			h, err := a.host()
			if err != nil {
				return err
			}
			id, tools, err := h.Tools(ctx, args[0])
			if err != nil {
				a.hintRefused(h)
				return err
			}
			return a.show(toolsResult{id, tools}, func() { printTools(a, tools) })
		},
	}
	cmd.Flags().DurationVar(&timeout, "timeout", time.Minute, "how long to wait for the server")
	return cmd
}

func printTools(a *app, tools []host.Tool) {
	rows := make([][]string, len(tools))
	for i, t := range tools {
		first, _, _ := strings.Cut(t.Description, "\n")
		rows[i] = []string{term.VisibleLine(t.Name), toolKind(a, t), cut(term.VisibleLine(first), 90)}
	}
	_ = a.out.Table([]string{"TOOL", "KIND", "DESCRIPTION"}, rows) // a closed pipe is the reader's wish
}

func toolKind(a *app, t host.Tool) string {
	switch {
	case t.ReadOnly:
		return "reads"
	case t.Destructive:
		return a.out.Yellow("changes")
	}
	return "adds"
}

// cut shortens s to n characters for a terminal's line.
func cut(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}
