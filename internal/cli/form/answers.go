package form

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"charm.land/huh/v2"

	"satchel/internal/scaffold"
	"satchel/internal/scaffold/detect"
	"satchel/mcpb/manifest"
)

// How many tools, prompts and options can be added in one form; more are written into the file.
const (
	maxTools   = 30
	maxPrompts = 10
	maxOptions = 12
)

// What the last question is answered with.
const (
	endWrite = "write"
	endAgain = "again"
	endStop  = "stop"
)

// answers are the texts of the form, as they are typed.
type answers struct {
	draft      manifest.Manifest
	accessible bool

	name, author, display, version, description string
	longDescription, email, authorURL           string
	homepage, documentation, support, policies  string
	icon, icons, screenshots                    string
	serverType                                  string
	entry                                       map[string]*string // by type of server
	tools                                       []*tool
	toolsGenerated, keepTools                   bool
	prompts                                     []*prompt
	promptsGenerated, keepPrompts               bool
	platforms                                   []string
	systemNames                                 string // the platforms, in the accessible mode
	node, python, desktop                       string
	options                                     []*option
	keepOptions                                 bool
	keywords, license, repository               string
	resources, locale                           string

	more map[string]*bool // which optional groups are wanted
	end  string
}

type tool struct {
	name, description string
	another           bool
}

type prompt struct {
	name, description, arguments, text string
	another                            bool
}

type option struct {
	key, kind, title, description    string
	required, sensitive, multiple    bool
	fallback, low, high, pass, envAs string
	another                          bool
}

func newAnswers(m manifest.Manifest, accessible bool) *answers {
	a := &answers{
		draft: m, accessible: accessible, name: m.Name, author: m.Author.Name, display: m.DisplayName, version: m.Version, description: m.Description,
		longDescription: m.LongDescription, email: m.Author.Email, authorURL: m.Author.URL,
		homepage: m.Homepage, documentation: m.Documentation, support: m.Support, policies: join(m.PrivacyPolicies),
		icon: m.Icon, screenshots: join(m.Screenshots), serverType: m.Server.Type, entry: map[string]*string{},
		toolsGenerated: m.ToolsGenerated, promptsGenerated: m.PromptsGenerated, keepTools: true, keepPrompts: true, keepOptions: true,
		keywords: join(m.Keywords), license: m.License, more: map[string]*bool{},
	}
	var icons []string
	for _, i := range m.Icons {
		icons = append(icons, strings.TrimSpace(i.Src+" "+i.Size+" "+i.Theme))
	}
	a.icons = join(icons)
	for _, t := range serverTypes() {
		entry := scaffold.DefaultEntry(t, m.Name)
		if t == m.Server.Type {
			entry = m.Server.EntryPoint
		}
		a.entry[t] = &entry
	}
	if m.Compatibility != nil {
		a.platforms, a.desktop, a.systemNames = slices.Clone(m.Compatibility.Platforms), m.Compatibility.ClaudeDesktop, join(m.Compatibility.Platforms)
		a.node, a.python = m.Compatibility.Runtimes.Node, m.Compatibility.Runtimes.Python
	}
	if m.Repository != nil {
		a.repository = m.Repository.URL
	}
	a.resources, a.locale = "mcpb-resources/${locale}.json", "en-US"
	if m.Localization != nil {
		a.resources, a.locale = m.Localization.Resources, m.Localization.DefaultLocale
	}
	for range maxTools {
		a.tools = append(a.tools, &tool{})
	}
	for range maxPrompts {
		a.prompts = append(a.prompts, &prompt{})
	}
	for range maxOptions {
		a.options = append(a.options, &option{kind: manifest.String, pass: passEnv})
	}
	return a
}

func serverTypes() []string {
	return []string{manifest.Node, manifest.Python, manifest.UV, manifest.Binary}
}

func join(list []string) string { return strings.Join(list, ", ") }

// split reads a list that is written with commas.
func split(s string) (list []string) {
	for part := range strings.SplitSeq(s, ",") {
		if part = strings.TrimSpace(part); part != "" {
			list = append(list, part)
		}
	}
	return list
}

// wants gives whether an optional group is wanted; at first it is when it has something in it already.
func (a *answers) wants(group string, filled bool) *bool {
	if a.more[group] == nil {
		a.more[group] = &filled
	}
	return a.more[group]
}

// input makes a question for one line. In the accessible mode an empty line keeps the value, and - empties it.
func (a *answers) input(title string, value *string, check func(string) error) huh.Field {
	f := huh.NewInput().Title(title + ":").CharLimit(4000)
	if !a.accessible {
		return f.Value(value).Validate(check)
	}
	if *value != "" {
		f.Title(fmt.Sprintf("%s [%s]:", title, shown(*value)))
	}
	return f.Accessor(dash{value}).Validate(func(s string) error {
		switch s = strings.TrimSpace(s); s {
		case "":
			return check(*value)
		case "-":
			return check("")
		}
		return check(s)
	})
}

// dash is a value that - empties.
type dash struct{ value *string }

func (d dash) Get() string { return *d.value }

func (d dash) Set(s string) {
	if s == "-" {
		s = ""
	}
	*d.value = s
}

// refusal checks an answer by the rules for manifests, in a manifest that is valid but for it. An empty one is fine.
func refusal(put func(m *manifest.Manifest, s string)) func(string) error {
	return func(s string) error {
		if s = strings.TrimSpace(s); s == "" {
			return nil
		}
		if why := detect.Refusal(func(m *manifest.Manifest) { put(m, s) }); why != "" {
			return errors.New(why)
		}
		return nil
	}
}

// needed refuses an empty answer.
func needed(check func(string) error) func(string) error {
	return func(s string) error {
		if strings.TrimSpace(s) == "" {
			return errors.New("is needed")
		}
		return check(s)
	}
}

func anything(string) error { return nil }

// manifest makes the manifest. It is checked once more by whoever writes it.
func (a *answers) manifest(basics bool) *manifest.Manifest {
	m := a.draft
	m.Name, m.DisplayName, m.Version, m.Description = trim(a.name), trim(a.display), trim(a.version), trim(a.description)
	if m.DisplayName == m.Name {
		m.DisplayName = ""
	}
	m.Author = manifest.Author{Name: trim(a.author), Email: trim(a.email), URL: trim(a.authorURL)}
	if basics {
		return &m
	}
	m.LongDescription, m.Homepage, m.Documentation, m.Support = trim(a.longDescription), trim(a.homepage), trim(a.documentation), trim(a.support)
	m.PrivacyPolicies, m.Icon, m.Icons, m.Screenshots = split(a.policies), trim(a.icon), readIcons(a.icons), split(a.screenshots)
	a.server(&m)
	a.declared(&m)
	a.compatibility(&m)
	a.userConfig(&m)
	m.Keywords, m.License, m.Repository, m.Localization = split(a.keywords), trim(a.license), nil, nil
	if url := trim(a.repository); url != "" {
		m.Repository = &manifest.Repository{Type: "git", URL: detect.RepositoryURL(url)}
	}
	if *a.wants("localization", false) {
		m.Localization = &manifest.Localization{Resources: trim(a.resources), DefaultLocale: trim(a.locale)}
	}
	return &m
}

func trim(s string) string { return strings.TrimSpace(s) }

// server keeps the draft's command unless another program was named.
func (a *answers) server(m *manifest.Manifest) {
	entry := trim(*a.entry[a.serverType])
	if a.serverType == m.Server.Type && entry == m.Server.EntryPoint && m.Server.MCPConfig != nil {
		return
	}
	m.Server = manifest.Server{Type: a.serverType, EntryPoint: entry, MCPConfig: scaffold.CommandFor(a.serverType, entry)}
	if a.serverType == manifest.UV {
		m.ManifestVersion = "0.4"
	}
}

func (a *answers) declared(m *manifest.Manifest) {
	m.ToolsGenerated, m.PromptsGenerated = a.toolsGenerated, a.promptsGenerated
	if !a.keepTools || len(m.Tools) == 0 {
		m.Tools = nil
		for i, t := range a.tools {
			if a.asksTool(i) && trim(t.name) != "" {
				m.Tools = append(m.Tools, manifest.Tool{Name: trim(t.name), Description: trim(t.description)})
			}
		}
	}
	if !a.keepPrompts || len(m.Prompts) == 0 {
		m.Prompts = nil
		for i, p := range a.prompts {
			if a.asksPrompt(i) && trim(p.name) != "" {
				m.Prompts = append(m.Prompts, manifest.Prompt{Name: trim(p.name), Description: trim(p.description), Arguments: split(p.arguments), Text: trim(p.text)})
			}
		}
	}
}

func (a *answers) compatibility(m *manifest.Manifest) {
	c := manifest.Compatibility{ClaudeDesktop: trim(a.desktop), Platforms: slices.Clone(a.platforms)}
	if a.accessible {
		c.Platforms = split(a.systemNames)
	}
	switch a.serverType {
	case manifest.Node:
		c.Runtimes.Node = trim(a.node)
	case manifest.Python, manifest.UV:
		c.Runtimes.Python = trim(a.python)
	}
	m.Compatibility = nil
	if c.ClaudeDesktop != "" || len(c.Platforms) > 0 || c.Runtimes.Node+c.Runtimes.Python != "" {
		m.Compatibility = &c
	}
}

// readIcons reads "icon.png 16x16 dark, other.png 32x32"; what is no such thing keeps its place, and is refused.
func readIcons(s string) (icons []manifest.Icon) {
	for _, part := range split(s) {
		words := append(strings.Fields(part), "", "")
		icons = append(icons, manifest.Icon{Src: words[0], Size: words[1], Theme: strings.Join(strings.Fields(strings.Join(words[2:], " ")), " ")})
	}
	return icons
}

// readDefault reads a default as its option's type. What is no number stays a text, which the rules refuse.
func (o *option) readDefault() any {
	text := trim(o.fallback)
	switch {
	case text == "":
		return nil
	case o.kind == manifest.Number:
		if n, err := strconv.ParseFloat(text, 64); err == nil {
			return n
		}
	case o.kind == manifest.Boolean:
		if b, err := strconv.ParseBool(text); err == nil {
			return b
		}
	case o.multiple:
		return split(text)
	}
	return text
}
