package detect

import (
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"satchel/mcpb/manifest"
)

func (r *reader) takeName(key, name string) {
	r.take("name", key, safeName(name), func(m *manifest.Manifest, v string) { m.Name = v })
}

// safeName makes a name that gives an id, and that is one word on a command line: "@acme/notes" becomes "acme-notes".
func safeName(name string) string {
	name = regexp.MustCompile(`[^a-zA-Z0-9._-]+`).ReplaceAllString(name, "-")
	name = strings.Trim(name, "._-")
	if regexp.MustCompile(`(?i)^(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)`).MatchString(name) {
		name = "my-" + name // Windows opens a device by that name, and makes no folder of it
	}
	return strings.TrimRight(name[:min(len(name), 64)], "._-")
}

// SafeName makes a name for an extension out of any text, such as the name of a folder; "my-extension" when nothing of
// it can be used.
func SafeName(text string) string {
	if name := safeName(text); name != "" {
		return name
	}
	return "my-extension"
}

// takeVersion makes three numbers of one or two, which Python and people write.
func (r *reader) takeVersion(key, version string) {
	if version = strings.TrimSpace(version); regexp.MustCompile(`^\d+(\.\d+)?$`).MatchString(version) {
		version += strings.Repeat(".0", 2-strings.Count(version, "."))
	}
	r.take("version", key, version, func(m *manifest.Manifest, v string) { m.Version = v })
}

func (r *reader) takeDescription(key, text string) {
	r.take("description", key, text, func(m *manifest.Manifest, v string) { m.Description = v })
}

func (r *reader) takeLicense(key, text string) {
	r.take("license", key, text, func(m *manifest.Manifest, v string) { m.License = v })
}

func (r *reader) takeKeywords(key string, words []string) {
	var kept []string
	for _, w := range words {
		if w = strings.TrimSpace(w); w != "" && len(w) <= 100 && len(kept) < 50 && !slices.Contains(kept, w) {
			kept = append(kept, w)
		}
	}
	if len(kept) > 0 {
		r.take("keywords", key, strings.Join(kept, ", "), func(m *manifest.Manifest, _ string) { m.Keywords = kept })
	}
}

func (r *reader) takeHomepage(key, url string) {
	r.take("homepage", key, url, func(m *manifest.Manifest, v string) { m.Homepage = v })
}

func (r *reader) takeDocumentation(key, url string) {
	r.take("documentation", key, url, func(m *manifest.Manifest, v string) { m.Documentation = v })
}

func (r *reader) takeSupport(key, url string) {
	r.take("support", key, url, func(m *manifest.Manifest, v string) { m.Support = v })
}

func (r *reader) takeRepository(key, url string) {
	r.take("repository", key, RepositoryURL(url), func(m *manifest.Manifest, v string) {
		m.Repository = &manifest.Repository{Type: "git", URL: v}
	})
}

func (r *reader) takePython(key, versions string) {
	r.take("compatibility.runtimes.python", key, versions, func(m *manifest.Manifest, v string) { compatibility(m).Runtimes.Python = v })
}

func (r *reader) takeNode(key, versions string) {
	r.take("compatibility.runtimes.node", key, versions, func(m *manifest.Manifest, v string) { compatibility(m).Runtimes.Node = v })
}

func compatibility(m *manifest.Manifest) *manifest.Compatibility {
	if m.Compatibility == nil {
		m.Compatibility = &manifest.Compatibility{}
	}
	return m.Compatibility
}

// takeServer takes the type and the entry point; the command is made of them later, where ${ begins a variable.
func (r *reader) takeServer(key, typ, entry string) {
	entry = path.Clean(strings.ReplaceAll(entry, `\`, "/"))
	if strings.Contains(entry, "${") {
		r.note(key, "%s reads like a variable: left out", short(entry))
		return
	}
	ok := r.take("server.entry_point", key, entry, func(m *manifest.Manifest, v string) { m.Server.EntryPoint = v })
	if ok {
		r.found.Manifest.Server.Type = typ
		r.found.Sources = append(r.found.Sources, Source{"server.type", r.file})
	}
}

// firstFile gives the first of the names that is a file of the project; "" when none is.
func (r *reader) firstFile(names ...string) string {
	for _, name := range names {
		if fs.ValidPath(name) {
			if info, err := fs.Stat(r.files, name); err == nil && info.Mode().IsRegular() {
				return name
			}
		}
	}
	return ""
}

// takeAuthor takes a person.
func (r *reader) takeAuthor(key string, p person) {
	r.take("author.name", key, p.name, func(m *manifest.Manifest, v string) { m.Author.Name = v })
	r.take("author.email", key, p.email, func(m *manifest.Manifest, v string) { m.Author.Email = v })
	r.take("author.url", key, p.url, func(m *manifest.Manifest, v string) { m.Author.URL = v })
}

// A person is who npm, Poetry and Cargo write as "Name <mail> (url)".
type person struct{ name, email, url string }

func parsePerson(s string) (p person) {
	p.name = s
	if name, rest, ok := strings.Cut(p.name, "("); ok {
		p.url, _, _ = strings.Cut(rest, ")")
		p.name = name
	}
	if name, rest, ok := strings.Cut(p.name, "<"); ok {
		p.email, _, _ = strings.Cut(rest, ">")
		p.name = name
	}
	return p
}

// RepositoryURL turns the forms in which npm and git name a repository into a URL that a browser opens where that is
// known: "github:a/b", "a/b", "git+ssh://git@github.com/a/b.git", "git@github.com:a/b". Others stay as they are.
func RepositoryURL(s string) string {
	s = strings.TrimPrefix(strings.TrimSpace(s), "git+")
	host, isShort := map[string]string{"github": "github.com", "gitlab": "gitlab.com", "bitbucket": "bitbucket.org", "gist": "gist.github.com"}[beforeColon(s)]
	switch {
	case isShort:
		return "https://" + host + "/" + s[strings.IndexByte(s, ':')+1:]
	case regexp.MustCompile(`^[\w.-]+/[\w.-]+$`).MatchString(s):
		return "https://github.com/" + s
	}
	known := regexp.MustCompile(`^(?:(?:ssh|git|http|https)://)?(?:git@)?(github\.com|gitlab\.com|bitbucket\.org)[:/](.+)$`)
	if m := known.FindStringSubmatch(s); m != nil {
		return "https://" + m[1] + "/" + m[2]
	}
	return s
}

func beforeColon(s string) string {
	before, _, _ := strings.Cut(s, ":")
	return before
}
