package cli

import (
	"errors"

	"github.com/spf13/cobra"

	"satchel/internal/host"
	"satchel/internal/term"
)

type listResult struct {
	Extensions []host.Extension `json:"extensions"`
	Damaged    string           `json:"damaged,omitempty"` // which records cannot be read, and why; the exit code is 1 then
}

func newList(a *app) *cobra.Command {
	return &cobra.Command{
		Use:         "list",
		Aliases:     []string{"ls"},
		GroupID:     "user",
		Short:       "List the installed extensions",
		Example:     "  satchel list\n  satchel list --json",
		Args:        wantArgs(0, 0),
		Annotations: exits("1 failed, 2 usage"),
		RunE: func(*cobra.Command, []string) error {
			h, err := a.host()
			if err != nil {
				return err
			}
			list, damaged := h.List()
			res := listResult{Extensions: list}
			if damaged != nil {
				res.Damaged = damaged.Error()
			}
			if err := a.show(res, func() { printList(a, list, damaged == nil) }); err != nil {
				return err
			}
			if damaged != nil && a.json {
				return errors.Join(damaged, errShown)
			}
			return damaged
		},
	}
}

func printList(a *app, list []host.Extension, complete bool) {
	if len(list) == 0 {
		if complete {
			a.err.Println("nothing is installed; try: satchel quickstart")
		}
		return
	}
	rows := make([][]string, len(list))
	for i, e := range list {
		state, title := "ready", e.Title
		if len(e.Missing) > 0 {
			state = "needs configuration"
		}
		if e.Link != "" {
			state, title = state+", linked", title+" in "+e.Link
		}
		rows[i] = []string{e.ID, term.VisibleLine(e.Version), state, sandboxWord(a, e), term.VisibleLine(title)}
	}
	_ = a.out.Table([]string{"ID", "VERSION", "STATE", "SANDBOX", "TITLE"}, rows) // a closed pipe is the reader's wish
}

func sandboxWord(a *app, e host.Extension) string {
	switch e.Sandbox {
	case host.NotSandboxed:
		return a.out.Red("NOT SANDBOXED")
	case host.NotAgreed:
		return a.out.Yellow("does not start: satchel permissions " + e.Short)
	case host.Unknown:
		return "not tried yet: satchel doctor"
	}
	return e.Sandbox
}
