// Package detect reads what a project already says about itself, for the manifest that `satchel init` writes: its
// package.json, pyproject.toml, go.mod or Cargo.toml.
//
// The files are read as if a stranger had written them, for a project may be somebody else's: bounded in size, only
// regular files of the folder itself, and a value of a wrong type or form is left out with a [Note], never an error.
package detect

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/BurntSushi/toml"

	"satchel/internal/problem"
	"satchel/mcpb/manifest"
)

const (
	// maxFile is the largest file of a project that is read, in bytes.
	maxFile = 1 << 20
	// What the parser of TOML does costs the square of how deep tables are nested, be it by dots or by braces, and it
	// recurses into lists. Real files have a few hundred of each.
	maxDots, maxBraces, maxBrackets = 3000, 1000, 20_000
	// maxText is the longest text that is taken over, in bytes.
	maxText = 10_000
	// maxNotes is how many notes are kept.
	maxNotes = 50
)

// Found is what a project says. The manifest has only the values that were found.
type Found struct {
	File     string // which file was read, "" when the folder has none of them
	Manifest manifest.Manifest
	Sources  []Source
	Notes    []Note
}

// A Source says where a value of the manifest comes from.
type Source struct {
	Field string `json:"field"` // of the manifest, such as "author.name"
	From  string `json:"from"`  // such as "package.json: author"
}

// A Note says what was left out, and why. Its text may hold text of the project, quoted as Go quotes it.
type Note struct {
	From string `json:"from"`
	Text string `json:"text"`
}

// A project is a kind of file that is looked for, in this order.
type project struct {
	file string
	read func(r *reader, data []byte)
}

func projects() []project {
	return []project{
		{"package.json", (*reader).npm}, {"pyproject.toml", (*reader).python}, {"go.mod", (*reader).goModule}, {"Cargo.toml", (*reader).cargo},
	}
}

// Read looks at the project in dir. The first file that is there counts; a package.json that names no program, beside
// another one, is taken for tooling. An error means that the folder itself cannot be read.
func Read(dir string) (*Found, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, problem.New(problem.Failed, "init/folder", "the folder cannot be read").At(dir).Because(err)
	}
	defer root.Close()
	var first *Found
	for _, p := range projects() {
		data, err := readFile(root.FS(), p.file)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case err != nil && first == nil:
			first = &Found{File: p.file, Notes: []Note{{p.file, "is not read: " + unreadable(root.FS(), p.file, err)}}}
			continue
		case first != nil && (err != nil || !first.tooling()):
			first.Notes = append(first.Notes, Note{p.file, "is not read: " + first.File + " was"})
			continue
		}
		r := &reader{files: root.FS(), file: p.file, found: &Found{File: p.file}}
		p.read(r, data)
		if first != nil {
			r.found.Notes = append(r.found.Notes, Note{first.File, "is taken for tooling: it names no program"})
		}
		first = r.found
	}
	if first == nil {
		first = &Found{}
	}
	return first, nil
}

// tooling tells whether a package.json was read that names no program of its own.
func (f *Found) tooling() bool { return f.File == "package.json" && f.Manifest.Server.EntryPoint == "" }

// readFile reads a regular file of the project; it waits for no pipe, and follows no link out of the folder.
func readFile(files fs.FS, name string) ([]byte, error) {
	info, err := fs.Stat(files, name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("it is no regular file")
	}
	f, err := files.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(data) > maxFile {
		err = fmt.Errorf("it is larger than %d bytes", maxFile)
	}
	return data, err
}

// unreadable says in a person's words why a file was not read.
func unreadable(files fs.FS, name string, err error) string {
	if to, bad := fs.ReadLink(files, name); bad == nil {
		return "it is a link to " + short(to) + "; only links that stay in the folder are followed"
	}
	if bad, ok := errors.AsType[*fs.PathError](err); ok {
		err = bad.Err
	}
	return err.Error()
}

// A reader takes values of one file over into the manifest.
type reader struct {
	files fs.FS
	file  string
	found *Found
}

func (r *reader) note(key, format string, args ...any) {
	if len(r.found.Notes) < maxNotes {
		r.found.Notes = append(r.found.Notes, Note{r.from(key), fmt.Sprintf(format, args...)})
	}
}

func (r *reader) from(key string) string {
	if key == "" {
		return r.file
	}
	return r.file + ": " + key
}

// A table is an object of JSON or a table of TOML.
type table map[string]any

func (r *reader) json(data []byte) (t table, ok bool) {
	if err := json.Unmarshal(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")), &t); err != nil || t == nil {
		r.note("", "is no JSON object: nothing of it is used")
		return nil, false
	}
	if !utf8.Valid(data) {
		r.note("", "has bytes that are no UTF-8: look at the texts that come from it")
	}
	return t, true
}

func (r *reader) toml(data []byte) (t table, ok bool) {
	if bytes.Count(data, []byte(".")) > maxDots || bytes.Count(data, []byte("{")) > maxBraces || bytes.Count(data, []byte("[")) > maxBrackets {
		r.note("", "may be nested too deep, by its dots and brackets: nothing of it is used")
		return nil, false
	}
	if err := toml.Unmarshal(data, &t); err != nil {
		r.note("", "is no TOML: nothing of it is used (%v)", short(err.Error()))
		return nil, false
	}
	return t, true
}

// table gives the table under a key; nil when there is none. Another type is noted.
func (r *reader) table(t table, path, key string) table {
	switch v := t[key].(type) {
	case nil:
		return nil
	case map[string]any:
		return v
	default:
		r.note(join(path, key), "is %s, not a table: left out", typeName(v))
		return nil
	}
}

// text gives the text under a key; "" when there is none. Another type is noted.
func (r *reader) text(t table, path, key string) string {
	switch v := t[key].(type) {
	case nil:
		return ""
	case string:
		return v
	default:
		r.note(join(path, key), "is %s, not a text: left out", typeName(v))
		return ""
	}
}

// texts gives the list of texts under a key. What is no text in it is noted.
func (r *reader) texts(t table, path, key string) (list []string) {
	if t[key] == nil {
		return nil
	}
	items, ok := t[key].([]any)
	if !ok {
		r.note(join(path, key), "is %s, not a list: left out", typeName(t[key]))
		return nil
	}
	for i, item := range items {
		s, ok := item.(string)
		if !ok {
			r.note(fmt.Sprintf("%s[%d]", join(path, key), i), "is %s, not a text: left out", typeName(item))
			continue
		}
		list = append(list, s)
	}
	return list
}

func join(path, key string) string { return strings.TrimPrefix(path+"."+key, ".") }

func typeName(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case string:
		return "a text"
	case bool:
		return "true or false"
	case map[string]any:
		return "a table"
	case []any, []map[string]any:
		return "a list"
	}
	return "a number or a date"
}

// take puts a value into the manifest when the rules for manifests have nothing against it there; else it is noted. An
// empty value is none.
func (r *reader) take(field, key, value string, put func(m *manifest.Manifest, value string)) bool {
	value = strings.TrimSpace(value)
	if value == "" {
		return false
	}
	if len(value) > maxText || !utf8.ValidString(value) {
		r.note(key, "is too long, or no UTF-8: left out")
		return false
	}
	if why := Refusal(func(m *manifest.Manifest) { put(m, value) }); why != "" {
		if !strings.HasPrefix(why, `"`) {
			why = short(value) + " " + why
		}
		r.note(key, "%s: left out", why)
		return false
	}
	put(&r.found.Manifest, value)
	r.found.Sources = append(r.found.Sources, Source{field, r.from(key)})
	return true
}

// Refusal says what the rules for manifests have against a value, which put puts into a manifest that is valid without
// it; "" when they have nothing against it.
func Refusal(put func(m *manifest.Manifest)) string {
	m := &manifest.Manifest{
		ManifestVersion: "0.4", Name: "x", Version: "1.0.0", Description: "x", Author: manifest.Author{Name: "x"},
		Server: manifest.Server{Type: manifest.Binary, EntryPoint: "x", MCPConfig: &manifest.MCPConfig{Command: manifest.Command{Command: "${__dirname}/x"}}},
	}
	put(m)
	data, err := json.Marshal(m)
	if err != nil {
		return err.Error()
	}
	for _, f := range manifest.Validate(data, manifest.Checks{}).Findings {
		if f.Severity != manifest.Hint {
			return f.Message
		}
	}
	return ""
}

// short quotes a text of the project for a note.
func short(s string) string {
	if r := []rune(s); len(r) > 60 {
		s = string(r[:60]) + "…"
	}
	return fmt.Sprintf("%q", s)
}
