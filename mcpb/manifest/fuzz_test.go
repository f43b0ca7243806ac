package manifest

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/language"
)

// FuzzValidate holds what any text gives: the same findings each time, none of them outside the text, shown without a
// character that a terminal acts on; what is valid can be parsed; what was parsed and written can be parsed to the same.
func FuzzValidate(f *testing.F) {
	for _, text := range corpus(f) {
		f.Add(text)
	}
	f.Add([]byte(`{"manifest_version":"0.3","name":"a","name":"b"}`))
	f.Add([]byte("\xef\xbb\xbf{}"))
	f.Add([]byte(strings.Repeat("[", 200)))
	f.Add([]byte(`{"user_config":{"a":{"type":"number","min":2,"max":1,"default":"x"}},"server":{"mcp_config":{"command":"${user_config.b}"}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		files := fstest.MapFS{"icon.png": {Data: []byte("\x89PNG\r\n\x1a\n")}}
		r := Validate(data, Checks{Files: files})
		if again := Validate(data, Checks{Files: files}); !reflect.DeepEqual(r, again) {
			t.Fatalf("not the same twice: %+v, %+v", r, again)
		}
		checkFindings(t, r, data)
		m, _, err := Parse(data)
		if err != nil {
			if Validate(data, Checks{SchemaOnly: true}).OK() {
				t.Fatalf("valid, but cannot be parsed: %v", err)
			}
			return
		}
		text, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		again, _, err := Parse(text)
		if err != nil {
			t.Fatalf("written, it cannot be parsed: %v\n%s", err, text)
		}
		if back, err := json.Marshal(again); err != nil || !bytes.Equal(text, back) {
			t.Fatalf("written and parsed it is another: %v\n%s\n%s", err, text, back)
		}
	})
}

func corpus(tb testing.TB) [][]byte {
	tb.Helper()
	names, err := filepath.Glob("testdata/corpus/manifests/*.json")
	if err != nil || len(names) < 80 {
		tb.Fatalf("%d manifests, %v", len(names), err)
	}
	texts := [][]byte{fullManifest(tb)}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			tb.Fatal(err)
		}
		texts = append(texts, data)
	}
	return texts
}

func checkFindings(t *testing.T, r *Report, data []byte) {
	t.Helper()
	lines := bytes.Count(data, []byte("\n")) + 1
	if len(r.Findings) > 3*maxFindings {
		t.Fatalf("%d findings", len(r.Findings))
	}
	for _, x := range r.Findings {
		if x.Rule == "" || x.Message == "" || x.Line < 0 || x.Line > lines || x.Column < 0 || x.Column > len(data)+1 {
			t.Fatalf("finding %+v in %d lines", x, lines)
		}
	}
	var b bytes.Buffer
	r.Render(&b, data, false)
	if !utf8.Valid(b.Bytes()) || strings.ContainsFunc(b.String(), func(c rune) bool { return unicode.IsControl(c) && c != '\n' }) {
		t.Fatalf("shown raw: %q", b.String())
	}
}

// FuzzLocalize holds that a resource, whatever is in it, changes texts only.
func FuzzLocalize(f *testing.F) {
	f.Add([]byte(`{"display_name":"Beispiel","tools":[{"name":"t","description":"x"}]}`), "de-AT")
	f.Add([]byte(`{"server":{"entry_point":"evil"},"name":"evil","tools":[{"name":"new"}]}`), "de")
	f.Add([]byte(`[`), "x")
	f.Fuzz(func(t *testing.T, resource []byte, tag string) {
		m, _, err := Parse(fullManifest(t))
		if err != nil {
			t.Fatal(err)
		}
		before, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		files := fstest.MapFS{}
		for _, locale := range []string{"de", "en", "en-US", "fr"} {
			name, _ := resourcePath(m.Localization.Resources, locale)
			files[name] = &fstest.MapFile{Data: resource}
		}
		got, err := Localize(m, files, language.Make(tag))
		if after, err := json.Marshal(m); err != nil || !bytes.Equal(before, after) {
			t.Fatal("the manifest itself was changed")
		}
		if err != nil {
			return
		}
		if !reflect.DeepEqual(got.Server, m.Server) || got.Name != m.Name || got.Version != m.Version || len(got.Tools) != len(m.Tools) || len(got.UserConfig) != len(m.UserConfig) {
			t.Fatalf("more than texts was changed: %+v", got)
		}
		for i := range got.Tools {
			if got.Tools[i].Name != m.Tools[i].Name {
				t.Fatalf("tool %q is now %q", m.Tools[i].Name, got.Tools[i].Name)
			}
		}
	})
}
