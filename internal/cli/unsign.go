package cli

import (
	"context"

	"github.com/spf13/cobra"

	"satchel/internal/term"
	"satchel/mcpb"
)

type unsignOptions struct {
	bundle, out string
	all         bool
}

// An unsignResult is the JSON document of unsign.
type unsignResult struct {
	File    string `json:"file"`
	Removed int    `json:"removed"` // blocks
	Left    int    `json:"left"`
}

func newUnsign(a *app) *cobra.Command {
	var o unsignOptions
	cmd := &cobra.Command{
		Use:     "unsign FILE",
		GroupID: "author",
		Short:   "Take the signature out of a bundle",
		Long: `Takes the outermost signature out of a bundle, whoever made it, and gives back exactly the bytes that were there before.
A bundle that was signed several times has signatures one around the other; --all takes out all of them.`,
		Example:     "  satchel unsign my.mcpb\n  satchel unsign my.mcpb --all --out unsigned.mcpb",
		Args:        wantArgs(1, 1),
		Annotations: exits("1 failed, 2 usage, 3 not a valid bundle, 6 not found, 8 not signed, 9 malformed signature"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.bundle = args[0]
			if err := noEmptyFlags(cmd, "out"); err != nil {
				return err
			}
			res, err := o.run(cmd.Context())
			if err != nil {
				return err
			}
			return a.show(res, func() { o.print(a, res) })
		},
	}
	cmd.Flags().StringVarP(&o.out, "out", "o", "", "write to this file, not over FILE")
	cmd.Flags().BoolVar(&o.all, "all", false, "take out all signatures")
	return cmd
}

func (o unsignOptions) run(ctx context.Context) (*unsignResult, error) {
	b, err := mcpb.Open(o.bundle, mcpb.Limits{})
	if err != nil {
		return nil, err
	}
	defer b.Close()
	if o.out == "" {
		o.out = o.bundle
	}
	res := &unsignResult{File: o.out, Removed: 1, Left: b.Signatures() - 1}
	if o.all {
		res.Removed, res.Left = b.Signatures(), 0
	}
	if err := b.Unsign(ctx, o.out, o.all); err != nil {
		return nil, err
	}
	return res, nil
}

func (o unsignOptions) print(a *app, res *unsignResult) {
	a.out.Printf("%s %s\n", a.out.Green("unsigned"), term.VisibleLine(res.File))
	if res.Left > 0 {
		a.out.Printf("  %d more signatures are inside: satchel unsign %s --all\n", res.Left, word(res.File))
	}
}
