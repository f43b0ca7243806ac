package cli

import (
	"context"

	"github.com/spf13/cobra"

	"satchel/internal/host"
	"satchel/internal/problem"
	"satchel/internal/term"
)

type uninstallOptions struct {
	id         string
	yes, purge bool
}

func newUninstall(a *app) *cobra.Command {
	var o uninstallOptions
	cmd := &cobra.Command{
		Use:     "uninstall ID",
		Aliases: []string{"remove", "rm"},
		GroupID: "user",
		Short:   "Remove an installed extension",
		Long: `Removes an installed extension and its answers, also a damaged one. What it stored in its own folder and the records
of what it did (satchel activity) are kept, unless --purge is given; installing it again finds them there. --purge also
removes what one left that was removed before. Of a linked extension only the link goes: its folder is its author's.`,
		Example:           "  satchel uninstall notes\n  satchel uninstall notes --yes --purge",
		Args:              wantArgs(1, 1),
		ValidArgsFunction: a.completeIDs,
		Annotations:       exits("1 failed, 2 usage, 4 not agreed to, 6 not found"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.id = args[0]
			res, err := o.run(cmd.Context(), a)
			if err != nil {
				return err
			}
			return a.show(res, func() { o.print(a, res) })
		},
	}
	cmd.Flags().BoolVarP(&o.yes, "yes", "y", false, "do not ask")
	cmd.Flags().BoolVar(&o.purge, "purge", false, "also delete what the extension stored in its own folder, and the records of what it did")
	return cmd
}

func (o uninstallOptions) run(ctx context.Context, a *app) (*host.Removed, error) {
	h, err := a.host()
	if err != nil {
		return nil, err
	}
	removal, err := h.Removal(o.id, o.purge)
	if err != nil {
		return nil, err
	}
	if !o.yes {
		ok, err := a.confirm(ctx, agreement{question: "Remove " + removedText(removal) + "?"})
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, problem.New(problem.Refused, "cli/agree", "not agreed to; nothing was removed").At(removal.ID)
		}
	}
	return h.Uninstall(removal.ID, o.purge)
}

func (o uninstallOptions) print(a *app, res *host.Removed) {
	a.out.Printf("removed %s\n", removedText(res))
	if res.DataKept != "" {
		a.out.Printf("%s\n", a.out.Faint("its own folder is kept: "+res.DataKept))
	}
	if res.ActivityKept {
		a.out.Printf("%s\n", a.out.Faint("the records of what it did are kept: satchel activity "+res.ID))
	}
}

func removedText(r *host.Removed) string {
	if r.Version == "" {
		return "what is left of " + r.ID
	}
	return r.ID + " " + term.VisibleLine(r.Version)
}
