package cli

import (
	"context"
	"path/filepath"
	"strings"
	"time"
	"unicode"

	"satchel/internal/cli/form"
	"satchel/internal/problem"
	"satchel/internal/scaffold"
	"satchel/internal/scaffold/detect"
	"satchel/mcpb/manifest"
)

// begin writes a new project from a template.
func (o *initOptions) begin(ctx context.Context, a *app) (*initResult, error) {
	if o.from || o.force || o.version != "" || len(o.env) > 0 {
		return nil, problem.New(problem.Usage, "init/template", "--template begins a new project: it goes with no other flag but -y").Try("satchel init --template %s DIR -y", o.template)
	}
	if !o.yes && !a.canAsk() {
		return nil, problem.New(problem.Usage, "init/terminal", "init asks, and there is no terminal to ask at").Try("satchel init %s -y", problem.Words(o.dir, "--template", o.template))
	}
	abs, err := filepath.Abs(o.dir)
	if err != nil {
		return nil, err
	}
	name := strings.ToLower(detect.SafeName(filepath.Base(abs)))
	v := scaffold.Values{
		Name: name, DisplayName: titleOf(name), Version: "0.1.0", Author: manifest.Author{Name: gitAuthor(ctx)}, Year: time.Now().Year(),
	}
	if v.Author.Name == "" {
		v.Author.Name = "Unknown Author"
	}
	t := scaffold.Template(o.template)
	if !o.yes {
		if err := o.askValues(ctx, a, &v); err != nil {
			return nil, err
		}
	}
	files, err := scaffold.Write(o.dir, t, v)
	if err != nil {
		return nil, err
	}
	res := newInitResult(o.dir)
	res.Written = files
	res.Next = append([]string{"cd " + problem.Words(o.dir)}, t.Steps()...)
	res.Next = append(res.Next, nextCommands(".", filepath.Base(abs))...)
	if o.dir == "." {
		res.Next = res.Next[1:]
	}
	return res, nil
}

// askValues asks for what differs between two projects of a template. What cannot
// be begun is refused before.
func (o *initOptions) askValues(ctx context.Context, a *app, v *scaffold.Values) error {
	if _, err := scaffold.Template(o.template).Files(*v); err != nil {
		return err
	}
	if err := scaffold.Free(o.dir); err != nil {
		return err
	}
	settings := a.formSettings()
	settings.Basics = true
	m, err := form.Ask(ctx, settings, manifest.Manifest{
		Name: v.Name, DisplayName: v.DisplayName, Version: v.Version, Description: "Searches the text files of a folder that you choose.", Author: v.Author,
	})
	if err != nil {
		return err
	}
	v.Name, v.DisplayName, v.Version, v.Description, v.Author = m.Name, m.DisplayName, m.Version, m.Description, m.Author
	if v.DisplayName == "" {
		v.DisplayName = v.Name
	}
	return nil
}

// titleOf writes a name as a title: "my-notes" becomes "My Notes".
func titleOf(name string) string {
	words := strings.FieldsFunc(name, func(r rune) bool { return r == '-' || r == '_' || r == '.' })
	for i, w := range words {
		words[i] = string(unicode.ToUpper(rune(w[0]))) + w[1:]
	}
	return strings.Join(words, " ")
}
