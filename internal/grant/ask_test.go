package grant

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"satchel/internal/problem"
	"satchel/mcpb/manifest"
)

// asks are options of every type.
func asks() manifest.Options {
	return manifest.Options{
		{Key: "folder", Type: manifest.Directory, Required: true},
		{Key: "folders", Type: manifest.Directory, Multiple: true},
		{Key: "file", Type: manifest.File},
		{Key: "url", Type: manifest.String},
		{Key: "urls", Type: manifest.String, Multiple: true},
		{Key: "text", Type: manifest.String},
		{Key: "number", Type: manifest.Number},
		{Key: "flag", Type: manifest.Boolean},
		{Key: "key", Type: manifest.String, Sensitive: true},
		{Key: "dsn", Type: manifest.String, Sensitive: true},
		{Key: "home", Type: manifest.Directory, Default: "${HOME}"},
		{Key: "site", Type: manifest.String, Default: "https://author.example"},
	}
}

// declares is a manifest with permissions; empty: it declares none.
func declares(permissions string) *manifest.Manifest {
	m := &manifest.Manifest{UserConfig: asks()}
	if permissions != "" {
		m.Meta = map[string]map[string]json.RawMessage{"dev.satchel": {"permissions": json.RawMessage(permissions)}}
	}
	return m
}

// line shows a wish as a person would read it.
func line(w Wish) string {
	text := fmt.Sprintf("%s %s", w.Item, w.From)
	if w.Key != "" {
		text += " " + w.Key
	}
	if w.Level != None {
		text += " " + string(w.Level)
	}
	return text
}

func lines(list []Wish) (all []string) {
	for _, w := range list {
		all = append(all, line(w))
	}
	return all
}

func TestDerivedFromAnswers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		answers map[string]any
		want    string
		notes   int
	}{
		{"nothing", nil, "", 0},
		{"a folder is read, not written", map[string]any{"folder": "/home/ada/notes"}, "read:/home/ada/notes answer folder", 0},
		{"folders and a file", map[string]any{"folders": []string{"/b", "/a", "/b"}, "file": "/c/f"}, "read:/a answer folders, read:/b answer folders, read:/c/f answer file", 0},
		{"as JSON gives lists", map[string]any{"folders": []any{"/b", "/a"}}, "read:/a answer folders, read:/b answer folders", 0},
		{"the home is high risk", map[string]any{"folder": "/home/ada"}, "read:/home/ada answer folder high", 0},
		{"above the home", map[string]any{"folder": "/home"}, "read:/home answer folder refused", 0},
		{"a secret", map[string]any{"key": "sk-1"}, "secret:key answer key", 0},
		{"an empty secret", map[string]any{"key": ""}, "", 0},
		{"an address", map[string]any{"url": "https://api.example.com/v1?x=y"}, "net:api.example.com answer url", 0},
		{"with its port", map[string]any{"url": "https://api.example.com:8443"}, "net:api.example.com:8443 answer url", 0},
		{"http", map[string]any{"url": "http://API.example.com"}, "net:api.example.com:80 answer url", 0},
		{"here", map[string]any{"url": "http://localhost:11434"}, "port:11434 answer url medium", 0},
		{"here by number", map[string]any{"urls": []string{"http://127.0.0.9", "http://[::1]:81", "http://x.localhost:82"}}, "port:80 answer urls medium, port:81 answer urls medium, port:82 answer urls medium", 0},
		{"Docker", map[string]any{"url": "tcp://localhost:2375"}, "port:2375 answer url high", 0},
		{"a database", map[string]any{"url": "postgres://u:p@db.example/x"}, "net:tcp:db.example:5432 answer url medium", 0},
		{"a secret address", map[string]any{"dsn": "postgres://u:p@db.example/x"}, "net:tcp:db.example:5432 answer dsn medium, secret:dsn answer dsn", 0},
		{"the inner network", map[string]any{"url": "http://192.168.1.5"}, "net:192.168.1.5:80 answer url medium", 0},
		{"a cloud's credentials", map[string]any{"url": "http://169.254.169.254"}, "net:169.254.169.254:80 answer url high", 0},
		{"a folder and a host that was named", map[string]any{"folder": "/a", "url": "https://x.example"}, "read:/a answer folder, net:x.example answer url medium", 0},
		{"text is no host", map[string]any{"text": "api.example.com"}, "", 0},
		{"numbers and flags", map[string]any{"number": 5432.0, "flag": true}, "", 0},
		{"unknown keys", map[string]any{"other": "https://x.example", "folder2": "/x"}, "", 0},
		{"no absolute path", map[string]any{"folder": "notes"}, "", 1},
		{"a tilde", map[string]any{"folder": "~/notes"}, "", 1},
		{"dots", map[string]any{"folder": "/home/ada/notes/../../bob"}, "read:/home/bob answer folder", 0},
		{"control characters", map[string]any{"folder": "/a\nb", "url": "https://x.example\n.y.example"}, "", 2},
		{"no UTF-8", map[string]any{"folder": "/a\xff"}, "", 1},
		{"a drive", map[string]any{"folder": `C:\x`}, "", 1},
		{"the network's", map[string]any{"folder": `\\server\share`}, "", 1},
		{"a trick with a backslash", map[string]any{"url": `https://good.example\@evil.example`}, "", 1},
		{"who is asked, not who asks", map[string]any{"url": "https://good.example@evil.example/"}, "net:evil.example answer url", 0},
		{"odd numbers", map[string]any{"urls": []string{"http://2130706433/", "http://0x7f.1/", "http://127.1/", "http://x.example:0", "http://x.example:99999", "http://*"}}, "", 6},
		{"no scheme that we know", map[string]any{"urls": []string{"gopher://x.example", "file:///etc/passwd", "https://", "mongodb+srv://x.example"}}, "", 4},
		{"letters of other scripts", map[string]any{"url": "https://gооgle.example"}, "", 1}, // Cyrillic
		{"wrong types", map[string]any{"folder": 5.0, "url": []any{1, nil}, "key": map[string]any{}}, "", 1},
	} {
		a, err := Ask(declares(""), c.answers, linux())
		if err != nil || a.Declared {
			t.Errorf("%s: %v", c.name, err)
		}
		if got := strings.Join(lines(a.Wishes), ", "); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
		if len(a.Notes) != c.notes {
			t.Errorf("%s: notes %v, want %d", c.name, a.Notes, c.notes)
		}
	}
}

// A note and a wish never repeat what was answered to a secret.
func TestSecretsAreNotRepeated(t *testing.T) {
	t.Parallel()
	for _, permissions := range []string{"", `{"net": ["${user_config.dsn}"]}`, `{"net": ["${user_config.key}"]}`} {
		for _, secret := range []string{"topsecret", "https://u:topsecret@\x01", "x://topsecret", "postgres://u:topsecret@db.example/topsecret", "/topsecret", "tcp:topsecret:1", "https://topsecret:99999"} {
			a, err := Ask(declares(permissions), map[string]any{"dsn": secret, "key": secret}, linux())
			text, _ := json.Marshal(a)
			if err != nil || strings.Contains(string(text), "topsecret") {
				t.Errorf("%q: %s, %v", secret, text, err)
			}
		}
	}
	for _, permissions := range []string{`{"env": ["${user_config.key}"]}`, `{"run": ["${user_config.key}"]}`, `{"read": ["/x/${user_config.key}"]}`, `{"net": ["${user_config.key}:80"]}`, `{"memory": "${user_config.key}"}`} {
		if _, err := Ask(declares(permissions), nil, linux()); problem.CodeOf(err) != problem.Invalid {
			t.Errorf("%s: %v", permissions, err)
		}
	}
}

// What the author wrote is a suggestion, whatever it looks like, and --yes does not take it.
func TestAuthorsTextOnlySuggests(t *testing.T) {
	t.Parallel()
	m := declares("")
	m.Author.URL, m.Homepage, m.Description = "https://author.example", "https://home.example", "Needs https://text.example"
	m.Server.MCPConfig = &manifest.MCPConfig{Command: manifest.Command{
		Command: "node", Args: []string{"--api=https://args.example/v1", "${user_config.url}"}, Env: map[string]string{"DB": "postgres://u:p@env.example/x"},
	}, PlatformOverrides: map[string]manifest.Command{
		"linux": {Env: map[string]string{"A": "http://linux.example"}}, "win32": {Env: map[string]string{"A": "http://windows.example"}},
	}}
	a, err := Ask(m, map[string]any{"url": "https://answered.example"}, linux())
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(lines(a.Wishes), ", "); got != "net:answered.example answer url" {
		t.Errorf("asked: %s", got)
	}
	want := []string{"read:/home/ada manifest high", "net:args.example manifest high", "net:author.example manifest high", "net:linux.example:80 manifest high", "net:tcp:env.example:5432 manifest high"}
	if got := lines(a.Suggested); !slices.Equal(got, want) {
		t.Errorf("suggested: %q", got)
	}
	yes, named := a.Split()
	if len(yes) != 1 || len(named) != 0 || !a.Grant().Equal(Of(a.Wishes[0].Item)) {
		t.Errorf("yes %v, named %v", yes, named)
	}
	// A default that the person let stand stays the author's text: it is asked for, but not by --yes, and counts as a
	// host that nobody named.
	answers := map[string]any{"home": "/home/ada", "site": "https://author.example", "folder": "/home/ada/notes"}
	want = []string{"read:/home/ada manifest high", "read:/home/ada/notes answer folder", "net:author.example manifest high"}
	if a, err = Ask(m, answers, linux()); err != nil || !slices.Equal(lines(a.Wishes), want) {
		t.Errorf("%q, %v", lines(a.Wishes), err)
	}
	if yes, named := a.Split(); len(yes) != 1 || len(named) != 2 {
		t.Errorf("yes %v, named %v", lines(yes), lines(named))
	}
	want = []string{"read:/home/ada declared high", "net:author.example declared high"}
	if a, err = Ask(declares(`{"read": ["${user_config.home}"], "net": ["${user_config.site}"]}`), answers, linux()); err != nil || !slices.Equal(lines(a.Wishes), want) {
		t.Errorf("%q, %v", lines(a.Wishes), err)
	}
}

func TestSuggestionsAreBounded(t *testing.T) {
	t.Parallel()
	m := declares("")
	env := map[string]string{}
	for n := range 5_000 {
		env[fmt.Sprint(n)] = strings.Repeat(fmt.Sprintf("https://h%d.example ", n), 50)
	}
	m.Server.MCPConfig = &manifest.MCPConfig{Command: manifest.Command{Args: []string{strings.Repeat("://", 1<<20), strings.Repeat("a", 1<<20)}, Env: env}}
	first, err := Ask(m, nil, linux())
	if err != nil || len(first.Suggested) != mostSuggested {
		t.Fatalf("%d suggestions, %v", len(first.Suggested), err)
	}
	if again, _ := Ask(m, nil, linux()); !slices.Equal(lines(again.Suggested), lines(first.Suggested)) {
		t.Error("another time, others are suggested")
	}
}

func TestSetsWhereNothingIsDerived(t *testing.T) {
	t.Parallel()
	names := func(a Asked) (all []string) {
		for _, s := range a.Sets {
			all = append(all, s.Name)
		}
		return all
	}
	a, err := Ask(declares(""), map[string]any{"key": "s"}, linux())
	if got := names(a); err != nil || !slices.Equal(got, []string{"contained", "documents-read", "documents-write", "downloads-read", "network"}) {
		t.Errorf("%v, %v", got, err)
	}
	if !a.Sets[0].Grant.IsZero() || a.Sets[4].Grant.Words()[0] != "net:any" {
		t.Errorf("%+v", a.Sets)
	}
	for _, x := range []struct {
		m       *manifest.Manifest
		answers map[string]any
	}{{declares("{}"), nil}, {declares(""), map[string]any{"folder": "/a"}}} {
		if a, err := Ask(x.m, x.answers, linux()); err != nil || len(a.Sets) != 0 {
			t.Errorf("%v, %v", a.Sets, err)
		}
	}
}

func TestDeclared(t *testing.T) {
	t.Parallel()
	all := map[string]any{"folder": "/home/ada/notes", "folders": []string{"/a", "/b"}, "url": "https://x.example:8443/p", "text": "db.example", "number": 5432.0, "key": "s"}
	for _, c := range []struct {
		permissions string
		answers     map[string]any
		want        string
		notes       int
	}{
		{`{}`, all, "secret:key answer key", 0},
		{`{"read": ["${user_config.folder}"]}`, all, "read:/home/ada/notes declared folder, secret:key answer key", 0},
		{`{"write": ["${user_config.folder}/out"]}`, all, "write:/home/ada/notes/out declared folder medium, secret:key answer key", 0},
		{`{"write": ["${user_config.folders}"]}`, all, "write:/a declared folders medium, write:/b declared folders medium, secret:key answer key", 0},
		{`{"read": ["${user_config.folder}/../../.."]}`, all, "read:/ declared refused, secret:key answer key", 0},
		{`{"read": ["${user_config.folder}/../../bob"]}`, all, "read:/home/bob declared, secret:key answer key", 0},
		{`{"read": ["${user_config.folder}-secret"]}`, all, "read:/home/ada/notes-secret declared, secret:key answer key", 0},
		{`{"read": ["/etc/${user_config.text}"]}`, all, "read:/etc/db.example declared, secret:key answer key", 0},
		{`{"read": ["${HOME}/x", "${DOCUMENTS}", "~/y"]}`, nil, "read:/home/ada/Documents declared, read:/home/ada/x declared, read:/home/ada/y declared", 0},
		{`{"read": ["${user_config.home}"]}`, nil, "read:/home/ada declared high", 0},
		{`{"read": ["${user_config.folder}", "${user_config.file}"]}`, nil, "", 2},
		{`{"read": ["C:\\data"], "run": ["C:\\bin\\x.exe"]}`, nil, "", 2},
		{`{"read": ["${user_config.text}"]}`, all, "secret:key answer key", 1},
		{`{"net": ["${user_config.url}"]}`, all, "net:x.example:8443 declared url, secret:key answer key", 0},
		{`{"net": ["tcp:${user_config.text}:5432"]}`, all, "net:tcp:db.example:5432 declared text medium, secret:key answer key", 0},
		{`{"net": ["${user_config.text}:8080"]}`, all, "net:db.example:8080 declared text, secret:key answer key", 0},
		{`{"net": ["${user_config.text}.evil.example"]}`, all, "net:db.example.evil.example declared, secret:key answer key", 0},
		{`{"net": ["api.${user_config.text}"]}`, all, "net:api.db.example declared, secret:key answer key", 0},
		{`{"net": ["${user_config.text}"]}`, map[string]any{"text": "any"}, "", 1},
		{`{"net": ["${user_config.text}"]}`, map[string]any{"text": "tcp:x.example:22"}, "", 1},
		{`{"net": ["${user_config.text}:443"]}`, map[string]any{"text": "x.example:22"}, "", 1},
		{`{"run": ["${user_config.text}"]}`, map[string]any{"text": "any"}, "", 1},
		{`{"run": ["${user_config.text}"]}`, map[string]any{"text": "git"}, "run:git declared text medium", 0},
		{`{"run": ["x${user_config.text}"]}`, map[string]any{"text": "git"}, "run:xgit declared medium", 0},
		{`{"env": ["${user_config.text}_X"]}`, map[string]any{"text": "A"}, "env:A_X declared", 0},
		{`{"net": ["any"]}`, nil, "net:any declared high", 0},
		{`{"net": ["api.example.com"]}`, nil, "net:api.example.com declared", 0},
		{`{"read": ["${user_config.folder}"], "net": ["api.example.com"]}`, all, "read:/home/ada/notes declared folder, net:api.example.com declared high, secret:key answer key", 0},
		{`{"read": ["/usr/share/dict"], "net": ["api.example.com"]}`, nil, "read:/usr/share/dict declared, net:api.example.com declared", 0},
		{`{"port": [5432, "5433", "${user_config.number}"]}`, all, "port:5432 declared number medium, port:5433 declared medium, secret:key answer key", 0},
		{`{"run": ["git"], "env": ["LANG", "GITHUB_TOKEN"]}`, nil, "run:git declared medium, env:GITHUB_TOKEN declared high, env:LANG declared", 0},
		{`{"clipboard": true, "dbus": true, "sampling": true}`, nil, "clipboard declared refused, dbus declared refused, sampling declared medium", 0},
		{`{"memory": "512M", "processes": 1000}`, nil, "memory:512M declared, processes:1000 declared medium", 0},
		// A refused write does not hide that the same folder is read.
		{`{"read": ["${user_config.folder}"], "write": ["${user_config.folder}"]}`, map[string]any{"folder": "/home/ada"}, "read:/home/ada declared folder high, write:/home/ada declared folder refused", 0},
	} {
		a, err := Ask(declares(c.permissions), c.answers, linux())
		if err != nil || !a.Declared || len(a.Suggested) != 0 {
			t.Errorf("%s: %v, suggested %v", c.permissions, err, a.Suggested)
		}
		if got := strings.Join(lines(a.Wishes), ", "); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.permissions, got, c.want)
		}
		if len(a.Notes) != c.notes {
			t.Errorf("%s: notes %v, want %d", c.permissions, a.Notes, c.notes)
		}
	}
}

func TestWhatYesAgreesTo(t *testing.T) {
	t.Parallel()
	permissions := `{"read": ["${user_config.folder}", "/srv/x", "${user_config.home}"], "write": ["${user_config.folder}/out"], "net": ["${user_config.url}", "api.example.com"],
		"run": ["git"], "env": ["LANG"], "roots": true, "memory": "512M", "processes": 1000, "temp": "64M"}`
	a, err := Ask(declares(permissions), map[string]any{"folder": "/home/ada/notes", "url": "https://x.example", "key": "s"}, linux())
	if err != nil {
		t.Fatal(err)
	}
	yes, named := a.Split()
	of := func(list []Wish) (words []string) {
		for _, w := range list {
			words = append(words, w.Item.String())
		}
		return words
	}
	if want := []string{"read:/home/ada/notes", "write:/home/ada/notes/out", "net:x.example", "memory:512M", "temp:64M", "secret:key"}; !slices.Equal(of(yes), want) {
		t.Errorf("yes: %q", of(yes))
	}
	if want := []string{"read:/home/ada", "read:/srv/x", "net:api.example.com", "run:git", "env:LANG", "roots", "processes:1000"}; !slices.Equal(of(named), want) {
		t.Errorf("named: %q", of(named))
	}
	a, err = Ask(declares(""), map[string]any{"folder": "/home/ada"}, linux())
	if yes, named := a.Split(); err != nil || len(yes) != 0 || len(named) != 1 {
		t.Errorf("the home: yes %v, named %v, %v", yes, named, err)
	}
}

func TestDeclaredWrongly(t *testing.T) {
	t.Parallel()
	for permissions, says := range map[string]string{
		`null`:                               "no object",
		`[]`:                                 "no object",
		`"read"`:                             "no object",
		`true`:                               "no object",
		``:                                   "no object",
		`{"read": ["/a"]`:                    "no JSON",
		`{"raed": ["/a"]}`:                   `did you mean "read"?`,
		`{"network": ["a.example"]}`:         "there are read",
		`{"Read": ["/a"]}`:                   `did you mean "read"?`,
		`{"read": ["/a"], "read": []}`:       "twice",
		`{"read": "/a"}`:                     "no list",
		`{"read": null}`:                     "no list",
		`{"read": {"path": "/a"}}`:           "no list",
		`{"read": [null]}`:                   "no text",
		`{"read": [1]}`:                      "no text",
		`{"read": [["/a"]]}`:                 "no text",
		`{"read": ["a"]}`:                    "no absolute path",
		`{"read": ["../a"]}`:                 "no absolute path",
		`{"read": ["\\\\server\\x"]}`:        "no absolute path",
		`{"read": ["/a\u0000"]}`:             "control character",
		`{"read": [""]}`:                     "half",
		`{"read": ["~bob"]}`:                 "another user",
		`{"read": ["${user_config.foldr}"]}`: "did you mean ${user_config.folder}?",
		`{"read": ["${TEMP}/x"]}`:            "no variable",
		`{"read": ["${__dirname}"]}`:         "no variable",
		`{"read": ["${user_config.folders}${user_config.folders}"]}`: "at most one",
		`{"read": ["${user_config.folder"]}`:                         "at most one",
		`{"read": ["${${user_config.folder}}"]}`:                     "at most one",
		`{"net": ["*"]}`:                                             "net:any",
		`{"net": ["localhost"]}`:                                     "port:N",
		`{"net": ["https://x.example"]}`:                             "without what stands before",
		`{"port": [0]}`:                                              "1 to 65535",
		`{"port": [-1]}`:                                             "no text",
		`{"port": [1.5]}`:                                            "no text",
		`{"run": ["git status"]}`:                                    "no program's name",
		`{"env": ["A=B"]}`:                                           "no variable's name",
		`{"clipboard": false}`:                                       "is true or is not there",
		`{"clipboard": "yes"}`:                                       "is true or is not there",
		`{"memory": "1M"}`:                                           "less than",
		`{"memory": 1000000000}`:                                     "no text",
		`{"processes": null}`:                                        "no text",
		`{"secret": ["key"]}`:                                        "given to the extension",
	} {
		for _, err := range []error{Validate(declares(permissions + " ")), func() error { _, err := Ask(declares(permissions+" "), nil, linux()); return err }()} {
			p, ok := errors.AsType[*problem.Problem](err)
			if !ok || p.Code != problem.Invalid || p.Rule != "grant/declared" || !strings.Contains(p.Error()+" "+p.Hint, says) {
				t.Errorf("%s: %v, want %q", permissions, err, says)
			}
		}
	}
}

func TestTooMuchIsRefused(t *testing.T) {
	t.Parallel()
	many := make([]string, 10_000)
	for n := range many {
		many[n] = fmt.Sprintf("/srv/%d", n)
	}
	text, err := json.Marshal(map[string]any{"read": many})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Ask(declares(string(text)), nil, linux()); problem.CodeOf(err) != problem.Invalid {
		t.Errorf("10,000 declared items: %v", err)
	}
	for _, permissions := range []string{"", `{"read": ["${user_config.folders}"]}`} {
		if _, err := Ask(declares(permissions), map[string]any{"folders": many}, linux()); problem.CodeOf(err) != problem.Refused {
			t.Errorf("10,000 folders: %v", err)
		}
	}
	bad := make([]string, 10_000)
	for n := range bad {
		bad[n] = strings.Repeat("x", 10_000)
	}
	a, err := Ask(declares(""), map[string]any{"folders": bad}, linux())
	if err != nil || len(a.Notes) != mostNotes {
		t.Errorf("%d notes, %v", len(a.Notes), err)
	}
}

func FuzzDeclared(f *testing.F) {
	f.Add(`{"read": ["${user_config.folder}/x"], "net": ["${user_config.url}", "tcp:${user_config.text}:1"], "memory": "1G", "dbus": true}`, "/a", "https://x.example")
	f.Add(`{"write": ["${HOME}"], "port": [1], "run": ["any"]}`, `C:\a`, "any")
	f.Fuzz(func(t *testing.T, permissions, one, two string) {
		for _, m := range []Machine{linux(), windows()} {
			for _, p := range []string{permissions, ""} {
				a, err := Ask(declares(p), map[string]any{"folder": one, "folders": []string{two, one}, "url": two, "text": one, "dsn": two}, m)
				if err != nil {
					continue
				}
				for _, w := range a.Wishes {
					if again, err := Parse(w.Item.String(), m); err != nil || again != w.Item {
						t.Fatalf("%q is no word: %v", w.Item, err)
					}
				}
				yes, named := a.Split()
				if len(yes)+len(named) != len(a.Wishes) {
					t.Fatalf("%d of %d", len(yes)+len(named), len(a.Wishes))
				}
				for _, w := range yes {
					if w.Level == "high" || w.Level == Refused || w.Item.value == anything {
						t.Fatalf("--yes agrees to %s", line(w))
					}
				}
			}
		}
	})
}
