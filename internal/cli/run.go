package cli

import (
	"os"

	"github.com/spf13/cobra"

	"satchel/internal/term"
)

func newRun(a *app) *cobra.Command {
	var watch bool
	cmd := &cobra.Command{
		Use:     "run ID",
		GroupID: "user",
		Short:   "Run an extension as an MCP server on standard input and output",
		Long: `Runs an installed extension as an MCP server on standard input and output: this is the command to put into an AI
app's configuration. The app's pipes go straight to the server; when the app goes away, the server and all that it
started go too. The exit code is the server's.

--watch writes each file that it opens and each program that it starts to standard error, as it does so: one line each,
with --json one JSON document each. Its own files are left out. This costs time, and is a statement, not a fence: a
server that means to can hide something from it, but cannot do more than it was granted.`,
		Example:           "  satchel run notes\n  claude mcp add notes -- satchel run notes\n  satchel run notes --watch",
		Args:              wantArgs(1, 1),
		ValidArgsFunction: a.completeIDs,
		Annotations:       exits("1 failed, 2 usage, 6 not found, 7 needs configuration; else the server's own"),
		RunE: func(cmd *cobra.Command, args []string) error {
			h, err := a.host()
			if err != nil {
				return err
			}
			if watch {
				h = h.Watching(a.event, func(err error) {
					a.err.Printf("%s nothing becomes known of what it does: %s\n", a.err.Yellow("watch:"), term.VisibleLine(err.Error()))
				})
			}
			a.code, err = h.Run(cmd.Context(), args[0], os.Stdin, os.Stdout, os.Stderr)
			if (err != nil || a.code != 0) && cmd.Context().Err() == nil {
				a.hintRefused(h)
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&watch, "watch", false, "write what it does to files and which programs it starts to standard error")
	return cmd
}
