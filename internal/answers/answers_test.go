package answers

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"satchel/internal/problem"
	"satchel/mcpb/manifest"
)

func number(f float64) *float64 { return &f }

// asked are options of every type.
func asked() manifest.Options {
	return manifest.Options{
		{Key: "text", Type: manifest.String, Title: "Text"},
		{Key: "list", Type: manifest.String, Title: "List", Multiple: true},
		{Key: "secret", Type: manifest.String, Title: "Secret", Sensitive: true, Required: true},
		{Key: "pin", Type: manifest.Number, Title: "PIN", Sensitive: true},
		{Key: "count", Type: manifest.Number, Title: "Count", Min: number(1), Max: number(10)},
		{Key: "flag", Type: manifest.Boolean, Title: "Flag"},
		{Key: "folder", Type: manifest.Directory, Title: "Folder", Required: true},
		{Key: "folders", Type: manifest.Directory, Title: "Folders", Multiple: true},
		{Key: "file", Type: manifest.File, Title: "File"},
		{Key: "given", Type: manifest.String, Title: "Given", Required: true, Default: "by the author"},
	}
}

func realDir(t *testing.T) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestParse(t *testing.T) {
	t.Parallel()
	home := realDir(t)
	file := filepath.Join(home, "f")
	if err := errors.Join(os.Mkdir(filepath.Join(home, "d"), 0o755), os.WriteFile(file, nil, 0o644), os.Symlink("d", filepath.Join(home, "link"))); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		pairs []string
		want  Values
	}{
		{nil, Values{}},
		{[]string{"text=a=b", "text2="}, nil},
		{[]string{"text=a=b"}, Values{"text": "a=b"}},
		{[]string{"text="}, Values{"text": ""}},
		{[]string{"text=${user_config.secret}"}, Values{"text": "${user_config.secret}"}},
		{[]string{"list=a", "list=b"}, Values{"list": []string{"a", "b"}}},
		{[]string{"list="}, Values{"list": []string{}}},
		{[]string{"count=3", "flag=TRUE"}, Values{"count": 3.0, "flag": true}},
		{[]string{"count=1e0"}, Values{"count": 1.0}},
		{[]string{"folder=~/d", "file=~/f"}, Values{"folder": filepath.Join(home, "d"), "file": file}},
		{[]string{"folder=" + home + "/link"}, Values{"folder": filepath.Join(home, "d")}},
		{[]string{"folder=" + home + "/d/../d/."}, Values{"folder": filepath.Join(home, "d")}},
		{[]string{"folder=~"}, Values{"folder": home}},
		{[]string{"folders=~/d", "folders=~"}, Values{"folders": []string{filepath.Join(home, "d"), home}}},
	} {
		got, err := Parse(asked(), c.pairs, home)
		if c.want == nil {
			if err == nil {
				t.Errorf("%q: %v, want an error", c.pairs, got)
			}
			continue
		}
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%q: %v, %v; want %v", c.pairs, got, err, c.want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	home := realDir(t)
	if err := os.WriteFile(filepath.Join(home, "f"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for pair, want := range map[string]struct {
		code problem.Code
		says string
	}{
		"txt=x":                    {problem.Usage, "text"},
		"nothing=x":                {problem.Usage, "it asks for"},
		"text":                     {problem.Usage, "KEY=VALUE"},
		"topsecret-without-pair":   {problem.Usage, "KEY=VALUE"},
		"text=a\x00b":              {problem.NeedsConfig, "NUL"},
		"count=x":                  {problem.NeedsConfig, "no number"},
		"count=null":               {problem.NeedsConfig, "no number"},
		"count=0x10":               {problem.NeedsConfig, "no number"},
		"count=Infinity":           {problem.NeedsConfig, "no number"},
		"count=0":                  {problem.NeedsConfig, "at least 1"},
		"count=11":                 {problem.NeedsConfig, "at most 10"},
		"pin=12345678901234567890": {problem.NeedsConfig, "too large"},
		"flag=yes":                 {problem.NeedsConfig, "neither true nor false"},
		"folder=~/nowhere":         {problem.NeedsConfig, "no folder"},
		"folder=~/f":               {problem.NeedsConfig, "no folder"},
		"file=~":                   {problem.NeedsConfig, "no file"},
		"folder=~stranger/x":       {problem.NeedsConfig, "no folder"},
	} {
		_, err := Parse(asked(), []string{pair}, home)
		p, ok := errors.AsType[*problem.Problem](err)
		if !ok || p.Code != want.code || !strings.Contains(p.Error()+p.Hint, want.says) {
			t.Errorf("%q: %v (%+v), want %s with %q", pair, err, p, want.code, want.says)
		}
		if strings.Contains(pair, "topsecret") && strings.Contains(err.Error(), "topsecret") || strings.HasPrefix(pair, "pin") && strings.Contains(err.Error(), "1234") {
			t.Errorf("%q: the message repeats what may be a secret: %v", pair, err)
		}
	}
	if _, err := Parse(asked(), []string{"text=a", "text=b"}, home); problem.CodeOf(err) != problem.NeedsConfig {
		t.Errorf("two values for one: %v", err)
	}
}

// Kept answers are looked at again: a folder that was exchanged for a link leads elsewhere than what was agreed to.
func TestCheck(t *testing.T) {
	t.Parallel()
	home := realDir(t)
	folder := filepath.Join(home, "d")
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	good := Values{"text": "x", "list": []string{"a"}, "count": 3.0, "flag": true, "folder": folder, "folders": []string{folder}, "unknown": 1.5}
	if err := Check(asked(), good); err != nil {
		t.Errorf("good answers: %v", err)
	}
	for key, bad := range map[string]any{
		"text": 1.0, "list": "a", "count": "3", "flag": "true", "folder": "relative", "folders": []string{folder, filepath.Join(home, "gone")}, "pin": "1",
	} {
		if err := Check(asked(), Values{key: bad}); problem.CodeOf(err) != problem.NeedsConfig || !strings.Contains(err.Error(), key) {
			t.Errorf("%s = %v: %v", key, bad, err)
		}
	}
	if err := Check(asked(), Values{"count": 99.0}); err == nil {
		t.Error("a number out of range passed")
	}
	if err := errors.Join(os.Rename(folder, folder+"2"), os.Symlink("/etc", folder)); err != nil {
		t.Fatal(err)
	}
	if err := Check(asked(), Values{"folder": folder}); err == nil || !strings.Contains(err.Error(), "now leads to") {
		t.Errorf("an exchanged folder: %v", err)
	}
}

func TestMissing(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		values Values
		want   string
	}{
		{Values{}, "secret folder"},
		{Values{"secret": "", "folder": "/x"}, "secret"},
		{Values{"secret": "s", "folder": "/x", "given": ""}, "given"},
		{Values{"secret": "s", "folder": "/x"}, ""},
	} {
		var keys []string
		for _, o := range Missing(asked(), c.values) {
			keys = append(keys, o.Key)
		}
		if got := strings.Join(keys, " "); got != c.want {
			t.Errorf("%v: missing %q, want %q", c.values, got, c.want)
		}
	}
}

func TestKeptForAnotherVersion(t *testing.T) {
	t.Parallel()
	old := Values{"text": "x", "secret": "s", "count": 99.0, "flag": "no bool", "gone": "x", "list": []string{"a"}}
	if got, want := Kept(asked(), old, false), (Values{"text": "x", "list": []string{"a"}}); !reflect.DeepEqual(got, want) {
		t.Errorf("kept %v, want %v", got, want)
	}
	if got := Kept(asked(), old, true); got["secret"] != "s" {
		t.Errorf("with secrets: %v", got)
	}
}

// Values survive being written as JSON, apart and together.
func TestSplitRestoreJoin(t *testing.T) {
	t.Parallel()
	all := Values{"text": "x", "list": []string{"a", "b"}, "secret": "s", "count": 3.0, "flag": false}
	open, secret := Split(asked(), all)
	if len(secret) != 1 || open["secret"] != nil {
		t.Errorf("open %v, secret %v", open, secret)
	}
	read := func(v Values) Values {
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		var raw map[string]any
		if err := json.Unmarshal(text, &raw); err != nil {
			t.Fatal(err)
		}
		return Restore(raw)
	}
	if got := Join(read(open), read(secret)); !reflect.DeepEqual(got, all) {
		t.Errorf("got %v, want %v", got, all)
	}
	if got := Join(nil, Values{"a": "b"}); got["a"] != "b" {
		t.Errorf("joined to nothing: %v", got)
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	for want, v := range map[string]any{"a, b": []string{"a", "b"}, "100000000": 1e8, "0.5": 0.5, "true": true, "x": "x"} {
		if got := Text(v); got != want {
			t.Errorf("Text(%v) = %q, want %q", v, got, want)
		}
	}
}
