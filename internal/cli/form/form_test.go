package form

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"satchel/internal/problem"
	"satchel/internal/scaffold"
	"satchel/mcpb/manifest"
)

func draft() manifest.Manifest {
	return manifest.Manifest{
		ManifestVersion: "0.3", Name: "notes", Version: "1.0.0", Description: "Keeps notes.", Author: manifest.Author{Name: "Ann"},
		Server: manifest.Server{Type: manifest.Node, EntryPoint: "index.js", MCPConfig: &manifest.MCPConfig{Command: manifest.Command{Command: "node", Args: []string{"${__dirname}/index.js", "--own"}}}},
	}
}

// ask answers the accessible form line by line: each line of script is "what the question begins with => the answer",
// in the order of the questions. Questions that are not named get an empty line.
func ask(t *testing.T, m manifest.Manifest, script string) (*manifest.Manifest, string, error) {
	t.Helper()
	person := &person{t: t}
	for line := range strings.SplitSeq(strings.TrimSpace(script), "\n") {
		if question, reply, ok := strings.Cut(strings.TrimSpace(line), " => "); ok {
			person.script = append(person.script, [2]string{question, reply})
		}
	}
	got, err := Ask(t.Context(), Settings{In: person, Out: person, Accessible: true}, m)
	if len(person.script) > 0 {
		t.Errorf("never asked: %v\n%s", person.script[0], person.heard.String())
	}
	return got, person.heard.String(), err
}

// A person hears the questions and answers them.
type person struct {
	t      *testing.T
	heard  strings.Builder
	last   string // since the last answer
	script [][2]string
	count  int
}

func (p *person) Write(b []byte) (int, error) {
	p.heard.Write(b)
	p.last += string(b)
	return len(b), nil
}

func (p *person) Read(b []byte) (int, error) {
	lines := strings.Split(strings.TrimRight(p.last, "\n"), "\n")
	question := strings.TrimSpace(lines[len(lines)-1])
	if strings.HasPrefix(question, "Enter a number") { // the title stands above the choices
		question = p.last
	}
	p.last = ""
	if p.count++; p.count > 300 {
		return 0, errors.New("asked for ever")
	}
	reply := ""
	if len(p.script) > 0 && strings.Contains(question, p.script[0][0]) {
		reply, p.script = p.script[0][1], p.script[1:]
	}
	p.heard.WriteString("«" + reply + "»\n")
	if reply == "EOF" {
		return 0, io.EOF
	}
	return copy(b, strings.TrimSuffix(reply, "EMPTY")+"\n"), nil
}

func same(t *testing.T, got *manifest.Manifest, want string) {
	t.Helper()
	data, err := scaffold.Render(got)
	if err != nil {
		t.Fatal(err)
	}
	var a, b any
	if err := errors.Join(json.Unmarshal(data, &a), json.Unmarshal([]byte(want), &b)); err != nil {
		t.Fatal(err)
	}
	have, _ := json.MarshalIndent(a, "", " ")
	wish, _ := json.MarshalIndent(b, "", " ")
	if string(have) != string(wish) {
		t.Errorf("got\n%s\nwant\n%s", have, wish)
	}
	if report := manifest.Validate(data, manifest.Checks{}); !report.OK() {
		t.Errorf("not valid: %v", report.Err())
	}
}

// Who only presses enter gets the draft as it was.
func TestEnterKeepsTheDraft(t *testing.T) {
	t.Parallel()
	full := draft()
	full.DisplayName, full.LongDescription, full.Homepage, full.Icon, full.License = "Notes!", "Long.", "https://example.com", "icon.png", "MIT"
	full.Icons, full.Screenshots, full.Keywords = []manifest.Icon{{Src: "a.png", Size: "16x16", Theme: "dark"}}, []string{"s.png", "t.png"}, []string{"a", "b"}
	full.Tools, full.ToolsGenerated = []manifest.Tool{{Name: "t", Description: "T"}}, true
	full.Prompts = []manifest.Prompt{{Name: "p", Text: "x", Arguments: []string{"a"}}}
	full.UserConfig = manifest.Options{{Key: "k", Type: manifest.Number, Title: "K", Description: "k", Default: 1.0}}
	full.Compatibility = &manifest.Compatibility{Platforms: []string{"linux", "darwin"}, ClaudeDesktop: ">=1.0.0"}
	full.Compatibility.Runtimes.Node = ">=20"
	full.Repository = &manifest.Repository{Type: "git", URL: "https://example.com/x"}
	full.Localization = &manifest.Localization{Resources: "l/${locale}.json", DefaultLocale: "de"}
	full.PrivacyPolicies = []string{"https://example.com/p"}
	full.Meta = map[string]map[string]json.RawMessage{"x": {"y": json.RawMessage("1")}}
	for _, m := range []manifest.Manifest{draft(), full} {
		got, _, err := ask(t, m, "")
		if err != nil {
			t.Fatal(err)
		}
		want, err := scaffold.Render(&m)
		if err != nil {
			t.Fatal(err)
		}
		same(t, got, string(want))
	}
}

func TestEveryQuestion(t *testing.T) {
	t.Parallel()
	got, _, err := ask(t, draft(), `
		Name => weather
		Author => Bob
		Display name => Weather
		Version => 2.0.0
		Description => Says the weather.
		Add a long description => y
		Long description => All of it.
		Add the author's => y
		E-mail => bob@example.com
		Page of the author => https://example.com/bob
		Add links => y
		Homepage => https://example.com
		Documentation => https://example.com/docs
		Support => https://example.com/help
		Privacy policies => https://example.com/p, https://example.com/q
		Add pictures => y
		Icon, a PNG => icon.png
		Icons of other => i16.png 16x16, i32.png 32x32 dark
		Screenshots => one.png, two.png
		Type of server => 2
		Entry point => src/main.py
		Add the tools => y
		Name of the tool => forecast
		What it does => Says it.
		Add another tool => y
		Name of the tool => history
		Add another tool => n
		more tools => y
		Add prompts => y
		Name of the prompt => brief
		Names of its arguments => city, day
		Its text => The weather of ${arguments.city}.
		Add another prompt => n
		more prompts => n
		Say what it is compatible => y
		Systems => darwin
		Versions of Claude => >=0.10.0
		Versions of Python => >=3.10
		Add options => y
		Key, such as => api_key
		Type => 1
		Title => API key
		Description => The key.
		Is an answer required => y
		Is it a secret => y
		How does the server => 1
		Add another option => y
		Key, such as => count
		Type => 2
		Title => Count
		Description => How many.
		Smallest => 1
		Largest => 10
		Default => 5
		How does the server => 2
		Add another option => y
		Key, such as => folders
		Type => 4
		Title => Folders
		Description => Where.
		several => y
		Default => ${HOME}/a, ${HOME}/b
		How does the server => 1
		Name of the variable => WHERE
		Add another option => n
		Keywords => weather, rain
		Licence => MIT
		Repository => acme/weather
		Are its texts translated => y
		Files of the => l/${locale}.json
		Language => de
		Write it => 1`)
	if err != nil {
		t.Fatal(err)
	}
	same(t, got, `{
		"manifest_version": "0.3", "name": "weather", "display_name": "Weather", "version": "2.0.0", "description": "Says the weather.", "long_description": "All of it.",
		"author": {"name": "Bob", "email": "bob@example.com", "url": "https://example.com/bob"}, "repository": {"type": "git", "url": "https://github.com/acme/weather"},
		"homepage": "https://example.com", "documentation": "https://example.com/docs", "support": "https://example.com/help",
		"privacy_policies": ["https://example.com/p", "https://example.com/q"], "icon": "icon.png",
		"icons": [{"src": "i16.png", "size": "16x16"}, {"src": "i32.png", "size": "32x32", "theme": "dark"}], "screenshots": ["one.png", "two.png"],
		"server": {"type": "python", "entry_point": "src/main.py", "mcp_config": {"command": "python3", "args": ["${__dirname}/src/main.py", "${user_config.count}"],
			"env": {"PYTHONPATH": "${__dirname}/src", "API_KEY": "${user_config.api_key}", "WHERE": "${user_config.folders}"}, "platform_overrides": {"win32": {"command": "python"}}}},
		"tools": [{"name": "forecast", "description": "Says it."}, {"name": "history"}], "tools_generated": true,
		"prompts": [{"name": "brief", "arguments": ["city", "day"], "text": "The weather of ${arguments.city}."}],
		"compatibility": {"platforms": ["darwin"], "claude_desktop": ">=0.10.0", "runtimes": {"python": ">=3.10"}},
		"user_config": {
			"api_key": {"type": "string", "title": "API key", "description": "The key.", "required": true, "sensitive": true},
			"count": {"type": "number", "title": "Count", "description": "How many.", "default": 5, "min": 1, "max": 10},
			"folders": {"type": "directory", "title": "Folders", "description": "Where.", "multiple": true, "default": ["${HOME}/a", "${HOME}/b"]}},
		"keywords": ["weather", "rain"], "license": "MIT", "localization": {"resources": "l/${locale}.json", "default_locale": "de"}}`)
}

// A wrong answer is refused at once with its reason, and the right one is taken.
func TestWrongAnswersAreRefused(t *testing.T) {
	t.Parallel()
	_, heard, err := ask(t, draft(), `
		Name => ..
		Name => -
		Name => notes
		Version => 1
		Version => 1.0.0
		Add the author's => y
		E-mail => nobody
		E-mail => EMPTY
		Page of the author => javascript:alert(1)
		Page of the author => EMPTY
		Add links => y
		Homepage => not a url
		Homepage => EMPTY
		Privacy => https://example.com, x
		Privacy => EMPTY
		Add pictures => y
		Icon, a PNG => ../icon.png
		Icon, a PNG => icon.png
		Icons of other => i.png
		Icons of other => i.png 0x0
		Icons of other => EMPTY
		Entry point => /etc/passwd
		Entry point => a\b
		Entry point => index.js
		Add the tools => y
		Name of the tool => EMPTY
		Name of the tool => a
		Add another tool => y
		Name of the tool => a
		Name of the tool => b
		Add prompts => y
		Name of the prompt => p
		Names of its arguments => x, x
		Names of its arguments => x
		Its text => ${arguments.y}
		Its text => ${arguments.x}
		Say what it is compatible => y
		Systems => amiga
		Systems => EMPTY
		Versions of Claude => banana
		Versions of Claude => EMPTY
		Versions of Node => banana
		Versions of Node => >=20
		Add options => y
		Key, such as => a b
		Key, such as => a
		Type => 9
		Enter a number => 2
		Title => EMPTY
		Title => A
		Description => A.
		Smallest => x
		Smallest => 5
		Largest => 4
		Largest => 6
		Default => 7
		Default => six
		Default => 6
		Name of the variable => A=B
		Name of the variable => A
		Add another option => y
		Key, such as => a
		Key, such as => b
		Title => B
		Description => B.
		Repository => ::
		Repository => EMPTY
		Are its texts => y
		Files of the => x.json
		Files of the => ${locale}.json
		Language => en_US
		Language => en`)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"gives no id", "is needed", "is not a semantic version", "is not an e-mail address", "is a javascript: link", "is not a URL", "leads out of the bundle", "is not WIDTHxHEIGHT",
		"is no size", "amiga", "is absolute", "has a backslash", "is the name of another tool", `"x" is there twice`, "does not declare", "cannot be read as a range", "a letter first",
		"Invalid: must be a number between 1 and 5", "is no number", "5 is larger than max 4", "is larger than max 6", "the option is a number", "is no name of a variable", "is the key of another option", "has no ${locale}", "is not a language tag",
	} {
		if !strings.Contains(heard, want) {
			t.Errorf("nobody said %q:\n%s", want, heard)
		}
	}
}

// What is known of a server can be kept or given anew, and - empties a value.
func TestKnownThings(t *testing.T) {
	t.Parallel()
	m := draft()
	m.DisplayName, m.Tools = "Notes!", []manifest.Tool{{Name: "old"}}
	m.UserConfig = manifest.Options{{Key: "k", Type: manifest.String, Title: "K", Description: "k"}}
	got, _, err := ask(t, m, `
		Display name => -
		Keep the 1 tools => n
		Add the tools => y
		Name of the tool => new
		Keep the 1 options => y
		Add options => y
		Key, such as => k
		Key, such as => l
		Title => L
		Description => l
		How does the server => 3`)
	if err != nil {
		t.Fatal(err)
	}
	if got.DisplayName != "" || len(got.Tools) != 1 || got.Tools[0].Name != "new" || len(got.UserConfig) != 2 || len(got.Server.MCPConfig.Args) != 2 || got.Server.MCPConfig.Env != nil {
		t.Errorf("%+v", got)
	}
	if len(m.Tools) != 1 || m.Tools[0].Name != "old" || len(m.UserConfig) != 1 {
		t.Errorf("the draft was changed: %+v", m)
	}
}

func TestAgainAndStop(t *testing.T) {
	t.Parallel()
	got, _, err := ask(t, draft(), `
		Version => 1.1.0
		Write it => 2
		Version [1.1.0] => 1.2.0
		Write it => 1`)
	if err != nil || got.Version != "1.2.0" {
		t.Errorf("%+v, %v", got, err)
	}
	for _, script := range []string{"Write it => 3", "Name => EOF", "Write it => EOF", "Type of server => EOF", "Add links => EOF"} {
		if got, _, err := ask(t, draft(), script); problem.CodeOf(err) != problem.Interrupted || got != nil {
			t.Errorf("%s: %v, %v", script, got, err)
		}
	}
}

// A person who does not answer keeps nobody from stopping.
func TestCancel(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	in, typed := io.Pipe()
	defer typed.Close()
	cancel()
	if _, err := Ask(ctx, Settings{In: in, Out: io.Discard, Accessible: true}, draft()); problem.CodeOf(err) != problem.Interrupted {
		t.Errorf("got %v", err)
	}
}

// Text of a stranger's project does not drive the terminal.
func TestQuestionsAreSafe(t *testing.T) {
	t.Parallel()
	m := draft()
	m.Description = "clear \x1b[2J \u202e"
	_, heard, err := ask(t, m, "Write it => 3")
	if problem.CodeOf(err) != problem.Interrupted || strings.ContainsAny(heard, "\x1b\u202e") {
		t.Errorf("%v\n%q", err, heard)
	}
}

func TestAccessible(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		key, value string
		want       bool
	}{{"TERM", "dumb", true}, {"TERM", "xterm", false}, {"ACCESSIBLE", "1", true}, {"OTHER", "1", false}} {
		if got := Accessible(func(key string) string { return map[string]string{c.key: c.value}[key] }); got != c.want {
			t.Errorf("%s=%s: %v", c.key, c.value, got)
		}
	}
}
