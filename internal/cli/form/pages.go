package form

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"charm.land/huh/v2"

	"satchel/internal/scaffold/detect"
	"satchel/internal/term"
	"satchel/mcpb/manifest"
)

// shown makes a value safe to stand in a question: the project may be a stranger's.
func shown(s string) string { return term.VisibleLine(s) }

func confirm(title string, value *bool) huh.Field {
	return huh.NewConfirm().Title(title).Value(value)
}

// pages are all questions in the order of the reference's. What is optional stands behind a question each.
func (a *answers) pages(basics bool) []page {
	list := []page{a.basics()}
	if !basics {
		list = append(list, a.texts()...)
		list = append(list, a.pictures()...)
		list = append(list, a.serverPages()...)
		list = append(list, a.toolPages()...)
		list = append(list, a.promptPages()...)
		list = append(list, a.compatibilityPages()...)
		list = append(list, a.optionPages()...)
		list = append(list, a.lastPages()...)
	}
	return append(list, page{fields: []huh.Field{
		huh.NewSelect[string]().Title("Write it?").Value(&a.end).Options(
			huh.NewOption("Write it", endWrite), huh.NewOption("Go through the questions again", endAgain), huh.NewOption("Stop, and write nothing", endStop),
		),
	}})
}

// group is a page that is shown when the question before it was answered with yes.
func (a *answers) group(name, question string, filled bool, fields ...huh.Field) []page {
	wanted := a.wants(name, filled)
	return []page{
		{fields: []huh.Field{confirm(question, wanted)}},
		{shown: func() bool { return *wanted }, fields: fields},
	}
}

func (a *answers) basics() page {
	return page{title: "The extension", fields: []huh.Field{
		a.input("Name", &a.name, needed(refusal(func(m *manifest.Manifest, s string) { m.Name = s }))),
		a.input("Author", &a.author, needed(refusal(func(m *manifest.Manifest, s string) { m.Author.Name = s }))),
		a.input("Display name (optional)", &a.display, refusal(func(m *manifest.Manifest, s string) { m.DisplayName = s })),
		a.input("Version", &a.version, needed(refusal(func(m *manifest.Manifest, s string) { m.Version = s }))),
		a.input("Description, one sentence", &a.description, needed(refusal(func(m *manifest.Manifest, s string) { m.Description = s }))),
	}}
}

func (a *answers) texts() (list []page) {
	long := a.input("Long description, Markdown", &a.longDescription, anything)
	if !a.accessible {
		long = huh.NewText().Title("Long description, Markdown:").CharLimit(10_000).Value(&a.longDescription).ExternalEditor(false)
	}
	list = append(list, a.group("long description", "Add a long description?", a.longDescription != "", long)...)
	list = append(list, a.group("author", "Add the author's e-mail and page?", a.email+a.authorURL != "",
		a.input("E-mail (optional)", &a.email, refusal(func(m *manifest.Manifest, s string) { m.Author.Email = s })),
		a.input("Page of the author, a URL (optional)", &a.authorURL, refusal(func(m *manifest.Manifest, s string) { m.Author.URL = s })),
	)...)
	return append(list, a.group("links", "Add links: homepage, documentation, support?", a.homepage+a.documentation+a.support+a.policies != "",
		a.input("Homepage (optional)", &a.homepage, refusal(func(m *manifest.Manifest, s string) { m.Homepage = s })),
		a.input("Documentation (optional)", &a.documentation, refusal(func(m *manifest.Manifest, s string) { m.Documentation = s })),
		a.input("Support (optional)", &a.support, refusal(func(m *manifest.Manifest, s string) { m.Support = s })),
		a.input("Privacy policies of services that it uses, by commas (optional)", &a.policies, refusal(func(m *manifest.Manifest, s string) { m.PrivacyPolicies = split(s) })),
	)...)
}

func (a *answers) pictures() []page {
	return a.group("pictures", "Add pictures: icon, screenshots?", a.icon+a.icons+a.screenshots != "",
		a.input("Icon, a PNG of 512x512 in the folder (optional)", &a.icon, refusal(func(m *manifest.Manifest, s string) { m.Icon = s })),
		a.input("Icons of other sizes and themes, such as: i16.png 16x16 dark, i32.png 32x32 (optional)", &a.icons,
			refusal(func(m *manifest.Manifest, s string) { m.Icons = readIcons(s) })),
		a.input("Screenshots, by commas (optional)", &a.screenshots, refusal(func(m *manifest.Manifest, s string) { m.Screenshots = split(s) })),
	)
}

func (a *answers) serverPages() []page {
	names := map[string]string{
		manifest.Node: "Node.js", manifest.Python: "Python", manifest.UV: "Python with uv, which brings the packages", manifest.Binary: "A program",
	}
	choose := huh.NewSelect[string]().Title("Type of server:").Value(&a.serverType)
	var choices []huh.Option[string]
	for _, t := range serverTypes() {
		choices = append(choices, huh.NewOption(names[t], t))
	}
	choose.Options(choices...)
	list := []page{{title: "The server", fields: []huh.Field{choose}}}
	for _, t := range serverTypes() {
		list = append(list, page{shown: func() bool { return a.serverType == t }, fields: []huh.Field{
			a.input("Entry point, a file of the folder", a.entry[t], needed(refusal(func(m *manifest.Manifest, s string) { m.Server.EntryPoint = s }))),
		}})
	}
	return list
}

// keep asks whether what the draft declares stays. It is told by number: it may be much.
func keep(what string, n int, value *bool) page {
	return page{shown: func() bool { return n > 0 }, fields: []huh.Field{confirm(fmt.Sprintf("Keep the %d %s that are known?", n, what), value)}}
}

// asksTool tells whether the tool of a number is asked for: the first when tools are wanted, another one after another.
func (a *answers) asksTool(i int) bool {
	return *a.wants("tools", false) && (len(a.draft.Tools) == 0 || !a.keepTools) && (i == 0 || a.tools[i-1].another && a.asksTool(i-1))
}

func (a *answers) toolPages() []page {
	wanted, known := a.wants("tools", false), len(a.draft.Tools)
	list := []page{
		keep("tools", known, &a.keepTools),
		{shown: func() bool { return known == 0 || !a.keepTools }, fields: []huh.Field{confirm("Add the tools that the server provides?", wanted)}},
	}
	for i, t := range a.tools {
		fields := []huh.Field{
			a.input("Name of the tool", &t.name, needed(a.freeTool(i))),
			a.input("What it does (optional)", &t.description, anything),
		}
		if i < len(a.tools)-1 {
			fields = append(fields, confirm("Add another tool?", &t.another))
		}
		list = append(list, page{title: fmt.Sprintf("Tool %d", i+1), shown: func() bool { return a.asksTool(i) }, fields: fields})
	}
	return append(list, page{shown: func() bool { return known > 0 && a.keepTools || *wanted }, fields: []huh.Field{
		confirm("Does the server have more tools than are listed?", &a.toolsGenerated),
	}})
}

// freeTool refuses a name that an earlier tool has.
func (a *answers) freeTool(i int) func(string) error {
	return func(s string) error {
		for _, t := range a.tools[:i] {
			if trim(t.name) == trim(s) {
				return errors.New("is the name of another tool")
			}
		}
		return nil
	}
}

func (a *answers) asksPrompt(i int) bool {
	return *a.wants("prompts", false) && (len(a.draft.Prompts) == 0 || !a.keepPrompts) && (i == 0 || a.prompts[i-1].another && a.asksPrompt(i-1))
}

func (a *answers) promptPages() []page {
	wanted, known := a.wants("prompts", false), len(a.draft.Prompts)
	list := []page{
		keep("prompts", known, &a.keepPrompts),
		{shown: func() bool { return known == 0 || !a.keepPrompts }, fields: []huh.Field{confirm("Add prompts that the server provides?", wanted)}},
	}
	for i, p := range a.prompts {
		fields := []huh.Field{
			a.input("Name of the prompt", &p.name, needed(a.freePrompt(i))),
			a.input("What it is for (optional)", &p.description, anything),
			a.input("Names of its arguments, by commas (optional)", &p.arguments, different),
			a.input("Its text; ${arguments.NAME} stands for an argument", &p.text, needed(p.checkText)),
		}
		if i < len(a.prompts)-1 {
			fields = append(fields, confirm("Add another prompt?", &p.another))
		}
		list = append(list, page{title: fmt.Sprintf("Prompt %d", i+1), shown: func() bool { return a.asksPrompt(i) }, fields: fields})
	}
	return append(list, page{shown: func() bool { return known > 0 && a.keepPrompts || *wanted }, fields: []huh.Field{
		confirm("Does the server have more prompts than are listed?", &a.promptsGenerated),
	}})
}

func (a *answers) freePrompt(i int) func(string) error {
	return func(s string) error {
		for _, p := range a.prompts[:i] {
			if trim(p.name) == trim(s) {
				return errors.New("is the name of another prompt")
			}
		}
		return nil
	}
}

func different(s string) error {
	seen := map[string]bool{}
	for _, name := range split(s) {
		if seen[name] {
			return fmt.Errorf("%q is there twice", name)
		}
		seen[name] = true
	}
	return nil
}

func (p *prompt) checkText(s string) error {
	return refusal(func(m *manifest.Manifest, s string) {
		m.Prompts = []manifest.Prompt{{Name: "x", Text: s, Arguments: split(p.arguments)}}
	})(s)
}

func (a *answers) compatibilityPages() []page {
	wanted := a.wants("compatibility", a.draft.Compatibility != nil)
	asks := func(types ...string) func() bool {
		return func() bool { return *wanted && strings.Contains(strings.Join(types, " "), a.serverType) }
	}
	return []page{
		{fields: []huh.Field{confirm("Say what it is compatible with?", wanted)}},
		{shown: func() bool { return *wanted }, fields: []huh.Field{
			a.systems(),
			a.input("Versions of Claude Desktop, such as >=0.10.0 (optional)", &a.desktop, refusal(func(m *manifest.Manifest, s string) {
				m.Compatibility = &manifest.Compatibility{ClaudeDesktop: s}
			})),
		}},
		{shown: asks(manifest.Node), fields: []huh.Field{
			a.input("Versions of Node.js, such as >=20 (optional)", &a.node, refusal(func(m *manifest.Manifest, s string) {
				m.Compatibility = &manifest.Compatibility{}
				m.Compatibility.Runtimes.Node = s
			})),
		}},
		{shown: asks(manifest.Python, manifest.UV), fields: []huh.Field{
			a.input("Versions of Python, such as >=3.10,<4 (optional)", &a.python, refusal(func(m *manifest.Manifest, s string) {
				m.Compatibility = &manifest.Compatibility{}
				m.Compatibility.Runtimes.Python = s
			})),
		}},
	}
}

// systems asks for platforms. The library's list of choices takes no empty line in the accessible mode.
func (a *answers) systems() huh.Field {
	if a.accessible {
		return a.input("Systems that it runs on, of darwin, win32, linux, by commas; none means all (optional)", &a.systemNames,
			refusal(func(m *manifest.Manifest, s string) { m.Compatibility = &manifest.Compatibility{Platforms: split(s)} }))
	}
	return huh.NewMultiSelect[string]().Title("Systems that it runs on; none means all:").Value(&a.platforms).Options(
		huh.NewOption("macOS", "darwin"), huh.NewOption("Windows", "win32"), huh.NewOption("Linux", "linux"),
	)
}

func (a *answers) lastPages() []page {
	list := []page{{title: "About it", fields: []huh.Field{
		a.input("Keywords, by commas (optional)", &a.keywords, anything),
		a.input("Licence, such as MIT (optional)", &a.license, anything),
		a.input("Repository, a URL (optional)", &a.repository, refusal(func(m *manifest.Manifest, s string) {
			m.Repository = &manifest.Repository{Type: "git", URL: detect.RepositoryURL(s)}
		})),
	}}}
	return append(list, a.group("localization", "Are its texts translated?", a.draft.Localization != nil,
		a.input("Files of the translations, with ${locale} in the path", &a.resources, needed(refusal(func(m *manifest.Manifest, s string) {
			m.Localization = &manifest.Localization{Resources: s, DefaultLocale: "en-US"}
		}))),
		a.input("Language of the manifest's own texts", &a.locale, needed(refusal(func(m *manifest.Manifest, s string) {
			m.Localization = &manifest.Localization{Resources: "${locale}.json", DefaultLocale: s}
		}))),
	)...)
}

// isKey is what can stand in ${user_config.KEY} without surprise.
func isKey(s string) bool { return regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,63}$`).MatchString(s) }
