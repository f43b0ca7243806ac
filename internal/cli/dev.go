package cli

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"satchel/internal/devloop"
	"satchel/internal/host"
	"satchel/internal/problem"
	"satchel/internal/term"
)

type devOptions struct {
	dir       string
	build     string
	command   []string // of the build
	config    []string
	terms     host.Terms
	timeout   time.Duration
	inspector bool
	unlink    bool
	yes       bool
}

func newDev(a *app) *cobra.Command {
	var o devOptions
	cmd := &cobra.Command{
		Use:     "dev [DIR] [-- BUILD COMMAND]",
		GroupID: "author",
		Short:   "Work on an extension: run it from its folder, anew after each change",
		Long: `Installs DIR (default: this folder) as a link, after a review, and starts its server. When a file changes the manifest
is checked, the build command runs, and the server is started anew; the last one that worked runs until the new one
answers. The server's error stream is shown line by line.

An app that uses the extension (satchel run ID) is served as always. Its calls are shown with their times, and after a
change its server is started anew while it stays connected. On Windows neither happens: apps are served as if there were
no dev. The server of dev itself runs beside those of apps; one that listens at an address of its own cannot do that.

Keys on a terminal, or lines on a pipe: r starts the server anew, t lists its tools, i opens the MCP Inspector, q ends.
The link stays when it ends, unless --unlink is given; satchel uninstall removes it and leaves the folder alone.`,
		Example: "  satchel dev\n  satchel dev ./my-extension --config folder=~/Notes\n  satchel dev --build 'npm run build'\n" +
			"  satchel dev ./my-extension --inspector -- go build -o server/my-server ./cmd/server",
		Args:        func(cmd *cobra.Command, args []string) error { return o.complete(cmd, args) },
		Annotations: exits("1 failed, 2 usage, 3 not valid, 4 not agreed to, 6 not found, 7 a wrong answer"),
		RunE:        func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context(), a) },
	}
	cmd.Flags().StringVar(&o.build, "build", "", "run this before each start; split at blanks, no shell")
	cmd.Flags().StringArrayVarP(&o.config, "config", "c", nil, "an answer, KEY=VALUE (repeatable)")
	cmd.Flags().StringArrayVarP(&o.terms.Grant, "grant", "g", nil, "let it do this, such as write:~/Notes (repeatable)")
	cmd.Flags().BoolVar(&o.terms.NoSandbox, "no-sandbox", false, "let it run with all your rights, which is recorded and shown")
	cmd.Flags().DurationVar(&o.timeout, "timeout", time.Minute, "how long to wait for the server at each start")
	cmd.Flags().BoolVar(&o.inspector, "inspector", false, "open the MCP Inspector")
	cmd.Flags().BoolVar(&o.unlink, "unlink", false, "remove the link when it ends")
	cmd.Flags().BoolVarP(&o.yes, "yes", "y", false, "agree to what the review says")
	return cmd
}

func (o *devOptions) complete(cmd *cobra.Command, args []string) error {
	if dash := cmd.ArgsLenAtDash(); dash >= 0 {
		args, o.command = args[:dash], args[dash:]
	}
	if err := wantArgs(0, 1)(cmd, args); err != nil {
		return err
	}
	if o.dir = "."; len(args) > 0 {
		o.dir = args[0]
	}
	if o.build == "" {
		return nil
	}
	command, err := devloop.SplitCommand(o.build)
	if err != nil || len(o.command) > 0 {
		return problem.New(problem.Usage, "dev/build", "--build %q is no command", o.build).Because(err).Try("give the command behind --: satchel dev DIR -- COMMAND ARGS")
	}
	o.command = command
	return nil
}

func (o devOptions) run(ctx context.Context, a *app) error {
	h, err := a.host()
	if err != nil {
		return err
	}
	id, err := o.link(ctx, a, h)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	d := &devSession{a: a, id: id, opts: o, restart: make(chan struct{}, 1), quit: cancel}
	defer d.tools.Wait()
	defer cancel()
	if o.inspector {
		d.openInspector(ctx)
	}
	restore := term.SingleKeys(a.in)
	defer restore()
	go d.listen(ctx)
	err = h.Dev(ctx, id, host.DevOptions{Build: o.command, Timeout: o.timeout, Emit: d.show, Restart: d.restart})
	if o.unlink {
		_, err2 := h.Uninstall(id, false)
		if err == nil {
			err = err2
		}
	}
	return err
}

// link links the folder after a review, unless it is linked already.
func (o devOptions) link(ctx context.Context, a *app, h *host.Host) (string, error) {
	id, linked, err := h.Linked(o.dir)
	if err != nil {
		return "", err
	}
	if linked {
		if err := configure(a, h, id, o.config, nil); err != nil {
			return "", err
		}
		change := host.Change{Grant: o.terms.Grant}
		if o.terms.NoSandbox {
			change.NoSandbox = &o.terms.NoSandbox
		}
		return id, h.Permit(id, change)
	}
	res, err := installOptions{source: o.dir, config: o.config, terms: o.terms, yes: o.yes, link: true}.run(ctx, a)
	if err != nil {
		return "", err
	}
	if !a.json {
		installOptions{}.print(a, res)
	}
	return res.Extension.ID, nil
}

// A devSession is what the person at the terminal has.
type devSession struct {
	a       *app
	id      string
	opts    devOptions
	restart chan struct{}
	quit    func()
	tools   sync.WaitGroup // programs that were opened

	mu    sync.Mutex
	names []string // of the tools of the last server
}

// listen reacts to keys, or to lines on a pipe, until the input ends.
func (d *devSession) listen(ctx context.Context) {
	buf := make([]byte, 1)
	for {
		n, err := d.a.in.Read(buf)
		if err != nil || ctx.Err() != nil {
			return
		}
		if n == 0 {
			continue
		}
		switch buf[0] {
		case 'r':
			select {
			case d.restart <- struct{}{}:
			default: // one is asked for already
			}
		case 't':
			d.mu.Lock()
			names := d.names
			d.mu.Unlock()
			d.say(fmt.Sprintf("%d tools: %s", len(names), strings.Join(names, ", ")))
		case 'i':
			d.openInspector(ctx)
		case 'q':
			d.quit()
			return
		}
	}
}

func (d *devSession) say(text string) {
	d.show(devloop.Event{Event: devloop.Note, Time: time.Now(), Text: text})
}

// openInspector starts the MCP Inspector when it is installed, in the folder or in PATH. It downloads nothing.
func (d *devSession) openInspector(ctx context.Context) {
	self, err := os.Executable()
	if err != nil {
		self = "satchel"
	}
	args := []string{}
	if home := d.a.getenv("SATCHEL_HOME"); home != "" { // the Inspector hands its own environment on only in part
		args = append(args, "-e", "SATCHEL_HOME="+home)
	}
	args = append(args, self, "run", d.id)
	program := filepath.Join(d.opts.dir, "node_modules", ".bin", "mcp-inspector")
	if _, err := exec.LookPath(program); err != nil {
		if program, err = exec.LookPath("mcp-inspector"); err != nil {
			d.say("the MCP Inspector is not installed here; this downloads and opens it: npx @modelcontextprotocol/inspector " + strings.Join(args, " "))
			return
		}
	}
	if program, err = filepath.Abs(program); err != nil {
		d.say("the MCP Inspector cannot be opened: " + err.Error())
		return
	}
	d.tools.Go(func() {
		err := devloop.RunCommand(ctx, d.opts.dir, append([]string{program}, args...), func(line string) {
			d.show(devloop.Event{Event: devloop.Log, Time: time.Now(), Source: "inspector", Text: line})
		})
		if err != nil && ctx.Err() == nil {
			d.say("the MCP Inspector ended: " + err.Error())
		}
	})
}
