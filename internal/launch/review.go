package launch

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"satchel/internal/answers"
	"satchel/internal/spec"
	"satchel/mcpb/manifest"
)

// Review says what the person agrees to, the risks of the command first; permissions and their risks are not its matter.
func (p *Plan) Review(e Extension) spec.Review {
	m := e.Manifest
	r := spec.Review{
		ID: e.ID, Title: m.DisplayName, Version: m.Version, Author: m.Author.Name,
		Command: p.Spec.Shown, Env: []string{}, Dir: p.Spec.Dir, Answers: []spec.Answer{}, Missing: []string{}, Without: append([]string{}, p.Command.Dropped...), Forgets: []spec.Answer{}, Warnings: []string{},
		Risks: p.Risks(), Permissions: []spec.Permission{}, Notes: []string{}, Tools: []string{},
	}
	for _, t := range m.Tools {
		r.Tools = append(r.Tools, t.Name)
	}
	if r.Title == "" {
		r.Title = m.Name
	}
	for _, key := range slices.Sorted(maps.Keys(p.Command.ShownEnv)) {
		r.Env = append(r.Env, key+"="+p.Command.ShownEnv[key])
	}
	for _, o := range p.Missing {
		r.Missing = append(r.Missing, o.Title)
	}
	for _, o := range m.UserConfig {
		if v, ok := e.Answers[o.Key]; ok {
			r.Answers = append(r.Answers, answerOf(o, v))
		}
	}
	return r
}

func answerOf(o manifest.Option, v any) spec.Answer {
	a := spec.Answer{Key: o.Key, Title: o.Title, Value: answers.Text(v), Secret: o.Sensitive, Path: o.Type == manifest.Directory || o.Type == manifest.File}
	if o.Sensitive {
		a.Value = "***"
	}
	return a
}

// Risks are those of the command line, the worst first.
func (p *Plan) Risks() []spec.Risk {
	risks := []spec.Risk{}
	for _, o := range p.Command.Exposed {
		risks = append(risks, spec.Risk{Level: spec.High, Text: fmt.Sprintf("the secret %q goes onto the command line, where every program on this machine can read it", o.Title)})
	}
	for key, val := range p.Command.ShownEnv {
		if telling(key) {
			risks = append(risks, spec.Risk{Level: spec.Medium, Text: fmt.Sprintf("it sets %s=%s, which changes what code runs", key, val)})
		}
	}
	switch base := programName(p.Spec.Argv[0]); base {
	case "npx", "uvx", "pipx", "bunx":
		risks = append(risks, spec.Risk{Level: spec.High, Text: base + " downloads the server's code each time it starts: what runs is not in the bundle"})
	case "sh", "bash", "zsh", "cmd", "powershell", "pwsh":
		risks = append(risks, spec.Risk{Level: spec.Medium, Text: "it starts through the shell " + base})
	}
	for _, name := range p.Command.Unknown {
		risks = append(risks, spec.Risk{Level: spec.Medium, Text: "${" + name + "} is not a variable: the server gets it as it is"})
	}
	slices.SortStableFunc(risks, func(a, b spec.Risk) int { return strings.Compare(string(a.Level)+a.Text, string(b.Level)+b.Text) })
	return risks
}

func programName(path string) string {
	path = strings.ReplaceAll(path, `\`, "/")
	path = strings.ToLower(path[strings.LastIndexByte(path, '/')+1:])
	for _, end := range []string{".exe", ".cmd", ".bat"} {
		path = strings.TrimSuffix(path, end)
	}
	return path
}
