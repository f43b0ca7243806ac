package manifest

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

func fullManifest(t testing.TB) []byte {
	t.Helper()
	data, err := os.ReadFile("testdata/full.json")
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// mutations makes manifests out of the full one: each value deleted, and replaced by values of every type; a further
// key in each object; for each version. What they are called says where and what.
func mutations(t *testing.T) map[string]string {
	t.Helper()
	made := map[string]string{}
	for _, version := range []string{"0.1", "0.2", "0.3", "0.4"} {
		var root map[string]any
		if err := json.Unmarshal(fullManifest(t), &root); err != nil {
			t.Fatal(err)
		}
		root["manifest_version"] = version
		if version < "0.3" { // else every one of them would be invalid for these keys alone
			delete(root, "icons")
			delete(root, "localization")
			delete(root, "_meta")
		}
		if version < "0.2" {
			delete(root, "privacy_policies")
		}
		note := func(what string) {
			text, err := json.Marshal(root)
			if err != nil {
				t.Fatal(err)
			}
			made[version+" "+what] = string(text)
		}
		note("as it is")
		mutate(root, "", note)
	}
	return made
}

// mutate changes one value at a time, tells note, and puts it back.
func mutate(v any, path string, note func(string)) {
	replacements := []any{nil, 1.5, true, "x", "", "uv", "0.3", []any{}, []any{"x"}, map[string]any{}, map[string]any{"x": "y"}}
	change := func(path string, old any, set func(any)) {
		for _, r := range replacements {
			set(r)
			note(fmt.Sprintf("%s = %#v", path, r))
		}
		set(old)
		mutate(old, path, note)
	}
	switch v := v.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			old := v[key]
			delete(v, key)
			note("without " + path + "." + key)
			change(path+"."+key, old, func(r any) { v[key] = r })
			v[key] = old
		}
		v["nmae"] = "x"
		note(path + ".nmae = x")
		delete(v, "nmae")
	case []any:
		for i, old := range v {
			change(fmt.Sprintf("%s[%d]", path, i), old, func(r any) { v[i] = r })
		}
	}
}

// TestVerdictsOnMutationsAreTheReferences compares some thousand manifests, strictly and loosely.
func TestVerdictsOnMutationsAreTheReferences(t *testing.T) {
	t.Parallel()
	made := mutations(t)
	for what, text := range rawManifests() {
		made[what] = text
	}
	names := slices.Sorted(maps.Keys(made))
	if len(names) < 2000 {
		t.Fatalf("only %d mutations: mutate has lost some", len(names))
	}
	var questions []question
	for _, name := range names {
		questions = append(questions, question{"manifest", made[name]}, question{"loose", made[name]})
	}
	verdicts := askReference[bool](t, questions)
	var passed, differ int
	for i, name := range names {
		strict, loose := verdicts[2*i], verdicts[2*i+1]
		if strict {
			passed++
		}
		report := Validate([]byte(made[name]), Checks{SchemaOnly: true})
		_, _, err := Parse([]byte(made[name]))
		if report.OK() == strict && ((err == nil) == loose || deliberate(made[name])) {
			continue
		}
		if differ++; differ <= 20 {
			t.Errorf("%s\nours %t %t (%v), the reference %t %t\n%+v", name, report.OK(), err == nil, err, strict, loose, report.Findings)
		}
	}
	t.Logf("%d manifests, %d of them valid, %d verdicts differ", len(names), passed, differ)
	if passed < 100 || passed > len(names)/2 {
		t.Errorf("%d of %d are valid: the mutations say little", passed, len(names))
	}
}

// deliberate tells whether our loose reading differs from the reference's on purpose: hosts skip a byte order mark; and
// of a server without mcp_config, which the reference's loose 0.4 allows to every type, ours takes only uv, because the
// others could not be started.
func deliberate(text string) bool {
	if strings.HasPrefix(text, bom) {
		return true
	}
	var m struct {
		Server map[string]any `json:"server"`
	}
	if json.Unmarshal([]byte(text), &m) != nil {
		return false
	}
	_, has := m.Server["mcp_config"]
	return !has && m.Server["type"] != UV && strings.Contains(text, `"0.4"`)
}

// rawManifests are those that no encoder writes.
func rawManifests() map[string]string {
	const good = `"name":"n","version":"1","description":"d","author":{"name":"a"},"server":{"type":"node","entry_point":"e","mcp_config":{"command":"c"}}`
	made := map[string]string{
		"bom":                     "\ufeff{" + good + `,"manifest_version":"0.3"}`,
		"comment":                 "{/* c */" + good + `,"manifest_version":"0.3"}`,
		"trailing comma":          "{" + good + `,"manifest_version":"0.3",}`,
		"array":                   "[]",
		"null":                    "null",
		"text":                    `"x"`,
		"empty":                   "",
		"blank":                   " \n",
		"duplicate name":          "{" + good + `,"manifest_version":"0.3","name":"m"}`,
		"duplicate bad name":      "{" + good + `,"manifest_version":"0.3","name":1}`,
		"duplicate, last is good": `{"name":1,` + good + `,"manifest_version":"0.3"}`,
		"key in capitals":         "{" + good + `,"manifest_version":"0.3","NAME":"m"}`,
		"proto":                   "{" + good + `,"manifest_version":"0.3","__proto__":{}}`,
		"proto in env":            `{"manifest_version":"0.3",` + strings.Replace(good, `"command":"c"`, `"command":"c","env":{"__proto__":"x"}`, 1) + "}",
		"lone surrogate":          `{"manifest_version":"0.3","display_name":"\ud800",` + good + "}",
		"escaped key":             `{"manifest_version":"0.3","displa\u0079_name":"x",` + good + "}",
		"trailing garbage":        `{"manifest_version":"0.3",` + good + "} x",
		"two values":              `{"manifest_version":"0.3",` + good + "}{}",
		"control character":       "{\"manifest_version\":\"0.3\",\"display_name\":\"\x01\"," + good + "}",
		"tab in a text":           "{\"manifest_version\":\"0.3\",\"display_name\":\"\t\"," + good + "}",
		"no-break space":          "{\u00a0\"manifest_version\":\"0.3\"," + good + "}",
		"form feed":               "{\f\"manifest_version\":\"0.3\"," + good + "}",
		"leading zero":            `{"manifest_version":"0.3","user_config":{"a":{"type":"number","title":"","description":"","min":01}},` + good + "}",
		"NaN":                     `{"manifest_version":"0.3","user_config":{"a":{"type":"number","title":"","description":"","min":NaN}},` + good + "}",
	}
	versions := []string{`"0.1"`, `"0.2"`, `"0.3"`, `"0.4"`, `"0.5"`, `"1.0"`, `"0.3.0"`, `""`, `0.3`, `null`, `true`, `["0.3"]`, `{}`}
	for _, a := range versions {
		made["only manifest_version "+a] = fmt.Sprintf(`{"manifest_version":%s,%s}`, a, good)
		made["only dxt_version "+a] = fmt.Sprintf(`{"dxt_version":%s,%s}`, a, good)
		for _, b := range versions {
			made["manifest_version "+a+" dxt_version "+b] = fmt.Sprintf(`{"manifest_version":%s,"dxt_version":%s,%s}`, a, b, good)
		}
	}
	for _, typ := range []string{"uv", "node", "stdio"} {
		made["without mcp_config "+typ] = fmt.Sprintf(`{"manifest_version":"0.4","name":"n","version":"1","description":"d","author":{"name":"a"},"server":{"type":%q,"entry_point":"e"}}`, typ)
	}
	made["no version"] = "{" + good + "}"
	return made
}
