package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"satchel/internal/bundlediff"
	"satchel/internal/spec"
	"satchel/internal/term"
)

type diffOptions struct {
	a, b     string
	text     string
	exitCode bool
}

type diffResult struct {
	*bundlediff.Difference
	Text *diffText `json:"text,omitempty"`
}

// A diffText is the comparison of one text file.
type diffText struct {
	File string `json:"file"`
	Diff string `json:"diff"` // unified; empty when the texts are the same
}

func newDiff(a *app) *cobra.Command {
	var o diffOptions
	cmd := &cobra.Command{
		Use:     "diff A B",
		GroupID: "author",
		Short:   "Show what differs between two bundles or folders",
		Long: `Shows what differs between two versions of an extension, the risks first: what it may do, its tools and prompts, the
rest of the manifest, its files and who signed it. A is the older one, B the newer one; each is a bundle, or a folder as
satchel pack would pack it. Nothing is written or run.

With --text, one text file of both is compared line by line.`,
		Example: "  satchel diff notes-1.0.mcpb notes-1.1.mcpb\n  satchel diff notes-1.0.mcpb ./notes --exit-code\n" +
			"  satchel diff notes-1.0.mcpb notes-1.1.mcpb --text server/index.js",
		Args:        wantArgs(2, 2),
		Annotations: exits("1 different, with --exit-code, or failed, 2 usage, 3 not a valid bundle, 6 not found, 9 malformed signature"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.a, o.b = args[0], args[1]
			res, err := o.run(cmd.Context(), a)
			if err != nil {
				return err
			}
			if o.exitCode && res.differs() {
				a.code = 1
			}
			return a.show(res.document(), func() { o.print(a, res) })
		},
	}
	cmd.Flags().StringVar(&o.text, "text", "", "compare only this text file, line by line")
	cmd.Flags().BoolVar(&o.exitCode, "exit-code", false, "exit with 1 when something differs")
	return cmd
}

func (o diffOptions) run(ctx context.Context, a *app) (res *diffResult, err error) {
	trusted, err := a.trust()
	if err != nil {
		return nil, err
	}
	before, err := bundlediff.Open(o.a, trusted, time.Now())
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, before.Close()) }()
	after, err := bundlediff.Open(o.b, trusted, time.Now())
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, after.Close()) }()
	if o.text != "" {
		x, y, err := bundlediff.Text(before, after, o.text)
		if err != nil {
			return nil, err
		}
		return &diffResult{Text: &diffText{o.text, unifiedDiff(o.a+"/"+o.text, x, o.b+"/"+o.text, y)}}, nil
	}
	d, err := bundlediff.Compare(ctx, before, after)
	return &diffResult{Difference: d}, err
}

func (r *diffResult) differs() bool {
	if r.Text != nil {
		return r.Text.Diff != ""
	}
	return !r.Same
}

func (r *diffResult) document() any {
	if r.Text != nil {
		return r.Text
	}
	return r.Difference
}

func (o diffOptions) print(a *app, res *diffResult) {
	if res.Text != nil {
		a.printDiff(res.Text.Diff)
		return
	}
	d := res.Difference
	a.out.Println(a.out.Bold(term.VisibleLine(d.B.Name + " " + arrow(d.A.Version, d.B.Version))))
	for _, r := range d.Risks {
		mark := a.out.Yellow("  ! ")
		if r.Level == spec.High {
			mark = a.out.Red("  ! ")
		}
		a.out.Printf("%s%s\n", mark, term.VisibleLine(r.Text))
	}
	if d.Same {
		a.out.Println("  the same: files, modes and manifest")
	}
	a.out.Printf("  %-10s %s\n", "files", arrow(filesText(d.A), filesText(d.B)))
	a.out.Printf("  %-10s %s\n", "signature", term.VisibleLine(arrow(signedBy(d.A), signedBy(d.B))))
	for _, s := range []struct {
		topic bundlediff.Topic
		title string
	}{
		{bundlediff.Permissions, "what it may do"}, {bundlediff.Tools, "tools"}, {bundlediff.Prompts, "prompts"}, {bundlediff.Texts, "the rest of the manifest"},
	} {
		o.printFields(a, s.title, s.topic, d.Manifest)
	}
	o.printFiles(a, d.Files)
}

// arrow shows a value that may have changed.
func arrow(before, after string) string {
	if before == after {
		return after
	}
	return before + " -> " + after
}

func filesText(s bundlediff.About) string {
	return fmt.Sprintf("%d (%s)", s.Files, term.Bytes(s.Bytes))
}

func signedBy(s bundlediff.About) string {
	switch {
	case s.Signature == nil:
		return "none, it is a folder"
	case s.Signature.Signer == nil:
		return string(s.Signature.Status)
	}
	return fmt.Sprintf("%s, %s (%s)", s.Signature.Status, s.Signature.Signer.Subject, s.Signature.Fingerprint)
}

// maxShown is how many changes of a kind are shown; --json has all.
const maxShown = 200

func (o diffOptions) printFields(a *app, title string, topic bundlediff.Topic, changes []bundlediff.FieldChange) {
	var lines []string
	for _, c := range changes {
		if c.Topic == topic {
			lines = append(lines, a.mark(c.Kind)+" "+term.VisibleLine(fieldText(c)))
		}
	}
	printChanges(a, title, lines)
}

func fieldText(c bundlediff.FieldChange) string {
	text := c.Path
	if c.Name != "" {
		text += " (" + cut(c.Name, 40) + ")"
	}
	switch c.Kind {
	case bundlediff.Added:
		return text + ": " + valueText(c.After)
	case bundlediff.Removed:
		return text + ": " + valueText(c.Before)
	case bundlediff.Moved:
		return text + ": in another order"
	}
	return text + ": " + valueText(c.Before) + " -> " + valueText(c.After)
}

func valueText(v json.RawMessage) string { return cut(string(v), 300) }

func (o diffOptions) printFiles(a *app, changes []bundlediff.FileChange) {
	var lines []string
	for _, c := range changes {
		text := fmt.Sprintf("%s (%s)", c.Name, arrow(term.Bytes(c.SizeBefore), term.Bytes(c.SizeAfter)))
		switch c.Kind {
		case bundlediff.Moved:
			text = c.From + " -> " + c.Name
		case bundlediff.Added:
			text = fmt.Sprintf("%s (%s)", c.Name, term.Bytes(c.SizeAfter))
		case bundlediff.Removed:
			text = fmt.Sprintf("%s (%s)", c.Name, term.Bytes(c.SizeBefore))
		case bundlediff.Mode:
			text = c.Name
		}
		if c.ModeBefore != "" && c.ModeAfter != "" && c.ModeBefore != c.ModeAfter {
			text += " " + arrow(c.ModeBefore, c.ModeAfter)
		}
		lines = append(lines, a.mark(c.Kind)+" "+term.VisibleLine(text))
	}
	printChanges(a, "files", lines)
}

func printChanges(a *app, title string, lines []string) {
	if len(lines) == 0 {
		return
	}
	a.out.Println(a.out.Bold(title + ":"))
	for _, line := range lines[:min(len(lines), maxShown)] {
		a.out.Println("  " + line)
	}
	if more := len(lines) - maxShown; more > 0 {
		a.out.Printf("  and %d more: --json lists all\n", more)
	}
}

// mark is the sign of a kind of change: + - ~, > for what moved.
func (a *app) mark(k bundlediff.Kind) string {
	switch k {
	case bundlediff.Added:
		return a.out.Green("+")
	case bundlediff.Removed:
		return a.out.Red("-")
	case bundlediff.Moved:
		return ">"
	}
	return "~"
}
