package manifest

import (
	"encoding/json"
	"math"
	"strings"
)

// A version is a manifest version, as the n in 0.n.
type version int

const (
	v1 version = iota + 1
	v2
	v3
	v4
)

func versionOf(s string) (version, bool) {
	switch s {
	case "0.1":
		return v1, true
	case "0.2":
		return v2, true
	case "0.3":
		return v3, true
	case "0.4":
		return v4, true
	}
	return 0, false
}

func (v version) String() string { return "0." + string(rune('0'+v)) }

// A shape is what the schema says about a value. It is data, so that a JSON Schema can be made of it as well. The zero
// shape allows anything.
type shape struct {
	kinds  []kind  // the types allowed; none: all
	fields []field // of an object with known keys
	elem   *shape  // of a list's items, or of the values of an object with any keys
	enum   []enumValue
	format *format
	// What is mended: what a text stands for where an object belongs, nil when it says too little; and whether true and
	// false stand for these words.
	form      func(text string) any
	asWritten bool
}

type field struct {
	name     string
	shape    *shape
	required bool
	since    version // 0: always
	uvLoose  bool    // hosts do without it for a server of type uv
	literal  bool    // it holds the manifest's own version
}

type enumValue struct {
	value string
	since version
	also  []string // what authors write for it, in lower case
}

func text() *shape                   { return &shape{kinds: []kind{kString}} }
func formatted(f *format) *shape     { return &shape{kinds: []kind{kString}, format: f} }
func verbatim() *shape               { return &shape{kinds: []kind{kString}, asWritten: true} }
func list(elem *shape) *shape        { return &shape{kinds: []kind{kArray}, elem: elem} }
func mapOf(elem *shape) *shape       { return &shape{kinds: []kind{kObject}, elem: elem} }
func object(fields ...field) *shape  { return &shape{kinds: []kind{kObject}, fields: fields} }
func of(kinds ...kind) *shape        { return &shape{kinds: kinds} }
func req(n string, s *shape) field   { return field{name: n, shape: s, required: true} }
func opt(n string, s *shape) field   { return field{name: n, shape: s} }
func (f field) from(v version) field { f.since = v; return f }

func ownVersion(n string) field { return field{name: n, shape: text(), literal: true} }

func oneOf(values ...string) *shape {
	s := text()
	for _, v := range values {
		s.enum = append(s.enum, enumValue{value: v})
	}
	return s
}

// called adds words that authors write for an allowed value.
func (s *shape) called(value string, also ...string) *shape {
	for i := range s.enum {
		if s.enum[i].value == value {
			s.enum[i].also = also
		}
	}
	return s
}

// written says what a text in the place of an object stands for.
func (s *shape) written(form func(text string) any) *shape {
	s.form = form
	return s
}

// find gives the field of a key; false when the shape has no such field in any version.
func (s *shape) find(key string) (field, bool) {
	for _, f := range s.fields {
		if f.name == key {
			return f, true
		}
	}
	return field{}, false
}

// home gives the path of the object that has a field of this name; false when there is none below s, or more than one
// equally near the top.
func (s *shape) home(key string) (path string, found bool) {
	depth := math.MaxInt
	var visit func(s *shape, at string)
	visit = func(s *shape, at string) {
		for _, f := range s.fields {
			if d := strings.Count(at, "."); f.name == key && at != "" && d <= depth {
				path, found, depth = at, d < depth, d
			}
			visit(f.shape, strings.TrimPrefix(at+"."+f.name, "."))
		}
		if s.elem != nil {
			visit(s.elem, at)
		}
	}
	visit(s, "")
	return path, found
}

// example writes the least JSON that fits the shape, with ... for a text, for sentences such as: write {"name": "..."}.
func (s *shape) example() string {
	switch {
	case len(s.enum) > 0:
		first, _ := json.Marshal(s.enum[0].value) // a string always has a JSON form
		return string(first)
	case len(s.kinds) == 0 || s.kinds[0] == kString:
		return `"..."`
	case s.kinds[0] == kArray:
		return "[" + s.elem.example() + "]"
	case s.kinds[0] == kNumber:
		return "1"
	case s.kinds[0] == kBool:
		return "true"
	}
	var members []string
	for _, f := range s.fields {
		if f.required {
			members = append(members, `"`+f.name+`": `+f.shape.example())
		}
	}
	if s.elem != nil {
		members = append(members, `"...": `+s.elem.example())
	}
	return "{" + strings.Join(members, ", ") + "}"
}

// manifestShape is the schema of all versions; the differences between them are in since.
func manifestShape() *shape {
	return object(
		opt("$schema", text()), ownVersion("dxt_version"), ownVersion("manifest_version"),
		req("name", text()), opt("display_name", text()), req("version", text()),
		req("description", text()), opt("long_description", text()),
		req("author", object(req("name", text()), opt("email", formatted(emailFormat())), opt("url", formatted(urlFormat()))).written(authorOf)),
		opt("repository", object(req("type", text()), req("url", formatted(urlFormat()))).written(repositoryOf)),
		opt("homepage", formatted(urlFormat())), opt("documentation", formatted(urlFormat())), opt("support", formatted(urlFormat())),
		opt("icon", text()),
		opt("icons", list(object(
			req("src", text()), req("size", formatted(sizeFormat())), opt("theme", formatted(notEmpty())),
		))).from(v3),
		opt("screenshots", list(text())),
		opt("localization", object(
			req("resources", formatted(localePathFormat())), req("default_locale", formatted(localeFormat())),
		)).from(v3),
		req("server", serverShape()),
		opt("tools", list(object(req("name", text()), opt("description", text())))),
		opt("tools_generated", of(kBool)),
		opt("prompts", list(object(
			req("name", text()), opt("description", text()), opt("arguments", list(text())), req("text", text()),
		))),
		opt("prompts_generated", of(kBool)),
		opt("keywords", list(text())), opt("license", text()),
		opt("privacy_policies", list(formatted(urlFormat()))).from(v2),
		opt("compatibility", object(
			opt("claude_desktop", text()), opt("platforms", list(platformShape())),
			opt("runtimes", object(opt("python", text()), opt("node", text()))),
		)),
		opt("user_config", mapOf(optionShape())),
		opt("_meta", mapOf(mapOf(&shape{}))).from(v3),
	)
}

func platformShape() *shape {
	return oneOf("darwin", "win32", "linux").called("darwin", "macos", "mac", "osx", "mac os", "os x").called("win32", "windows", "win", "win64")
}

func serverShape() *shape {
	override := []field{opt("command", text()), opt("args", list(verbatim())), opt("env", mapOf(verbatim()))}
	config := object(
		req("command", text()), override[1], override[2],
		opt("platform_overrides", mapOf(object(override...))),
	)
	kinds := oneOf(Python, Node, Binary).called(Python, "python3", "py").called(Node, "nodejs", "node.js", "javascript", "js").
		called(Binary, "executable", "exe")
	kinds.enum = append(kinds.enum, enumValue{value: UV, since: v4})
	mcpConfig := req("mcp_config", config)
	mcpConfig.uvLoose = true
	return object(req("type", kinds), req("entry_point", text()), mcpConfig)
}

func optionKinds() *shape {
	return oneOf(String, Number, Boolean, Directory, File).called(String, "text", "str").called(Number, "integer", "int", "float").
		called(Boolean, "bool").called(Directory, "folder", "dir")
}

func optionShape() *shape {
	return object(
		req("type", optionKinds()), req("title", text()), req("description", text()),
		opt("required", of(kBool)),
		opt("default", &shape{kinds: []kind{kString, kNumber, kBool, kArray}, elem: text()}),
		opt("multiple", of(kBool)), opt("sensitive", of(kBool)), opt("min", of(kNumber)), opt("max", of(kNumber)),
	)
}
