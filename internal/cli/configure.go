package cli

import (
	"github.com/spf13/cobra"

	"satchel/internal/host"
	"satchel/internal/problem"
)

func newConfigure(a *app) *cobra.Command {
	var unset []string
	cmd := &cobra.Command{
		Use:     "configure ID [KEY=VALUE...]",
		GroupID: "user",
		Short:   "Show or change the answers of an extension",
		Long: `Changes the answers to an extension's questions; without KEY=VALUE it shows them. The same key again makes a list.
A running server keeps its answers until it is started again.

What the extension may do follows: a folder that you name is granted to be read, one that you do not name any more is not.
What is high risk, and what its author wants to do with an answer beside that, is granted by name: satchel permissions.`,
		Example:           "  satchel configure notes\n  satchel configure notes folder=~/Notes\n  satchel configure notes --unset folder",
		Args:              wantArgs(1, 1000),
		ValidArgsFunction: a.completeIDs,
		Annotations:       exits("1 failed, 2 usage, 6 not found, 7 a wrong answer"),
		RunE: func(_ *cobra.Command, args []string) error {
			h, err := a.host()
			if err != nil {
				return err
			}
			if len(args) > 1 || len(unset) > 0 {
				if err := configure(a, h, args[0], args[1:], unset); err != nil {
					return err
				}
			}
			ext, err := h.Show(args[0])
			if err != nil {
				return err
			}
			return a.show(ext, func() { printExtension(a, ext) })
		},
	}
	cmd.Flags().StringArrayVar(&unset, "unset", nil, "forget the answer to KEY (repeatable)")
	return cmd
}

// configure changes answers and says what they did not lead to.
func configure(a *app, h *host.Host, id string, pairs, unset []string) error {
	asks, err := h.Configure(id, pairs, unset)
	for _, w := range asks {
		a.warn("not granted: " + w.Text + "; if you mean it: " + problem.Words("satchel", "permissions", id, "--grant", w.Item.String()))
	}
	return err
}
