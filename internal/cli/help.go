package cli

import (
	"bytes"
	"strings"

	"github.com/spf13/cobra"

	"satchel/internal/problem"
	"satchel/internal/spell"
)

// newHelp is cobra's help command, but it fails for a command that there is not.
func newHelp() *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "Show the help of a command",
		Long:  "Shows the help of a command, as --help does. Help is text, also with --json.",
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			var names []string
			for _, c := range cmd.Root().Commands() {
				if len(args) == 0 && c.IsAvailableCommand() {
					names = append(names, c.Name())
				}
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
		Example:     "  satchel help pack",
		Annotations: exits("2 usage"),
		RunE: func(cmd *cobra.Command, args []string) error {
			topic, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return unknownCommand(cmd.Root(), args)
			}
			topic.InitDefaultHelpFlag()
			return topic.Help()
		},
	}
}

type completionOptions struct {
	shell string
	plain bool
}

type completionResult struct {
	Shell  string `json:"shell"`
	Script string `json:"script"`
}

func newCompletion(a *app) *cobra.Command {
	var o completionOptions
	cmd := &cobra.Command{
		Use:   "completion SHELL",
		Short: "Write the completion script of a shell",
		Long: `Writes a script that lets a shell complete commands, flags and the ids of extensions. SHELL is bash, zsh, fish or
powershell.

bash, with the package bash-completion:  satchel completion bash > ~/.local/share/bash-completion/completions/satchel
zsh:                                     satchel completion zsh > "${fpath[1]}/_satchel"
fish:                                    satchel completion fish > ~/.config/fish/completions/satchel.fish
powershell, for this session:            satchel completion powershell | Out-String | Invoke-Expression`,
		Example:     "  satchel completion bash > ~/.local/share/bash-completion/completions/satchel",
		Args:        wantArgs(1, 1),
		ValidArgs:   shells(),
		Annotations: exits("1 failed, 2 usage"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.shell = args[0]
			res, err := o.run(cmd.Root())
			if err != nil {
				return err
			}
			return a.show(res, func() { a.out.Printf("%s", res.Script) })
		},
	}
	cmd.Flags().BoolVar(&o.plain, "no-descriptions", false, "complete without descriptions")
	return cmd
}

func shells() []string { return []string{"bash", "zsh", "fish", "powershell"} }

func (o completionOptions) run(root *cobra.Command) (*completionResult, error) {
	var b bytes.Buffer
	var err error
	switch {
	case o.shell == "bash":
		err = root.GenBashCompletionV2(&b, !o.plain)
	case o.shell == "zsh" && o.plain:
		err = root.GenZshCompletionNoDesc(&b)
	case o.shell == "zsh":
		err = root.GenZshCompletion(&b)
	case o.shell == "fish":
		err = root.GenFishCompletion(&b, !o.plain)
	case o.shell == "powershell" && o.plain:
		err = root.GenPowerShellCompletion(&b)
	case o.shell == "powershell":
		err = root.GenPowerShellCompletionWithDesc(&b)
	default:
		p := problem.New(problem.Usage, "cli/arguments", "there is no completion for the shell %q: it is one of %s", o.shell, strings.Join(shells(), ", "))
		if near := spell.Nearest(o.shell, shells()); near != "" {
			return nil, p.Try("satchel completion %s", near)
		}
		return nil, p.Try("satchel completion --help")
	}
	if err != nil {
		return nil, err
	}
	return &completionResult{o.shell, b.String()}, nil
}
