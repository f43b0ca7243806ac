package cli

import (
	"github.com/spf13/cobra"

	"satchel/internal/atomicfile"
	"satchel/internal/problem"
	"satchel/internal/term"
	"satchel/mcpb/manifest"
)

type schemaOptions struct {
	version, out string
	loose        bool
}

type schemaResult struct {
	Out     string `json:"out"`
	Version string `json:"version,omitempty"` // empty: of all versions
	Loose   bool   `json:"loose"`
	text    []byte
}

func newSchema(a *app) *cobra.Command {
	var o schemaOptions
	cmd := &cobra.Command{
		Use:     "schema [VERSION]",
		GroupID: "author",
		Short:   "Write the JSON Schema of manifests, for editors",
		Long: `Writes the JSON Schema (draft 2020-12) of manifests of a version: 0.1, 0.2, 0.3 or 0.4. Without VERSION the schema
takes manifests of every version, each by its own rules. It says what validate --schema-only says, while you type.

To see it in an editor, write it beside your manifest, with --out manifest.schema.json, and either begin the manifest
with "$schema": "./manifest.schema.json", or keep the manifest as it is and tell VS Code, in .vscode/settings.json:

  "json.schemas": [{"fileMatch": ["manifest.json"], "url": "./manifest.schema.json"}]

With --loose, unknown keys pass, as with hosts that install a bundle.`,
		Example:     "  satchel schema --out manifest.schema.json\n  satchel schema 0.3\n  satchel schema 0.4 --loose",
		Args:        wantArgs(0, 1),
		Annotations: exits("1 failed, 2 usage"),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 1 {
				o.version = args[0]
			}
			res, err := o.run()
			if err != nil {
				return err
			}
			return o.print(a, res)
		},
	}
	cmd.Flags().BoolVar(&o.loose, "loose", false, "let unknown keys pass")
	cmd.Flags().StringVar(&o.out, "out", "", "write it into this file")
	return cmd
}

func (o schemaOptions) run() (*schemaResult, error) {
	text, err := manifest.JSONSchema(o.version, o.loose)
	if err != nil {
		return nil, err
	}
	if o.out != "" {
		if err := atomicfile.Write(o.out, text, 0o644); err != nil {
			return nil, problem.New(problem.Failed, "schema/write", "cannot be written").At(o.out).Because(err)
		}
	}
	return &schemaResult{o.out, o.version, o.loose, text}, nil
}

// print writes the schema itself, which is JSON with --json and without.
func (o schemaOptions) print(a *app, res *schemaResult) error {
	if o.out == "" {
		_, err := a.out.Write(res.text)
		return err
	}
	return a.show(res, func() { a.out.Printf("%s\n", term.VisibleLine(res.Out)) })
}
