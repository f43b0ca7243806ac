package lint

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// TestOtherForms plants defects in forms that the corpus of bad bundles does not have, and what only looks like one.
func TestOtherForms(t *testing.T) {
	t.Parallel()
	args := func(command, list string) string {
		return `[[["server", "mcp_config", "command"], "` + command + `"], [["server", "mcp_config", "args"], ` + list + `]]`
	}
	long := strings.Repeat("x", 2*maxShort)
	for _, c := range []struct {
		rule, edits string
		files       map[string]string
		found       bool
	}{
		{"network", "", map[string]string{"server/a.ts": `import https from "node:https"`}, true},
		{"network", "", map[string]string{"server/a.js": "// \x00\nimport https from 'node:https'"}, true},
		{"network", "", map[string]string{"server/a.d.ts": `import https from "node:https"`}, false},
		{"lifecycle-script", "", map[string]string{"package.json": `{"scripts": {"postinstall": "` + long + `"}}`}, true},
		{"lifecycle-script", "", map[string]string{"package.json": "\ufeff" + `{"scripts": {"install": "x"}}`}, true},
		{"lifecycle-script", "", map[string]string{"package.json": `{"scripts": {"prepare": "x"}}`}, true},
		{"lifecycle-script", "", map[string]string{"node_modules/a/package.json": `{"scripts": {"prepare": "x"}}`}, false},
		{"dev-dependency", "", map[string]string{"server/package.json": `{"type": "module"}`, "package.json": `{"devDependencies": {"a": "1"}}`, "node_modules/a/package.json": "{}"}, true},
		{"unpinned", args("cmd", `["/c", "npx", "-y", "some-server"]`), nil, true},
		{"unpinned", args("env", `["A=1", "npx", "some-server"]`), nil, true},
		{"unpinned", args("pnpm", `["--silent", "dlx", "some-server"]`), nil, true},
		{"unpinned", args("uv", `["--directory", "x", "tool", "run", "some-server"]`), nil, true},
		{"unpinned", args("uv", `["run", "--with=some", "x.py"]`), nil, true},
		{"unpinned", args("uv", `["run", "--with=some==1.0", "x.py"]`), nil, false},
		{"unpinned", args("uvx", `["--from=some", "x"]`), nil, true},
		{"unpinned", args("deno", `["run", "-A", "npm:some"]`), nil, true},
		{"unpinned", args("deno", `["run", "-A", "npm:some@1.2.3"]`), nil, false},
		{"unpinned", args("npx", `["--no-install", "some-server"]`), nil, false},
		{"unpinned", args("npx", `["--offline", "some-server"]`), nil, false},
		{"unpinned", args("bunx", `["file:../x"]`), nil, false},
		{"unpinned", args("cmd", `["/c", "node", "x.js"]`), nil, false},
		{"unpinned", "", map[string]string{"requirements.txt": "-e git+https://a.b/c\n"}, true},
	} {
		b := readBundle(t, "testdata/clean.txtar")
		if c.edits != "" {
			b.files["manifest.json"].Data = edited(t, b.files["manifest.json"].Data, []byte(c.edits))
		}
		for name, text := range c.files {
			b.files[name] = &fstest.MapFile{Data: []byte(text)}
		}
		r := lintBundle(t, b, Options{Profile: Reviewer, Only: []string{c.rule}})
		if found := len(r.Findings) > 0; found != c.found {
			t.Errorf("%s, %s %q: %q", c.rule, c.edits, c.files, lines(r))
		}
	}
}

// The first advice, npm ci --omit=dev, would break a server that imports the package.
func TestADevelopmentDependencyThatIsImported(t *testing.T) {
	t.Parallel()
	b := readBundle(t, "testdata/clean.txtar")
	for name, text := range map[string]string{
		"server/package.json": `{"name": "x", "devDependencies": {"a": "1", "b": "1"}}`, "server/node_modules/a/package.json": "{}", "server/node_modules/b/package.json": "{}",
		"server/a.js": `import "a"`,
	} {
		b.files[name] = &fstest.MapFile{Data: []byte(text)}
	}
	var fixes []string
	for _, f := range lintBundle(t, b, Options{Only: []string{"dev-dependency"}}).Findings {
		fixes = append(fixes, f.Fix)
	}
	if len(fixes) != 2 || !slices.ContainsFunc(fixes, func(s string) bool { return strings.Contains(s, `move it to "dependencies"`) }) ||
		!slices.ContainsFunc(fixes, func(s string) bool { return strings.Contains(s, "--omit=dev") }) {
		t.Errorf("%q", fixes)
	}
}
