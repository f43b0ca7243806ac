package cli

import (
	"context"
	"slices"

	"github.com/spf13/cobra"

	"satchel/internal/host"
	"satchel/internal/problem"
	"satchel/internal/term"
)

type installOptions struct {
	source string
	config []string
	yes    bool
	link   bool
}

func newInstall(a *app) *cobra.Command {
	var o installOptions
	cmd := &cobra.Command{
		Use:     "install FILE",
		GroupID: "user",
		Short:   "Install a bundle, after a review",
		Long: `Installs a bundle. First it shows a review: the exact command that will run, the answers it gets, and what this
version cannot hold back. Nothing of the bundle runs, and nothing is installed, before you agree.

An installed version is replaced; its answers are kept. Secrets are kept when the bundle is the same: another one does
not inherit them, and what must be given again is said. A required answer that is missing can be given later:
satchel configure ID KEY=VALUE.

With --link, FILE is a folder that is used where it is, for its author: each start runs what is in it then, and no
digest is checked. Removing the extension leaves the folder alone. satchel dev does this by itself.`,
		Example:     "  satchel install notes.mcpb\n  satchel install notes.mcpb --config folder=~/Notes --yes\n  satchel install --link ./my-extension",
		Args:        wantArgs(1, 1),
		Annotations: exits("1 failed, 2 usage, 3 not a valid bundle, 4 not agreed to, 6 not found, 7 a wrong answer, 9 malformed signature"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.source = args[0]
			res, err := o.run(cmd.Context(), a)
			if err != nil {
				return err
			}
			return a.show(res, func() { o.print(a, res) })
		},
	}
	cmd.Flags().StringArrayVarP(&o.config, "config", "c", nil, "an answer, KEY=VALUE (repeatable; the same key again makes a list)")
	cmd.Flags().BoolVarP(&o.yes, "yes", "y", false, "agree to what the review says")
	cmd.Flags().BoolVar(&o.link, "link", false, "install a folder where it is: each start runs what is in it then")
	return cmd
}

func (o installOptions) run(ctx context.Context, a *app) (*host.Installed, error) {
	h, err := a.host()
	if err != nil {
		return nil, err
	}
	inspect := h.Inspect
	if o.link {
		inspect = h.InspectLink
	}
	cand, err := inspect(ctx, o.source, o.config)
	if err != nil {
		return nil, err
	}
	defer cand.Close()
	if !a.json {
		cand.Review.Render(a.err, a.err.Color)
	}
	if !o.yes {
		ok, err := a.confirm(ctx, agreement{"Install it?", true})
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, problem.New(problem.Refused, "cli/agree", "not agreed to; nothing was installed").At(cand.Review.ID)
		}
	}
	bar := a.progress("installing")
	defer bar.Done()
	return h.Install(ctx, cand, bar.Set)
}

func (o installOptions) print(a *app, res *host.Installed) {
	e := res.Extension
	verb := "installed"
	if res.Replaced != "" {
		verb = "replaced " + term.VisibleLine(res.Replaced) + " by"
	}
	a.out.Printf("%s %s %s\n", a.out.Green(verb), e.ID, term.VisibleLine(e.Version))
	for _, key := range e.Missing {
		a.out.Printf("  it still needs: satchel configure %s %s=VALUE\n", e.ID, term.VisibleLine(key))
	}
	for _, f := range res.Review.Forgets {
		if !slices.Contains(e.Missing, f.Key) {
			a.out.Printf("  it forgot: satchel configure %s %s=VALUE gives it again\n", e.ID, term.VisibleLine(f.Key))
		}
	}
	a.out.Printf("  look:    satchel tools %s\n  connect: claude mcp add %s -- satchel run %s\n", e.Short, e.Short, e.Short)
}
