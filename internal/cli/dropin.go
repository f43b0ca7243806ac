package cli

import (
	"context"
	"io"
	"time"

	"github.com/spf13/cobra"

	"satchel/internal/cli/dropin"
	"satchel/internal/host"
	"satchel/internal/signer"
	"satchel/mcpb/signature"
)

// MainAs is Main for a program of any name (argv[0]): one called mcpb or dxt speaks the reference's command line.
func MainAs(program string, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if dropin.Named(program) && !isOwnMode(args) {
		args = append([]string{"mcpb"}, args...)
	}
	return Main(args, stdin, stdout, stderr)
}

func newDropin(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "mcpb [COMMAND ...]",
		GroupID: "author",
		Short:   "Speak the command line of @anthropic-ai/mcpb",
		Long: `Takes the commands and options of the reference (npm @anthropic-ai/mcpb ` + dropin.Version + `) and answers in its words, for scripts that
were written for it. The same happens when this program is called mcpb or dxt: link it under that name.
What differs on purpose is in docs/compatibility.md.`,
		Example:            "  satchel mcpb pack ./my-extension\n  ln -s $(command -v satchel) ~/bin/mcpb",
		Annotations:        exits("1 failed"),
		DisableFlagParsing: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			a.code = dropin.Main(cmd.Context(), args, dropin.Env{
				Out: a.out, Err: a.err, Create: a.createManifest, Clean: a.cleanUnproved, Verify: a.verifyTrusted, Config: a.settings,
				Ask:        func(question string) (bool, error) { return a.confirm(cmd.Context(), agreement{question: question}) },
				Identity:   a.identity,
				SourceDate: func() (time.Time, error) { return sourceDate(a.getenv("SOURCE_DATE_EPOCH")) },
			})
			return nil
		},
	}
}

// cleanUnproved drops what a bundle does not need by all that reading it can tell. Nothing is started.
func (a *app) cleanUnproved(ctx context.Context, path string) (*host.Cleaned, error) {
	return cleanOptions{path: path, noStart: true}.run(ctx, a)
}

// identity is that of satchel sign --cert and --key.
func (a *app) identity(ctx context.Context, files signer.Files) (*signature.Identity, []string, error) {
	return signOptions{files: files, passwordFD: -1}.load(ctx, a, time.Now())
}

// verifyTrusted is satchel verify without flags.
func (a *app) verifyTrusted(file string) (*signature.Report, error) {
	t, err := verifyOptions{}.trust(a)
	if err != nil {
		return nil, err
	}
	return verifyFile(file, t, time.Now())
}

// settings gives the person's folder of settings, and makes it.
func (a *app) settings() (string, error) {
	home, err := a.home()
	if err != nil {
		return "", err
	}
	return home.Config, home.Ensure()
}

// createManifest is satchel init on a terminal. That a manifest is replaced was agreed to.
func (a *app) createManifest(ctx context.Context, dir string) error {
	o := initOptions{dir: dir, force: true}
	_, err := o.run(ctx, a)
	return err
}
