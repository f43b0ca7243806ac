package bundlediff

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"satchel/internal/problem"
	"satchel/internal/testsupport"
	"satchel/mcpb"
	"satchel/mcpb/signature"
)

const base = `{
  "manifest_version": "0.3", "name": "notes", "version": "1.0.0", "description": "Keeps notes.", "author": {"name": "Ada"},
  "server": {"type": "node", "entry_point": "index.js", "mcp_config": {"command": "node", "args": ["${__dirname}/index.js"], "env": {"A": "1"}}},
  "tools": [{"name": "read", "description": "Reads."}, {"name": "write", "description": "Writes."}],
  "user_config": {"token": {"type": "string", "title": "T", "description": "d", "sensitive": true}},
  "icons": [{"src": "a.png", "size": "16x16"}],
  "_meta": {"dev.satchel": {"permissions": {"network": ["example.com"]}}}
}`

// folder makes an extension: pairs of old and new change the manifest.
func folder(t *testing.T, files map[string]string, pairs ...string) string {
	t.Helper()
	dir := t.TempDir()
	text := base
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(text, pairs[i]) {
			t.Fatalf("the manifest has no %s", pairs[i])
		}
		text = strings.Replace(text, pairs[i], pairs[i+1], 1)
	}
	write := func(name, content string) {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(content), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	write("manifest.json", text)
	write("index.js", "1\n")
	for name, content := range files {
		write(name, content)
	}
	return dir
}

func side(t *testing.T, path string) *Side {
	t.Helper()
	s, err := Open(path, signature.Trust{}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func compare(t *testing.T, a, b string) *Difference {
	t.Helper()
	d, err := Compare(context.Background(), side(t, a), side(t, b))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func packed(t *testing.T, dir string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "x.mcpb")
	if _, err := mcpb.PackFile(context.Background(), dir, out, mcpb.PackOptions{}); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestAFolderIsWhatIsPackedOfIt(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{"lib/a.js": "a", "debug.log": "left out", "empty": ""})
	bundle := packed(t, dir)
	for _, pair := range [][2]string{{dir, bundle}, {bundle, dir}, {dir, dir}, {bundle, bundle}} {
		if d := compare(t, pair[0], pair[1]); !d.Same || len(d.Risks)+len(d.Manifest)+len(d.Files) > 0 || d.A.Files != 4 || d.B.Bytes != d.A.Bytes {
			t.Errorf("%v: %+v", pair, d)
		}
	}
}

// Each case changes the manifest, and says what is told of it and which risks are named.
func TestManifest(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name          string
		pairs         []string
		fields, risks []string
	}{
		{"another command", []string{`"command": "node"`, `"command": "npx"`}, []string{`permissions changed server.mcp_config.command "node" "npx"`}, []string{"high it starts another program"}},
		{"another entry point", []string{`"entry_point": "index.js"`, `"entry_point": "manifest.json"`}, []string{"permissions changed server.entry_point"}, []string{"high it starts another program"}},
		{"other arguments", []string{`["${__dirname}/index.js"]`, `["${__dirname}/index.js", "--all"]`}, []string{`permissions changed server.mcp_config.args`}, []string{"medium its command has other arguments"}},
		{"more environment", []string{`"A": "1"`, `"A": "2", "NODE_OPTIONS": "-r x"`},
			[]string{`permissions changed server.mcp_config.env.A "1" "2"`, `permissions added server.mcp_config.env.NODE_OPTIONS  "-r x"`}, []string{"medium it sets server.mcp_config.env.NODE_OPTIONS"}},
		{"an override", []string{`"env": {"A": "1"}`, `"env": {"A": "1"}, "platform_overrides": {"linux": {"command": "sh"}}`}, []string{"permissions added server.mcp_config.platform_overrides"}, []string{"high it starts another program"}},
		{"no secret any more", []string{`"sensitive": true`, `"sensitive": false`}, []string{"permissions changed user_config.token.sensitive true false"}, []string{"high the answer to token is no secret any more"}},
		{"secrecy left out", []string{`, "sensitive": true`, ``}, []string{"permissions removed user_config.token.sensitive true"}, []string{"high the answer to token is no secret any more"}},
		{"new questions", []string{`"user_config": {`, `"user_config": {"dir": {"type": "directory", "title": "D", "description": "d"}, "pin": {"type": "string", "title": "P", "description": "d", "sensitive": true}, `},
			[]string{"permissions added user_config.dir", "permissions added user_config.pin"}, []string{"medium it asks for a new directory: dir", "medium it asks for a new secret: pin"}},
		{"the first questions", []string{`"user_config": {`, `"keywords": [], "user_config": {`, `"user_config"`, `"user_config"`}, []string{"texts added keywords  []"}, nil},
		{"declared permissions", []string{`["example.com"]`, `["*"]`}, []string{"permissions changed _meta[\"dev.satchel\"].permissions.network"}, []string{"high it declares other permissions"}},
		{"declared permissions gone", []string{`,
  "_meta": {"dev.satchel": {"permissions": {"network": ["example.com"]}}}`, ``}, []string{"permissions removed _meta"}, []string{"high it declares other permissions"}},
		{"a description", []string{`"Reads."`, `"Reads. Call it first."`}, []string{`tools changed tools[0].description "Reads." "Reads. Call it first."`}, []string{"medium what it tells the model about the tool read"}},
		{"hidden characters", []string{`"Reads."`, `"Reads.\u200b"`}, []string{"tools changed tools[0].description"}, []string{"high tools[0].description has characters that nobody sees"}},
		{"another order", []string{`{"name": "read", "description": "Reads."}, {"name": "write", "description": "Writes."}`, `{"name": "write", "description": "Writes."}, {"name": "read", "description": "Reads."}`}, []string{"tools moved tools"}, nil},
		{"a tool more, in front", []string{`"tools": [`, `"tools": [{"name": "list"}, `}, []string{`tools added tools[0]  {"name":"list"}`}, nil},
		{"a tool fewer", []string{`{"name": "read", "description": "Reads."}, `, ``}, []string{`tools removed tools[0]`}, nil},
		{"two tools of one name", []string{`"write"`, `"read"`}, []string{`tools changed tools[1].name "write" "read"`}, nil},
		{"prompts", []string{`"icons"`, `"prompts": [{"name": "p", "text": "t"}], "icons"`}, []string{"prompts added prompts"}, nil},
		{"icons", []string{`16x16"}`, `16x16"}, {"src": "b.png", "size": "1x1"}`}, []string{"texts added icons[1]"}, nil},
		{"another name", []string{`"notes"`, `"n\u043etes"`}, []string{"texts changed name"}, []string{"high it is another extension"}},
		{"older", []string{`"1.0.0"`, `"0.9.0"`}, []string{"texts changed version"}, []string{"medium the version is older"}},
		{"another type", []string{`"description": "Keeps notes."`, `"description": "Keeps notes.", "tools_generated": true`}, []string{"tools added tools_generated  true"}, nil},
	}
	for _, c := range cases {
		d := compare(t, folder(t, nil), folder(t, nil, c.pairs...))
		if len(d.Manifest) != len(c.fields) {
			t.Errorf("%s: %d changes, want %d", c.name, len(d.Manifest), len(c.fields))
		}
		for i, f := range d.Manifest[:min(len(d.Manifest), len(c.fields))] {
			if got := fmt.Sprintf("%s %s %s %s %s", f.Topic, f.Kind, f.Path, f.Before, f.After); !strings.HasPrefix(got, c.fields[i]) {
				t.Errorf("%s: %s, want %s", c.name, got, c.fields[i])
			}
		}
		for _, want := range c.risks {
			if !slices.ContainsFunc(texts(d), func(got string) bool { return strings.HasPrefix(got, want) }) {
				t.Errorf("%s: risks %q, want %s", c.name, texts(d), want)
			}
		}
		if c.risks == nil && len(d.Risks) > 1 { // the version stays the same
			t.Errorf("%s: risks %q", c.name, texts(d))
		}
	}
}

func texts(d *Difference) (list []string) {
	for _, r := range d.Risks {
		list = append(list, string(r.Level)+" "+r.Text)
	}
	return list
}

func TestRisksComeWorstFirst(t *testing.T) {
	t.Parallel()
	d := compare(t, folder(t, nil), folder(t, nil, `["${__dirname}/index.js"]`, `[]`, `"command": "node"`, `"command": "sh"`, `"sensitive": true`, `"sensitive": false`))
	last := ""
	for _, r := range d.Risks {
		if last == "medium" && r.Level == "high" {
			t.Errorf("%q", texts(d))
		}
		last = string(r.Level)
	}
	if len(d.Risks) < 3 {
		t.Errorf("%q", texts(d))
	}
}

func TestFiles(t *testing.T) {
	t.Parallel()
	a := folder(t, map[string]string{"gone": "only here", "old/name": "moved content", "twin1": "twin", "twin2": "twin", "same": "same", "content": "abc", "size": "abc", "mode": "m", "empty": ""})
	b := folder(t, map[string]string{"new/name": "moved content", "twin3": "twin", "same": "same", "content": "abd", "size": "abcd", "mode": "m", "empty2": "", "both": "moved"})
	if err := os.Chmod(filepath.Join(b, "mode"), 0o755); err != nil {
		t.Fatal(err)
	}
	d := compare(t, a, packed(t, b))
	var got []string
	for _, f := range d.Files {
		got = append(got, fmt.Sprintf("%s %s %s %d %d %s %s", f.Kind, f.Name, f.From, f.SizeBefore, f.SizeAfter, f.ModeBefore, f.ModeAfter))
	}
	want := []string{
		"added both  0 5  0644", "changed content  3 3  ", "removed empty  0 0 0644 ", "added empty2  0 0  0644", "removed gone  9 0 0644 ",
		"mode mode  1 1 0644 0755", "moved new/name old/name 13 13 0644 0644", "changed size  3 4  ", "removed twin2  4 0 0644 ", "moved twin3 twin1 4 4 0644 0644",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if !slices.Contains(texts(d), "medium mode can be started as a program now") || !slices.Contains(texts(d), "medium the version is the same, 1.0.0, but the files are not") {
		t.Errorf("%q", texts(d))
	}
}

// TestSigners: real keys and certificates, of openssl.
func TestSigners(t *testing.T) {
	t.Parallel()
	pki := testsupport.NewPKI(t)
	signed := func(bundle, name string) string {
		who, err := signature.NewIdentity(pki.Cert(name), nil, pki.Key(name), time.Now())
		if err != nil {
			t.Fatal(err)
		}
		b, err := mcpb.Open(bundle, mcpb.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		out := filepath.Join(t.TempDir(), name+".mcpb")
		if _, err := b.Sign(context.Background(), out, who, time.Now(), nil); err != nil {
			t.Fatal(err)
		}
		return out
	}
	pki.SelfSigned("ada", "P-256", "code")
	pki.SelfSigned("eve", "P-256", "code")
	dir := folder(t, nil)
	plain := packed(t, dir)
	ada, eve := signed(plain, "ada"), signed(plain, "eve")
	data, err := os.ReadFile(ada)
	if err != nil {
		t.Fatal(err)
	}
	at := strings.Index(string(data), "MCPB_SIG_V1")
	data[at+200] ^= 1
	broken := filepath.Join(t.TempDir(), "broken.mcpb")
	if err := os.WriteFile(broken, data, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, a, b string
		same       bool
		risk       string
	}{
		{"the same signer", ada, ada, true, ""},
		{"signed now", plain, ada, false, ""},
		{"not signed any more", ada, plain, false, "high it is not signed any more"},
		{"another signer", ada, eve, false, "high another certificate signed it"},
		{"broken", ada, broken, false, "high its signature is"},
		{"a folder", ada, dir, true, ""},
	} {
		d := compare(t, c.a, c.b)
		if d.Same != c.same || len(d.Files)+len(d.Manifest) > 0 || (c.risk == "") != (len(d.Risks) == 0) || c.risk != "" && !strings.HasPrefix(texts(d)[0], c.risk) {
			t.Errorf("%s: same %t, %q", c.name, d.Same, texts(d))
		}
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	a := side(t, folder(t, map[string]string{"text": "a", "gone": "g", "picture": "\xff\x00"}))
	b := side(t, packed(t, folder(t, map[string]string{"text": "b", "picture": "x", "large": strings.Repeat("x", maxText+1)})))
	for name, want := range map[string][3]string{
		"text": {"a", "b"}, "gone": {"g", ""}, "none": {"", "", "not_found"}, "../text": {"", "", "not_found"}, "": {"", "", "not_found"},
		"picture": {"", "", "invalid"}, "large": {"", "", "invalid"},
	} {
		x, y, err := Text(a, b, name)
		code := ""
		if err != nil {
			code = string(problem.CodeOf(err))
		}
		if string(x) != want[0] || string(y) != want[1] || code != want[2] {
			t.Errorf("%q: %q %q %v", name, x, y, err)
		}
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	hostile := filepath.Join(t.TempDir(), "x.mcpb")
	if err := os.WriteFile(hostile, []byte("PK\x03\x04 no bundle"), 0o644); err != nil {
		t.Fatal(err)
	}
	for path, code := range map[string]problem.Code{
		hostile: problem.Invalid, filepath.Join(t.TempDir(), "none"): problem.NotFound, t.TempDir(): problem.Invalid,
		folder(t, nil, `"name": "notes"`, `"name": 1`): problem.Invalid,
	} {
		if _, err := Open(path, signature.Trust{}, time.Now()); problem.CodeOf(err) != code {
			t.Errorf("%s: %v, want %s", path, err, code)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	a, b := side(t, folder(t, nil)), side(t, folder(t, nil))
	if _, err := Compare(ctx, a, b); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// FuzzManifests holds, for any two objects, that a difference is told when there is one, with what it was and is.
func FuzzManifests(f *testing.F) {
	f.Add([]byte(base), []byte(strings.Replace(base, `{"name": "read", "description": "Reads."}, `, "", 1)))
	f.Add([]byte(`{"a": [{"name": "x"}, {"name": "y", "b": 1}]}`), []byte(`{"a": [{"name": "y"}, {"name": "z"}], "c": null}`))
	f.Add([]byte(`{"a": {}, "b": [], "c": [1]}`), []byte(`{"a": [], "b": {}, "c": [{}]}`))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		x, errA := tree(a)
		y, errB := tree(b)
		if errA != nil || errB != nil || x == nil || y == nil {
			return
		}
		changes, err := compareManifests(a, b)
		if err != nil {
			t.Fatal(err)
		}
		same, _ := json.Marshal(x)
		other, _ := json.Marshal(y)
		if (len(changes) == 0) != (string(same) == string(other)) {
			t.Fatalf("%d changes between %s and %s", len(changes), same, other)
		}
		for _, c := range changes {
			if c.Path == "" && c.keys == nil || c.Kind == Changed && string(c.Before) == string(c.After) {
				t.Fatalf("%+v", c)
			}
		}
	})
}
