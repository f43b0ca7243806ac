package manifest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// Each case is a manifest and the exact text that mending it gives; the same text when nothing is to be done.
func TestMend(t *testing.T) {
	t.Parallel()
	cases := []struct{ name, in, want string }{
		{"nothing wrong", with(), with()},
		{"byte order mark", "\ufeff" + with(), with()},
		{"byte order mark and more", "\ufeff" + with(`"description"`, `"descripton"`), with()},
		{"CRLF, tabs, no line end", strings.ReplaceAll(with(`"name": "notes"`, "\t\"nmae\" :\"notes\""), "\n", "\r\n"), strings.ReplaceAll(with(`"name": "notes"`, "\t\"name\" :\"notes\""), "\n", "\r\n")},
		{"trailing commas", with("\n}", ",\n}", `index.js"]`, `index.js", ]`, `"Keeps notes."`, `"Keeps, ]notes\","`), with(`index.js"]`, `index.js" ]`, `"Keeps notes."`, `"Keeps, ]notes\","`)},
		{"trailing comma and more", with("\n}", ",\n}", `"0.4"`, `0.4`, `"name"`, `"nmae"`), with()},
		{"trailing comma, but worse", with("\n}", ",\n}", `"name"`, `name`), with("\n}", ",\n}", `"name"`, `name`)},

		{"misspelt keys", with(`"manifest_version"`, `"manifestVersion"`, `"entry_point"`, `"entryPoint"`, `"mcp_config"`, `"mcpConfig"`, `"args"`, `"arg"`), with()},
		{"misspelt, with a list missing", plus(`"keyword": "notes"`), plus(`"keywords": ["notes"]`)},
		{"misspelt, what was meant is there", plus(`"nmae": "x"`), plus(`"nmae": "x"`)},
		{"misspelt, two mean the same", plus(`"keyword": ["x"], "keywrds": ["y"]`), plus(`"keyword": ["x"], "keywrds": ["y"]`)},
		{"misspelt, two are near", option(`"type": "number", "mix": 1`), option(`"type": "number", "mix": 1`)},
		{"misspelt, of another type", plus(`"keyword": { "a": 1 }`), plus(`"keyword": { "a": 1 }`)},
		{"unknown", plus(`"something": 1`), plus(`"something": 1`)},
		{"of a later version", with(`"0.4"`, `"0.2"`, "\n}", ",\n  \"icons\": []\n}"), with(`"0.4"`, `"0.2"`, "\n}", ",\n  \"icons\": []\n}")},
		{"of a later version, and near another", with(`"0.4"`, `"0.2"`, "\n}", ",\n  \"icons\": \"icon.png\"\n}"), with(`"0.4"`, `"0.2"`, "\n}", ",\n  \"icons\": \"icon.png\"\n}")},
		{"required is not invented", with(`  "description": "Keeps notes.",`+"\n", ""), with(`  "description": "Keeps notes.",`+"\n", "")},

		{"version as a number", with(`"0.4"`, `0.4`), with()},
		{"version with three numbers", with(`"0.4"`, `"v0.4.0"`), with()},
		{"version by the older key", with(`"0.4"`, `"1", "dxt_version": "0.2"`), with(`"0.4"`, `"0.2", "dxt_version": "0.2"`)},
		{"version null", with(`"0.4"`, `null, "dxt_version": "0.2"`), with(`"manifest_version": "0.4"`, `"dxt_version": "0.2"`)},
		{"older version differs", with(`"0.4"`, `"0.4", "dxt_version": "0.1"`), with(`"0.4"`, `"0.4", "dxt_version": "0.4"`)},
		{"older key alone", with(`"manifest_version": "0.4"`, `"dxt_version": "0.3"`), with(`"0.4"`, `"0.3"`)},
		{"older key alone, for old hosts", with(`"manifest_version": "0.4"`, `"dxt_version": "0.2"`), with(`"manifest_version": "0.4"`, `"dxt_version": "0.2"`)},
		{"version unknown", with(`"0.4"`, `"2.0"`), with(`"0.4"`, `"2.0"`)},
		{"version missing", with(`"manifest_version": "0.4",`, ``), with(`"manifest_version": "0.4",`, ``)},
		{"version misspelt twice", with(`"manifest_version": "0.4"`, `"manifest_versio": "0.4", "manifest_versin": "0.3"`), with(`"manifest_version": "0.4"`, `"manifest_versio": "0.4", "manifest_versin": "0.3"`)},

		{"author as a text", with(`{ "name": "Ada" }`, `"Ada"`), with(`{ "name": "Ada" }`, `{"name": "Ada"}`)},
		{"author of package.json", with(`{ "name": "Ada" }`, `"Ada L. <ada@example.com> (https://example.com/)"`),
			with(`{ "name": "Ada" }`, `{"name": "Ada L.", "email": "ada@example.com", "url": "https://example.com/"}`)},
		{"author with what is no address", with(`{ "name": "Ada" }`, `"Ada <at example>"`), with(`{ "name": "Ada" }`, `{"name": "Ada <at example>"}`)},
		{"author empty", with(`{ "name": "Ada" }`, `" "`), with(`{ "name": "Ada" }`, `" "`)},
		{"repository as a text", plus(`"repository": "https://example.com/a.git"`), plus(`"repository": {"type": "git", "url": "https://example.com/a.git"}`)},
		{"repository in short", plus(`"repository": "github:a/b"`), plus(`"repository": "github:a/b"`)},
		{"true and numbers as texts", option(`"type": "number", "required": "true", "min": "-1", "max": "10.5"`), option(`"type": "number", "required": true, "min": -1, "max": 10.5`)},
		{"yes is not true", option(`"type": "number", "required": "yes", "min": "01", "max": "1e3"`), option(`"type": "number", "required": "yes", "min": "01", "max": "1e3"`)},
		{"number as a text", with(`"1.0.0"`, `1.0`), with(`"1.0.0"`, `"1.0"`)},
		{"environment", with(`"command": "node"`, `"command": "node", "env": { "PORT": 8080, "DEBUG": true, "N": null }`), with(`"command": "node"`, `"command": "node", "env": { "PORT": "8080", "DEBUG": "true", "N": null }`)},
		{"false is no licence", plus(`"license": false`), plus(`"license": false`)},
		{"null is left out", plus(`"license": null, "author_": 1`), with("\n}", ", \"author_\": 1\n}")},
		{"null of what is required", with(`"1.0.0"`, `null`), with(`"1.0.0"`, `null`)},
		{"one text where a list belongs", plus(`"privacy_policies": "https://example.com/p"`), plus(`"privacy_policies": ["https://example.com/p"]`)},
		{"several in a text", plus(`"keywords": "a, b"`), plus(`"keywords": "a, b"`)},
		{"a text that the list refuses", plus(`"privacy_policies": "none"`), plus(`"privacy_policies": "none"`)},
		{"default as a text", option(`"type": "number", "default": "5"`), option(`"type": "number", "default": 5`)},
		{"default as a number", option(`"type": "string", "default": 5`), option(`"type": "string", "default": "5"`)},
		{"default out of range", option(`"type": "number", "max": 4, "default": "5"`), option(`"type": "number", "max": 4, "default": "5"`)},

		{"platforms", plus(`"compatibility": { "platforms": ["Windows", "macOS", "linx", "beos"] }`), plus(`"compatibility": { "platforms": ["win32", "darwin", "linux", "beos"] }`)},
		{"platforms that are there", plus(`"compatibility": { "platforms": ["windows", "win32", "macos", "osx", "linux"] }`), plus(`"compatibility": { "platforms": ["win32", "darwin", "linux"] }`)},
		{"one platform", plus(`"compatibility": { "platforms": "macos" }`), plus(`"compatibility": { "platforms": ["darwin"] }`)},
		{"server type", with(`"type": "node"`, `"type": "NodeJS"`), with()},
		{"uv in an old version", with(`"0.4"`, `"0.3"`, `"type": "node"`, `"type": "uv"`), with(`"0.4"`, `"0.3"`, `"type": "node"`, `"type": "uv"`)},
		{"option type", option(`"type": "folder"`), option(`"type": "directory"`)},

		{"the same key twice", plus(`"name": "notes"`), with("\n  \"name\": \"notes\",", "", "\n}", ",\n  \"name\": \"notes\"\n}")},
		{"the same key three times", plus(`"license": "MIT", "license": "MIT", "license": "M\u0049T"`), with("\n}", ", \"license\": \"M\\u0049T\"\n}")},
		{"a key twice with two values", plus(`"name": "other"`), plus(`"name": "other"`)},
		{"a key three times with two values", plus(`"license": "a", "license": "b", "license": "a"`), plus(`"license": "a", "license": "b", "license": "a"`)},
		{"a key twice with two large numbers", plus(`"_meta": { "a": { "b": 9007199254740993, "b": 9007199254740992 } }`), plus(`"_meta": { "a": { "b": 9007199254740993, "b": 9007199254740992 } }`)},
		{"a key twice, yes and no", plus(`"tools_generated": true, "tools_generated": false`), plus(`"tools_generated": true, "tools_generated": false`)},
		{"in what is free", plus(`"_meta": { "a": { "b": { "c": [1, { "d": null }], "c": [1, { "d": null }] } } }`), plus(`"_meta": { "a": { "b": { "c": [1, { "d": null }] } } }`)},

		{"variables", with(`${__dirname}/server`, `\u0024{x} ${DIRNAME}/${hom}/${dirname}\/server`), with(`${__dirname}/server`, `\u0024{x} ${__dirname}/${HOME}/${__dirname}\/server`)},
		{"variables that are escaped", with(`${__dirname}/server`, `\u0024{hom}`), with(`${__dirname}/server`, `${HOME}`)},
		{"a variable that is an option", option(`"type": "string" }, "key": { "title": "K", "description": "d", "type": "string"`) + "", ""},
		{"options", with(`"args": [`, `"args": ["${user_config.api-key}", "${api_key}", `, "\n}", `, "user_config": { "api_key": { "type": "string", "title": "K", "description": "d" } } }`),
			with(`"args": [`, `"args": ["${user_config.api_key}", "${user_config.api_key}", `, "\n}", `, "user_config": { "api_key": { "type": "string", "title": "K", "description": "d" } } }`)},
		{"TEMP has no other name", with(`${__dirname}/server`, `${TEMP}`), with(`${__dirname}/server`, `${TEMP}`)},
		{"prompt arguments", plus(`"prompts": [{ "name": "p", "arguments": ["topic"], "text": "\u00e9 ${arguments.topc}" }]`), plus(`"prompts": [{ "name": "p", "arguments": ["topic"], "text": "\u00e9 ${arguments.topic}" }]`)},
	}
	mends := map[string]bool{}
	for _, c := range cases {
		if c.want == "" {
			c.want = c.in
		}
		m := Mend([]byte(c.in), Checks{Files: bundle()})
		if string(m.Data) != c.want {
			t.Errorf("%s: %+v\ngot  %s\nwant %s", c.name, m.Changes, m.Data, c.want)
		}
		checkMended(t, c.name, []byte(c.in), m)
		for _, change := range m.Changes {
			mends[change.Rule] = true
		}
	}
	for _, r := range Rules() {
		if mends[r.ID] != (r.Mends != "") {
			t.Errorf("%s says that it mends %q; a case shows it: %t", r.ID, r.Mends, mends[r.ID])
		}
	}
}

// checkMended holds what all mending promises.
func checkMended(t *testing.T, name string, in []byte, m *Mended) {
	t.Helper()
	before, after := assess(in, Checks{Files: bundle()}), assess(m.Data, Checks{Files: bundle()})
	switch changed := !bytes.Equal(in, m.Data); {
	case changed != (len(m.Changes) > 0):
		t.Errorf("%s: changed %t, but %d changes", name, changed, len(m.Changes))
	case changed && before.seen == after.seen && (after.errors > before.errors || after.errors == before.errors && after.others >= before.others):
		t.Errorf("%s: it was not mended: %+v\n%s", name, after.report.Findings, m.Data)
	case after.seen < before.seen:
		t.Errorf("%s: it cannot be read any more", name)
	}
	for _, c := range m.Changes {
		if c.Rule == "" || c.Line < 1 || c.Before == "" {
			t.Errorf("%s: %+v says too little", name, c)
		}
	}
	if again := Mend(m.Data, Checks{Files: bundle()}); len(again.Changes) > 0 {
		t.Errorf("%s: mended twice: %+v\n%s", name, again.Changes, m.Data)
	}
}

// TestMendOfMutations: whatever is wrong, what was mended is better, and mending it again changes nothing. What was
// already right stays to the byte.
func TestMendOfMutations(t *testing.T) {
	t.Parallel()
	made := mutations(t)
	maps.Copy(made, rawManifests())
	mended := 0
	for i, name := range slices.Sorted(maps.Keys(made)) {
		if i%4 != 0 { // all of them take their time
			continue
		}
		in := []byte(made[name])
		m := Mend(in, Checks{Files: bundle()})
		checkMended(t, name, in, m)
		if len(m.Changes) > 0 {
			mended++
		}
	}
	if mended < 50 || mended > len(made)/8 {
		t.Errorf("%d of %d were mended", mended, len(made))
	}
}

// TestMendOfCorpus shows every change to real manifests; the golden file is the review.
func TestMendOfCorpus(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for _, v := range verdicts(t) {
		data := corpusFile(t, v.file)
		m := Mend(data, Checks{})
		if len(m.Changes) == 0 {
			continue
		}
		left := 0
		for _, f := range m.Report.Findings {
			if f.Severity == Error {
				left++
			}
		}
		fmt.Fprintf(&b, "%s: %d errors left\n", v.file, left)
		for _, c := range m.Changes {
			fmt.Fprintf(&b, "  %d %s %s: %s -> %s\n", c.Line, c.Rule, c.Path, c.Before, c.After)
		}
	}
	golden(t, "testdata/corpus-mended.txt", b.String())
}

// TestMendOfMuchIsQuick: each of many mistakes costs the same.
func TestMendOfMuchIsQuick(t *testing.T) {
	t.Parallel()
	for name, members := range map[string]string{
		"commas":     `"a": [` + strings.Repeat("[1,],", 20_000) + `1]`,
		"duplicates": `"_meta": { "a": { ` + strings.TrimSuffix(strings.Repeat(`"b": 1, `, 30_000), ", ") + " } }",
		"variables":  `"prompts": [{ "name": "p", "arguments": ["topic"], "text": "` + strings.Repeat("${arguments.topc}", 10_000) + `" }]`,
		"keys":       strings.TrimSuffix(strings.Repeat(`"keyword": 1, `, 10_000), ", "),
	} {
		m := Mend([]byte(plus(members)), Checks{})
		if !json.Valid(m.Data) {
			t.Errorf("%s: is no JSON any more", name)
		}
	}
}

func FuzzMend(f *testing.F) {
	for _, text := range corpus(f) {
		f.Add(text)
	}
	f.Add([]byte("\ufeff" + with(`"name"`, `"nmae"`, `"type": "node"`, `"type": "js"`)))
	f.Add([]byte(`{"dxt_version":0.3,"author":"a","keyword":"b","name":1,"name":1,}`))
	f.Fuzz(func(t *testing.T, data []byte) { checkMended(t, "fuzz", data, Mend(data, Checks{Files: bundle()})) })
}
