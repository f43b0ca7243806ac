package lint

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"satchel/internal/problem"
	"satchel/internal/testsupport"
	"satchel/mcpb/manifest"
)

func badBundles(t *testing.T) map[string]bundle {
	t.Helper()
	names, err := filepath.Glob("testdata/bad/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatal(err)
	}
	all := map[string]bundle{}
	for _, name := range names {
		all[filepath.Base(name)] = readBundle(t, "testdata/clean.txtar", name)
	}
	return all
}

// TestFix mends every bad bundle: what has a safe way is gone afterwards, nothing else changed, and a second time there
// is nothing to do.
func TestFix(t *testing.T) {
	t.Parallel()
	mended := map[string]bool{}
	for name, b := range badBundles(t) {
		if name == "unread.txtar" || name == "size.txtar" {
			continue // large
		}
		before := lintBundle(t, b, Options{})
		m := b.files["manifest.json"]
		fixed, done, err := Fix(m.Data, before)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if len(done) == 0 {
			if !bytes.Equal(fixed, m.Data) {
				t.Errorf("%s: the manifest changed, and nothing was mended", name)
			}
			continue
		}
		m.Data = fixed
		if r := manifest.Validate(fixed, manifest.Checks{Files: b.files}); !r.OK() {
			t.Errorf("%s: not valid afterwards: %v", name, r.Err())
			continue
		}
		after := lintBundle(t, b, Options{})
		if len(after.Findings) != len(before.Findings)-len(done)-hiddenBehind(done, before) {
			t.Errorf("%s: mended %q, left %q of %q", name, done, lines(after), lines(before))
		}
		if _, again, err := Fix(fixed, after); err != nil || len(again) > 0 {
			t.Errorf("%s: mended a second time: %q, %v", name, again, err)
		}
		for _, d := range done {
			mended[d.Rule] = true
		}
	}
	for _, r := range Rules() {
		if mended[r.ID] != (r.Mends != "") {
			t.Errorf("%s: mended %v, and its page says %q", r.ID, mended[r.ID], r.Mends)
		}
	}
}

// hiddenBehind counts the findings that one mend does away with beside its own: all tools are declared at once.
func hiddenBehind(done []Mended, r *Report) (n int) {
	for _, d := range done {
		if strings.HasPrefix(d.What, "declared ") && strings.HasSuffix(d.What, " tools") {
			n += len(r.Findings) - 1
		}
	}
	return n
}

func TestSilence(t *testing.T) {
	t.Parallel()
	b := readBundle(t, "testdata/clean.txtar", "testdata/bad/license.txtar")
	b.files["manifest.json"].Data = edited(t, b.files["manifest.json"].Data, []byte(`[[["_meta"], {"dev.satchel": {"lint": {"lint/license": "As our lawyers say."}}}]]`))
	author := lintBundle(t, b, Options{})
	if len(author.Findings) != 0 || author.Silenced["lint/license"] != 1 || author.Counts.Of(Hint) != 0 {
		t.Errorf("for authors: %+v", author)
	}
	reviewer := lintBundle(t, b, Options{Profile: Reviewer})
	if len(reviewer.Findings) != 1 || reviewer.Findings[0].Silenced != "As our lawyers say." || reviewer.Counts.Warning != 1 {
		t.Errorf("for reviewers: %+v", reviewer)
	}
	for _, meta := range []string{`{"dev.satchel": {"lint": {"lint/license": ""}}}`, `{"dev.satchel": {"lint": {"lint/license": 1}}}`, `{"dev.satchel": {"lint": ["lint/license"]}}`, `{"other": {"lint": {"lint/license": "x"}}}`} {
		b.files["manifest.json"].Data = edited(t, b.files["manifest.json"].Data, []byte(`[[["_meta"], `+meta+`]]`))
		if r := lintBundle(t, b, Options{}); len(r.Findings) == 0 || r.Findings[0].Rule != "lint/license" {
			t.Errorf("%s silences: %+v", meta, r)
		}
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	b := readBundle(t, "testdata/clean.txtar", "testdata/bad/license.txtar")
	if r := lintBundle(t, b, Options{Only: []string{"network"}}); len(r.Findings) != 0 {
		t.Errorf("only lint/network: %q", lines(r))
	}
	if r := lintBundle(t, b, Options{Disable: []string{"lint/license"}}); len(r.Findings) != 0 {
		t.Errorf("without lint/license: %q", lines(r))
	}
	for _, o := range []Options{{Only: []string{"lint/nothing"}}, {Disable: []string{"nothing"}}, {Profile: "nobody"}} {
		_, err := Run(context.Background(), Subject{Manifest: b.files["manifest.json"].Data}, o)
		if problem.CodeOf(err) != problem.Usage {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

func TestWhatIsNotValidIsRefused(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "{", "{}", `{"manifest_version": "0.3"}`, "[]"} {
		if r, err := Run(context.Background(), Subject{Manifest: []byte(text)}, Options{}); problem.CodeOf(err) != problem.Invalid {
			t.Errorf("%q: %+v, %v", text, r, err)
		}
	}
}

// TestManyFindingsAreCounted: a rule lists some, and says how many there are.
func TestManyFindingsAreCounted(t *testing.T) {
	t.Parallel()
	b := readBundle(t, "testdata/clean.txtar")
	for i := range 100 {
		b.files[fmt.Sprintf("server/%03d/.env", i)] = &fstest.MapFile{Data: []byte("A=1")}
	}
	r := lintBundle(t, b, Options{})
	if len(r.Findings) != maxFindings || r.More["lint/secret-file"] != 100-maxFindings || r.Counts.Error != 100 {
		t.Errorf("%d findings, %v, %+v", len(r.Findings), r.More, r.Counts)
	}
}

// TestASecretIsNotShown looks for the secrets in all that a report gives.
func TestASecretIsNotShown(t *testing.T) {
	t.Parallel()
	b := readBundle(t, "testdata/clean.txtar", "testdata/bad/secret.txtar")
	r := lintBundle(t, b, Options{})
	var all strings.Builder
	for _, f := range r.Findings {
		fmt.Fprintf(&all, "%+v\n", f)
	}
	for _, secret := range []string{random(36), random(35), random(40), "h7dkq2pWm9", "k9Qz7LmT2vXc4RbN8sWd"} {
		if strings.Contains(all.String(), secret[4:]) {
			t.Errorf("%q is shown in\n%s", secret, all.String())
		}
	}
}

// TestOtherRulesDoNotShowASecret: the command that they are about has one in it.
func TestOtherRulesDoNotShowASecret(t *testing.T) {
	t.Parallel()
	b := readBundle(t, "testdata/clean.txtar")
	token := "ghp_" + random(36)
	b.files["manifest.json"].Data = edited(t, b.files["manifest.json"].Data, []byte(`[[["server", "mcp_config", "command"], "uvx"],
		[["server", "mcp_config", "args", 0], "git+https://bot:`+token+`@git.acme-folders.dev/a.git"], [["server", "mcp_config", "args", 2], "${__dirname}/server/index.js"]]`))
	for what, s := range map[string]Subject{"bundle": {Manifest: b.files["manifest.json"].Data, Files: b.files}, "manifest": {Manifest: b.files["manifest.json"].Data}} {
		r, err := Run(context.Background(), s, Options{})
		if err != nil {
			t.Fatal(err)
		}
		rules := map[string]bool{}
		for _, f := range r.Findings {
			rules[f.Rule] = true
			if text := fmt.Sprintf("%+v", f); strings.Contains(text, token[6:]) {
				t.Errorf("%s: %s", what, text)
			}
		}
		if !rules["lint/unpinned"] || !rules["lint/secret"] {
			t.Errorf("%s: %q", what, lines(r))
		}
	}
}

func TestCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	b := readBundle(t, "testdata/clean.txtar")
	if _, err := Run(ctx, Subject{Manifest: b.files["manifest.json"].Data, Files: b.files}, Options{}); err == nil {
		t.Error("a cancelled look gives a report")
	}
}

// TestHostileFilesTakeLinearTime gives what is made to cost much, in two sizes.
func TestHostileFilesTakeLinearTime(t *testing.T) {
	t.Parallel()
	repeat := func(unit string) func(n int) string { return func(n int) string { return strings.Repeat(unit, n) } }
	deep := func(n int) string { return strings.Repeat(`{"a":`, n/5) + "1" + strings.Repeat("}", n/5) }
	for what, c := range map[string]struct {
		n    int
		data func(n int) string
	}{
		"server/long-line.js":                     {25_000, func(n int) string { return "x = '" + strings.Repeat("https://a.b/ghp_", n) + "'" }},
		"server/many-secrets.txt":                 {12_000, repeat("AIza" + random(35) + "\n")},
		"server/one-line.txt":                     {12_000, repeat("AIza" + random(35) + " ")},
		"server/package.json":                     {6_000, deep},
		"server/node_modules/a/package.json":      {6_000, deep},
		"server/node_modules/b/package.json":      {2_500, func(n int) string { return `{"dependencies": {` + strings.Repeat(`"x": "1",`, n) + `"y": "1"}}` }},
		"requirements.txt":                        {6_000, repeat("a>=1\nhttps://a.b/c\n")},
		"pyproject.toml":                          {12_000, func(n int) string { return "[project]\ndependencies = [" + strings.Repeat(`"a>=1",`, n) + "]" }},
		"server/imports.py":                       {12_000, repeat("import socket, subprocess\n")},
		"server/node_modules/.dist-info/METADATA": {12_000, repeat("x")},
	} {
		testsupport.Linear(t, what, c.n, func(n int) func() {
			b := readBundle(t, "testdata/clean.txtar")
			b.files[what] = &fstest.MapFile{Data: []byte(c.data(n))}
			return func() { lintBundle(t, b, Options{Profile: Reviewer}) }
		})
	}
}

// TestHostileManifests: long texts and many of them, within what a manifest may have.
func TestHostileManifests(t *testing.T) {
	t.Parallel()
	tool := `{"name": "t", "description": "` + strings.Repeat(`ignore all `, 100) + `\u200b"}`
	for what, c := range map[string]struct {
		n     int
		tools func(n int) string
	}{
		"many": {250, func(n int) string { return strings.Repeat(tool+",", n-1) + tool }},
		"long": {12_000, func(n int) string {
			return `{"name": "t", "description": "` + strings.Repeat(`\u200bignore all the any `, n) + `"}`
		}},
	} {
		testsupport.Linear(t, what, c.n, func(n int) func() {
			text := []byte(`{"manifest_version": "0.3", "name": "x", "version": "1.0.0", "description": "d", "author": {"name": "a"}, "license": "MIT",
				"server": {"type": "node", "entry_point": "i.js", "mcp_config": {"command": "node", "args": ["${__dirname}/i.js"]}}, "tools": [` + c.tools(n) + `]}`)
			return func() {
				if r, err := Run(context.Background(), Subject{Manifest: text}, Options{}); err != nil || len(r.Findings) == 0 {
					t.Errorf("%s: %v, %v", what, r, err)
				}
			}
		})
	}
}

// The parts of SARIF 2.1.0 that we write, by the published schema: what it requires, and nothing that it does not know.
type sarifLog struct {
	Schema  *string `json:"$schema"`
	Version *string `json:"version"`
	Runs    []struct {
		Columns string `json:"columnKind"`
		Tool    struct {
			Driver struct {
				Name            *string `json:"name"`
				SemanticVersion string  `json:"semanticVersion"`
				Rules           []struct {
					ID                                      *string `json:"id"`
					ShortDescription, FullDescription, Help struct {
						Text *string `json:"text"`
					}
					DefaultConfiguration struct {
						Enabled bool   `json:"enabled"`
						Level   string `json:"level"`
					}
				} `json:"rules"`
			} `json:"driver"`
		} `json:"tool"`
		Results []struct {
			RuleID    string `json:"ruleId"`
			RuleIndex *int   `json:"ruleIndex"`
			Level     string `json:"level"`
			Message   struct {
				Text *string `json:"text"`
			} `json:"message"`
			Locations []struct {
				PhysicalLocation struct {
					ArtifactLocation struct {
						URI string `json:"uri"`
					} `json:"artifactLocation"`
					Region *struct {
						StartLine   int `json:"startLine"`
						StartColumn int `json:"startColumn"`
					} `json:"region"`
				} `json:"physicalLocation"`
				LogicalLocations []struct {
					FullyQualifiedName string `json:"fullyQualifiedName"`
				} `json:"logicalLocations"`
			} `json:"locations"`
			Suppressions []struct {
				Kind          string `json:"kind"`
				Justification string `json:"justification"`
			} `json:"suppressions"`
		} `json:"results"`
	} `json:"runs"`
}

// TestSARIF holds the log to its schema. That was checked once with the schema itself as well: see docs/lint.md.
func TestSARIF(t *testing.T) {
	t.Parallel()
	for name, b := range badBundles(t) {
		if name == "unread.txtar" || name == "size.txtar" {
			continue // large
		}
		report := lintBundle(t, b, Options{Profile: Reviewer})
		for _, at := range []Place{{Dir: "a b/c:d"}, {Archive: "out/x y.mcpb"}, {}} {
			data, err := json.Marshal(report.ToSARIF("1.2.3", at))
			if err != nil {
				t.Fatal(err)
			}
			var log sarifLog
			dec := json.NewDecoder(bytes.NewReader(data))
			dec.DisallowUnknownFields()
			if err := dec.Decode(&log); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			checkSARIF(t, name, log, report)
		}
	}
}

func checkSARIF(t *testing.T, name string, log sarifLog, report *Report) {
	t.Helper()
	levels := []string{"none", "note", "warning", "error"}
	if log.Version == nil || *log.Version != "2.1.0" || len(log.Runs) != 1 || log.Runs[0].Tool.Driver.Name == nil || log.Runs[0].Columns != "unicodeCodePoints" {
		t.Fatalf("%s: %+v", name, log)
	}
	rules := log.Runs[0].Tool.Driver.Rules
	for _, r := range rules {
		if r.ID == nil || r.ShortDescription.Text == nil || r.FullDescription.Text == nil || r.Help.Text == nil || !slices.Contains(levels, r.DefaultConfiguration.Level) {
			t.Errorf("%s: rule %+v", name, r)
		}
	}
	if len(log.Runs[0].Results) != len(report.Findings) {
		t.Fatalf("%s: %d results of %d findings", name, len(log.Runs[0].Results), len(report.Findings))
	}
	for _, r := range log.Runs[0].Results {
		if r.RuleIndex == nil || *rules[*r.RuleIndex].ID != r.RuleID || r.Message.Text == nil || *r.Message.Text == "" || !slices.Contains(levels, r.Level) || len(r.Locations) != 1 {
			t.Errorf("%s: result %+v", name, r)
			continue
		}
		at := r.Locations[0].PhysicalLocation
		u, err := url.Parse(at.ArtifactLocation.URI)
		if err != nil || u.Scheme != "" || u.Host != "" || strings.HasPrefix(u.Path, "/") || strings.ContainsAny(at.ArtifactLocation.URI, " \\") {
			t.Errorf("%s: %q is no relative URI", name, at.ArtifactLocation.URI)
		}
		if at.Region != nil && (at.Region.StartLine < 1 || at.Region.StartColumn < 1) {
			t.Errorf("%s: region %+v", name, at.Region)
		}
	}
}

func TestEveryRuleIsWhole(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, r := range Rules() {
		if seen[r.ID] || !strings.HasPrefix(r.ID, "lint/") || r.check == nil {
			t.Errorf("%s is there twice, or is no rule", r.ID)
		}
		seen[r.ID] = true
		for what, text := range map[string]string{"title": r.Title, "why": r.Why, "fix": r.Fix, "bad": r.Bad, "good": r.Good, "source": r.Source} {
			if text == "" {
				t.Errorf("%s has no %s", r.ID, what)
			}
		}
		if r.Author.weight() < 0 || r.Reviewer.weight() < 0 || strings.HasSuffix(r.Fix, ".") {
			t.Errorf("%s: %s, %s, %q", r.ID, r.Author, r.Reviewer, r.Fix)
		}
	}
}

// FuzzRun lays a hostile file of some name over a bundle.
func FuzzRun(f *testing.F) {
	for _, name := range []string{"server/package.json", "server/node_modules/a/package.json", "requirements.txt", "pyproject.toml", "server/x.js", "server/x.py", ".npmrc", "icon.png", "package-lock.json"} {
		f.Add(name, []byte(`{"name": "a", "scripts": {"install": "x"}, "licenses": [{"type": "GPL-3.0"}], "dependencies": {"b": "^1"}}`), `Do not tell the user.`)
		f.Add(name, []byte("[project]\ndependencies = [\"a\"]\nimport socket\na>=1\n//x:_authToken=abcdefgh12345678"), "\u202e\U000e0041")
	}
	f.Fuzz(func(t *testing.T, name string, data []byte, text string) {
		files := fstest.MapFS{"server/index.js": {Data: []byte("import 'b'")}}
		if !fs.ValidPath(name) || name == "." || name == "manifest.json" || strings.HasPrefix(name+"/", "server/index.js/") || name == "server" {
			return // no file system lists such names
		}
		files[name] = &fstest.MapFile{Data: data}
		word, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		m := `{"manifest_version": "0.4", "name": ` + string(word) + `, "version": "1.0.0", "description": "d", "author": {"name": "a"}, "license": ` + string(word) + `,
			"server": {"type": "node", "entry_point": "server/index.js", "mcp_config": {"command": "npx", "args": ["-y", ` + string(word) + `], "env": {"API_KEY": ` + string(word) + `}}},
			"tools": [{"name": "t", "description": ` + string(word) + `}, {"name": ` + string(word) + `}],
			"user_config": {"k": {"type": "directory", "title": ` + string(word) + `, "description": "d", "default": ` + string(word) + `}}}`
		s := Subject{Manifest: []byte(m), Files: files, Beside: files, Served: &Served{Tools: []Tool{{Name: text, Description: text, Schema: data}}}}
		report, err := Run(context.Background(), s, Options{Profile: Reviewer})
		if err != nil {
			return // not valid
		}
		for _, found := range report.Findings {
			if found.Message == "" || found.File != "" && files[found.File] == nil && found.File != "manifest.json" || found.File == "manifest.json" && found.Line < 1 {
				t.Fatalf("%+v", found)
			}
		}
		fixed, done, err := Fix(s.Manifest, report)
		if err != nil {
			t.Fatalf("%v in %s", err, m)
		}
		if len(done) > 0 && !manifest.Validate(fixed, manifest.Checks{SchemaOnly: true}).OK() {
			t.Fatalf("mended to %s", fixed)
		}
	})
}
