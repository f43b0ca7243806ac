package cli

import (
	"os"

	"github.com/spf13/cobra"
)

func newRun(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "run ID",
		GroupID: "user",
		Short:   "Run an extension as an MCP server on standard input and output",
		Long: `Runs an installed extension as an MCP server on standard input and output: this is the command to put into an AI
app's configuration. The app's pipes go straight to the server; when the app goes away, the server and all that it
started go too. The exit code is the server's.`,
		Example:           "  satchel run notes\n  claude mcp add notes -- satchel run notes",
		Args:              wantArgs(1, 1),
		ValidArgsFunction: a.completeIDs,
		Annotations:       exits("1 failed, 2 usage, 6 not found, 7 needs configuration; else the server's own"),
		RunE: func(cmd *cobra.Command, args []string) error {
			h, err := a.host()
			if err != nil {
				return err
			}
			a.code, err = h.Run(cmd.Context(), args[0], os.Stdin, os.Stdout, os.Stderr)
			return err
		},
	}
}
