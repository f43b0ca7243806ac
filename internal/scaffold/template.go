package scaffold

import (
	"embed"
	"encoding/json"
	"errors"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"satchel/internal/problem"
	"satchel/mcpb/manifest"
)

// The folders of the templates are working projects under the name my-extension. What they need to be worked on where
// they lie, such as node_modules, is not part of them: each file is named here.
//
//go:embed template/common/LICENSE
//go:embed template/node/.mcpbignore template/node/.gitignore.tmpl template/node/*.json template/node/README.md
//go:embed template/node/server/*.js template/node/test/*.js
//go:embed template/python/.mcpbignore template/python/.gitignore.tmpl template/python/*.json template/python/README.md
//go:embed template/python/server/*.py template/python/tests/*.py
//go:embed template/uv/*.json template/uv/*.toml template/uv/README.md
//go:embed template/go/.mcpbignore template/go/.gitignore.tmpl template/go/*.json template/go/README.md
//go:embed template/go/*.tmpl template/go/build/*.tmpl
var templateFiles embed.FS

// A Template is a kind of project that [Write] begins.
type Template string

// The templates.
const (
	NodeTemplate   Template = "node"   // JavaScript with the official SDK
	PythonTemplate Template = "python" // Python alone
	UVTemplate     Template = "uv"     // Python and packages that uv brings
	GoTemplate     Template = "go"     // static programs, with the official SDK
)

// Templates lists them.
func Templates() []Template { return []Template{NodeTemplate, PythonTemplate, UVTemplate, GoTemplate} }

// layers are the folders that a template is made of; a later one's files count.
func (t Template) layers() []string {
	if t == UVTemplate {
		return []string{"common", "python", "uv"}
	}
	return []string{"common", string(t)}
}

// Steps are the commands that make a new project of the template ready to be packed, in its folder.
func (t Template) Steps() []string {
	switch t {
	case NodeTemplate:
		return []string{"npm ci --ignore-scripts", "npm test"}
	case GoTemplate:
		return []string{"go test ./...", "go run ./build"}
	case UVTemplate:
		return []string{"python3 -m unittest", "uv lock"}
	}
	return []string{"python3 -m unittest"}
}

// Values are what differs between two projects of one template.
type Values struct {
	Name        string // gives an id (see package manifest)
	DisplayName string
	Version     string // semantic
	Description string // "" keeps the template's
	Author      manifest.Author
	Year        int // of the copyright
}

// The names that stand in the templates' files for the values.
const (
	nameMark, titleMark, authorMark, versionMark = "my-extension", "My Extension", "The Author", "0.0.0-my-extension"
	yearMark                                     = "2026"
)

// check refuses values that would not be the same text in every kind of file.
func (v *Values) check() error {
	bad := func(format string, args ...any) error {
		return problem.New(problem.Usage, "init/value", format, args...).Try("choose another value")
	}
	switch {
	case !regexp.MustCompile(`^[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?$`).MatchString(v.Name):
		return bad("the name %q is not one word of a-z, 0-9, dots and dashes, at most 64", v.Name)
	case !regexp.MustCompile(`^\d{1,9}\.\d{1,9}\.\d{1,9}(-[0-9A-Za-z.-]{1,50})?$`).MatchString(v.Version):
		return bad("the version %q is not like 1.0.0", v.Version)
	case strings.ContainsAny(v.DisplayName+v.Author.Name, "\r\n\x00"):
		return bad("a name with a line break")
	}
	return nil
}

// Files gives the files of a new project, by their paths with slashes. Errors are problems: of class Usage for a
// template that there is not, or values that it cannot take.
func (t Template) Files(v Values) (map[string][]byte, error) {
	if !slices.Contains(Templates(), t) {
		return nil, problem.New(problem.Usage, "init/template", "there is no template %q: node, python, uv and go are", string(t)).Try("satchel init --template node")
	}
	if err := v.check(); err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	for _, layer := range t.layers() {
		dir := path.Join("template", layer)
		err := fs.WalkDir(templateFiles, dir, func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			data, err := templateFiles.ReadFile(name)
			files[strings.TrimSuffix(strings.TrimPrefix(name, dir+"/"), ".tmpl")] = v.fill(name, data)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	data, err := v.manifest(files["manifest.json"])
	files["manifest.json"] = data
	picture, pictureErr := icon(v.Name)
	files["icon.png"] = picture
	return files, errors.Join(err, pictureErr)
}

// fill puts the values into the text of a file. Free text goes only where any text is harmless.
func (v *Values) fill(name string, data []byte) []byte {
	pairs := []string{versionMark, v.Version, nameMark, v.Name}
	switch path.Base(name) {
	case "LICENSE":
		pairs = append(pairs, authorMark, v.Author.Name, yearMark, strconv.Itoa(v.Year))
	case "README.md":
		pairs = append(pairs, titleMark, v.DisplayName)
	}
	return []byte(strings.NewReplacer(pairs...).Replace(string(data)))
}

// manifest sets the values where they are texts of JSON.
func (v *Values) manifest(data []byte) ([]byte, error) {
	var m manifest.Manifest
	if err := json.Unmarshal(data, &m); err != nil {
		return nil, err
	}
	m.DisplayName, m.Author = v.DisplayName, v.Author
	if v.Description != "" {
		m.Description = v.Description
	}
	out, err := Render(&m)
	if err != nil {
		return nil, err
	}
	return out, manifest.Validate(out, manifest.Checks{}).Err()
}
