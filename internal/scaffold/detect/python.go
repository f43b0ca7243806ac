package detect

import (
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"satchel/mcpb/manifest"
)

// python reads a pyproject.toml: the [project] table of PEP 621, else that of Poetry.
func (r *reader) python(data []byte) {
	t, ok := r.toml(data)
	if !ok {
		return
	}
	tool := r.table(t, "", "tool")
	if p := r.table(t, "", "project"); p != nil {
		r.pep621(p, tool)
	} else if p := r.table(tool, "tool", "poetry"); p != nil {
		r.poetry(p)
	} else {
		r.note("", "has neither a [project] nor a [tool.poetry] table")
	}
}

func (r *reader) pep621(p, tool table) {
	name := r.text(p, "project", "name")
	r.takeName("project.name", name)
	if version := r.text(p, "project", "version"); version != "" {
		r.takeVersion("project.version", version)
	} else if slices.Contains(r.texts(p, "project", "dynamic"), "version") {
		r.dynamicVersion(tool)
	}
	r.takeDescription("project.description", r.text(p, "project", "description"))
	if list := tables(p["authors"]); len(list) == 0 && p["authors"] != nil {
		r.note("project.authors", "is no list of tables: left out")
	} else if len(list) > 0 {
		r.takeAuthor("project.authors", person{name: r.text(list[0], "project.authors[0]", "name"), email: r.text(list[0], "project.authors[0]", "email")})
	}
	if license, ok := p["license"].(map[string]any); ok {
		r.pythonLicense(license)
	} else {
		r.takeLicense("project.license", r.text(p, "project", "license"))
	}
	r.takeKeywords("project.keywords", r.texts(p, "project", "keywords"))
	r.takePython("project.requires-python", r.text(p, "project", "requires-python"))
	r.pythonURLs(r.table(p, "project", "urls"))
	needs := len(r.texts(p, "project", "dependencies")) > 0
	r.pythonEntry("project.scripts", r.table(p, "project", "scripts"), needs, name)
}

// pythonLicense reads the table that PEP 639 has deprecated. A whole licence text is no name of one.
func (r *reader) pythonLicense(license table) {
	text := r.text(license, "project.license", "text")
	if len(text) > 100 || strings.Contains(text, "\n") || license["text"] == nil {
		r.note("project.license", "names no licence by its short name: left out")
		return
	}
	r.takeLicense("project.license.text", text)
}

// dynamicVersion finds the version where hatch, setuptools and Poetry say that it is.
func (r *reader) dynamicVersion(tool table) {
	if v := r.text(r.table(tool, "tool", "poetry"), "tool.poetry", "version"); v != "" && v != "0" && v != "0.0.0" {
		r.takeVersion("tool.poetry.version", v)
		return
	}
	hatch := r.table(r.table(tool, "tool", "hatch"), "tool.hatch", "version")
	dynamic := r.table(r.table(tool, "tool", "setuptools"), "tool.setuptools", "dynamic")
	setuptools := r.table(dynamic, "tool.setuptools.dynamic", "version")
	attr := r.text(setuptools, "tool.setuptools.dynamic.version", "attr")
	module, _, _ := cutLast(attr, ".")
	names := []string{r.text(hatch, "tool.hatch.version", "path")}
	if file, isText := setuptools["file"].(string); isText {
		names = append(names, file)
	}
	names = append(names, r.texts(listOnly(setuptools), "tool.setuptools.dynamic.version", "file")...)
	if module != "" {
		names = append(names, moduleFiles(module)...)
	}
	if name := r.firstFile(names...); name != "" {
		if version := r.versionIn(name); version != "" {
			r.takeVersion("project.dynamic, "+name, version)
			return
		}
	}
	r.note("project.dynamic", "the version is made when the project is built: left out")
}

// listOnly hides a "file" that is a single text.
func listOnly(t table) table {
	if _, isList := t["file"].([]any); isList {
		return t
	}
	return nil
}

// versionIn finds __version__ = "1.2.3" in a module, or the one word of a file like VERSION.
func (r *reader) versionIn(name string) string {
	data, err := readFile(r.files, name)
	if err != nil {
		return ""
	}
	if m := regexp.MustCompile(`(?m)^\s*(?:__version__|version|VERSION)\s*(?::\s*\w+\s*)?=\s*["']([^"'\n]{1,100})["']`).FindSubmatch(data); m != nil {
		return string(m[1])
	}
	if words := strings.Fields(string(data[:min(len(data), 200)])); len(words) == 1 {
		return words[0]
	}
	return ""
}

// pythonURLs reads [project.urls] by the labels that PyPI knows (https://packaging.python.org, "Well-known Project URLs").
func (r *reader) pythonURLs(urls table) {
	taken := map[string]bool{}
	for _, label := range slices.Sorted(maps.Keys(urls)) {
		kind := ""
		switch regexp.MustCompile(`[^a-z]`).ReplaceAllString(strings.ToLower(label), "") {
		case "homepage", "home":
			kind = "homepage"
		case "documentation", "docs":
			kind = "documentation"
		case "repository", "source", "sourcecode", "github":
			kind = "repository"
		case "issues", "bugs", "issue", "tracker", "issuetracker", "bugtracker", "support":
			kind = "support"
		}
		if kind == "" || taken[kind] {
			continue
		}
		taken[kind] = true
		take := map[string]func(key, url string){
			"homepage": r.takeHomepage, "documentation": r.takeDocumentation, "repository": r.takeRepository, "support": r.takeSupport,
		}[kind]
		take("project.urls."+label, r.text(urls, "project.urls", label))
	}
}

// poetry reads the table that Poetry had before it knew PEP 621.
func (r *reader) poetry(p table) {
	const at = "tool.poetry"
	name := r.text(p, at, "name")
	r.takeName(at+".name", name)
	r.takeVersion(at+".version", r.text(p, at, "version"))
	r.takeDescription(at+".description", r.text(p, at, "description"))
	if authors := r.texts(p, at, "authors"); len(authors) > 0 {
		r.takeAuthor(at+".authors", parsePerson(authors[0]))
	}
	r.takeLicense(at+".license", r.text(p, at, "license"))
	r.takeHomepage(at+".homepage", r.text(p, at, "homepage"))
	r.takeRepository(at+".repository", r.text(p, at, "repository"))
	r.takeDocumentation(at+".documentation", r.text(p, at, "documentation"))
	r.takeKeywords(at+".keywords", r.texts(p, at, "keywords"))
	dependencies := r.table(p, at, "dependencies")
	r.takePython(at+".dependencies.python", r.text(dependencies, at+".dependencies", "python"))
	needs := len(dependencies) > 1 || len(dependencies) == 1 && dependencies["python"] == nil
	r.pythonEntry(at+".scripts", r.table(p, at, "scripts"), needs, name)
}

// pythonEntry looks for the program: the first script's module, else where programs usually are. A project that needs
// packages is for uv, which brings them; one that needs none runs with Python alone.
func (r *reader) pythonEntry(key string, scripts table, needs bool, name string) {
	typ := manifest.Python
	if needs {
		typ = manifest.UV
	}
	for _, script := range slices.Sorted(maps.Keys(scripts)) {
		target := r.text(scripts, key, script)
		module, _, _ := strings.Cut(target, ":")
		if file := r.firstFile(runFiles(module)...); file != "" {
			r.takeServer(key+"."+script, typ, file)
			if path.Base(file) == "__init__.py" {
				r.note(key+"."+script, "%s only defines what the script calls: name a file that starts the server when it is run", short(file))
			}
			return
		}
		if target != "" {
			r.note(key+"."+script, "its module %s is not here", short(module))
		}
	}
	pkg := strings.ReplaceAll(strings.ToLower(name), "-", "_")
	usual := []string{"server/main.py", "main.py", "server.py", "src/server.py", "src/main.py"}
	for _, file := range []string{"server.py", "__main__.py", "main.py"} {
		usual = append(usual, pkg+"/"+file, "src/"+pkg+"/"+file)
	}
	if file := r.firstFile(usual...); file != "" {
		r.takeServer("", typ, file)
	} else {
		r.found.Manifest.Server.Type = typ
	}
}

// moduleFiles are the files that a module's dotted name may mean.
func moduleFiles(module string) (names []string) {
	p := strings.ReplaceAll(module, ".", "/")
	for _, dir := range []string{"", "src/"} {
		names = append(names, fmt.Sprintf("%s%s.py", dir, p), fmt.Sprintf("%s%s/__init__.py", dir, p))
	}
	return names
}

// runFiles are the same, in the order in which Python runs them: of a package that is __main__.py.
func runFiles(module string) (names []string) {
	for _, file := range moduleFiles(module) {
		if dir, isPackage := strings.CutSuffix(file, "__init__.py"); isPackage {
			names = append(names, dir+"__main__.py")
		}
		names = append(names, file)
	}
	return names
}

// tables gives a list of tables, which TOML has in two notations.
func tables(v any) (list []table) {
	switch v := v.(type) {
	case []map[string]any:
		for _, t := range v {
			list = append(list, t)
		}
	case []any:
		for _, item := range v {
			if t, ok := item.(map[string]any); ok {
				list = append(list, t)
			}
		}
	}
	return list
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}
