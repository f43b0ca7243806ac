package cli

import (
	"context"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"satchel/internal/grant"
	"satchel/internal/host"
	"satchel/internal/problem"
	"satchel/internal/term"
)

type installOptions struct {
	source string
	config []string
	terms  host.Terms
	yes    bool
	link   bool
}

func newInstall(a *app) *cobra.Command {
	var o installOptions
	cmd := &cobra.Command{
		Use:     "install FILE",
		GroupID: "user",
		Short:   "Install a bundle, after a review",
		Long: `Installs a bundle. First it shows a review: the exact command that will run, the answers it gets, what it may do and what
holds it to that on this machine. Nothing of the bundle runs, and nothing is installed, before you agree.

It may do what follows from your answers: read the folders and files that you name, reach the hosts of addresses that you
give. Whatever else it asks for, and what is high risk, is granted by name only: --grant (docs/permissions.md has the
words), or at the terminal, one by one. All of it can be changed later: satchel permissions ID.

An installed version is replaced; its answers are kept. Secrets are kept when the bundle is the same: another one does
not inherit them, and what must be given again is said. A required answer that is missing can be given later:
satchel configure ID KEY=VALUE.

With --link, FILE is a folder that is used where it is, for its author: each start runs what is in it then, and no
digest is checked. Removing the extension leaves the folder alone. satchel dev does this by itself.`,
		Example:     "  satchel install notes.mcpb\n  satchel install notes.mcpb --config folder=~/Notes --yes\n  satchel install notes.mcpb --yes --grant net:api.example.com\n  satchel install --link ./my-extension",
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
	cmd.Flags().BoolVarP(&o.yes, "yes", "y", false, "agree to what follows from the answers and is not high risk")
	cmd.Flags().StringArrayVarP(&o.terms.Grant, "grant", "g", nil, "let it do this, such as read:~/Notes or net:api.example.com (repeatable)")
	cmd.Flags().BoolVar(&o.terms.NoSandbox, "no-sandbox", false, "let it run with all your rights, which is recorded and shown")
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
	cand, err := inspect(ctx, o.source, o.config, o.terms)
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
		if err := o.more(ctx, a, cand); err != nil {
			return nil, err
		}
	}
	bar := a.progress("installing")
	defer bar.Done()
	return h.Install(ctx, cand, bar.Set)
}

// more asks for what --yes does not agree to, one by one. A no grants nothing.
func (o installOptions) more(ctx context.Context, a *app, cand *host.Candidate) error {
	for _, w := range cand.Asks() {
		text := term.VisibleLine(w.Text)
		if w.Level != "" {
			text += " (" + string(w.Level) + " risk)"
		}
		ok, err := a.confirm(ctx, agreement{"Allow: " + text + "?", true})
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		if err := cand.Grant(w.Item); err != nil {
			a.warn(err.Error())
		}
	}
	return nil
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
	for _, p := range res.Review.Permissions {
		if p.Asked && !p.Granted && p.Level != grant.Refused {
			a.out.Printf("  not granted: %s; if you mean it: satchel permissions %s --grant %s\n", term.VisibleLine(p.Text), e.ID, problem.Words(p.Word))
		}
	}
	if len(res.Sets) > 0 {
		a.out.Printf("  it may use its own files only; more: satchel permissions %s --grant %s\n", e.ID, strings.Join(setNames(res.Sets), "|"))
	}
	a.out.Printf("  look:    satchel tools %s\n  connect: claude mcp add %s -- satchel run %s\n", e.Short, e.Short, e.Short)
}

// setNames are the names of the sets beside the narrowest.
func setNames(sets []grant.Set) (names []string) {
	for _, s := range sets {
		if s.Name != grant.Contained {
			names = append(names, s.Name)
		}
	}
	return names
}
