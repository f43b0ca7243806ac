package cli

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"satchel/internal/host"
	"satchel/internal/problem"
	"satchel/internal/prune"
	"satchel/internal/term"
)

type cleanOptions struct {
	path, out string
	config    []string
	timeout   time.Duration
	deep      bool
	dryRun    bool
	noStart   bool
	yes       bool
	noSandbox bool
}

func newClean(a *app) *cobra.Command {
	var o cleanOptions
	cmd := &cobra.Command{
		Use:     "clean FILE|DIR",
		GroupID: "author",
		Short:   "Drop what the server does not need, and start it to prove that",
		Long: `Drops from a bundle what its server does not need: development dependencies in node_modules, what satchel pack
leaves out, caches of Python. The manifest and all other files stay as they are, byte for byte.

A package stays when a package.json lists it, or code that stays loads it. Because no reading finds everything, the
server is then started as it was and as it would be, after you have seen the command and agreed. When it offers fewer
tools or prompts, or does not start, what it lacks is found and put back. Only then FILE is replaced, or --out written.
Not noticed is a package that nothing lists and that a tool loads by a computed name only when it is called: try your
tools once.

A folder is never changed: DIR is packed as by satchel pack, and the cleaned bundle goes where --out says. A signature
does not fit the cleaned bundle and is left out; sign it again.`,
		Example: "  satchel clean my-extension.mcpb --dry-run\n  satchel clean my-extension.mcpb --config folder=~/Notes\n" +
			"  satchel clean ./my-extension --out my-extension.mcpb --yes",
		Args:        wantArgs(1, 1),
		Annotations: exits("1 failed, 2 usage, 3 not a valid bundle, 4 not agreed to, 6 not found, 7 a wrong or missing answer, 9 malformed signature"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.path = args[0]
			res, err := o.run(cmd.Context(), a)
			if err != nil {
				return err
			}
			return a.show(res, func() { o.print(a, res) })
		},
	}
	cmd.Flags().StringVarP(&o.out, "out", "o", "", "write the cleaned bundle here and leave FILE alone")
	cmd.Flags().BoolVar(&o.dryRun, "dry-run", false, "show what would go; start and write nothing")
	cmd.Flags().BoolVar(&o.deep, "deep", false, "also drop tests, examples and documents of dependencies")
	cmd.Flags().BoolVar(&o.noStart, "no-start", false, "do not start the server: nothing shows then that it still works")
	cmd.Flags().StringArrayVarP(&o.config, "config", "c", nil, "an answer for the start, KEY=VALUE (repeatable); required ones without get a made-up value")
	cmd.Flags().DurationVar(&o.timeout, "timeout", time.Minute, "how long to wait for the server at each start")
	cmd.Flags().BoolVar(&o.noSandbox, "no-sandbox", false, "start the server with all your rights")
	cmd.Flags().BoolVarP(&o.yes, "yes", "y", false, "agree to starting what the review says")
	return cmd
}

func (o cleanOptions) run(ctx context.Context, a *app) (*host.Cleaned, error) {
	if info, err := os.Stat(o.path); err == nil && info.IsDir() && o.out == "" && !o.dryRun {
		return nil, problem.New(problem.Usage, "clean/out", "is a folder, which is never changed").At(o.path).Try("name the cleaned bundle: satchel clean %s --out FILE", problem.Words(o.path))
	}
	h, err := a.host()
	if err != nil {
		return nil, err
	}
	date, err := sourceDate(a.getenv("SOURCE_DATE_EPOCH"))
	if err != nil {
		return nil, err
	}
	c, err := h.OpenCleaning(ctx, o.path, host.CleanOptions{Deep: o.deep, Answers: o.config, NoSandbox: o.noSandbox, ModTime: date})
	if err != nil {
		return nil, err
	}
	defer c.Close()
	if !a.json {
		for _, w := range c.Warnings {
			a.warn(w)
		}
	}
	if o.dryRun {
		return c.Measure(ctx)
	}
	if !o.noStart {
		if err := o.verify(ctx, a, c); err != nil {
			return nil, err
		}
	}
	return c.Write(ctx, o.out)
}

func (a *app) warn(text string) {
	a.err.Printf("%s %s\n", a.err.Yellow("warning:"), term.VisibleLine(text))
}

// verify shows what will run, asks, and starts the server.
func (o cleanOptions) verify(ctx context.Context, a *app, c *host.Cleaning) error {
	if err := c.Prepare(ctx); err != nil {
		return err
	}
	if !a.json {
		a.err.Println("To see that it still works, its server is started as it is and as it will be:")
		c.Review.Render(a.err, a.err.Color)
		if len(c.StandIns) > 0 {
			a.err.Printf("  made-up answers for %s; --config KEY=VALUE gives real ones\n", term.VisibleLine(strings.Join(c.StandIns, ", ")))
		}
	}
	if !o.yes {
		ok, err := a.confirm(ctx, agreement{"Start it?", true})
		if err != nil {
			return err
		}
		if !ok {
			return problem.New(problem.Refused, "cli/agree", "not agreed to; nothing was changed").At(o.path).Try("--no-start cleans without starting it")
		}
	}
	return c.Verify(ctx, o.timeout, func(line string) {
		if !a.json {
			a.err.Printf("%s\n", a.err.Faint(term.Visible(line)))
		}
	})
}

func (o cleanOptions) print(a *app, res *host.Cleaned) {
	for _, u := range res.Dropped {
		a.out.Printf("%s\t%s\t%s\t%s\n", a.out.Yellow("out"), unitSize(u), term.VisibleLine(u.Name), term.VisibleLine(u.Reason))
	}
	for _, u := range res.PutBack {
		a.out.Printf("%s\t%s\t%s\t%s\n", a.out.Green("in "), unitSize(u), term.VisibleLine(u.Name), "put back: the server does less without it")
	}
	for _, note := range res.Notes {
		a.err.Printf("%s %s\n", a.err.Faint("note:"), term.VisibleLine(note))
	}
	if res.Unchanged {
		a.out.Println("there is nothing to drop")
	}
	a.out.Printf("%d files, %s, packed %s -> %d files, %s, packed %s\n", res.Before.Files, term.Bytes(res.Before.Unpacked), term.Bytes(res.Before.Packed),
		res.After.Files, term.Bytes(res.After.Unpacked), term.Bytes(res.After.Packed))
	switch {
	case o.dryRun:
		a.out.Println("nothing was started or written; without --dry-run it is")
		return
	case res.Verified:
		a.out.Printf("%s its server offers the same %d tools and %d prompts as before (%d starts)\n", a.out.Green("verified:"), res.Tools, res.Prompts, res.Starts)
	default:
		a.warn("not verified: the server was not started, and nothing shows that it still works")
	}
	if res.Unsigned {
		a.warn("the signature is gone: sign it again")
	}
	a.out.Printf("%s\n%s\n", term.VisibleLine(res.Out), res.Digest)
}

func unitSize(u prune.Unit) string { return fmt.Sprintf("%d files, %s", u.Files, term.Bytes(u.Bytes)) }
