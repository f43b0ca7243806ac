package scaffold

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"satchel/internal/scaffold/detect"
	"satchel/mcpb/manifest"
)

// A Difference is what becomes of one value of a manifest that is written anew.
type Difference struct {
	Path string `json:"path"`
	Old  string `json:"old"`           // as JSON
	New  string `json:"new,omitempty"` // as JSON; "" when the value is lost
}

// Renew puts what a project says into a manifest that is already there: what the project found counts for the texts,
// the old manifest for its server and for all else. It fails when the old manifest cannot be read.
func Renew(old []byte, d *Draft) error {
	was, _, err := manifest.Parse(old)
	if err != nil {
		return err
	}
	d.Sources = slices.DeleteFunc(d.Sources, func(s detect.Source) bool {
		return strings.HasPrefix(s.Field, "server.") || strings.HasPrefix(s.Field, "compatibility.") || s.From == fromGit
	})
	found := map[string]bool{}
	for _, s := range d.Sources {
		found[strings.SplitN(s.Field, ".", 2)[0]] = true
	}
	now := d.Manifest
	d.Manifest = *was
	m := &d.Manifest
	m.ManifestVersion, m.DXTVersion = max(was.ManifestVersion, was.DXTVersion), ""
	for field, take := range map[string]func(){
		"name": func() { m.Name = now.Name }, "version": func() { m.Version = now.Version }, "description": func() { m.Description = now.Description },
		"author": func() { renewAuthor(&m.Author, now.Author) }, "license": func() { m.License = now.License }, "keywords": func() { m.Keywords = now.Keywords },
		"homepage": func() { m.Homepage = now.Homepage }, "documentation": func() { m.Documentation = now.Documentation },
		"support": func() { m.Support = now.Support }, "repository": func() { m.Repository = now.Repository },
	} {
		if found[field] {
			take()
		}
	}
	return nil
}

// renewAuthor keeps the address of the same person only.
func renewAuthor(a *manifest.Author, now manifest.Author) {
	if a.Name != now.Name {
		*a = manifest.Author{}
	}
	a.Name = now.Name
	setDefault(&a.Email, now.Email)
	setDefault(&a.URL, now.URL)
}

// Differences lists the values of the old manifest that are others, or none, in the new one. A manifest that is no JSON
// has no values.
func Differences(old, renewed []byte) []Difference {
	var a, b any
	if json.Unmarshal(old, &a) != nil || json.Unmarshal(renewed, &b) != nil {
		return nil
	}
	return differences("", a, b, true)
}

func differences(path string, a, b any, there bool) (list []Difference) {
	switch old := a.(type) {
	case map[string]any:
		now, isObject := b.(map[string]any)
		if !isObject {
			break
		}
		for _, key := range slices.Sorted(maps.Keys(old)) {
			v, there := now[key]
			list = append(list, differences(strings.TrimPrefix(path+"."+key, "."), old[key], v, there)...)
		}
		return list
	case []any:
		now, isList := b.([]any)
		if !isList || len(now) < len(old) {
			break
		}
		for i := range old {
			list = append(list, differences(fmt.Sprintf("%s[%d]", path, i), old[i], now[i], true)...)
		}
		return list
	}
	d := Difference{Path: path, Old: asJSON(a)}
	if there {
		d.New = asJSON(b)
	}
	if d.Old == d.New || !there && isDefault(a) {
		return nil
	}
	return []Difference{d}
}

// isDefault tells whether a value says the same as none.
func isDefault(v any) bool { return v == false || v == "" }

func asJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return "?"
	}
	return string(b)
}
