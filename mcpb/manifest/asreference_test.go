package manifest

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"
)

// asked are the manifests of which the reference is asked what it says: real ones, mutations, and what no encoder writes.
func asked(t *testing.T) map[string]string {
	t.Helper()
	made := mutations(t)
	maps.Copy(made, rawManifests())
	for _, v := range verdicts(t) {
		made["corpus "+v.file] = string(corpusFile(t, v.file))
	}
	const head = `{"manifest_version":"0.3","name":"n","version":"1","description":"d","author":{"name":"a"},"server":{"type":"node","entry_point":"e","mcp_config":{"command":"c"}}`
	for what, rest := range map[string]string{
		"unknown keys, indexes first":    `,"zz":1,"10":1,"9":1,"01":1,"4294967295":1,"4294967294":1,"":1,"zz":2,"-1":1}`,
		"records, indexes first":         `,"user_config":{"b":1,"10":2,"9":3,"":4,"__proto__":5,"b":{"type":1}}}`,
		"an unknown key in several":      `,"author":{"name":1,"x":1},"server":{"type":"x","y":1},"compatibility":{"x":1,"runtimes":{"y":1}}}`,
		"keys with dots and quotes":      `,"user_config":{"a.b":{"it's":1}}}`,
		"a list as default":              `,"user_config":{"a":{"type":"string","title":"","description":"","default":["x",1]}}}`,
		"null everywhere":                `,"tools":null,"icons":[null],"compatibility":{"platforms":[null,"x"]},"_meta":{"a":null,"b":[],"c":{"d":null}}}`,
		"a number that is infinite":      `,"user_config":{"a":{"type":"number","title":"","description":"","min":1e999}}}`,
		"several formats":                `,"homepage":"x","author":{"name":"a","email":"x","url":""},"privacy_policies":["x","y:"],"icons":[{"src":"","size":"1","theme":""}],"localization":{"resources":"","default_locale":"en_US"}}`,
		"text that formats must not eat": `,"author":{"name":"%s %d"},"%s":1,"server":{"type":"%v","entry_point":"e","mcp_config":{"command":"c"}}}`,
	} {
		made[what] = head + rest
	}
	return made
}

func TestAsReferenceSaysWhatTheReferenceSays(t *testing.T) {
	t.Parallel()
	made := asked(t)
	names := slices.Sorted(maps.Keys(made))
	var questions []question
	for _, name := range names {
		questions = append(questions, question{"issues", made[name]})
	}
	differ, withIssues := 0, 0
	for i, theirs := range askReference[[]string](t, questions) {
		ours := linesOf(AsReference([]byte(made[names[i]])))
		if len(theirs) > 0 {
			withIssues++
		}
		if !slices.Equal(ours, theirs) || (ours == nil) != (theirs == nil) {
			if differ++; differ <= 20 {
				t.Errorf("%s\nours   %q\ntheirs %q", names[i], ours, theirs)
			}
		}
	}
	t.Logf("%d manifests, %d of them with issues, %d differ", len(names), withIssues, differ)
	if withIssues < 1000 {
		t.Error("too few with issues: the test says little")
	}
}

// linesOf writes a verdict as testdata/oracle.mjs does.
func linesOf(v ReferenceVerdict) []string {
	switch {
	case v.Syntax != "":
		return nil
	case v.Version == "":
		return []string{"no version"}
	}
	lines := []string{}
	for _, issue := range v.Issues {
		path, _ := json.Marshal(issue.Path) // a list of strings always has a JSON form
		lines = append(lines, string(path)+" "+issue.Message)
	}
	return lines
}

// What the reference accepts has no issues, and Validate agrees.
func TestAsReferenceAndValidateAgree(t *testing.T) {
	t.Parallel()
	for name, text := range asked(t) {
		v := AsReference([]byte(text))
		ours := v.Version != "" && len(v.Issues) == 0
		if ok := Validate([]byte(text), Checks{SchemaOnly: true}).OK(); ok != ours && name != "a number that is infinite" {
			t.Errorf("%s: Validate says %t, AsReference %+v", name, ok, v)
		}
	}
}

func TestAsReferenceGivesTheIcon(t *testing.T) {
	t.Parallel()
	v := AsReference([]byte(`{"manifest_version":"0.3","name":"n","version":"1","description":"d","author":{"name":"a"},"icon":"i.png","server":{"type":"node","entry_point":"e","mcp_config":{"command":"c"}}}`))
	if v.Icon != "i.png" || v.Version != "0.3" || len(v.Issues) > 0 {
		t.Errorf("%+v", v)
	}
	if v := AsReference([]byte("{\n  x")); v.Syntax != "is not JSON: invalid character 'x' looking for beginning of object key string (line 2, column 3)" {
		t.Errorf("%+v", v)
	}
}
