package host

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"satchel/internal/answers"
	"satchel/internal/grant"
	"satchel/internal/launch"
	"satchel/internal/problem"
	"satchel/internal/spec"
	"satchel/mcpb/manifest"
)

// A Trial is a server that is ready to be started from a folder, without being installed: authors look at what their
// server really serves. Its working folder is a temporary one. Close it.
type Trial struct {
	Review   spec.Review // what to show before anything runs
	StandIns []string    // keys of required options that were given made-up values
	Log      []string    // the last lines that the server wrote to its error stream; there after Serve
	host     *Host
	spec     spec.Spec
	tmp      string
}

// Tries say how a server is tried.
type Tries struct {
	Answers   []string // KEY=VALUE
	NoSandbox bool     // it runs with all rights of the user
}

// TryFolder makes the trial of a folder with a manifest. Nothing runs yet. A required option without a value gets a
// stand-in that suits its type, so that a server which only lists its tools starts. It is held to what follows from the
// answers and is not high risk. Errors are problems as those of [Host.Inspect].
func (h *Host) TryFolder(dir string, m *manifest.Manifest, t Tries) (*Trial, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	given, err := answers.Parse(m.UserConfig, t.Answers, h.machine.User.Home)
	if err != nil {
		return nil, err
	}
	terms, err := h.newTerms(m, given, Terms{NoSandbox: t.NoSandbox})
	if err != nil {
		return nil, err
	}
	return h.trial(trialOf+m.Name, terms, func(tmp string) (launch.Extension, []string) {
		keys := standIn(m.UserConfig, given, tmp)
		return launch.Extension{
			ID: "try/" + m.Name, Manifest: m, Dir: abs, DataDir: filepath.Join(tmp, "data"), CacheDir: filepath.Join(tmp, "cache"), Answers: given,
			Exists: func(name string) bool {
				info, err := os.Stat(filepath.Join(abs, filepath.FromSlash(name)))
				return err == nil && info.Mode().IsRegular()
			},
		}, keys
	})
}

// TryCommand makes the trial of a command that has no manifest yet. The first word is looked for in PATH unless it is a
// path; dir is the folder it is for, "${__dirname}".
func (h *Host) TryCommand(dir string, argv []string, env map[string]string) (*Trial, error) {
	if len(argv) == 0 {
		return nil, problem.New(problem.Usage, "try/command", "there is no command to start")
	}
	m := &manifest.Manifest{
		Name: filepath.Base(argv[0]), Server: manifest.Server{Type: manifest.Binary, EntryPoint: argv[0], MCPConfig: &manifest.MCPConfig{
			Command: manifest.Command{Command: argv[0], Args: argv[1:], Env: env},
		}},
	}
	if strings.ContainsAny(argv[0], `/\`) {
		abs, err := filepath.Abs(argv[0])
		if err != nil {
			return nil, err
		}
		m.Server.MCPConfig.Command.Command = abs
	}
	return h.TryFolder(dir, m, Tries{NoSandbox: true}) // somebody typed the command
}

func (h *Host) trial(id string, t *terms, extension func(tmp string) (launch.Extension, []string)) (*Trial, error) {
	tmp, err := os.MkdirTemp("", "satchel-try-")
	if err != nil {
		return nil, problem.New(problem.Failed, "try/folder", "cannot make a temporary folder").At(id).Because(err).Try("set TMPDIR to a folder that you may write to, with space")
	}
	for _, name := range []string{"data", "cache"} {
		err = errors.Join(err, os.Mkdir(filepath.Join(tmp, name), 0o700))
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(tmp))
	}
	ext, keys := extension(tmp)
	trial := &Trial{StandIns: keys, host: h, tmp: tmp}
	if err := trial.prepare(ext, t); err != nil {
		return nil, errors.Join(err, os.RemoveAll(tmp))
	}
	return trial, nil
}

// prepare makes the review and what is started.
func (t *Trial) prepare(ext launch.Extension, terms *terms) error {
	c := &Candidate{terms: terms}
	g, _, err := terms.resolved()
	if err != nil {
		return err
	}
	g.Secrets = nil
	for _, o := range ext.Manifest.UserConfig {
		if o.Sensitive {
			g.Secrets = append(g.Secrets, o.Key) // the stand-ins too
		}
	}
	plan, _, err := t.host.confined(ext, grant.Record{Grant: g, NoSandbox: terms.noSandbox})
	if err != nil {
		return err
	}
	c.Review = plan.Review(ext)
	c.risks = c.Review.Risks
	report, _ := t.host.Proof() // it is said where it is known: a start tells anyway
	c.Review.Sandbox, c.Review.Enforced, c.Review.Open = enforced(report, terms.noSandbox)
	if err := c.weigh(); err != nil {
		return err
	}
	t.Review, t.spec = c.Review, plan.Spec
	return nil
}

// trialOf begins the id of what is tried: it is installed nowhere.
const trialOf = "try/"

// standIn gives required options without a value one: the option's own least number, a temporary folder, a text.
func standIn(options manifest.Options, given answers.Values, tmp string) (keys []string) {
	for _, o := range answers.Missing(options, given) {
		var v any = "stand-in"
		switch o.Type {
		case manifest.Number:
			v = 1.0
			if o.Min != nil {
				v = *o.Min
			} else if o.Max != nil {
				v = *o.Max
			}
		case manifest.Boolean:
			v = false
		case manifest.Directory:
			v = filepath.Join(tmp, "data")
		case manifest.File:
			v = os.DevNull
		}
		if text, ok := v.(string); ok && o.Multiple {
			v = []string{text}
		}
		given[o.Key] = v
		keys = append(keys, o.Key)
	}
	return keys
}

// Close removes the temporary folder. Call it after the server has ended.
func (t *Trial) Close() error { return os.RemoveAll(t.tmp) }

// A Served is what a started server says that it offers.
type Served struct {
	Name    string         `json:"name"`    // the server's own
	Version string         `json:"version"` // the server's own
	Tools   []Tool         `json:"tools"`
	Prompts []ServedPrompt `json:"prompts"`
}

// A ServedPrompt is a prompt that a running server offers.
type ServedPrompt struct {
	Name        string   `json:"name"`
	Description string   `json:"description,omitempty"`
	Arguments   []string `json:"arguments"`
}

// Serve starts the server, asks what it offers, and ends it. ctx bounds it all. Errors are problems with the server's
// last lines where it ended by itself.
func (t *Trial) Serve(ctx context.Context) (*Served, error) {
	srv, err := t.host.trials.Start(ctx, t.spec)
	if err != nil {
		return nil, err
	}
	defer func() { t.Log = srv.Log() }()
	s, err := connect(ctx, t.spec.ID, srv.Stdin, srv.Stdout, func() error {
		srv.Stop()
		return srv.Ended()
	})
	if err != nil {
		return nil, err
	}
	served, err := s.served(ctx)
	if ended := s.close(); err == nil {
		err = ended
	}
	if err != nil {
		return nil, err
	}
	return served, nil
}

func (s *session) served(ctx context.Context) (*Served, error) {
	out := &Served{Prompts: []ServedPrompt{}}
	if info := s.InitializeResult().ServerInfo; info != nil {
		out.Name, out.Version = info.Name, info.Version
	}
	var err error
	if out.Tools, err = s.tools(ctx); err != nil {
		return nil, err
	}
	if s.InitializeResult().Capabilities.Prompts == nil {
		return out, nil
	}
	var all listing
	for p, err := range s.Prompts(ctx, nil) {
		if err == nil {
			err = all.add(p.Name, p.Description)
		}
		if err != nil {
			return nil, unlisted(ctx, problem.New(problem.Failed, "host/prompts", "the server did not list its prompts"), err)
		}
		prompt := ServedPrompt{Name: p.Name, Description: p.Description, Arguments: []string{}}
		for _, a := range p.Arguments {
			prompt.Arguments = append(prompt.Arguments, a.Name)
			all.size += len(a.Name) + 16
		}
		out.Prompts = append(out.Prompts, prompt)
	}
	return out, nil
}
