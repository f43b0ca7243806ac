package detect

import (
	"maps"
	"path"
	"slices"
	"strings"

	"satchel/mcpb/manifest"
)

// npm reads a package.json (https://docs.npmjs.com/cli/configuring-npm/package-json).
func (r *reader) npm(data []byte) {
	t, ok := r.json(data)
	if !ok {
		return
	}
	r.takeName("name", r.text(t, "", "name"))
	r.takeVersion("version", r.text(t, "", "version"))
	r.takeDescription("description", r.text(t, "", "description"))
	r.npmAuthor(t)
	if license := r.npmLicense(t); !strings.EqualFold(license, "UNLICENSED") {
		r.takeLicense("license", license)
	}
	r.takeHomepage("homepage", r.text(t, "", "homepage"))
	if bugs, ok := t["bugs"].(map[string]any); ok {
		r.takeSupport("bugs.url", r.text(bugs, "bugs", "url"))
	} else {
		r.takeSupport("bugs", r.text(t, "", "bugs"))
	}
	if repository, ok := t["repository"].(map[string]any); ok {
		r.takeRepository("repository.url", r.text(repository, "repository", "url"))
	} else {
		r.takeRepository("repository", r.text(t, "", "repository"))
	}
	if _, isText := t["keywords"].(string); isText {
		r.takeKeywords("keywords", strings.Split(r.text(t, "", "keywords"), ","))
	} else {
		r.takeKeywords("keywords", r.texts(t, "", "keywords"))
	}
	r.takeNode("engines.node", r.text(r.table(t, "", "engines"), "engines", "node"))
	r.npmEntry(t)
}

func (r *reader) npmAuthor(t table) {
	if author, ok := t["author"].(map[string]any); ok {
		r.takeAuthor("author", person{r.text(author, "author", "name"), r.text(author, "author", "email"), r.text(author, "author", "url")})
		return
	}
	r.takeAuthor("author", parsePerson(r.text(t, "", "author")))
}

// npmLicense also reads the forms that npm has deprecated: {"type": "MIT"}, and "licenses" as a list of such.
func (r *reader) npmLicense(t table) string {
	if old, ok := t["license"].(map[string]any); ok {
		return r.text(old, "license", "type")
	}
	if list, ok := t["licenses"].([]any); ok && t["license"] == nil && len(list) > 0 {
		if old, ok := list[0].(map[string]any); ok {
			return r.text(old, "licenses[0]", "type")
		}
	}
	return r.text(t, "", "license")
}

// maxBins is how many programs of "bin" are looked at: each is checked by all rules.
const maxBins = 20

// npmEntry looks for the program: main, then bin, then exports, then where programs usually are.
func (r *reader) npmEntry(t table) {
	type candidate struct{ key, file string }
	candidates := []candidate{{"main", r.text(t, "", "main")}}
	if m, ok := t["bin"].(map[string]any); ok {
		names := slices.Sorted(maps.Keys(m))
		for _, name := range names[:min(len(names), maxBins)] {
			candidates = append(candidates, candidate{"bin", r.text(m, "bin", name)})
		}
	} else {
		candidates = append(candidates, candidate{"bin", r.text(t, "", "bin")})
	}
	for _, c := range append(candidates, candidate{"exports", exported(t["exports"], 0)}) {
		if c.file != "" {
			r.takeServer(c.key, manifest.Node, r.nodeFile(c.file))
		}
		if r.found.Manifest.Server.EntryPoint != "" {
			return
		}
	}
	if usual := r.firstFile("server/index.js", "index.js", "dist/index.js", "build/index.js", "src/index.js", "server.js"); usual != "" {
		r.takeServer("", manifest.Node, usual)
	}
}

// nodeFile gives the file that Node.js finds under a name without an ending or of a folder: a manifest has to name it.
// What is not built yet is guessed by the look of the name.
func (r *reader) nodeFile(name string) string {
	clean := path.Clean(name)
	if file := r.firstFile(clean, clean+".js", clean+"/index.js"); file != "" {
		return file
	}
	last := path.Base(clean)
	switch {
	case strings.HasSuffix(name, "/"):
		return clean + "/index.js"
	case !strings.Contains(strings.TrimLeft(last, "."), "."):
		return clean + ".js"
	}
	return name
}

// exported gives the file that "exports" has for the package itself.
func exported(v any, depth int) string {
	switch v := v.(type) {
	case string:
		return v
	case map[string]any:
		for _, key := range []string{".", "node", "import", "default", "require"} {
			if file := exported(v[key], depth+1); depth < 10 && file != "" {
				return file
			}
		}
	}
	return ""
}
