// Package cli is the command line: one file per command, each of the same four parts: options, flags, run, print.
//
// [Main] is all of it for package main. A command's run gives a result value or an error and writes nothing; printing
// is apart, so that --json and text show the same. The package and internal/term are the only ones that write to the
// terminal. Exit codes are those of package problem.
package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"satchel/internal/host"
	"satchel/internal/problem"
	"satchel/internal/procgroup"
	"satchel/internal/sample"
	"satchel/internal/term"
)

// An app is what every command works with: the streams, the environment, and the flags that all commands share.
type app struct {
	in     io.Reader
	out    *term.Out
	err    *term.Out
	getenv func(string) string
	json   bool
	code   int // the exit code of a command that ends well without being done, such as a server's own
}

// Main runs the command line args (without the program's name) and gives the exit code.
func Main(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if procgroup.IsWatcher(args) {
		return procgroup.WatchMain(args)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if len(args) > 0 && args[0] == sample.Mode {
		return serveSample(ctx, args[1:], stderr)
	}
	a := &app{in: stdin, out: term.New(stdout, os.Getenv), err: term.New(stderr, os.Getenv), getenv: os.Getenv}
	root := newRoot(a)
	args = afterFrom(args)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if lost := a.out.Err(); lost != nil && (err == nil || errors.Is(err, lost)) {
		return a.lost(lost)
	}
	if err != nil {
		a.json = a.json || asksJSON(args)
		a.fail(err)
		return problem.ExitCode(err)
	}
	return a.code
}

// asksJSON looks for --json in arguments that could not be read to their end.
func asksJSON(args []string) bool {
	i := slices.Index(args, "--json")
	end := slices.Index(args, "--")
	return i >= 0 && (end < 0 || i < end)
}

// lost ends a command whose output could not be written. A reader that went away, as head does, wanted no more: on Unix
// a program whose standard output it was is ended by SIGPIPE before it comes to this.
func (a *app) lost(err error) int {
	if !errors.Is(err, syscall.EPIPE) {
		a.json = false // a document would be lost too
		a.fail(problem.New(problem.Failed, "cli/output", "the output cannot be written").Because(err).Try("look at the disk or the program that reads it, then give the same command again"))
	}
	return problem.Failed.Exit()
}

// isOwnMode tells whether the program was started by itself, for a part of its own work.
func isOwnMode(args []string) bool {
	return procgroup.IsWatcher(args) || len(args) > 0 && args[0] == sample.Mode
}

func serveSample(ctx context.Context, args []string, stderr io.Writer) int {
	if err := sample.Serve(ctx, args); err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(stderr, "sample server:", err)
		return 1
	}
	return 0
}

func newRoot(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:     "satchel",
		Version: Version,
		Short:   "Packs, checks, installs and runs desktop extensions",
		Long: `Satchel packs, checks, installs and runs desktop extensions: MCP servers in one file (.mcpb, formerly .dxt).

Try it:     satchel quickstart
Authors:    satchel init, validate, lint, pack, unpack, info, clean, dev
Users:      satchel install, list, show, run, tools, call, uninstall`,
		Example:       "  satchel quickstart\n  satchel pack ./my-extension\n  satchel install my-extension.mcpb",
		SilenceErrors: true,
		SilenceUsage:  true,

		SuggestionsMinimumDistance: 2,

		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error { return unknownCommand(cmd, args) },
	}
	root.SetVersionTemplate("satchel {{.Version}}\n")
	root.SetOut(a.out)
	root.SetErr(a.err)
	root.PersistentFlags().BoolVar(&a.json, "json", false, "write one JSON document instead of text (docs/json.md)")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return problem.New(problem.Usage, "cli/flags", "%v", err).Try("%s --help", cmd.CommandPath())
	})
	root.AddGroup(&cobra.Group{ID: "author", Title: "For authors:"}, &cobra.Group{ID: "user", Title: "For users:"})
	root.AddCommand(
		newInit(a), newSkill(a),
		newValidate(a), newSchema(a), newLint(a), newPack(a), newUnpack(a), newInfo(a), newDiff(a), newClean(a), newDropin(a),
		newDev(a),
		newQuickstart(a), newInstall(a), newList(a), newShow(a), newRun(a), newTools(a), newCall(a), newConfigure(a), newUninstall(a),
		newSign(a), newVerify(a), newUnsign(a), newTrust(a),
		newPermissions(a), newActivity(a), newLearn(a), newDoctor(a), newVersion(a), newCompletion(a),
	)
	root.SetHelpCommand(newHelp())
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetUsageTemplate(root.UsageTemplate() + exitTemplate)
	return root
}

// exitTemplate ends a command's help with the exit codes that it can give.
const exitTemplate = `{{with .Annotations.exits}}
Exit codes: {{.}}
{{end}}`

// exits is the annotation with the exit codes of a command, shown at the end of its help.
func exits(codes string) map[string]string { return map[string]string{"exits": "0 done, " + codes} }

func unknownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return cmd.Help()
	}
	p := problem.New(problem.Usage, "cli/command", "there is no command %q", args[0]).Try("%s --help", cmd.CommandPath())
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		p = p.Try("%s %s", cmd.CommandPath(), near[0])
	}
	return p
}

// wantArgs refuses another number of arguments than from min to max, with the line of use.
func wantArgs(least, most int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < least || len(args) > most {
			return problem.New(problem.Usage, "cli/arguments", "%d arguments given; the use is: %s", len(args), cmd.UseLine()).
				Try("%s --help", cmd.CommandPath())
		}
		return nil
	}
}

// show prints a result: as one JSON document when that was asked for, else by text.
func (a *app) show(result any, text func()) error {
	if !a.json {
		text()
		return nil
	}
	return a.showJSON(result, "  ")
}

// showJSON writes a document. It may hold texts of foreign origin, and somebody may look at it.
func (a *app) showJSON(result any, indent string) error {
	var doc bytes.Buffer
	enc := json.NewEncoder(&doc)
	enc.SetIndent("", indent)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(result); err != nil {
		return err
	}
	_, err := a.out.Write(term.VisibleJSON(doc.Bytes()))
	return err
}

// fail prints an error: what was refused, by which rule, where the rule comes from, and what to type next.
func (a *app) fail(err error) {
	if errors.Is(err, errShown) {
		return
	}
	p, ok := errors.AsType[*problem.Problem](err)
	if !ok {
		p = &problem.Problem{Code: problem.CodeOf(err), Message: err.Error()}
	}
	if a.json {
		_ = a.show(map[string]any{"error": jsonProblem(p, err)}, nil)
		return
	}
	for _, line := range messages(p, err) {
		a.err.Printf("%s %s\n", a.err.Red("error:"), term.VisibleLine(line))
	}
	if p.Rule != "" {
		a.err.Printf("  %s %s (%s)\n", a.err.Faint("rule:"), p.Rule, source(p))
	}
	for i, line := range strings.Split(strings.TrimSpace(p.Hint), "\n") {
		if line != "" {
			a.err.Printf("  %s %s\n", a.err.Faint([]string{"try: ", "     "}[min(i, 1)]), term.Visible(line))
		}
	}
}

// messages gives the lines that say what failed: one for each of several errors. A file's name may hold line breaks, so
// the text is not cut at them.
func messages(p *problem.Problem, err error) []string {
	several, ok := err.(interface{ Unwrap() []error })
	if !ok || p.Code == problem.Interrupted {
		return []string{fullMessage(p, err)}
	}
	var lines []string
	for _, e := range several.Unwrap() {
		lines = append(lines, messages(p, e)...)
	}
	return lines
}

// errShown marks a failure that the command has printed itself. It is joined to the problem that gives the exit code.
var errShown = errors.New("already shown")

func fullMessage(p *problem.Problem, err error) string {
	if p.Code == problem.Interrupted && p.Rule != "host/call" { // what a tool did is done
		return "interrupted; nothing was changed"
	}
	return err.Error()
}

// source says where a rule comes from. Rules that are ours are explained on one page.
func source(p *problem.Problem) string {
	if p.Source == "" && p.Rule != "" {
		return "docs/errors.md"
	}
	return p.Source
}

func jsonProblem(p *problem.Problem, err error) map[string]any {
	m := map[string]any{"code": p.Code, "exit": p.Code.Exit(), "message": fullMessage(p, err)}
	for k, v := range map[string]string{"subject": p.Subject, "rule": p.Rule, "source": source(p), "hint": p.Hint} {
		if v != "" {
			m[k] = v
		}
	}
	return m
}

// host opens the host: the store and all that the use cases need.
func (a *app) host() (*host.Host, error) { return host.Open(a.getenv) }
