package manifest

import (
	"bytes"
	"encoding/json"
	"slices"

	"satchel/internal/problem"
)

const dialect = "https://json-schema.org/draft/2020-12/schema"

// Versions lists the versions of the manifest, the oldest first.
func Versions() []string { return []string{"0.1", "0.2", "0.3", "0.4"} }

// JSONSchema writes a JSON Schema (draft 2020-12) of manifests of a version, for editors and other programs. The version
// "" gives one that takes every version, each by its own rules. A loose one lets unknown keys pass, as [Parse] does. The
// schema says what [Validate] with SchemaOnly says; docs/compatibility.md lists what a JSON Schema cannot say. An
// unknown version is a problem of class Usage.
func JSONSchema(version string, loose bool) ([]byte, error) {
	var doc ordered
	if v, known := versionOf(version); known {
		w := schemaWriter{v, loose, words()}
		doc = ordered{{"$schema", dialect}}
		doc = append(doc, w.manifest()...)
		doc = append(doc, pair{"$defs", formatDefs()})
	} else if version == "" {
		doc = anyVersion(loose)
	} else {
		return nil, problem.New(problem.Usage, "schema/version", "there is no manifest version %q", version).Try("give one of 0.1, 0.2, 0.3, 0.4")
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(doc)
	return out.Bytes(), err
}

// An ordered is a JSON object whose keys keep their order.
type ordered []pair

type pair struct {
	key   string
	value any
}

// MarshalJSON writes the keys in their order, and < and & as they are.
func (o ordered) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	b.WriteByte('{')
	for i, p := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		if err := enc.Encode(p.key); err != nil {
			return nil, err
		}
		b.WriteByte(':')
		if err := enc.Encode(p.value); err != nil {
			return nil, err
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// anyVersion puts the versions side by side: manifest_version picks one when it is known, else dxt_version.
func anyVersion(loose bool) ordered {
	known := ordered{{"enum", Versions()}}
	defs := formatDefs()
	var rules []any
	for _, name := range Versions() {
		v, _ := versionOf(name)
		w := schemaWriter{v, loose, words()}
		defs = append(defs, pair{name, w.manifest()})
		this := ordered{{"const", name}}
		rules = append(rules, ordered{
			{"if", ordered{{"anyOf", []any{
				has("manifest_version", this),
				ordered{{"allOf", []any{ordered{{"not", has("manifest_version", known)}}, has("dxt_version", this)}}},
			}}}},
			{"then", ordered{{"$ref", "#/$defs/" + name}}},
		})
	}
	rules = append(rules, ordered{{"anyOf", []any{has("manifest_version", known), has("dxt_version", known)}}})
	version := words()["manifest_version"]
	return ordered{
		{"$schema", dialect}, {"title", "Manifest of a desktop extension (MCPB)"},
		{"description", "The manifest.json of a bundle, of any version; manifest_version says which rules apply."},
		{"type", "object"},
		{"properties", ordered{{"manifest_version", ordered{{"description", version.description}, {"examples", []string{"0.3"}}}}}},
		{"allOf", rules}, {"$defs", defs},
	}
}

// has wants a key, and that its value fits.
func has(key string, fits ordered) ordered {
	return ordered{{"required", []string{key}}, {"properties", ordered{{key, fits}}}}
}

// A schemaWriter writes the schema of one version.
type schemaWriter struct {
	version version
	loose   bool
	words   map[string]wording
}

func (w schemaWriter) manifest() ordered {
	doc := ordered{
		{"title", "Manifest of a desktop extension (MCPB), version " + w.version.String()},
		{"description", "The manifest.json of a bundle: what the extension is, how its server starts, and what it asks the person."},
	}
	doc = append(doc, w.of(manifestShape(), "")...)
	return append(doc, pair{"anyOf", []any{ordered{{"required", []string{"manifest_version"}}}, ordered{{"required", []string{"dxt_version"}}}}})
}

// of writes what a shape says; at is its place, for the words about it.
func (w schemaWriter) of(s *shape, at string) (doc ordered) {
	switch {
	case len(s.kinds) == 1:
		doc = append(doc, pair{"type", s.kinds[0]})
	case len(s.kinds) > 1:
		doc = append(doc, pair{"type", s.kinds})
	}
	if len(s.enum) > 0 {
		doc = append(doc, pair{"enum", w.allowed(s)})
	}
	if s.format != nil && s.format.def != "" {
		doc = append(doc, pair{"$ref", "#/$defs/" + s.format.def})
	} else if s.format != nil {
		doc = append(doc, pair{"pattern", s.format.pattern})
	}
	switch {
	case s.fields != nil:
		doc = append(doc, w.properties(s, at)...)
	case s.elem != nil && slices.Contains(s.kinds, kArray):
		doc = append(doc, pair{"items", w.described(s.elem, at+"[]")})
	case s.elem != nil:
		doc = append(doc, pair{"additionalProperties", w.described(s.elem, at+".*")})
	}
	return doc
}

func (w schemaWriter) allowed(s *shape) (values []string) {
	for _, e := range s.enum {
		if e.since <= w.version {
			values = append(values, e.value)
		}
	}
	return values
}

func (w schemaWriter) properties(s *shape, at string) (doc ordered) {
	var known, rules ordered
	var required []string
	for _, f := range s.fields {
		if f.since > w.version {
			continue
		}
		path := f.name
		if at != "" {
			path = at + "." + f.name
		}
		value := w.described(f.shape, path)
		if f.literal {
			value = append(value, pair{"const", w.version.String()})
		}
		known = append(known, pair{f.name, value})
		switch {
		case f.required && f.uvLoose && w.loose && w.version >= v4:
			rules = ordered{{"if", has("type", ordered{{"const", UV}})}, {"else", ordered{{"required", []string{f.name}}}}}
		case f.required:
			required = append(required, f.name)
		}
	}
	doc = ordered{{"properties", known}}
	if len(required) > 0 {
		doc = append(doc, pair{"required", required})
	}
	if !w.loose {
		doc = append(doc, pair{"additionalProperties", false})
	}
	return append(doc, rules...)
}

// described writes a shape with the words about it before.
func (w schemaWriter) described(s *shape, at string) (doc ordered) {
	if about, ok := w.words[at]; ok {
		doc = append(doc, pair{"description", about.description})
		if about.example != "" {
			doc = append(doc, pair{"examples", []any{json.RawMessage(about.example)}})
		}
	}
	return append(doc, w.of(s, at)...)
}
