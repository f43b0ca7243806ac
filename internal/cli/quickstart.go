package cli

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/spf13/cobra"

	"satchel/internal/host"
	"satchel/internal/problem"
	"satchel/internal/sample"
	"satchel/internal/term"
	"satchel/mcpb"
)

type quickstartOptions struct{ keep bool }

type quickstartStep struct {
	Name string `json:"name"`
	MS   int64  `json:"ms"`
	Gave string `json:"gave"`
}

type quickstartResult struct {
	Steps  []quickstartStep `json:"steps"`
	Answer string           `json:"answer"`
	Kept   string           `json:"kept,omitempty"` // the id of the extension that stays installed
}

func newQuickstart(a *app) *cobra.Command {
	var o quickstartOptions
	cmd := &cobra.Command{
		Use:     "quickstart",
		GroupID: "user",
		Short:   "Pack, review, install and call a sample extension, in seconds",
		Long: `Shows the whole way of an extension on a sample that ships with this program: packs it, shows the review, installs it,
starts it, lists its tools, calls one and prints the answer. Nothing is downloaded; it all happens in a temporary home
that is removed again, unless --keep installs the sample for real.`,
		Example:     "  satchel quickstart\n  satchel quickstart --keep\n  satchel quickstart --json",
		Args:        wantArgs(0, 0),
		Annotations: exits("1 failed, 2 usage"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			tmp, err := os.MkdirTemp("", "satchel-quickstart-")
			if err != nil {
				return noTemporary(err)
			}
			defer os.RemoveAll(tmp)
			res, err := o.run(cmd.Context(), a, tmp)
			if err != nil {
				return err
			}
			return a.show(res, func() { o.print(a, res) })
		},
	}
	cmd.Flags().BoolVar(&o.keep, "keep", false, "leave the sample installed in your own home")
	return cmd
}

// A tour carries what one step of quickstart hands to the next.
type tour struct {
	app    *app
	ctx    context.Context
	tmp    string
	bundle string
	folder string
	host   *host.Host
	ext    host.Extension
	res    quickstartResult
}

func (o quickstartOptions) run(ctx context.Context, a *app, tmp string) (*quickstartResult, error) {
	t := &tour{app: a, ctx: ctx, tmp: tmp, bundle: filepath.Join(tmp, "notes.mcpb"), folder: filepath.Join(tmp, "notes")}
	if err := t.open(o.keep); err != nil {
		return nil, err
	}
	for _, step := range []struct {
		name string
		do   func() (string, error)
	}{
		{"pack a folder into one file", t.pack},
		{"review it, agree, install it", t.install},
		{"start it and list its tools", t.tools},
		{"call a tool", t.call},
	} {
		if !a.json {
			a.out.Printf("%s %s\n", a.out.Bold("==>"), step.name)
		}
		start := time.Now()
		gave, err := step.do()
		if err != nil {
			return nil, err
		}
		t.res.Steps = append(t.res.Steps, quickstartStep{step.name, time.Since(start).Milliseconds(), gave})
		if !a.json {
			a.out.Printf("%s\n\n", gave)
		}
	}
	if o.keep {
		t.res.Kept = t.ext.ID
	}
	return &t.res, nil
}

// open opens the host in a temporary home, or in the person's own when the sample is to stay.
func (t *tour) open(keep bool) (err error) {
	getenv := t.app.getenv
	if keep {
		if home, err := os.UserHomeDir(); err == nil {
			t.folder = filepath.Join(home, "satchel-notes")
		}
	} else {
		home := filepath.Join(t.tmp, "home")
		if err := os.Mkdir(home, 0o700); err != nil {
			return noTemporary(err)
		}
		getenv = func(key string) string {
			if key == "SATCHEL_HOME" {
				return home
			}
			return t.app.getenv(key)
		}
	}
	if err := os.MkdirAll(t.folder, 0o700); err != nil {
		return problem.New(problem.Failed, "quickstart/folder", "the folder for the notes cannot be made").At(t.folder).Because(err).
			Try("see what is in its place, or do without --keep")
	}
	t.host, err = host.Open(getenv)
	return err
}

func noTemporary(err error) error {
	return problem.New(problem.Failed, "quickstart/temporary", "the temporary folder cannot be made or written to").Because(err).
		Try("set TMPDIR to a folder that you may write to, with space")
}

func (t *tour) pack() (string, error) {
	exe, err := os.Executable()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(t.tmp, "sample")
	if err := errors.Join(os.Mkdir(dir, 0o755), sample.Write(dir, exe)); err != nil {
		return "", noTemporary(err)
	}
	rep, err := mcpb.PackFile(t.ctx, dir, t.bundle, mcpb.PackOptions{Entry: "server/satchel-notes"})
	if err != nil {
		return "", err
	}
	return "notes.mcpb: " + term.Bytes(rep.BytesIn) + " -> " + term.Bytes(rep.Size) + ", " + rep.Digest, nil
}

func (t *tour) install() (string, error) {
	cand, err := t.host.Inspect(t.ctx, t.bundle, []string{"folder=" + t.folder}, host.Terms{})
	if err != nil {
		return "", err
	}
	defer cand.Close()
	if !t.app.json {
		cand.Review.Render(t.app.out, t.app.out.Color)
	}
	done, err := t.host.Install(t.ctx, cand, nil)
	if err != nil {
		return "", err
	}
	t.ext = done.Extension
	return "installed " + t.ext.ID + " " + t.ext.Version + " (quickstart agrees for you; install asks)", nil
}

func (t *tour) tools() (string, error) {
	_, tools, err := t.host.Tools(t.ctx, t.ext.ID)
	if err != nil {
		return "", err
	}
	var names string
	for i, tool := range tools {
		if i > 0 {
			names += ", "
		}
		names += tool.Name
	}
	return names, nil
}

func (t *tour) call() (string, error) {
	args := json.RawMessage(`{"title": "First note", "text": "An extension that I installed wrote this."}`)
	res, err := t.host.Call(t.ctx, t.ext.ID, "save_note", args)
	if err != nil {
		return "", err
	}
	text, ok := res.Content[0].(*mcp.TextContent)
	if res.IsError || !ok {
		return "", problem.New(problem.Failed, "quickstart/call", "the sample did not answer as it should")
	}
	t.res.Answer = text.Text
	return "save_note answered: " + t.app.out.Green(text.Text), nil
}

func (o quickstartOptions) print(a *app, res *quickstartResult) {
	a.out.Println(a.out.Bold("What next"))
	if res.Kept != "" {
		a.out.Println("  satchel call notes list_notes\n  claude mcp add notes -- satchel run notes\n  satchel uninstall notes")
		return
	}
	a.out.Println("  satchel quickstart --keep          the same, and it stays installed")
	a.out.Println("  satchel validate DIR               check an extension of your own")
	a.out.Println("  satchel pack DIR                   make a bundle of it")
	a.out.Println("  satchel install FILE               install a bundle")
}
