package cli

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"satchel/internal/answers"
	"satchel/internal/host"
	"satchel/internal/problem"
	"satchel/internal/spec"
	"satchel/internal/term"
)

func newShow(a *app) *cobra.Command {
	return &cobra.Command{
		Use:               "show ID",
		GroupID:           "user",
		Short:             "Show an installed extension: answers, exact command, digests",
		Example:           "  satchel show notes\n  satchel show local/notes --json",
		Args:              wantArgs(1, 1),
		ValidArgsFunction: a.completeIDs,
		Annotations:       exits("1 failed, 2 usage, 6 not found"),
		RunE: func(_ *cobra.Command, args []string) error {
			h, err := a.host()
			if err != nil {
				return err
			}
			ext, err := h.Show(args[0])
			if err != nil {
				return err
			}
			return a.show(ext, func() { printExtension(a, ext) })
		},
	}
}

func printExtension(a *app, e *host.Extension) {
	line := func(label, value string) {
		if value != "" {
			a.out.Printf("%-15s %s\n", label, term.VisibleLine(value))
		}
	}
	a.out.Println(a.out.Bold(term.VisibleLine(e.Title) + " " + term.VisibleLine(e.Version)))
	line("", e.Description)
	line("id", e.ID)
	line("author", e.Author+" (self-declared)")
	line("installed", e.Installed.UTC().Format(time.RFC3339)+" from "+e.Source)
	a.out.Printf("%-15s %s\n", "sandbox", sandboxWord(a, *e))
	if e.Link != "" {
		line("linked", e.Link+": what is in it runs, no digest is checked")
	}
	line("command", problem.Words(e.Command...))
	if e.CommandError != "" {
		line("command", "cannot be made: "+e.CommandError)
	}
	for _, r := range e.Risks {
		a.out.Printf("%-15s %s\n", riskWord(r), riskText(a, r))
	}
	line("working folder", e.DataDir)
	for _, key := range slices.Sorted(maps.Keys(e.Answers)) {
		line("answer", key+" = "+answerText(e.Answers[key]))
	}
	for _, key := range e.Missing {
		line("missing", key+": satchel configure "+e.ID+" "+key+"=VALUE")
	}
	line("bundle digest", e.Digest)
	line("content digest", e.ContentDigest)
	line("tree digest", e.TreeDigest)
}

// answerText shows an answer so that one can be told from two, and from none.
func answerText(v any) string {
	if list, ok := v.([]string); ok {
		return problem.Words(list...)
	}
	if text := answers.Text(v); text != "" {
		return text
	}
	return "''"
}

func riskText(a *app, r spec.Risk) string {
	if r.Level == spec.High {
		return a.out.Red(term.VisibleLine(r.Text))
	}
	return a.out.Yellow(term.VisibleLine(r.Text))
}

// completeIDs offers the ids of the installed extensions to the shell.
func (a *app) completeIDs(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveDefault
	}
	h, err := a.host()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	list, err := h.List()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var ids []string
	for _, e := range list {
		ids = append(ids, e.ID, strings.TrimPrefix(e.ID, "local/"))
	}
	return ids, cobra.ShellCompDirectiveNoFileComp
}
