package cli

import (
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"satchel/internal/problem"
	"satchel/internal/term"
	"satchel/mcpb"
	"satchel/mcpb/manifest"
)

type packOptions struct {
	dir, out string
	list     bool
	follow   bool
	include  []string
}

type packResult struct {
	Out string `json:"out"`
	*mcpb.PackReport
	Name    string `json:"name"`
	Version string `json:"version"`
}

func newPack(a *app) *cobra.Command {
	var o packOptions
	cmd := &cobra.Command{
		Use:     "pack [DIR] [OUT]",
		GroupID: "author",
		Short:   "Pack a folder into a bundle",
		Long: `Packs DIR (default: this folder) into the bundle OUT (default: <name of the folder>.mcpb, in this folder).

The same files give the same bytes on every machine: entries are sorted and dated SOURCE_DATE_EPOCH, or 1980.
Left out are what .mcpbignore says (gitignore syntax), development files, and secrets such as .env and private keys;
--list shows what goes in and why the rest does not. The manifest is validated first.`,
		Example:     "  satchel pack\n  satchel pack ./my-extension dist/my-extension.mcpb\n  satchel pack --list\n  satchel pack --include .env.example",
		Args:        wantArgs(0, 2),
		Annotations: exits("1 failed, 2 usage, 3 not valid, 6 not found"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.complete(args); err != nil {
				return err
			}
			if o.list {
				return o.printList(a)
			}
			res, err := o.run(cmd, a)
			if err != nil {
				return err
			}
			return a.show(res, func() { o.print(a, res) })
		},
	}
	cmd.Flags().BoolVarP(&o.list, "list", "l", false, "show what goes in and why the rest does not; pack nothing")
	cmd.Flags().BoolVar(&o.follow, "follow", false, "pack what links inside the folder point to")
	cmd.Flags().StringArrayVar(&o.include, "include", nil, "pack this file although it looks like a secret or is ignored (repeatable)")
	return cmd
}

func (o *packOptions) complete(args []string) error {
	o.dir = "."
	if len(args) > 0 {
		o.dir = args[0]
	}
	if len(args) > 1 {
		o.out = args[1]
		return nil
	}
	abs, err := filepath.Abs(o.dir)
	if err != nil {
		return err
	}
	o.out = filepath.Base(abs) + ".mcpb"
	return nil
}

// packing validates the manifest of the folder and gives the options for package mcpb. Once more it is validated against
// what will be in the bundle: a file that it names may be ignored.
func (o packOptions) packing(a *app) (*manifest.Manifest, mcpb.PackOptions, error) {
	opts := mcpb.PackOptions{Follow: o.follow, Include: o.include}
	src, err := manifestIn(o.dir, "manifest.json")
	if err != nil {
		return nil, opts, err
	}
	defer src.close()
	if report := manifest.Validate(src.data, manifest.Checks{Files: src.files}); !report.OK() {
		return nil, opts, o.report(a, report, src)
	}
	m, _, err := manifest.Parse(src.data)
	if err != nil {
		return nil, opts, err
	}
	opts.Entry, opts.Programs = m.EntryFile(), m.Programs(src.files)
	opts.Check = func(plan *mcpb.PackPlan) error {
		files, err := plan.FS()
		if err != nil {
			return err
		}
		return o.report(a, manifest.Validate(src.data, manifest.Checks{Files: files}), src)
	}
	opts.ModTime, err = sourceDate(a.getenv("SOURCE_DATE_EPOCH"))
	return m, opts, err
}

// report shows what was found in the manifest, and refuses one that is not valid.
func (o packOptions) report(a *app, report *manifest.Report, src *manifestSource) error {
	report.File = src.name
	if !a.json {
		report.Render(a.err, src.data, a.err.Color)
	}
	if !report.OK() && !a.json {
		return a.invalid(report)
	}
	return report.Err()
}

// sourceDate reads SOURCE_DATE_EPOCH (https://reproducible-builds.org/specs/source-date-epoch/); the zero time is 1980.
func sourceDate(epoch string) (time.Time, error) {
	if epoch == "" {
		return time.Time{}, nil
	}
	sec, err := strconv.ParseInt(epoch, 10, 64)
	if err != nil || sec < 0 {
		return time.Time{}, problem.New(problem.Usage, "pack/source-date", "SOURCE_DATE_EPOCH is %q, not a number of seconds since 1970", epoch).
			From("reproducible-builds.org, SOURCE_DATE_EPOCH").Try("unset SOURCE_DATE_EPOCH, or set it to the date of the last commit: $(git log -1 --format=%%ct)")
	}
	return time.Unix(sec, 0).UTC(), nil
}

func (o packOptions) run(cmd *cobra.Command, a *app) (*packResult, error) {
	m, opts, err := o.packing(a)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(o.out), 0o755); err != nil {
		return nil, problem.New(problem.Failed, "pack/output", "cannot make the folder of the bundle").At(o.out).Because(err)
	}
	bar := a.progress("packing")
	defer bar.Done()
	opts.Progress = bar.Set
	report, err := mcpb.PackFile(cmd.Context(), o.dir, o.out, opts)
	if err != nil {
		return nil, err
	}
	return &packResult{Out: o.out, PackReport: report, Name: m.Name, Version: m.Version}, nil
}

func (o packOptions) print(a *app, res *packResult) {
	for _, w := range res.Warnings {
		a.warn(w)
	}
	a.out.Printf("packed %s %s: %d files, %s -> %s\n", term.VisibleLine(res.Name), term.VisibleLine(res.Version), res.Files, term.Bytes(res.BytesIn), term.Bytes(res.Size))
	a.out.Printf("%s\n%s\n", term.VisibleLine(res.Out), res.Digest)
	if res.Ignored > 0 {
		a.out.Printf("%s\n", a.out.Faint("left out: "+strconv.Itoa(res.Ignored)+" files and folders; satchel pack --list says why"))
	}
}

func (o packOptions) printList(a *app) error {
	_, opts, err := o.packing(a)
	if err != nil {
		return err
	}
	plan, err := mcpb.Plan(o.dir, opts)
	if err != nil {
		return err
	}
	return a.show(plan, func() {
		for _, f := range plan.Files {
			a.out.Printf("%s\t%d\t%s\n", a.out.Green("in "), f.Size, term.VisibleLine(f.Name))
		}
		for _, x := range plan.Excluded {
			a.out.Printf("%s\t%s\t%s\n", a.out.Yellow("out"), term.VisibleLine(x.Name), term.VisibleLine(x.Reason))
		}
		for _, w := range plan.Warnings {
			a.warn(w)
		}
	})
}
