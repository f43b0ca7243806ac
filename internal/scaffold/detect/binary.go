package detect

import (
	"regexp"
	"strings"

	"golang.org/x/mod/modfile"

	"satchel/mcpb/manifest"
)

// goModule reads a go.mod: it has a name and, for the large hosts, a repository.
func (r *reader) goModule(data []byte) {
	module := modfile.ModulePath(data)
	if module == "" {
		r.note("", "has no module line: nothing of it is used")
		return
	}
	parts := strings.Split(strings.TrimSuffix(module, "/"), "/")
	if len(parts) > 1 && regexp.MustCompile(`^v[0-9]+$`).MatchString(parts[len(parts)-1]) {
		parts = parts[:len(parts)-1]
	}
	name := parts[len(parts)-1]
	r.takeName("module", name)
	if len(parts) >= 3 && (parts[0] == "github.com" || parts[0] == "gitlab.com" || parts[0] == "bitbucket.org") {
		r.takeRepository("module", "https://"+strings.Join(parts[:3], "/"))
	}
	r.takeServer("module", manifest.Binary, "server/"+SafeName(name))
}

// cargo reads a Cargo.toml (https://doc.rust-lang.org/cargo/reference/manifest.html).
func (r *reader) cargo(data []byte) {
	t, ok := r.toml(data)
	if !ok {
		return
	}
	p := r.table(t, "", "package")
	if p == nil {
		r.note("", "has no [package] table: is it a workspace? Name the folder of the package")
		return
	}
	get := func(key string) string {
		if inherits, ok := p[key].(map[string]any); ok && inherits["workspace"] == true {
			r.note("package."+key, "is the workspace's: left out")
			return ""
		}
		return r.text(p, "package", key)
	}
	name := get("name")
	r.takeName("package.name", name)
	r.takeVersion("package.version", get("version"))
	r.takeDescription("package.description", get("description"))
	if _, isList := p["authors"].([]any); isList {
		if authors := r.texts(p, "package", "authors"); len(authors) > 0 {
			r.takeAuthor("package.authors", parsePerson(authors[0]))
		}
	}
	r.takeLicense("package.license", get("license"))
	r.takeHomepage("package.homepage", get("homepage"))
	r.takeDocumentation("package.documentation", get("documentation"))
	r.takeRepository("package.repository", get("repository"))
	if _, isList := p["keywords"].([]any); isList {
		r.takeKeywords("package.keywords", r.texts(p, "package", "keywords"))
	}
	key := "package.name"
	if run := r.text(p, "package", "default-run"); run != "" {
		key, name = "package.default-run", run
	} else if bins := tables(t["bin"]); len(bins) > 0 {
		if bin := r.text(bins[0], "bin[0]", "name"); bin != "" {
			key, name = "bin[0].name", bin
		}
	}
	if name != "" {
		r.takeServer(key, manifest.Binary, "server/"+SafeName(name))
	}
}
