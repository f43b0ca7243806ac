package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"satchel/internal/answers"
	"satchel/internal/egress"
	"satchel/internal/grant"
	"satchel/internal/launch"
	"satchel/internal/paths"
	"satchel/internal/problem"
	"satchel/internal/sandbox"
	"satchel/internal/spec"
	"satchel/mcpb/manifest"
)

// A way is how a server is started.
type way string

const (
	bare  way = "bare"    // by a host that holds it to nothing
	typed way = "satchel" // by `satchel run`, as an app does

	refused way = "satchel without user namespaces" // the same where none are to be had: then it is the limited mode
)

// installs tells whether satchel itself starts the server.
func (w way) installs() bool { return w == typed || w == refused }

// limited tells whether the server runs on the machine's own root.
func (w way) limited() bool { return w == refused || w == way(sandbox.Landlock) }

// ways are those that hold a server: as a person gets it, and each mode of the sandbox.
func ways() []way {
	all := []way{typed, way(sandbox.Namespaces), way(sandbox.Bubblewrap), way(sandbox.Landlock)}
	if os.Getuid() == 0 { // in a user namespace of another user, the machine's folders are nobody's, and ours refused
		all = append(all, refused)
	}
	return all
}

// A part is what a host program plays: a server of an unpacked extension, started in a way.
type part struct {
	Way    way
	ID     string
	Dir    string // of the extension's files
	Config []string
	Grants []string
}

// playing is the variable that makes the test program play a part.
const playing = "SATCHEL_E2E_PLAYS"

// play is a host: it starts the server on its own streams and gives its exit code. It takes what the extension's answers
// lead to, as --yes does, and the words that it is given.
func play(text string) (int, error) {
	var p part
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		return 0, err
	}
	home, err := paths.Find(runtime.GOOS, os.Getenv)
	if err != nil {
		return 0, err
	}
	plan, m, given, err := p.plan(home)
	if err != nil {
		return 0, err
	}
	if p.Way == bare {
		return p.loose(plan)
	}
	box, err := p.box(m, given, home)
	if err != nil {
		return 0, err
	}
	proc, done, err := p.held(plan, box)
	if err != nil {
		return 0, err
	}
	defer done()
	return proc.Wait()
}

func (p part) plan(home paths.Home) (*launch.Plan, *manifest.Manifest, answers.Values, error) {
	text, err := os.ReadFile(filepath.Join(p.Dir, "manifest.json"))
	if err != nil {
		return nil, nil, nil, err
	}
	m, _, err := manifest.Parse(text)
	if err != nil {
		return nil, nil, nil, err
	}
	user := paths.Real(runtime.GOOS, os.Getenv)
	given, err := answers.Parse(m.UserConfig, p.Config, user.Home)
	if err != nil {
		return nil, nil, nil, err
	}
	ext := launch.Extension{
		ID: p.ID, Manifest: m, Dir: p.Dir, DataDir: filepath.Join(home.ExtensionData(), filepath.FromSlash(p.ID)), CacheDir: home.Cache, Answers: given,
		Exists: func(name string) bool { _, err := os.Stat(filepath.Join(p.Dir, name)); return err == nil },
	}
	if err := os.MkdirAll(ext.DataDir, 0o700); err != nil {
		return nil, nil, nil, err
	}
	plan, err := launch.Make(ext, launch.Machine{OS: runtime.GOOS, Arch: runtime.GOARCH, User: user, Getenv: os.Getenv})
	return plan, m, given, err
}

// loose starts the server as a child with this program's environment, but for what this program keeps to itself.
func (p part) loose(plan *launch.Plan) (int, error) {
	cmd := &exec.Cmd{Path: plan.Spec.Argv[0], Args: plan.Spec.Argv, Env: plan.Spec.Env, Dir: plan.Spec.Dir, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // of the server only: what it leaves stays
	runtime.LockOSThread()
	err := cmd.Run()
	if _, ended := errors.AsType[*exec.ExitError](err); err != nil && !ended {
		return 0, err
	}
	return cmd.ProcessState.ExitCode(), nil
}

func (p part) box(m *manifest.Manifest, given answers.Values, home paths.Home) (spec.Sandbox, error) {
	machine := grant.Here(home, p.Dir, os.Getenv)
	asked, err := grant.Ask(m, given, machine)
	if err != nil {
		return spec.Sandbox{}, err
	}
	items, err := grant.ParseAll(p.Grants, machine)
	if err != nil {
		return spec.Sandbox{}, err
	}
	yes, _ := asked.Split()
	for _, w := range yes {
		items = append(items, w.Item)
	}
	g, err := grant.Resolve(grant.Of(items...), machine)
	if err != nil {
		return spec.Sandbox{}, err
	}
	box, _, err := grant.Sandbox(g, p.ID, machine)
	return box, err
}

func (p part) held(plan *launch.Plan, box spec.Sandbox) (*sandbox.Process, func(), error) {
	upstream, err := egress.UpstreamFrom(os.Getenv)
	if err != nil {
		return nil, nil, err
	}
	proxy := egress.New(egress.Config{ID: p.ID, Net: box.Net, Upstream: upstream})
	plan.Confine(box, nil)
	c := sandbox.Command{
		Sandbox: box, Path: plan.Spec.Argv[0], Argv: plan.Spec.Argv, Env: plan.Spec.Env, Dir: plan.Spec.Dir, Bundle: p.Dir, Runtime: plan.Spec.Runtime,
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
	}
	proc, err := sandbox.NewLauncher().Only(sandbox.Mode(p.Way)).Start(context.Background(), c, func(d sandbox.Door, l net.Listener) {
		switch d {
		case sandbox.HTTPDoor:
			go proxy.ServeHTTP(l)
		case sandbox.SOCKSDoor:
			go proxy.ServeSOCKS(l)
		default:
			go proxy.ServePort(l, int(d))
		}
	})
	return proc, proxy.Close, err
}

// refusedMode is the exit code of a host whose machine does not have the mode.
const refusedMode = 77

// playRoles takes the test program over when it was started as something else.
func playRoles() {
	sandbox.Main()
	if text := os.Getenv(playing); text != "" {
		os.Exit(playMain(text))
	}
}

// programs are what the tests start of ours: both that are released, and the hostile server.
func programs() []string {
	return []string{"satchel/cmd/satchel", "satchel/cmd/satchel-sandbox-init", "satchel/internal/e2e/hostile"}
}

// playMain is the test program as a host.
func playMain(text string) int {
	code, err := play(text)
	if q, ok := errors.AsType[*problem.Problem](err); ok && q.Rule == "sandbox/none" {
		code = refusedMode
	} else if err != nil {
		code = 1
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	return code
}

// A served is a server that was started and has said hello.
type served struct {
	*mcp.ClientSession
	host *exec.Cmd // what started it: kill it to be an app that dies
	log  *errorStream
}

// An errorStream is what a host and its server wrote there so far.
type errorStream struct {
	mu   sync.Mutex
	text strings.Builder
}

// Write implements io.Writer.
func (e *errorStream) Write(b []byte) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.text.Write(b)
}

// String gives it.
func (e *errorStream) String() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.text.String()
}

// serve starts the server of an extension. In the way of a person it is installed first.
func (h *home) serve(t *testing.T, p part) served {
	t.Helper()
	if p.Way.installs() {
		h.installPart(t, p)
	}
	cmd := h.host(t, p)
	s := served{host: cmd, log: &errorStream{}}
	cmd.Stderr = s.log
	client := mcp.NewClient(&mcp.Implementation{Name: "e2e", Version: "1"}, &mcp.ClientOptions{})
	var err error
	if s.ClientSession, err = client.Connect(t.Context(), &mcp.CommandTransport{Command: cmd, TerminateDuration: time.Second}, nil); err != nil {
		if cmd.ProcessState != nil && cmd.ProcessState.ExitCode() == refusedMode || strings.HasPrefix(s.log.String(), "unshare:") {
			h.lacksMode(t, p.Way, s.log.String())
		}
		t.Fatalf("%v\n%s", err, s.log)
	}
	t.Cleanup(func() { _ = s.Close() }) // one that was killed says so
	return s
}

// lacksMode ends a test in a mode that this machine does not have.
func (h *home) lacksMode(t *testing.T, w way, why string) {
	t.Helper()
	if _, err := exec.LookPath("bwrap"); w == way(sandbox.Bubblewrap) && err != nil {
		lacking(t, "bwrap")
	}
	t.Skipf("this machine does not have the mode: %s", why)
}

func (h *home) installPart(t *testing.T, p part) {
	t.Helper()
	_, name, _ := strings.Cut(p.ID, "/")
	h.run(t, "satchel", "pack", p.Dir, name+".mcpb")
	args := []string{"install", name + ".mcpb", "--yes"}
	for _, c := range p.Config {
		args = append(args, "--config", c)
	}
	for _, g := range p.Grants {
		args = append(args, "--grant", g)
	}
	h.run(t, "satchel", args...)
}

// host is the program that starts a server, not started itself.
func (h *home) host(t *testing.T, p part) *exec.Cmd {
	t.Helper()
	switch p.Way {
	case typed:
		return h.command(t.Context(), "satchel", "run", p.ID)
	case refused:
		return h.command(t.Context(), program(t, "unshare"), "-Ur", "sh", "-c", `echo 0 > /proc/sys/user/max_user_namespaces && exec satchel run "$0"`, p.ID)
	}
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := h.command(t.Context(), self)
	cmd.Env = append(cmd.Env[:len(cmd.Env):len(cmd.Env)], playing+"="+string(text))
	return cmd
}

// ask calls a tool and gives the text of its answer, and whether it is an error.
func (s served) ask(t *testing.T, tool string, args any) (text string, failed bool) {
	t.Helper()
	answer, err := s.CallTool(t.Context(), &mcp.CallToolParams{Name: tool, Arguments: args})
	if err != nil {
		t.Fatalf("%s: %v\n%s", tool, err, s.log)
	}
	for _, c := range answer.Content {
		if c, ok := c.(*mcp.TextContent); ok {
			text += c.Text
		}
	}
	return text, answer.IsError
}
