package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"satchel/internal/term"
	"satchel/mcpb"
	"satchel/mcpb/manifest"
	"satchel/mcpb/signature"
)

type infoOptions struct {
	bundle string
	files  bool
	check  bool
}

type infoResult struct {
	File          string             `json:"file"`
	Size          int64              `json:"size"`          // bytes of the bundle as published
	Unpacked      int64              `json:"unpacked"`      // bytes of all files
	Digest        string             `json:"digest"`        // of the file as published
	ContentDigest string             `json:"contentDigest"` // of the file without its signature block
	Signature     string             `json:"signature"`     // the status, as in verify
	Verification  *signature.Report  `json:"verification"`
	Signatures    int                `json:"signatures"` // blocks: signing a signed bundle adds one
	Comment       string             `json:"comment,omitempty"`
	FileCount     int                `json:"fileCount"`
	Manifest      *manifest.Manifest `json:"manifest"`
	Valid         bool               `json:"valid"`   // the manifest
	Checked       bool               `json:"checked"` // the content of every file is as declared
	Findings      []manifest.Finding `json:"findings"`
	Files         []mcpb.File        `json:"files,omitempty"`
}

func newInfo(a *app) *cobra.Command {
	var o infoOptions
	cmd := &cobra.Command{
		Use:     "info FILE",
		GroupID: "author",
		Short:   "Show what is in a bundle",
		Long: `Shows a bundle's manifest, files, sizes and digests. Nothing of the bundle is written or run.

The archive's directory and the manifest are always checked, the content of the files (sizes, checksums) only with
--check: it reads all of it. Unpacking and installing check it on the way, and leave nothing behind when it is wrong.`,
		Example: "  satchel info my-extension.mcpb\n  satchel info my-extension.mcpb --files\n  satchel info my-extension.mcpb --json\n  satchel info my-extension.mcpb --check",
		Args:    wantArgs(1, 1), Annotations: exits("1 failed, 2 usage, 3 not a valid bundle, 6 not found, 9 malformed signature"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.bundle = args[0]
			res, err := o.run(cmd.Context(), a)
			if err != nil {
				return err
			}
			return a.show(res, func() { o.print(a, res) })
		},
	}
	cmd.Flags().BoolVar(&o.files, "files", false, "list every file with mode and size")
	cmd.Flags().BoolVar(&o.check, "check", false, "read the content of every file and hold it to what is declared")
	return cmd
}

func (o infoOptions) run(ctx context.Context, a *app) (*infoResult, error) {
	b, err := mcpb.Open(o.bundle, mcpb.Limits{})
	if err != nil {
		return nil, err
	}
	defer b.Close()
	data, err := b.Manifest()
	if err != nil {
		return nil, err
	}
	m, loose, err := manifest.Parse(data)
	if err != nil {
		loose.File = o.bundle + "/manifest.json"
		return nil, loose.Err()
	}
	if o.check {
		if err := b.Check(ctx); err != nil {
			return nil, err
		}
	}
	report := manifest.Validate(data, manifest.Checks{Files: b.FS()})
	res := &infoResult{File: o.bundle, Manifest: m, Valid: report.OK(), Checked: o.check, Findings: report.Findings, FileCount: len(b.Files())}
	res.Signatures, res.Comment = b.Signatures(), string(b.Comment())
	if res.Verification, err = a.verify(b); err != nil {
		return nil, err
	}
	res.Signature = string(res.Verification.Status)
	for _, f := range b.Files() {
		res.Unpacked += f.Size
	}
	if o.files {
		res.Files = b.Files()
	}
	res.Size = b.Size()
	res.Digest, res.ContentDigest, err = b.Digests()
	return res, err
}

func (o infoOptions) print(a *app, res *infoResult) {
	m := res.Manifest
	line := func(label, value string) {
		if value != "" {
			a.out.Printf("%-15s %s\n", label, term.VisibleLine(value))
		}
	}
	a.out.Println(a.out.Bold(term.VisibleLine(displayName(m)) + " " + term.VisibleLine(m.Version)))
	line("", m.Description)
	line("name", m.Name)
	line("author", m.Author.Name+" (self-declared)")
	line("license", m.License)
	line("homepage", m.Homepage)
	line("server", m.Server.Type+", "+m.Server.EntryPoint)
	line("tools", countOf(len(m.Tools), "declared", m.ToolsGenerated))
	line("prompts", countOf(len(m.Prompts), "declared", m.PromptsGenerated))
	line("questions", countOf(len(m.UserConfig), "to answer at install", false))
	line("files", fmt.Sprintf("%d, %s unpacked, %s packed", res.FileCount, term.Bytes(res.Unpacked), term.Bytes(res.Size)))
	line("content", map[bool]string{true: "as declared", false: "not read (--check reads it)"}[res.Checked])
	line("signature", res.Verification.Line())
	line("comment", res.Comment)
	line("digest", res.Digest)
	line("content digest", res.ContentDigest)
	if !res.Valid {
		a.out.Printf("%s the manifest is not valid: satchel validate %s\n", a.out.Yellow("warning:"), term.VisibleLine(res.File))
	}
	for _, f := range res.Files {
		a.out.Printf("%s %10d  %s\n", f.Mode, f.Size, term.VisibleLine(f.Name))
	}
}

// verify judges a bundle's signature by what the user trusts; that does not matter for an unsigned one.
func (a *app) verify(b *mcpb.Bundle) (*signature.Report, error) {
	var t signature.Trust
	if b.Signatures() > 0 {
		var err error
		if t, err = a.trust(); err != nil {
			return nil, err
		}
	}
	return b.Verify(t, time.Now())
}

func displayName(m *manifest.Manifest) string {
	if m.DisplayName != "" {
		return m.DisplayName
	}
	return m.Name
}

func countOf(n int, what string, more bool) string {
	switch {
	case n == 0 && more:
		return "made when it runs"
	case n == 0:
		return "none"
	case more:
		return fmt.Sprintf("%d %s, more when it runs", n, what)
	}
	return fmt.Sprintf("%d %s", n, what)
}
