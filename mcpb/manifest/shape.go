package manifest

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

// A shape is what the schema says about a value. It is data, so that a JSON Schema can be made of it as well.
type shape struct {
	kinds  []kind  // the types allowed
	fields []field // of an object with known keys
	elem   *shape  // of a list's items, or of the values of an object with any keys
	enum   []enumValue
	format format
}

type field struct {
	name     string
	shape    *shape
	required bool
	since    version // 0: always
}

type enumValue struct {
	value string
	since version
}

// A format is a further rule for a text; it gives the finding's rule and message, "" when the text is right.
type format func(s string) (rule, message string)

func text(f ...format) *shape {
	s := &shape{kinds: []kind{kString}}
	if len(f) > 0 {
		s.format = f[0]
	}
	return s
}

func list(elem *shape) *shape        { return &shape{kinds: []kind{kArray}, elem: elem} }
func mapOf(elem *shape) *shape       { return &shape{kinds: []kind{kObject}, elem: elem} }
func object(fields ...field) *shape  { return &shape{kinds: []kind{kObject}, fields: fields} }
func of(kinds ...kind) *shape        { return &shape{kinds: kinds} }
func req(n string, s *shape) field   { return field{name: n, shape: s, required: true} }
func opt(n string, s *shape) field   { return field{name: n, shape: s} }
func (f field) from(v version) field { f.since = v; return f }

func oneOf(values ...string) *shape {
	s := text()
	for _, v := range values {
		s.enum = append(s.enum, enumValue{value: v})
	}
	return s
}

// manifestShape is the schema of all versions; the differences between them are in since.
func manifestShape() *shape {
	command := []field{opt("command", text()), opt("args", list(text())), opt("env", mapOf(text()))}
	config := append([]field{req("command", text())}, command[1:]...)
	config = append(config, opt("platform_overrides", mapOf(object(command...))))
	serverType := oneOf(Python, Node, Binary)
	serverType.enum = append(serverType.enum, enumValue{UV, v4})
	return object(
		opt("$schema", text()), opt("dxt_version", text()), opt("manifest_version", text()),
		req("name", text()), opt("display_name", text()), req("version", text()), req("description", text()), opt("long_description", text()),
		req("author", object(req("name", text()), opt("email", text(emailFormat)), opt("url", text(urlFormat)))),
		opt("repository", object(req("type", text()), req("url", text(urlFormat)))),
		opt("homepage", text(urlFormat)), opt("documentation", text(urlFormat)), opt("support", text(urlFormat)),
		opt("icon", text()),
		opt("icons", list(object(req("src", text()), req("size", text(sizeFormat)), opt("theme", text(notEmpty))))).from(v3),
		opt("screenshots", list(text())),
		opt("localization", object(req("resources", text(localePathFormat)), req("default_locale", text(localeFormat)))).from(v3),
		req("server", object(req("type", serverType), req("entry_point", text()), req("mcp_config", object(config...)))),
		opt("tools", list(object(req("name", text()), opt("description", text())))), opt("tools_generated", of(kBool)),
		opt("prompts", list(object(req("name", text()), opt("description", text()), opt("arguments", list(text())), req("text", text())))), opt("prompts_generated", of(kBool)),
		opt("keywords", list(text())), opt("license", text()),
		opt("privacy_policies", list(text(urlFormat))).from(v2),
		opt("compatibility", object(
			opt("claude_desktop", text()), opt("platforms", list(oneOf("darwin", "win32", "linux"))),
			opt("runtimes", object(opt("python", text()), opt("node", text()))),
		)),
		opt("user_config", mapOf(object(
			req("type", oneOf(String, Number, Boolean, Directory, File)), req("title", text()), req("description", text()),
			opt("required", of(kBool)), opt("default", &shape{kinds: []kind{kString, kNumber, kBool, kArray}, elem: text()}),
			opt("multiple", of(kBool)), opt("sensitive", of(kBool)), opt("min", of(kNumber)), opt("max", of(kNumber)),
		))),
		opt("_meta", mapOf(mapOf(nil))).from(v3),
	)
}
