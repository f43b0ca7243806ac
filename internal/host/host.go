// Package host holds the use cases of the host: install, list, show, configure, run, tools, call, uninstall; one file
// each. It plugs the parts of the floor below together and decides nothing that a part can decide.
package host

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"satchel/internal/activity"
	"satchel/internal/answers"
	"satchel/internal/grant"
	"satchel/internal/launch"
	"satchel/internal/paths"
	"satchel/internal/problem"
	"satchel/internal/spec"
	"satchel/internal/store"
	"satchel/internal/supervisor"
	"satchel/internal/trust"
	"satchel/mcpb/manifest"
)

// NotSandboxed is the sandbox of an extension that has none.
const NotSandboxed = "none"

// A Host is the use cases on one home. It is safe for concurrent use.
type Host struct {
	store   *store.Store
	trust   *trust.Store
	machine launch.Machine
	grants  func() grant.Machine   // what words of permissions mean here
	runs    *supervisor.Supervisor // of installed extensions: what they do is recorded
	trials  *supervisor.Supervisor // of what is not installed
	learn   []string               // what servers are shown that are started to learn; nil: they are started to work

	activity *activity.Log
	last     *atomic.Pointer[activity.Recorder] // of the server that was started last
}

// Open wires the host on the home that the environment names.
func Open(getenv func(string) string) (*Host, error) {
	home, err := paths.Find(runtime.GOOS, getenv)
	if err != nil {
		return nil, err
	}
	s, err := store.Open(home)
	if err != nil {
		return nil, err
	}
	h := &Host{
		store: s, trust: trust.Open(home.Config),
		machine: launch.Machine{OS: runtime.GOOS, Arch: runtime.GOARCH, User: paths.Real(runtime.GOOS, getenv), Getenv: getenv},
		grants: sync.OnceValue(func() grant.Machine {
			dir, _ := os.Getwd() // without one, relative paths are refused
			return grant.Here(home, dir, getenv)
		}),
		trials: supervisor.New(supervisor.Options{Getenv: getenv}), activity: activity.Open(home.Activity()), last: new(atomic.Pointer[activity.Recorder]),
	}
	h.runs = supervisor.New(supervisor.Options{Getenv: getenv, Listen: h.listen})
	return h, nil
}

// An Extension is what is shown of an installed extension. Texts are the author's.
type Extension struct {
	ID            string         `json:"id"`
	Short         string         `json:"short"` // the id without its namespace
	Title         string         `json:"title"`
	Version       string         `json:"version"`
	Description   string         `json:"description"`
	Author        string         `json:"author"`
	Source        string         `json:"source"`
	Link          string         `json:"link,omitempty"` // the folder that is used where it is
	Installed     time.Time      `json:"installed"`
	Digest        string         `json:"digest"`
	ContentDigest string         `json:"contentDigest"`
	TreeDigest    string         `json:"treeDigest"`
	Sandbox       string         `json:"sandbox"`                // how it is held: a mode; "none"; "unknown" when nobody has tried yet; "not agreed" when it does not start
	Answers       map[string]any `json:"answers"`                // secrets as "***"
	Missing       []string       `json:"missing"`                // keys of required options without a value
	Command       []string       `json:"command,omitempty"`      // secrets by title; only in Show
	CommandError  string         `json:"commandError,omitempty"` // why there is no command; only in Show
	Risks         []spec.Risk    `json:"risks,omitempty"`        // of the command; only in Show
	DataDir       string         `json:"dataDir"`
}

// List gives the installed extensions, sorted by id. One whose record is damaged does not hide the others: the error
// names it, and the list holds the rest.
func (h *Host) List() ([]Extension, error) {
	records, err := h.store.List()
	list := make([]Extension, 0, len(records))
	for _, in := range records {
		m, bad := manifestOf(in)
		if bad != nil {
			err = errors.Join(err, bad)
			continue
		}
		list = append(list, h.extension(in, m))
	}
	return list, err
}

// Show gives one extension, by id or short name, with its command.
func (h *Host) Show(id string) (*Extension, error) {
	in, m, err := h.get(id)
	if err != nil {
		return nil, err
	}
	ext := h.extension(in, m)
	plan, err := h.plan(in, m)
	if err != nil {
		ext.CommandError = err.Error()
		return &ext, nil
	}
	ext.Command, ext.Risks = plan.Spec.Shown, plan.Risks()
	if ext.Sandbox == NotSandboxed {
		ext.Risks = append([]spec.Risk{{Level: spec.High, Text: spec.NotSandboxed}}, ext.Risks...)
	}
	return &ext, nil
}

func (h *Host) get(id string) (*store.Installation, *manifest.Manifest, error) {
	in, err := h.store.Get(id)
	if err != nil {
		return nil, nil, err
	}
	m, err := manifestOf(in)
	return in, m, err
}

// manifestOf gives the manifest of an installation. That of a linked folder is the one in the folder, while it can be
// read; what starts it does not take another: see [Host.ready].
func manifestOf(in *store.Installation) (*manifest.Manifest, error) {
	if in.Link != "" {
		if m, _, _, err := readLinked(in.Link); err == nil {
			return m, nil
		}
	}
	m, _, err := manifest.Parse(in.Manifest)
	if err != nil {
		return nil, problem.New(problem.Failed, "store/record", "holds a damaged manifest").At(in.ID).Because(err).Try("install the extension again, or remove it: satchel uninstall %s", in.ID)
	}
	return m, nil
}

func (h *Host) extension(in *store.Installation, m *manifest.Manifest) Extension {
	_, short, _ := strings.Cut(in.ID, "/")
	ext := Extension{
		ID: in.ID, Short: short, Title: m.DisplayName, Version: in.Version, Description: m.Description, Author: m.Author.Name,
		Source: in.Source, Installed: in.Installed, Digest: in.Digest, ContentDigest: in.ContentDigest, TreeDigest: in.TreeDigest,
		Link: in.Link, Sandbox: h.sandboxOf(in), Answers: map[string]any{}, Missing: []string{}, DataDir: h.store.DataPath(in.ID),
	}
	if ext.Title == "" {
		ext.Title = m.Name
	}
	if in.Link != "" {
		ext.Version = m.Version
	}
	for key, v := range answers.Restore(in.Answers) {
		ext.Answers[key] = v
	}
	for key := range in.Secrets {
		ext.Answers[key] = "***"
	}
	for _, o := range answers.Missing(m.UserConfig, values(in)) {
		ext.Missing = append(ext.Missing, o.Key)
	}
	return ext
}

// NotAgreed and Unknown are the sandbox of an extension that does not start until somebody agrees to what it may do, and
// of one on a machine on which nobody has looked.
const (
	NotAgreed = "not agreed"
	Unknown   = "unknown"
)

// sandboxOf says how an extension is held, as the probe found it.
func (h *Host) sandboxOf(in *store.Installation) string {
	rec, err := h.agreed(in)
	if err != nil {
		return NotAgreed
	}
	if rec.NoSandbox {
		return NotSandboxed
	}
	if report, ok := h.Proof(); ok {
		return string(report.Mode)
	}
	return Unknown
}

func values(in *store.Installation) answers.Values {
	return answers.Join(answers.Restore(in.Answers), answers.Restore(in.Secrets))
}

// plan makes the command line of an installed extension.
func (h *Host) plan(in *store.Installation, m *manifest.Manifest) (*launch.Plan, error) {
	if _, err := h.store.Dir(in); err != nil {
		return nil, err
	}
	return launch.Make(h.launching(in, m, values(in)), h.machine)
}

// launching is an installation whose record names a folder, for package launch.
func (h *Host) launching(in *store.Installation, m *manifest.Manifest, given answers.Values) launch.Extension {
	dir, _ := h.store.Dir(in) // the caller has looked
	return launch.Extension{
		ID: in.ID, Manifest: m, Dir: dir, DataDir: h.store.DataPath(in.ID), CacheDir: h.store.CacheDir(in.ID), Answers: given,
		Exists: func(name string) bool {
			info, err := os.Stat(filepath.Join(dir, filepath.FromSlash(name)))
			return fs.ValidPath(name) && err == nil && info.Mode().IsRegular()
		},
	}
}
