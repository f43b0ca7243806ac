package manifest

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

const png = "\x89PNG\r\n\x1a\n"

// bundle is the folder of the manifests below.
func bundle() fs.FS {
	return fstest.MapFS{
		"server/index.js": {Data: []byte("//")},
		"bin/tool":        {Data: []byte("#!")},
		"bin/win.exe":     {Data: []byte("MZ")},
		"icon.png":        {Data: []byte(png + "...")},
		"icon.svg":        {Data: []byte("<svg/>")},
		"short.png":       {Data: []byte("\x89PNG")},
		"pipe.png":        {Mode: fs.ModeNamedPipe},
		"texts/en.json":   {Data: []byte("{}")},
		"texts/xx.json":   {Data: []byte("not JSON")},
	}
}

// with makes a small valid manifest and replaces parts of its text: pairs of old and new.
func with(pairs ...string) string {
	text := `{
  "manifest_version": "0.4",
  "name": "notes",
  "version": "1.0.0",
  "description": "Keeps notes.",
  "author": { "name": "Ada" },
  "server": {
    "type": "node",
    "entry_point": "server/index.js",
    "mcp_config": { "command": "node", "args": ["${__dirname}/server/index.js"] }
  }
}`
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(text, pairs[i]) {
			panic("the manifest has no " + pairs[i])
		}
		text = strings.Replace(text, pairs[i], pairs[i+1], 1)
	}
	return text
}

// plus adds members to the manifest.
func plus(members string) string { return with("\n}", ",\n  "+members+"\n}") }

// option makes a manifest with one option o, which the command uses.
func option(rest string) string {
	return with(`"args": [`, `"args": ["${user_config.o}", `, "\n}",
		",\n  \"user_config\": { \"o\": { \"title\": \"O\", \"description\": \"An option.\", "+rest+" } }\n}")
}

// The cases give the findings as "severity rule path": none means valid and nothing to say. The numbers are those of
// the reference's list of adversarial manifests.
var cases = []struct {
	name, text string
	want       []string
}{
	{"plain", with(), nil},
	{"46 byte order mark", "\ufeff" + with(), []string{"error manifest/bom "}},
	{"46 byte order mark and more", "\ufeff" + with(`"notes"`, `1`), []string{"error manifest/bom ", "error manifest/type name"}},
	{"46 UTF-16 little endian", "\xff\xfe{\x00}\x00", []string{"error manifest/encoding "}},
	{"46 UTF-16 without mark", "{\x00}\x00", []string{"error manifest/encoding "}},
	{"invalid UTF-8", with(`Keeps`, "Keep\xff"), []string{"warning manifest/encoding "}},
	{"47 duplicate key", plus(`"name": "notes"`), []string{"warning manifest/duplicate-key name"}},
	{"47 duplicate key, the last is bad", plus(`"name": 1`), []string{"warning manifest/duplicate-key name", "error manifest/type name"}},
	{"47 duplicate key in what is free", plus(`"_meta": { "a": { "b": { "c": 1, "c": 2 } } }`), []string{"warning manifest/duplicate-key _meta.a.b.c"}},
	{"48 both versions", with(`"manifest_version": "0.4"`, `"manifest_version": "0.3", "dxt_version": "0.3"`), nil},
	{"48 different versions", with(`"manifest_version": "0.4"`, `"manifest_version": "0.3", "dxt_version": "0.2"`), []string{"error manifest/version dxt_version"}},
	{"48 bad and good", with(`"manifest_version": "0.4"`, `"manifest_version": "9", "dxt_version": "0.2"`), []string{"error manifest/version manifest_version"}},
	{"48 null and good", with(`"manifest_version": "0.4"`, `"manifest_version": null, "dxt_version": "0.2"`), []string{"error manifest/type manifest_version"}},
	{"48 a number", with(`"0.4"`, `0.3`), []string{"error manifest/version manifest_version"}},
	{"48 unknown version", with(`"0.4"`, `"0.5"`), []string{"error manifest/version manifest_version"}},
	{"48 unknown dxt_version", with(`"manifest_version": "0.4"`, `"dxt_version": "1.0"`), []string{"error manifest/version dxt_version"}},
	{"48 dxt_version only", with(`"manifest_version": "0.4"`, `"dxt_version": "0.3"`), []string{"hint manifest/version dxt_version"}},
	{"48 no version", with(`"manifest_version": "0.4",`, ``), []string{"error manifest/version manifest_version"}},
	{"49 unknown key", plus(`"foo": 1`), []string{"error manifest/unknown-key foo"}},
	{"49 unknown nested key", with(`"name": "Ada"`, `"name": "Ada", "mail": "x"`), []string{"error manifest/unknown-key author.mail"}},
	{"50 absolute entry point", with(`"server/index.js"`, `"/server/index.js"`), []string{"error manifest/entry-point server.entry_point"}},
	{"50 drive", with(`"server/index.js"`, `"C:/server/index.js"`), []string{"error manifest/entry-point server.entry_point"}},
	{"50 backslash", with(`"server/index.js"`, `"server\\index.js"`), []string{"error manifest/entry-point server.entry_point"}},
	{"50 entry point outside", with(`"server/index.js"`, `"a/../../x"`), []string{"error manifest/entry-point server.entry_point"}},
	{"50 entry point missing", with(`"server/index.js"`, `"server/main.js"`), []string{"error manifest/entry-point server.entry_point"}},
	{"50 entry point is a folder", with(`"server/index.js"`, `"server"`), []string{"error manifest/entry-point server.entry_point"}},
	{"50 entry point with NUL", with(`"server/index.js"`, `"server\u0000"`), []string{"error manifest/entry-point server.entry_point"}},
	{"50 entry point empty", with(`"server/index.js"`, `""`), []string{"error manifest/entry-point server.entry_point"}},
	{"50 entry point empty, npx", with(`"server/index.js"`, `""`, `"node", "args": ["${__dirname}/server/index.js"]`, `"npx", "args": ["pkg"]`), []string{"warning manifest/entry-point server.entry_point"}},
	{"50 entry point with __dirname", with(`"server/index.js"`, `"${__dirname}/server/index.js"`), nil},
	{"50 entry point with a dot", with(`"server/index.js"`, `"./server/../server/index.js"`), nil},
	{"50 entry point is the bundle", with(`"server/index.js"`, `"."`), []string{"error manifest/entry-point server.entry_point"}},
	{"command of the machine", with(`"command": "node"`, `"command": "/usr/bin/node"`), nil},
	{"command with a folder of the machine", with(`"command": "node"`, `"command": "${HOME}/bin/node"`), nil},
	{"command that is an answer", strings.Replace(option(`"type": "file"`), `"command": "node"`, `"command": "${user_config.o}"`, 1), nil},
	{"command inside", with(`"command": "node"`, `"command": "${__dirname}/bin/tool"`), nil},
	{"command inside, with separators", with(`"command": "node"`, `"command": "${__dirname}${/}bin${/}tool"`), nil},
	{"command inside, relative", with(`"command": "node"`, `"command": "./bin/tool"`), nil},
	{"command missing", with(`"command": "node"`, `"command": "${__dirname}/bin/server"`), []string{"error manifest/command server.mcp_config.command"}},
	{"command missing, relative", with(`"command": "node"`, `"command": "bin/server"`), []string{"error manifest/command server.mcp_config.command"}},
	{"command is a folder", with(`"command": "node"`, `"command": "${__dirname}/bin"`), []string{"error manifest/command server.mcp_config.command"}},
	{"command outside", with(`"command": "node"`, `"command": "${__dirname}/../bin/tool"`), []string{"error manifest/command server.mcp_config.command"}},
	{"command for Windows only", with(`"command": "node"`, `"command": "${__dirname}/bin/win"`), []string{"warning manifest/command server.mcp_config.command"}},
	{"command for Windows only, and it says so", with(`"command": "node"`, `"command": "${__dirname}\\bin\\win"`, "\n}", `, "compatibility": { "platforms": ["win32"] } }`), nil},
	{"command for Windows, promised for others", with(`"command": "node"`, `"command": "${__dirname}/bin/win"`, "\n}", `, "compatibility": { "platforms": ["win32", "linux"] } }`),
		[]string{"error manifest/command server.mcp_config.command"}},
	{"override instead of the command", with(`"command": "node"`, `"command": "${__dirname}/bin/tool", "platform_overrides": { "win32": { "command": "${__dirname}/bin/win" } }`), nil},
	{"override missing", with(`"command": "node"`, `"command": "node", "platform_overrides": { "win32": { "command": "${__dirname}/bin/x.exe" } }`),
		[]string{"warning manifest/command server.mcp_config.platform_overrides.win32.command"}},
	{"override for a processor missing", with(`"command": "node"`, `"command": "node", "platform_overrides": { "linux-arm64": { "command": "bin/x" } }`, "\n}", `, "compatibility": { "platforms": ["linux"] } }`),
		[]string{"error manifest/command server.mcp_config.platform_overrides.linux-arm64.command"}},
	{"override for a system that it is not for", with(`"command": "node"`, `"command": "node", "platform_overrides": { "darwin": { "command": "bin/x" } }`, "\n}", `, "compatibility": { "platforms": ["linux"] } }`), nil},
	{"bare command of a binary", with(`"type": "node"`, `"type": "binary"`, `"command": "node"`, `"command": "tool"`), nil},
	{"51 undeclared option", with(`["${__dirname}`, `["${user_config.x}", "${__dirname}`), []string{"error manifest/undeclared server.mcp_config.args[0]"}},
	{"51 undeclared in an override", with(`"command": "node"`, `"command": "node", "platform_overrides": { "win32": { "env": { "A B": "x${user_config.x}" } } }`),
		[]string{`error manifest/undeclared server.mcp_config.platform_overrides.win32.env["A B"]`}},
	{"51 unknown variable", with(`"command": "node"`, `"command": "${NOPE}"`), []string{"warning manifest/unknown-variable server.mcp_config.command"}},
	{"51 known variables", with(`"command": "node"`, `"command": "${HOME}${DESKTOP}${DOCUMENTS}${DOWNLOADS}${pathSeparator}${/}${__dirname}"`), nil},
	{"51 no variable", with(`"command": "node"`, `"command": "$HOME {x} ${x"`), nil},
	{"unused option", with("\n}", `, "user_config": { "o": { "type": "file", "title": "", "description": "" } } }`), []string{"hint manifest/unused-option user_config.o"}},
	{"52 default of another type", option(`"type": "number", "default": "1"`), []string{"error manifest/default user_config.o.default"}},
	{"52 default of a boolean", option(`"type": "boolean", "default": "true"`), []string{"error manifest/default user_config.o.default"}},
	{"52 list as default", option(`"type": "directory", "default": ["a"]`), []string{"error manifest/default user_config.o.default"}},
	{"52 list as default of many", option(`"type": "directory", "multiple": true, "default": ["${HOME}/a"]`), nil},
	{"52 variable in a default", option(`"type": "directory", "default": "${TEMP}"`), []string{"warning manifest/unknown-variable user_config.o.default"}},
	{"52 min over max", option(`"type": "number", "min": 2, "max": 1`), []string{"error manifest/range user_config.o.min"}},
	{"52 min of a text", option(`"type": "string", "min": 2`), []string{"warning manifest/range user_config.o.min"}},
	{"52 default too small", option(`"type": "number", "min": 2, "default": 1`), []string{"error manifest/default user_config.o.default"}},
	{"52 default too large", option(`"type": "number", "max": 2, "default": 2.5`), []string{"error manifest/default user_config.o.default"}},
	{"52 multiple boolean", option(`"type": "boolean", "multiple": true`), []string{"warning manifest/multiple user_config.o.multiple"}},
	{"52 sensitive default", option(`"type": "string", "sensitive": true, "default": "hunter2"`), []string{"warning manifest/sensitive-default user_config.o.default"}},
	{"52 sensitive empty default", option(`"type": "string", "sensitive": true, "default": ""`), nil},
	{"52 required with default", option(`"type": "string", "required": true, "default": "x"`), []string{"hint manifest/required-default user_config.o.default"}},
	{"53 icon", plus(`"icon": "icon.png"`), nil},
	{"53 empty icon", plus(`"icon": ""`), nil},
	{"53 icon outside", plus(`"icon": "../icon.png"`), []string{"error manifest/icon icon"}},
	{"53 icon absolute", plus(`"icon": "/icon.png"`), []string{"error manifest/icon icon"}},
	{"53 icon with a variable", plus(`"icon": "${__dirname}/icon.png"`), []string{"error manifest/icon icon"}},
	{"53 icon missing", plus(`"icon": "x.png"`), []string{"error manifest/icon icon"}},
	{"53 icon on the web", plus(`"icon": "https://example.com/icon.png"`), []string{"warning manifest/icon icon"}},
	{"53 icon no PNG", plus(`"icon": "icon.svg"`), []string{"error manifest/icon icon"}},
	{"53 icon cut short", plus(`"icon": "short.png"`), []string{"error manifest/icon icon"}},
	{"53 icon is a pipe", plus(`"icon": "pipe.png"`), []string{"error manifest/icon icon"}},
	{"53 icon is a folder", plus(`"icon": "server"`), []string{"error manifest/icon icon"}},
	{"53 icons missing", plus(`"icons": [{ "src": "icon.png", "size": "1x1" }, { "src": "x.png", "size": "1x1" }]`), []string{"error manifest/icon icons[1].src"}},
	{"53 icons no PNG", plus(`"icons": [{ "src": "icon.svg", "size": "1x1" }]`), []string{"warning manifest/icon icons[0].src"}},
	{"53 icons of no size", plus(`"icons": [{ "src": "icon.png", "size": "0x0" }]`), []string{"error manifest/icon icons[0].size"}},
	{"icons of bad size", plus(`"icons": [{ "src": "icon.png", "size": "16X16" }]`), []string{"error manifest/format icons[0].size"}},
	{"53 screenshot missing", plus(`"screenshots": ["icon.svg", "https://example.com/x.png", "x.png"]`), []string{"error manifest/icon screenshots[2]"}},
	{"locale", plus(`"localization": { "resources": "texts/${LOCALE}.json", "default_locale": "en" }`), nil},
	{"locale of no file", plus(`"localization": { "resources": "texts/${locale}.json", "default_locale": "de" }`), []string{"warning manifest/locale localization.resources"}},
	{"locale is no JSON", plus(`"localization": { "resources": "texts/${locale}.json", "default_locale": "xx" }`), []string{"error manifest/locale localization.resources"}},
	{"locale outside", plus(`"localization": { "resources": "../${locale}.json", "default_locale": "en" }`), []string{"error manifest/locale localization.resources"}},
	{"locale without variable", plus(`"localization": { "resources": "texts/en.json", "default_locale": "en_US" }`),
		[]string{"error manifest/format localization.resources", "error manifest/format localization.default_locale"}},
	{"54 name empty", with(`"notes"`, `""`), []string{"warning manifest/name name"}},
	{"54 name leads out", with(`"notes"`, `"../x"`), []string{"warning manifest/name name"}},
	{"54 version banana", with(`"1.0.0"`, `"banana"`), []string{"warning manifest/semver version"}},
	{"55 javascript link", plus(`"homepage": " java\tscript:alert(1)"`), []string{"warning manifest/link homepage"}},
	{"55 other links", with(`"name": "Ada"`, `"name": "Ada", "url": "data:text/html,x"`, "\n}", `, "privacy_policies": ["https://example.com", "file:///x"], "repository": { "type": "git", "url": "vbscript:x" } }`),
		[]string{"warning manifest/link author.url", "warning manifest/link privacy_policies[1]", "warning manifest/link repository.url"}},
	{"bad e-mail and URL", with(`"name": "Ada"`, `"name": "Ada", "email": "ada", "url": "example.com"`), []string{"error manifest/email author.email", "error manifest/url author.url"}},
	{"56 uv in 0.3", with(`"0.4"`, `"0.3"`, `"type": "node"`, `"type": "uv"`), []string{"error manifest/enum server.type"}},
	{"56 uv without command", with(`"type": "node"`, `"type": "uv"`, `,
    "mcp_config": { "command": "node", "args": ["${__dirname}/server/index.js"] }`, ``), []string{"error manifest/required server.mcp_config"}},
	{"57 a list", "[]", []string{"error manifest/type "}},
	{"57 null", "null", []string{"error manifest/type "}},
	{"57 empty", "", []string{"error manifest/json "}},
	{"57 comment", with(`"name"`, `// the name`+"\n"+`"name"`), []string{"error manifest/json "}},
	{"57 trailing comma", plus(`"license": "MIT",`), []string{"error manifest/json "}},
	{"57 too large", strings.Repeat(" ", MaxSize) + "{}", []string{"error manifest/size "}},
	{"57 too many values", "[" + strings.Repeat("0,", maxValues) + "0]", []string{"error manifest/size "}},
	{"57 too deep", plus(`"_meta": ` + strings.Repeat(`{"a":`, 101) + "1" + strings.Repeat("}", 101)), []string{"error manifest/depth "}},
	{"57 much too deep", strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000), []string{"error manifest/depth "}},
	{"57 deep enough", plus(`"_meta": { "a": { "b": ` + strings.Repeat("[", 90) + strings.Repeat("]", 90) + " } }"), nil},
	{"58 prompt with objects", plus(`"prompts": [{ "name": "p", "text": "t", "arguments": [{ "name": "a" }] }]`), []string{"error manifest/type prompts[0].arguments[0]"}},
	{"58 prompt without text", plus(`"prompts_generated": true, "prompts": [{ "name": "p" }]`), []string{"error manifest/required prompts[0].text"}},
	{"prompt argument", plus(`"prompts": [{ "name": "p", "arguments": ["a"], "text": "${arguments.a} ${arguments.b} ${other}" }]`), []string{"warning manifest/prompt-argument prompts[0].text"}},
	{"two tools of one name", plus(`"tools": [{ "name": "a" }, { "name": "b" }, { "name": "a" }]`), []string{"warning manifest/duplicate tools[2].name"}},
	{"two prompts of one name", plus(`"prompts": [{ "name": "a", "text": "" }, { "name": "a", "text": "" }]`), []string{"warning manifest/duplicate prompts[1].name"}},
	{"ranges", plus(`"compatibility": { "claude_desktop": ">=0.10.0", "runtimes": { "node": ">=v20.18.1", "python": ">=3.8.0 <4" } }`), nil},
	{"ranges that are none", plus(`"compatibility": { "claude_desktop": "new", "runtimes": { "node": "lts", "python": "three" } }`),
		[]string{"warning manifest/version-range compatibility.claude_desktop", "warning manifest/version-range compatibility.runtimes.node", "warning manifest/version-range compatibility.runtimes.python"}},
	{"no platforms", plus(`"compatibility": { "platforms": [] }`), []string{"warning manifest/platforms compatibility.platforms"}},
	{"number beyond float64", option(`"type": "number", "max": 1e999`), []string{"error manifest/type user_config.o.max"}},
	{"wrong types below are passed over", with(`"name": "Ada"`, `"name": ["Ada"], "url": {}`, "\n}", `, "user_config": [1], "tools": { "a": 1 }, "icons": [3], "compatibility": "x", "prompts": [[]], "localization": 1 }`),
		[]string{"error manifest/type author.name", "error manifest/type author.url", "error manifest/type user_config", "error manifest/type tools", "error manifest/type icons[0]",
			"error manifest/type compatibility", "error manifest/type prompts[0]", "error manifest/type localization"}},
}

func TestCases(t *testing.T) {
	t.Parallel()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			report := Validate([]byte(c.text), Checks{Files: bundle()})
			got := summary(report)
			if !slices.Equal(got, c.want) {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
			if report.OK() != !strings.Contains(strings.Join(got, "\n"), "error ") || (report.Err() == nil) != report.OK() {
				t.Errorf("OK %t, Err %v", report.OK(), report.Err())
			}
		})
	}
}

func summary(r *Report) []string {
	var out []string
	for _, f := range r.Findings {
		out = append(out, fmt.Sprintf("%s %s %s", f.Severity, f.Rule, f.Path))
	}
	return out
}

// TestEveryRuleHasACase holds the table of rules to what is really found, both ways.
func TestEveryRuleHasACase(t *testing.T) {
	t.Parallel()
	found := map[string]bool{}
	for _, c := range cases {
		for _, f := range Validate([]byte(c.text), Checks{Files: bundle()}).Findings {
			found[f.Rule] = true
			if f.Message == "" || f.Source == "" {
				t.Errorf("%s: %+v says too little", c.name, f)
			}
		}
	}
	for _, r := range Rules() {
		if !found[r.ID] {
			t.Errorf("%s: no case finds it", r.ID)
		}
		delete(found, r.ID)
		if r.Why == "" || r.Source == "" || strings.Contains(r.Why, "\n") {
			t.Errorf("%+v", r)
		}
	}
	for id := range found {
		t.Errorf("%s is found, but is no rule", id)
	}
}

func TestSchemaOnlyAndNoFiles(t *testing.T) {
	t.Parallel()
	text := with(`"notes"`, `"../x"`, `"server/index.js"`, `"server/main.js"`, `["${__dirname}`, `["${user_config.x}", "${__dirname}`)
	for checks, want := range map[string][]string{
		"schema only":   nil,
		"without files": {"warning manifest/name name", "error manifest/undeclared server.mcp_config.args[0]"},
		"with files":    {"warning manifest/name name", "error manifest/entry-point server.entry_point", "error manifest/undeclared server.mcp_config.args[0]"},
	} {
		c := map[string]Checks{"schema only": {SchemaOnly: true, Files: bundle()}, "without files": {}, "with files": {Files: bundle()}}[checks]
		if got := summary(Validate([]byte(text), c)); !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", checks, got, want)
		}
	}
}

func TestFullManifestHasNothingToSayAgainst(t *testing.T) {
	t.Parallel()
	files := fstest.MapFS{
		"server/index.js": {}, "icon.png": {Data: []byte(png)}, "icons/dark.png": {Data: []byte(png)}, "shots/one.png": {Data: []byte(png)},
		"texts/en-US.json": {Data: []byte("{}")},
	}
	if r := Validate(fullManifest(t), Checks{Files: files}); len(r.Findings) != 0 {
		t.Errorf("%+v", r.Findings)
	}
}
