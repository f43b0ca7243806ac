package cli

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"satchel/internal/problem"
	"satchel/internal/spell"
	"satchel/internal/term"
	"satchel/mcpb"
	"satchel/mcpb/manifest"
)

type validateOptions struct {
	path       string
	schemaOnly bool
	fix, diff  bool
}

type validateResult struct {
	File string `json:"file"`
	OK   bool   `json:"ok"`
	*manifest.Report
	source []byte
}

func newValidate(a *app) *cobra.Command {
	o := validateOptions{path: "."}
	cmd := &cobra.Command{
		Use:     "validate [FILE|DIR]",
		GroupID: "author",
		Short:   "Check a manifest, a folder or a bundle",
		Long: `Checks a manifest strictly: against the schema of its version, and that what it names is there.

FILE is a manifest.json or a bundle; DIR is a folder with a manifest.json (default: this folder).
With --schema-only, only the schema is checked, as the reference does.

With --fix, mistakes with one obvious remedy are mended in place: misspelt keys, values of the wrong type, names of
platforms, variables, keys given twice, a byte order mark. All else of the file stays as it is. What needs you is listed
as always. --fix --diff shows the changes and writes nothing.`,
		Example: "  satchel validate\n  satchel validate my-extension/manifest.json\n  satchel validate --fix --diff\n" +
			"  satchel validate my-extension.mcpb --json",
		Args:        wantArgs(0, 1),
		Annotations: exits("1 failed, 2 usage, 3 not valid, 6 not found"),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 1 {
				o.path = args[0]
			}
			switch {
			case o.diff && !o.fix:
				return problem.New(problem.Usage, "cli/flags", "--diff goes with --fix").Try("satchel validate --fix --diff")
			case o.fix:
				res, err := o.runFix()
				if err != nil {
					return err
				}
				return o.printFix(a, res)
			}
			res, err := o.run()
			if err != nil {
				return err
			}
			return o.finish(a, res, res)
		},
	}
	cmd.Flags().BoolVar(&o.fix, "fix", false, "mend what has one obvious remedy, and write the file")
	cmd.Flags().BoolVar(&o.diff, "diff", false, "with --fix: show the changes, write nothing")
	cmd.Flags().BoolVar(&o.schemaOnly, "schema-only", false, "check the schema only, not the files that the manifest names")
	return cmd
}

func (o validateOptions) run() (*validateResult, error) {
	m, err := openManifest(o.path)
	if err != nil {
		return nil, err
	}
	defer m.close()
	report := manifest.Validate(m.data, o.checks(m))
	report.File = m.name
	return &validateResult{File: m.name, OK: report.OK(), Report: report, source: m.data}, nil
}

func (o validateOptions) checks(m *manifestSource) manifest.Checks {
	if o.schemaOnly {
		return manifest.Checks{SchemaOnly: true}
	}
	return manifest.Checks{Files: m.files}
}

// finish shows the findings; document is what --json writes.
func (o validateOptions) finish(a *app, document any, res *validateResult) error {
	err := a.show(document, func() {
		res.Render(a.out, res.source, a.out.Color)
		fixable := slices.ContainsFunc(res.Findings, func(f manifest.Finding) bool { return f.Fixable })
		if fixable && !o.fix && !isBundle(o.path) {
			a.out.Printf("%s satchel validate --fix mends some of this; with --diff it only shows how\n", a.out.Faint("hint:"))
		}
		if res.OK {
			a.out.Printf("%s %s is valid\n", a.out.Green("ok:"), term.VisibleLine(res.File))
		}
	})
	if err != nil || res.OK {
		return err
	}
	return a.invalid(res.Report)
}

// invalid ends a command whose findings were shown: it prints how many there are and gives the problem.
func (a *app) invalid(r *manifest.Report) error {
	counts := map[manifest.Severity]int{}
	for _, f := range r.Findings {
		counts[f.Severity]++
	}
	if !a.json {
		a.err.Printf("%s %s is not valid: %d errors, %d warnings\n", a.err.Red("error:"), term.VisibleLine(r.File), counts[manifest.Error], counts[manifest.Warning])
		a.err.Printf("  %s docs/manifest-rules.md\n", a.err.Faint("rules:"))
	}
	return errors.Join(r.Err(), errShown)
}

// A manifestSource is a manifest's bytes and the files beside it.
type manifestSource struct {
	name  string
	data  []byte
	files fs.FS
	close func() error
}

// openManifest reads the manifest of a manifest file, a folder or a bundle. A link is followed inside its folder only:
// the folder may be somebody else's, and what is outside of it is not to be shown.
func openManifest(path string) (*manifestSource, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil && !isLink(path):
		return nil, notFound(path, err)
	case err == nil && info.IsDir():
		return manifestIn(path, "manifest.json")
	case !isBundle(path):
		return manifestIn(filepath.Dir(path), filepath.Base(path))
	}
	b, err := mcpb.Open(path, mcpb.Limits{})
	if err != nil {
		return nil, err
	}
	data, err := b.Manifest()
	if err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return &manifestSource{name: path + "/manifest.json", data: data, files: b.FS(), close: b.Close}, nil
}

func isLink(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.Mode()&fs.ModeSymlink != 0
}

// manifestIn reads a manifest in a folder, whose other files it shows as well.
func manifestIn(dir, name string) (*manifestSource, error) {
	data, err := mcpb.ReadFile(dir, name, manifest.MaxSize)
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, notFound(dir, err)
	}
	return &manifestSource{name: filepath.Join(dir, name), data: data, files: root.FS(), close: root.Close}, nil
}

// notFound is about a file or folder that a person named.
func notFound(path string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return problem.New(problem.NotFound, "cli/file", "there is no such file or folder").At(path).Try("%s", spell.Hint(path))
	}
	return problem.New(problem.Failed, "cli/file", "cannot be read").At(path).Because(err).Try("look at its permissions")
}
