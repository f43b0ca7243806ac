package cli

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"satchel/internal/atomicfile"
	"satchel/internal/cli/form"
	"satchel/internal/host"
	"satchel/internal/problem"
	"satchel/internal/scaffold"
	"satchel/internal/scaffold/detect"
	"satchel/internal/term"
	"satchel/mcpb"
	"satchel/mcpb/manifest"
)

type initOptions struct {
	dir        string
	yes, force bool
	from       bool
	command    []string // what follows --from
	env        []string
	version    string
	template   string
}

type initResult struct {
	Dir         string                `json:"dir"`
	Written     []string              `json:"written"`            // files, relative to dir
	Manifest    *manifest.Manifest    `json:"manifest,omitempty"` // not of a template
	Sources     []detect.Source       `json:"sources"`            // where values come from that were not made up
	Notes       []detect.Note         `json:"notes"`              // what was left out, and why
	Differences []scaffold.Difference `json:"differences"`        // to the manifest that was there
	Warnings    []string              `json:"warnings"`
	Findings    []manifest.Finding    `json:"findings"` // what is to be done before it can be packed
	Next        []string              `json:"next"`     // commands
}

// serveTime is how long a server may take to start and to list what it offers; npx and the like load it first.
const serveTime = 2 * time.Minute

func newInit(a *app) *cobra.Command {
	o := initOptions{dir: "."}
	cmd := &cobra.Command{
		Use:     "init [DIR] [--from COMMAND ARGS...]",
		GroupID: "author",
		Short:   "Begin an extension: its manifest, or a whole project",
		Long: `Writes DIR/manifest.json (default: in this folder). On a terminal it asks; with -y it asks nothing and takes what
package.json, pyproject.toml, go.mod or Cargo.toml say, and defaults for the rest. With ACCESSIBLE=1 it asks line by
line instead of in a form, for screen readers.

--template begins a new project in DIR, new or empty, with a server that works and its test: node (JavaScript and the
official SDK), python (Python alone), uv (Python and the packages that uv brings), go (static programs, official SDK).

--from starts a server that you have, after showing the command: its tools and prompts go into the manifest. All that
follows --from is the command. Paths in it that are below DIR are written so that they hold on every machine; folders
elsewhere, and variables of --env that look like secrets, become questions to the user and are not written down.

A manifest that is there is replaced with --force only: its server, and whatever the project does not say, are kept,
and every value that changes or is lost is shown.`,
		Example: "  satchel init\n  satchel init my-extension -y\n  satchel init my-extension --template node -y\n  satchel init --env API_KEY=abc --from node server/index.js",
		Args: func(cmd *cobra.Command, args []string) error {
			if dash := cmd.ArgsLenAtDash(); o.from && dash >= 0 {
				args = args[:dash] // the rest is the command
			}
			return wantArgs(0, 1)(cmd, args)
		},
		Annotations: exits("1 failed, 2 usage, 3 not valid, 4 not agreed to, 6 not found, 130 interrupted"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.complete(args, cmd.ArgsLenAtDash())
			res, err := o.run(cmd.Context(), a)
			if err != nil {
				return err
			}
			return a.show(res, func() { o.print(a, res) })
		},
	}
	cmd.Flags().BoolVarP(&o.yes, "yes", "y", false, "ask nothing")
	cmd.Flags().BoolVar(&o.force, "force", false, "replace a manifest that is there")
	cmd.Flags().BoolVar(&o.from, "from", false, "start the server that the following command starts, and describe it")
	cmd.Flags().StringArrayVar(&o.env, "env", nil, "a variable for that command, KEY=VALUE (repeatable)")
	cmd.Flags().StringVarP(&o.template, "template", "t", "", "begin a new project: node, python, uv or go")
	cmd.Flags().StringVar(&o.version, "manifest-version", "", "the version of the manifest (default 0.3; 0.4 for uv)")
	return cmd
}

// afterFrom puts "--" behind init's --from, so that the flags of the command that follows are not taken for ours.
func afterFrom(args []string) []string {
	i := slices.Index(args, "--from")
	if i < 1 || !slices.Contains(args[:i], "init") || slices.Contains(args[:i], "--") || i+1 < len(args) && args[i+1] == "--" {
		return args
	}
	return slices.Insert(slices.Clone(args), i+1, "--")
}

func (o *initOptions) complete(args []string, dash int) {
	if dash >= 0 {
		o.command = args[dash:]
		args = args[:dash]
	}
	if len(args) > 0 {
		o.dir = args[0]
	}
}

func (o *initOptions) run(ctx context.Context, a *app) (*initResult, error) {
	if o.template != "" {
		return o.begin(ctx, a)
	}
	if err := o.check(a); err != nil {
		return nil, err
	}
	old, err := o.existing()
	if err != nil {
		return nil, err
	}
	settled := scaffold.Settled{ManifestVersion: o.version, Author: gitAuthor(ctx)}
	draft, err := scaffold.FromProject(o.dir, settled)
	if err != nil {
		return nil, err
	}
	res := newInitResult(o.dir)
	if len(bytes.TrimSpace(old)) > 0 {
		if err := scaffold.Renew(old, draft); err != nil {
			return nil, o.unreadable(err)
		}
	}
	if o.from {
		if err := o.adopt(ctx, a, draft, settled, res); err != nil {
			return nil, err
		}
	}
	if !o.yes {
		m, err := form.Ask(ctx, a.formSettings(), draft.Manifest)
		if err != nil {
			return nil, err
		}
		draft.Manifest, draft.Sources = *m, nil // they are the person's now
	}
	return o.write(draft, old, res)
}

// canAsk tells whether somebody can answer questions.
func (a *app) canAsk() bool { return !a.json && term.Interactive(a.in) }

// formSettings ask at the terminal; what is written to standard output stays for the result.
func (a *app) formSettings() form.Settings {
	return form.Settings{In: a.in, Out: a.err.Writer, Accessible: form.Accessible(a.getenv), Color: a.err.Color}
}

// newInitResult has no null in its JSON form.
func newInitResult(dir string) *initResult {
	return &initResult{
		Dir: dir, Written: []string{"manifest.json"}, Sources: []detect.Source{}, Notes: []detect.Note{}, Warnings: []string{},
		Differences: []scaffold.Difference{}, Findings: []manifest.Finding{},
	}
}

// warn shows warnings when they arise, before a person agrees to anything.
func (r *initResult) warn(a *app, warnings ...string) {
	r.Warnings = append(r.Warnings, warnings...)
	for _, w := range warnings {
		if !a.json {
			a.err.Printf("%s %s\n", a.err.Yellow("warning:"), term.VisibleLine(w))
		}
	}
}

func (o *initOptions) check(a *app) error {
	if len(o.env) > 0 && !o.from {
		return problem.New(problem.Usage, "init/from", "--env is for the command of --from").Try("satchel init --help")
	}
	if !o.yes && !a.canAsk() {
		return problem.New(problem.Usage, "init/terminal", "init asks, and there is no terminal to ask at").Try("%s", o.again("-y"))
	}
	if err := scaffold.KnownVersion(o.version); err != nil {
		return err
	}
	info, err := os.Stat(o.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return problem.New(problem.NotFound, "init/folder", "there is no such folder").At(o.dir).
			Try("%s\nor begin a whole project there: %s", problem.Words("mkdir", "-p", o.dir), problem.Words("satchel", "init", o.dir, "--template", "node"))
	}
	if err != nil {
		return notFound(o.dir, err)
	}
	return o.isFolder(info)
}

// again gives the command line once more, with a flag.
func (o *initOptions) again(flag string) string {
	words := []string{"satchel", "init", o.dir, flag}
	if o.yes {
		words = append(words, "-y")
	}
	if o.force {
		words = append(words, "--force")
	}
	if o.from {
		return problem.Words(words...) + " ... --from ..."
	}
	return problem.Words(words...)
}

func (o *initOptions) isFolder(info fs.FileInfo) error {
	if !info.IsDir() {
		return problem.New(problem.Usage, "init/folder", "is no folder").At(o.dir).Try("satchel init %s", problem.Words(filepath.Dir(o.dir)))
	}
	return nil
}

// existing gives the manifest that is to be replaced, nil when there is none.
func (o *initOptions) existing() ([]byte, error) {
	path := filepath.Join(o.dir, "manifest.json")
	switch _, err := os.Lstat(path); {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, notFound(path, err)
	}
	if !o.force {
		return nil, problem.New(problem.Refused, "init/exists", "is there already").At(path).
			Try("%s\nreplaces it: its server and what the project does not say are kept, and what changes is shown", o.again("--force"))
	}
	return mcpb.ReadFile(o.dir, "manifest.json", manifest.MaxSize)
}

// unreadable refuses to replace a manifest of which nothing could be kept: it may be a comma that is wrong with it.
func (o *initOptions) unreadable(err error) error {
	path := filepath.Join(o.dir, "manifest.json")
	return problem.New(problem.Invalid, "init/exists", "is there already, and nothing of it could be kept, because it cannot be read").At(path).
		Because(err).Try("mend it: %s\nor remove it, and begin anew", problem.Words("satchel", "validate", "--fix", o.dir))
}

// unchanged refuses to replace a manifest that came, or became another one, since it was looked at: the person or the
// server may have taken minutes.
func (o *initOptions) unchanged(old []byte) error {
	now, err := o.existing()
	if err == nil && !bytes.Equal(old, now) {
		err = problem.New(problem.Refused, "init/exists", "has changed meanwhile").At(filepath.Join(o.dir, "manifest.json")).Try("give the same command again")
	}
	return err
}

// gitAuthor is who git says the person is, of the person's own settings only: the folder may be a stranger's.
func gitAuthor(ctx context.Context) string {
	cmd := exec.CommandContext(ctx, "git", "config", "--global", "--get", "user.name")
	cmd.Dir = os.TempDir()
	out, err := cmd.Output()
	if err != nil || len(out) > 200 {
		return ""
	}
	return strings.TrimSpace(string(out))
}

// adopt makes the command of --from the manifest's, starts it as the manifest says, and takes over what it serves.
func (o *initOptions) adopt(ctx context.Context, a *app, d *scaffold.Draft, settled scaffold.Settled, res *initResult) error {
	started, err := o.started()
	if err != nil {
		return err
	}
	adopted, err := d.Adopt(started, settled)
	if err != nil {
		return err
	}
	res.warn(a, adopted.Warnings...)
	h, err := a.host()
	if err != nil {
		return err
	}
	trial, err := h.TryFolder(started.Dir, &d.Manifest, host.Tries{Answers: adopted.Answers, NoSandbox: true}) // the author typed the command
	if err != nil {
		return err
	}
	defer trial.Close()
	if !a.json {
		trial.Review.Render(a.err, a.err.Color)
	}
	if !o.yes {
		ok, err := a.confirm(ctx, agreement{"Start it to see what it offers?", true})
		if err != nil {
			return err
		}
		if !ok {
			return problem.New(problem.Refused, "cli/agree", "not agreed to; nothing was written").At(o.dir)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, serveTime)
	defer cancel()
	served, err := trial.Serve(ctx)
	if err != nil {
		return err
	}
	d.Serves(served.Name, served.Version, servedTools(served), servedPrompts(served))
	return nil
}

func (o *initOptions) started() (s scaffold.Started, err error) {
	s = scaffold.Started{Argv: o.command, Env: map[string]string{}}
	if len(o.command) > 0 && strings.HasPrefix(o.command[0], "-") {
		return s, problem.New(problem.Usage, "init/from", "%q is no command: all that follows --from is one, and flags of init stand before", o.command[0]).Try("satchel init --env KEY=VALUE --from ...")
	}
	for _, pair := range o.env {
		key, value, ok := strings.Cut(pair, "=")
		if !ok || key == "" {
			return s, problem.New(problem.Usage, "init/from", "--env %q is not KEY=VALUE", pair).Try("satchel init --env KEY=VALUE --from ...")
		}
		s.Env[key] = value
	}
	if s.Cwd, err = os.Getwd(); err == nil {
		s.Dir, err = filepath.Abs(o.dir)
	}
	return s, err
}

func servedTools(s *host.Served) (list []manifest.Tool) {
	for _, t := range s.Tools {
		list = append(list, manifest.Tool{Name: t.Name, Description: t.Description})
	}
	return list
}

func servedPrompts(s *host.Served) (list []manifest.Prompt) {
	for _, p := range s.Prompts {
		list = append(list, manifest.Prompt{Name: p.Name, Description: p.Description, Arguments: p.Arguments})
	}
	return list
}

// write checks the manifest and writes it. That files are not there yet keeps nothing from being written.
func (o *initOptions) write(d *scaffold.Draft, old []byte, res *initResult) (*initResult, error) {
	data, err := scaffold.Render(&d.Manifest)
	if err != nil {
		return nil, err
	}
	report := manifest.Validate(data, manifest.Checks{})
	if report.File = filepath.Join(o.dir, "manifest.json"); report.Err() != nil {
		return nil, report.Err()
	}
	if err := o.unchanged(old); err != nil {
		return nil, err
	}
	if err := atomicfile.Write(report.File, data, 0o644); err != nil {
		return nil, problem.New(problem.Failed, "init/write", "cannot be written").At(report.File).Because(err)
	}
	res.Manifest, res.Sources = &d.Manifest, append(res.Sources, d.Sources...)
	res.Notes = append(res.Notes, d.Notes...)
	res.Differences = append(res.Differences, scaffold.Differences(old, data)...)
	res.Findings = manifest.Validate(data, manifest.Checks{Files: os.DirFS(o.dir)}).Findings
	abs, err := filepath.Abs(o.dir)
	res.Next = nextCommands(o.dir, filepath.Base(abs))
	return res, err
}

// nextCommands are what an author types next; folder is the last element of dir's absolute path.
func nextCommands(dir, folder string) []string {
	line := func(words ...string) string { return "satchel " + problem.Words(words...) }
	return []string{line("validate", dir), line("lint", dir), line("pack", dir), line("install", folder+".mcpb")}
}

func (o *initOptions) print(a *app, res *initResult) {
	for _, n := range res.Notes {
		a.err.Printf("%s %s %s\n", a.err.Yellow("note:"), term.VisibleLine(n.From), term.VisibleLine(n.Text))
	}
	for _, s := range res.Sources {
		a.out.Printf("%s\t%s\n", s.Field, a.out.Faint(term.VisibleLine(s.From)))
	}
	for _, d := range res.Differences {
		if d.New == "" {
			a.out.Printf("%s %s: %s\n", a.out.Red("lost:"), term.VisibleLine(d.Path), term.VisibleLine(d.Old))
		} else {
			a.out.Printf("%s %s: %s -> %s\n", a.out.Yellow("changed:"), term.VisibleLine(d.Path), term.VisibleLine(d.Old), term.VisibleLine(d.New))
		}
	}
	for _, file := range res.Written {
		a.out.Printf("%s %s\n", a.out.Green("wrote"), term.VisibleLine(filepath.Join(res.Dir, file)))
	}
	for _, f := range res.Findings {
		if f.Severity != manifest.Hint {
			a.out.Printf("%s %s %s\n", a.out.Yellow("to do:"), term.VisibleLine(f.Path), term.VisibleLine(f.Message))
		}
	}
	for i, line := range res.Next {
		a.out.Printf("%s %s\n", a.out.Faint([]string{"next:", "     "}[min(i, 1)]), term.VisibleLine(line))
	}
}
