package dropin_test

import (
	"path/filepath"
	"strings"
)

const png = "\x89PNG\r\n\x1a\n and more"

func withIcon(icon string) string {
	return strings.Replace(aManifest, `"name":"My Ext"`, `"name":"My Ext","icon":"`+icon+`"`, 1)
}

func validateCases() []scenario {
	validate := func(name, text string, more ...string) scenario {
		files := map[string]string{"manifest.json": text}
		for i := 0; i+1 < len(more); i += 2 {
			files[more[i]] = more[i+1]
		}
		return scenario{name: "validate " + name, files: files, args: []string{"validate", "manifest.json"}}
	}
	differing := func(s scenario, aspect, row string) scenario {
		s.diffs = map[string]string{aspect: row}
		return s
	}
	cases := []scenario{
		validate("valid", aManifest),
		validate("issues", strings.Replace(strings.Replace(aManifest, `"node",`, `"nodejs",`, 1), `"description":"d"`, `"description":1,"foo":1,"homepage":"x","author":null`, 1)),
		validate("several at several places", `{"manifest_version":"0.4","name":1,"zz":1,"2":1,"author":{"email":"x"},"server":{"type":"x","mcp_config":{"args":[1,"a",null]}},"tools":[{}],"user_config":{"a":{"default":{}}}}`),
		validate("old", strings.Replace(aManifest, `"manifest_version":"0.3"`, `"dxt_version":"0.1"`, 1)),
		validate("two versions", strings.Replace(aManifest, `{`, `{"dxt_version":"0.1",`, 1)),
		validate("unknown version", strings.Replace(aManifest, `"0.3"`, `"0.9"`, 1)),
		validate("no version", `{}`), validate("a list", `[]`), validate("null", `null`),
		validate("a key twice", strings.Replace(aManifest, `{`, `{"name":1,`, 1)),
		differing(validate("no JSON", `{"a":1,}`), stderr, "json-words"),
		differing(validate("a byte order mark", "\ufeff"+aManifest), stderr, "json-words"),
		differing(validate("nothing", ""), stderr, "json-words"),
		validate("icon", withIcon("icon.png"), "icon.png", png),
		validate("icon deeper", withIcon("a/b/icon.png"), "a/b/icon.png", png),
		validate("icon is empty", withIcon("")),
		validate("icon is missing", withIcon("icon.png")),
		validate("icon is no PNG", withIcon("icon.png"), "icon.png", "GIF89a"),
		validate("icon is short", withIcon("icon.png"), "icon.png", "\x89PNG"),
		differing(validate("icon is a folder", withIcon("icon"), "icon/", ""), stdout, "system-words"),
		validate("icon is remote", withIcon("https://example.com/icon.png")),
		validate("icon is absolute", withIcon("/icon.png")),
		validate("icon has a variable", withIcon("${__dirname}/icon.png")),
		validate("icon has everything", withIcon("/${__dirname}/icon.png")),
		validate("icon is remote with a variable", withIcon("http://${__dirname}/icon.png")),
		validate("icon of Windows", withIcon(`C:\\icon.png`)),
		{name: "validate a folder", files: map[string]string{"d/manifest.json": withIcon("../icon.png"), "icon.png": png}, args: []string{"validate", "d"}},
		{name: "validate this folder", files: map[string]string{"manifest.json": aManifest}, args: []string{"validate", "."}},
		{name: "validate a folder without", files: map[string]string{"d/": ""}, args: []string{"validate", "d"}},
		{name: "validate nothing there", args: []string{"validate", "nope/manifest.json"}},
		differing(scenario{name: "validate below a file", files: map[string]string{"f": ""}, args: []string{"validate", "f/manifest.json"}}, stderr, "system-words"),
	}
	return cases
}

func initCases() []scenario {
	byDefault := func(name, pkg string) scenario {
		s := scenario{name: "init " + name, args: []string{"init", "d", "-y"}, files: map[string]string{"d/": ""}}
		if pkg != "" {
			s.files["d/package.json"] = pkg
		}
		return s
	}
	return []scenario{
		byDefault("without package.json", ""),
		byDefault("full", `{"name":"@scope/pkg","version":"not-semver","description":"D","author":{"name":"A","email":"e","url":"u"},"main":"lib/a.js","license":"GPL","repository":"x"}`),
		byDefault("author as text", `{"author":"A <a@b.c>","name":""}`),
		byDefault("author without name", `{"author":{"email":"a@b.c"},"version":1,"license":null}`),
		byDefault("no JSON", `{`),
		byDefault("odd characters", `{"name":"\u2028\ud800\"","description":"</script>é"}`),
		{name: "init here", files: map[string]string{"d/": ""}, in: "d", args: []string{"init", "--yes"}},
		{name: "init again", files: map[string]string{"manifest.json": "mine"}, args: []string{"-y", "init"}},
		{name: "init is there", files: map[string]string{"manifest.json": "mine"}, args: []string{"init", "-y"}},
		{name: "init nowhere", args: []string{"init", "nope", "-y"}, diffs: map[string]string{stderr: "system-words"}},
	}
}

// tidyManifest is written as the reference's clean writes it.
const tidyManifest = `{
  "manifest_version": "0.3",
  "name": "n",
  "version": "1.0.0",
  "description": "d",
  "author": {
    "name": "a"
  },
  "server": {
    "type": "node",
    "entry_point": "index.js",
    "mcp_config": {
      "command": "node"
    }
  }
}`

func cleanCases() []scenario {
	clean := func(name string, diffs map[string]string, files ...string) scenario {
		s := scenario{
			name: "clean " + name, first: [][]string{{"pack", "d", "x.mcpb"}}, args: []string{"clean", "x.mcpb"}, diffs: diffs,
			files: map[string]string{"d/manifest.json": tidyManifest, "d/index.js": "require('needed')"},
		}
		for i := 0; i+1 < len(files); i += 2 {
			s.files["d/"+files[i]] = files[i+1]
		}
		return s
	}
	invalid := map[string]string{code: "clean-invalid", stdout: "clean-invalid", stderr: "clean-invalid"}
	return []scenario{
		clean("without packages", nil),
		clean("with packages", map[string]string{stderr: "clean-unproved"},
			"package.json", `{"name":"n","dependencies":{"needed":"1"},"devDependencies":{"dev":"1"}}`,
			"node_modules/needed/package.json", `{"name":"needed","version":"1.0.0","dependencies":{"deeper":"1"}}`, "node_modules/needed/index.js", "require('deeper')",
			"node_modules/deeper/package.json", `{"name":"deeper","version":"1.0.0"}`, "node_modules/deeper/index.js", "",
			"node_modules/dev/package.json", `{"name":"dev","version":"1.0.0"}`, "node_modules/dev/index.js", ""),
		clean("an untidy manifest", map[string]string{stdout: "clean-manifest", disk: "clean-manifest"}, "manifest.json", " "+strings.ReplaceAll(tidyManifest, "\n", "")),
		{
			name: "clean an invalid one", args: []string{"clean", "x.mcpb"}, diffs: invalid,
			setup: func(dir string) error {
				return writeZip(filepath.Join(dir, "x.mcpb"), "manifest.json="+strings.Replace(tidyManifest, "{", `{"foo":1,`, 1), "index.js")
			},
		},
		{name: "clean nothing there", args: []string{"clean", "x.mcpb"}, diffs: map[string]string{stderr: "clean-invalid"}},
	}
}
