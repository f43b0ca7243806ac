package cli

import (
	"strings"
	"time"

	"github.com/spf13/cobra"

	"satchel/internal/host"
	"satchel/internal/problem"
	"satchel/internal/spec"
	"satchel/internal/term"
)

type permissionsOptions struct {
	id             string
	change         host.Change
	noSandbox, box bool
}

func newPermissions(a *app) *cobra.Command {
	var o permissionsOptions
	cmd := &cobra.Command{
		Use:     "permissions ID",
		Aliases: []string{"perms"},
		GroupID: "user",
		Short:   "Show or change what an extension may do",
		Long: `Shows what an extension asks for, what it was granted, by whom and when, and what this machine holds it to.
--grant and --revoke change it; docs/permissions.md has the words. A running server ends, so that the app starts it anew.

--no-sandbox lets it run with all your rights, which list and doctor show; --sandbox takes that back.`,
		Example: "  satchel permissions notes\n  satchel permissions notes --grant write:~/Notes --grant net:api.example.com\n" +
			"  satchel permissions notes --revoke net:api.example.com\n  satchel permissions notes --json",
		Args:              wantArgs(1, 1),
		ValidArgsFunction: a.completeIDs,
		Annotations:       exits("1 failed, 2 usage, 4 may not be granted, 6 not found"),
		RunE: func(_ *cobra.Command, args []string) error {
			o.id = args[0]
			res, err := o.run(a)
			if err != nil {
				return err
			}
			return a.show(res, func() { printPermissions(a, res) })
		},
	}
	cmd.Flags().StringArrayVarP(&o.change.Grant, "grant", "g", nil, "let it do this, such as read:~/Notes (repeatable)")
	cmd.Flags().StringArrayVarP(&o.change.Revoke, "revoke", "r", nil, "let it do this no more (repeatable)")
	cmd.Flags().BoolVar(&o.noSandbox, "no-sandbox", false, "let it run with all your rights")
	cmd.Flags().BoolVar(&o.box, "sandbox", false, "hold it to what was granted again")
	return cmd
}

func (o permissionsOptions) run(a *app) (*host.Permissions, error) {
	h, err := a.host()
	if err != nil {
		return nil, err
	}
	if o.noSandbox && o.box {
		return nil, problem.New(problem.Usage, "cli/flags", "--sandbox and --no-sandbox exclude each other")
	}
	if o.noSandbox || o.box {
		o.change.NoSandbox = &o.noSandbox
	}
	if err := h.Permit(o.id, o.change); err != nil {
		return nil, err
	}
	return h.Permissions(o.id)
}

func printPermissions(a *app, p *host.Permissions) {
	line := func(label, value string) {
		if value != "" {
			a.out.Printf("%-10s %s\n", label, term.VisibleLine(value))
		}
	}
	line("id", p.ID)
	if p.At != nil {
		line("agreed", p.At.UTC().Format(time.RFC3339)+" by "+p.By)
	}
	for _, r := range p.Risks {
		a.out.Printf("%-10s %s\n", riskWord(r), riskText(a, r))
	}
	if p.Problem != "" {
		a.out.Printf("%-10s %s\n", "problem", a.out.Red(term.VisibleLine(p.Problem)))
	}
	line("sandbox", p.Enforced)
	for _, open := range p.Open {
		line("open", open)
	}
	for _, n := range p.Notes {
		line("note", n)
	}
	rows := [][]string{}
	for _, i := range p.Items {
		rows = append(rows, []string{term.VisibleLine(i.Word), askedWord(i.Permission), grantedWord(a, i.Permission), i.Enforced, term.VisibleLine(i.Text)})
	}
	if len(rows) == 0 {
		line("allowed", "runs its own files, writes to its own folder, nothing else")
		return
	}
	_ = a.out.Table([]string{"PERMISSION", "ASKED", "GRANTED", "ENFORCED", "MEANS"}, rows) // a closed pipe is the reader's wish
	var left []string
	for _, i := range p.Items {
		if i.Asked && !i.Granted && i.Level != "refused" {
			left = append(left, problem.Words("--grant", i.Word))
		}
	}
	if len(left) > 0 {
		a.out.Printf("to grant the rest: satchel permissions %s %s\n", p.ID, term.VisibleLine(strings.Join(left, " ")))
	}
}

// askedWord says who asks for an item.
func askedWord(p spec.Permission) string {
	switch {
	case p.From == "answer":
		return "by your answer"
	case p.From == "person":
		return "no"
	case p.Asked:
		return "by its author"
	}
	return "suggested"
}

func grantedWord(a *app, p spec.Permission) string {
	switch {
	case p.Granted && p.Level == spec.High:
		return a.out.Red("yes, high risk")
	case p.Granted:
		return a.out.Green("yes")
	case p.Level == "refused":
		return "never"
	}
	return "no"
}

func riskWord(r spec.Risk) string {
	if r.Level == spec.High {
		return "high risk"
	}
	return "risk"
}
