package cli

import (
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"satchel/internal/term"
	"satchel/mcpb"
)

type unpackOptions struct{ bundle, dir string }

type unpackResult struct {
	Dir string `json:"dir"`
	mcpb.Tree
}

func newUnpack(a *app) *cobra.Command {
	var o unpackOptions
	return &cobra.Command{
		Use:     "unpack FILE [DIR]",
		GroupID: "author",
		Short:   "Unpack a bundle into a new folder",
		Long: `Unpacks a bundle into DIR (default: the bundle's name without its ending, in this folder).

DIR must not exist or be empty: nothing is ever overwritten. A bundle that breaks a rule is refused before anything is
written; after any failure nothing is left behind.`,
		Example:     "  satchel unpack my-extension.mcpb\n  satchel unpack my-extension.mcpb /tmp/look",
		Args:        wantArgs(1, 2),
		Annotations: exits("1 failed, 2 usage, 3 not a valid bundle, 6 not found, 9 malformed signature"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.bundle, o.dir = args[0], defaultDir(args[0])
			if len(args) == 2 {
				o.dir = args[1]
			}
			res, err := o.run(cmd, a)
			if err != nil {
				return err
			}
			return a.show(res, func() { o.print(a, res) })
		},
	}
}

// defaultDir is the name of the bundle without its ending.
func defaultDir(bundle string) string {
	base := filepath.Base(bundle)
	if stem := strings.TrimSuffix(base, filepath.Ext(base)); stem != "" && stem != base {
		return stem
	}
	return base + ".unpacked"
}

func (o unpackOptions) run(cmd *cobra.Command, a *app) (*unpackResult, error) {
	b, err := mcpb.Open(o.bundle, mcpb.Limits{})
	if err != nil {
		return nil, err
	}
	defer b.Close()
	bar := a.progress("unpacking")
	defer bar.Done()
	tree, err := b.Extract(cmd.Context(), o.dir, mcpb.ExtractOptions{Progress: bar.Set})
	if err != nil {
		return nil, err
	}
	return &unpackResult{Dir: o.dir, Tree: *tree}, nil
}

func (o unpackOptions) print(a *app, res *unpackResult) {
	a.out.Printf("unpacked %d files (%s) into %s\n", res.Files, term.Bytes(res.Bytes), term.VisibleLine(res.Dir))
}
