package detect

import (
	"maps"
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

// npmEntry looks for the program: main, then bin, then exports, then where programs usually are.
func (r *reader) npmEntry(t table) {
	bin := ""
	if m, ok := t["bin"].(map[string]any); ok {
		for _, name := range slices.Sorted(maps.Keys(m)) {
			if bin = r.text(m, "bin", name); bin != "" {
				break
			}
		}
	} else {
		bin = r.text(t, "", "bin")
	}
	candidates := []struct{ key, file string }{{"main", r.text(t, "", "main")}, {"bin", bin}, {"exports", exported(t["exports"], 0)}}
	for _, c := range candidates {
		if c.file != "" {
			r.takeServer(c.key, manifest.Node, nodeFile(c.file))
		}
		if r.found.Manifest.Server.EntryPoint != "" {
			return
		}
	}
	if usual := r.firstFile("server/index.js", "index.js", "dist/index.js", "build/index.js", "src/index.js", "server.js"); usual != "" {
		r.takeServer("", manifest.Node, usual)
	}
}

// nodeFile adds the ending that Node.js looks for itself, which a manifest has to name.
func nodeFile(file string) string {
	last := file[strings.LastIndexByte(file, '/')+1:]
	if last != "" && !strings.Contains(strings.TrimLeft(last, "."), ".") {
		return file + ".js"
	}
	return file
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
