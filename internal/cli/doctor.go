package cli

import (
	"github.com/spf13/cobra"

	"satchel/internal/host"
	"satchel/internal/problem"
	"satchel/internal/sandbox"
	"satchel/internal/term"
)

type doctorOptions struct {
	sandbox bool
	all     bool
}

// A doctorResult is the JSON document of doctor.
type doctorResult struct {
	OK      bool           `json:"ok"` // nothing is open that should not be
	Sandbox sandbox.Report `json:"sandbox"`
	Free    []string       `json:"notSandboxed"` // ids of the extensions that run without a sandbox
}

func newDoctor(a *app) *cobra.Command {
	var o doctorOptions
	cmd := &cobra.Command{
		Use:     "doctor",
		GroupID: "user",
		Short:   "Say what this machine enforces, by trying it",
		Long: `Starts a probe in the sandbox that servers get, which tries to break out of it: to read and write outside, to reach
other processes, sockets, the network, the kernel. What is said is what it found, not what is configured. It takes a
second or two and changes nothing. docs/sandbox.md explains each way in which a server is held.

Extensions that are installed without a sandbox are listed: they run with all your rights.`,
		Example:     "  satchel doctor\n  satchel doctor --sandbox --all\n  satchel doctor --json",
		Args:        wantArgs(0, 0),
		Annotations: exits("1 something is not enforced, 2 usage, 4 this machine has no sandbox, 130 interrupted"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			h, err := a.host()
			if err != nil {
				return err
			}
			report, err := h.Prove(cmd.Context())
			if err != nil {
				return err
			}
			res := doctorResult{report.Count("", sandbox.Open) == 0, report, []string{}}
			list, damaged := h.List()
			for _, e := range list {
				if e.Sandbox == host.NotSandboxed {
					res.Free = append(res.Free, e.ID)
				}
			}
			if damaged != nil {
				a.warn(damaged.Error())
			}
			if !res.OK {
				a.code = problem.Failed.Exit()
			}
			return a.show(res, func() { o.print(a, res) })
		},
	}
	cmd.Flags().BoolVar(&o.sandbox, "sandbox", false, "look at the sandbox only (there is nothing else to look at yet)")
	cmd.Flags().BoolVar(&o.all, "all", false, "show every attack, and what refused it")
	return cmd
}

// modeText says what a mode is.
func modeText(m sandbox.Mode) string {
	switch m {
	case sandbox.Namespaces:
		return "a world of its own: namespaces, Landlock and a filter of system calls"
	case sandbox.Bubblewrap:
		return "a world of its own, made by bwrap: namespaces, Landlock and a filter of system calls"
	case sandbox.Landlock:
		return "limited: Landlock and a filter of system calls, on the machine's own root (no namespaces are to be had)"
	case sandbox.Seatbelt:
		return "rules of macOS around the server (new: nobody has run this yet; docs/sandbox.md)"
	case sandbox.Restricted:
		return "limited: few rights and a job object; reading and the network are not held (new: nobody has run this yet; docs/sandbox.md)"
	}
	return string(m)
}

func (o doctorOptions) print(a *app, r doctorResult) {
	a.out.Printf("%s %s\n", a.out.Bold("sandbox"), modeText(r.Sandbox.Mode))
	for _, group := range r.Sandbox.Groups() {
		tried := r.Sandbox.Count(group, sandbox.Enforced) + r.Sandbox.Count(group, sandbox.Open)
		a.out.Printf("  %-16s %d of %d attacks refused\n", group, r.Sandbox.Count(group, sandbox.Enforced), tried)
	}
	for _, l := range r.Sandbox.Lines {
		switch {
		case l.State == sandbox.Open:
			a.out.Printf("  %s %s: %s\n", a.out.Red("not enforced"), l.Group, term.VisibleLine(l.Name))
		case l.State == sandbox.ByDesign:
			a.out.Printf("  by design    %s: %s: %s\n", l.Group, l.Name, l.Why)
		case o.all:
			a.out.Printf("  %-12s %s: %s: %s\n", l.State, l.Group, l.Name, term.VisibleLine(l.Why))
		}
	}
	for _, id := range r.Free {
		a.out.Printf("%s %s runs with all your rights: satchel permissions %s --sandbox\n", a.out.Red("NOT SANDBOXED"), id, id)
	}
}
