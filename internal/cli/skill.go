package cli

import (
	_ "embed" // the text
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"satchel/internal/atomicfile"
	"satchel/internal/problem"
	"satchel/internal/term"
)

//go:embed skill.md
var skillText string

type skillOptions struct{ out string }

type skillResult struct {
	Out  string `json:"out,omitempty"`
	Text string `json:"text,omitempty"`
}

func newSkill(a *app) *cobra.Command {
	var o skillOptions
	cmd := &cobra.Command{
		Use:     "skill",
		GroupID: "author",
		Short:   "Write a text that teaches a coding agent to build extensions",
		Long: `Writes a skill: a Markdown text with a name and a description on top, as coding agents load it. It teaches to begin,
check, pack, try and sign an extension with this program, with a check after every step.

Put it where your agent looks for skills. A file that is there is replaced.`,
		Example:     "  satchel skill\n  satchel skill --out .claude/skills/desktop-extension/SKILL.md",
		Args:        wantArgs(0, 0),
		Annotations: exits("1 failed, 2 usage"),
		RunE: func(*cobra.Command, []string) error {
			res, err := o.run()
			if err != nil {
				return err
			}
			return a.show(res, func() { o.print(a, res) })
		},
	}
	cmd.Flags().StringVarP(&o.out, "out", "o", "", "write it into this file, and make its folders")
	return cmd
}

func (o skillOptions) run() (*skillResult, error) {
	if o.out == "" {
		return &skillResult{Text: skillText}, nil
	}
	err := os.MkdirAll(filepath.Dir(o.out), 0o755)
	if err == nil {
		err = atomicfile.Write(o.out, []byte(skillText), 0o644)
	}
	if err != nil {
		return nil, problem.New(problem.Failed, "skill/write", "cannot be written").At(o.out).Because(err)
	}
	return &skillResult{Out: o.out}, nil
}

func (o skillOptions) print(a *app, res *skillResult) {
	if res.Out != "" {
		a.out.Printf("%s %s\n", a.out.Green("wrote"), term.VisibleLine(res.Out))
		return
	}
	a.out.Printf("%s", res.Text)
}
