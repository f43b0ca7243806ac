// Package lint looks at an extension for what a reader of its manifest cannot see and no schema can say: secrets that
// are about to be published, programs for the wrong system, texts that speak to the model behind the person's back.
//
// [Run] applies the [Rules] to a [Subject]: an author's folder, an opened bundle, or a manifest alone, with what its
// started server serves where somebody started it. A [Profile] decides how bad each finding is. [Fix] mends what is safe
// to mend. The package starts nothing, writes nothing and talks to nobody; the command line and the catalog's review
// use it.
//
// A subject is hostile until proven otherwise: no content makes the package panic, memory and time are bounded, and what
// was not looked at because of a bound is a finding of its own, lint/unread.
package lint

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"io/fs"
	"slices"

	"satchel/internal/problem"
	"satchel/internal/term"
	"satchel/mcpb/manifest"
)

// A Subject is what is looked at.
type Subject struct {
	Manifest []byte
	Files    fs.FS   // the files of the bundle, or what would be packed; nil: only the manifest is looked at
	Beside   fs.FS   // an author's folder with what packing leaves out, such as lock files; nil for a bundle
	Served   *Served // nil: the server was not started
}

// A Served is what a started server says that it offers.
type Served struct {
	Tools   []Tool
	Prompts []Prompt
}

// A Tool is a tool that the server serves; Schema is the JSON Schema of its input.
type Tool struct {
	Name, Title, Description string
	Schema                   json.RawMessage
}

// A Prompt is a prompt that the server serves.
type Prompt struct{ Name, Description string }

// A Severity is how bad a finding is; Off switches a rule off.
type Severity string

// The severities.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
	Hint    Severity = "hint"
	Off     Severity = "off"
)

// weight orders severities: the worst is the largest.
func (s Severity) weight() int { return slices.Index([]Severity{Off, Hint, Warning, Error}, s) }

// AtLeast tells whether s is as bad as limit, or worse.
func (s Severity) AtLeast(limit Severity) bool { return s.weight() >= limit.weight() }

// A Profile is for whom the findings are: it decides each rule's severity.
type Profile string

// The profiles. An author's findings can be silenced in the manifest, with a reason; a reviewer sees those all the same.
const (
	Author   Profile = "author"
	Reviewer Profile = "reviewer"
)

// Options say what to look for. The zero value is the author's profile with every rule.
type Options struct {
	Profile Profile
	Only    []string // ids of the rules to apply; none: all
	Disable []string // ids of rules to leave out
}

// A Finding is one thing that a rule is about. Its JSON form is stable: keys may be added, and never change their
// meaning. Message and Fix may hold text of the bundle, shortened and quoted as Go quotes strings; File and Path may be
// text of the bundle as it is.
type Finding struct {
	Rule     string   `json:"rule"` // the id of a [Rule]
	Severity Severity `json:"severity"`
	File     string   `json:"file,omitempty"` // inside the bundle; empty when it is about what the server serves
	Line     int      `json:"line,omitempty"` // from 1; 0 for the whole file
	Column   int      `json:"column,omitempty"`
	Path     string   `json:"path,omitempty"` // in the manifest, or in what the server serves
	Message  string   `json:"message"`        // a sentence, with the path as its subject where there is one
	Fix      string   `json:"fix,omitempty"`
	Silenced string   `json:"silenced,omitempty"` // the author's reason why this is no defect

	Snippet term.Snippet `json:"-"` // the line; a secret in it is cut
	mend    *mend
}

// A Report is what was found, file by file.
type Report struct {
	Profile  Profile        `json:"profile"`
	Findings []Finding      `json:"findings"`
	More     map[string]int `json:"more,omitempty"`     // by rule: how many findings beyond the first are left out
	Silenced map[string]int `json:"silenced,omitempty"` // by rule: how many findings the author silenced; not for reviewers, who see them
	Counts   Counts         `json:"counts"`
	Files    int            `json:"files"` // that were looked at
	Bytes    int64          `json:"bytes"` // of these files
}

// Counts are how many findings there are, with those that the report leaves out.
type Counts struct {
	Error   int `json:"error"`
	Warning int `json:"warning"`
	Hint    int `json:"hint"`
}

// Of gives the number of findings that are as bad as limit, or worse.
func (c Counts) Of(limit Severity) (n int) {
	for s, count := range map[Severity]int{Error: c.Error, Warning: c.Warning, Hint: c.Hint} {
		if s.AtLeast(limit) {
			n += count
		}
	}
	return n
}

// Run looks at a subject. Errors are problems: Invalid for a manifest that is not valid, Usage for a rule or profile that
// there is none of, those of the bundle where its content breaks its rules; or that of ctx when it ends.
func Run(ctx context.Context, s Subject, o Options) (*Report, error) {
	rules, err := o.rules()
	if err != nil {
		return nil, err
	}
	r, err := newRun(ctx, s)
	if err != nil {
		return nil, err
	}
	if o.Profile == "" {
		o.Profile = Author
	}
	r.silence = readSilence(r)
	report := &Report{Profile: o.Profile, Findings: []Finding{}, Files: len(r.tree.files), Bytes: r.tree.bytes}
	for _, rule := range rules {
		if severity := rule.Severity(o.Profile); severity != Off && !(rule.Served && s.Served == nil) {
			c := &check{run: r, rule: rule, severity: severity, seen: map[string]bool{}}
			rule.check(c)
			report.take(c)
		}
	}
	report.sort(rules)
	return report, ctx.Err()
}

// rules gives the rules that the options want, in the order of [Rules].
func (o Options) rules() ([]Rule, error) {
	if o.Profile != "" && o.Profile != Author && o.Profile != Reviewer {
		return nil, problem.New(problem.Usage, "lint/profile", "there is no profile %q", string(o.Profile)).Try("--profile author, or --profile reviewer")
	}
	for _, id := range slices.Concat(o.Only, o.Disable) {
		if _, err := Find(id); err != nil {
			return nil, err
		}
	}
	list := slices.DeleteFunc(Rules(), func(r Rule) bool {
		return len(o.Only) > 0 && !named(o.Only, r.ID) || named(o.Disable, r.ID)
	})
	return list, nil
}

func named(list []string, id string) bool {
	return slices.ContainsFunc(list, func(s string) bool { return fullID(s) == id })
}

// take adds what a rule found.
func (r *Report) take(c *check) {
	silenced := c.run.silence[c.rule.ID]
	if silenced != "" && r.Profile == Author {
		if n := len(c.found) + c.more; n > 0 {
			addTo(&r.Silenced, c.rule.ID, n)
		}
		return
	}
	for _, f := range c.found {
		f.Silenced = silenced
		r.Findings = append(r.Findings, f)
	}
	if c.more > 0 {
		addTo(&r.More, c.rule.ID, c.more)
	}
	n := len(c.found) + c.more
	switch c.severity {
	case Error:
		r.Counts.Error += n
	case Warning:
		r.Counts.Warning += n
	case Hint:
		r.Counts.Hint += n
	}
}

func addTo(m *map[string]int, key string, n int) {
	if *m == nil {
		*m = map[string]int{}
	}
	(*m)[key] += n
}

// sort puts the manifest first, then file by file, what the server serves last.
func (r *Report) sort(rules []Rule) {
	order := map[string]int{}
	for i, rule := range rules {
		order[rule.ID] = i
	}
	rank := func(f Finding) int {
		switch f.File {
		case manifestName:
			return 0
		case "":
			return 2
		}
		return 1
	}
	slices.SortStableFunc(r.Findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line),
			cmp.Compare(a.Column, b.Column), cmp.Compare(order[a.Rule], order[b.Rule]))
	})
}

const manifestName = "manifest.json"

// A run is one subject under the rules.
type run struct {
	ctx      context.Context
	subject  Subject
	text     []byte // the manifest
	manifest *manifest.Manifest
	outline  *manifest.Outline
	tree     *tree
	silence  map[string]string // by rule: the author's reason
}

// newRun refuses a manifest that is not valid, and reads the files.
func newRun(ctx context.Context, s Subject) (*run, error) {
	report := manifest.Validate(s.Manifest, manifest.Checks{Files: s.Files})
	if err := report.Err(); err != nil {
		return nil, err
	}
	m, _, err := manifest.Parse(s.Manifest)
	if err != nil {
		return nil, err
	}
	outline, err := manifest.ReadOutline(s.Manifest)
	if err != nil {
		return nil, err
	}
	r := &run{ctx: ctx, subject: s, text: s.Manifest, manifest: m, outline: outline}
	if s.Files == nil {
		r.tree = manifestAlone(s.Manifest)
		return r, nil
	}
	r.tree, err = readTree(ctx, s.Files, r.sources())
	return r, err
}

// lineColumn gives the place of an offset: line and column from 1, the column in characters.
func lineColumn(text []byte, offset int) (line, column int) {
	head := text[:min(offset, len(text))]
	start := bytes.LastIndexByte(head, '\n') + 1
	return bytes.Count(head, []byte("\n")) + 1, len([]rune(string(head[start:]))) + 1
}

// sources are the programs that the manifest starts: the author's own, wherever they are.
func (r *run) sources() []string {
	list := []string{r.manifest.EntryFile()}
	for v := range r.outline.Texts("server", "mcp_config") {
		if name, ok := inBundle(v.Text); ok {
			list = append(list, name)
		}
	}
	return list
}

// Text gives the finding as one sentence, with its subject.
func (f Finding) Text() string {
	if f.Path == "" {
		return f.Message
	}
	return f.Path + " " + f.Message
}
