package dropin_test

import (
	"archive/zip"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// an makes the files of an extension in the folder d.
func an(extension map[string]string) map[string]string {
	files := map[string]string{"d/manifest.json": aManifest, "d/server/index.js": "x"}
	for name, text := range extension {
		files["d/"+name] = text
	}
	return files
}

const aKey = "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n"

func packCases() []scenario {
	pack := func(name string, files map[string]string, diffs map[string]string) scenario {
		return scenario{name: "pack " + name, files: an(files), in: "d", args: []string{"pack", ".", "../out.mcpb"}, diffs: diffs}
	}
	linking := func(name, to, link string, diffs map[string]string) scenario {
		s := pack(name, map[string]string{"real/file": "r"}, diffs)
		s.files["outside"] = "secret"
		s.setup = func(dir string) error { return os.Symlink(to, filepath.Join(dir, "d", link)) }
		return s
	}
	all := func(row string) map[string]string { return map[string]string{stdout: row, disk: row} }
	return []scenario{
		{name: "pack here", in: "My Ext", args: []string{"pack"}, files: map[string]string{
			"My Ext/manifest.json": aManifest, "My Ext/server/index.js": "x", "My Ext/a.txt": "1", "My Ext/B.txt": "22", "My Ext/_z": "",
			"My Ext/a/b/c/1": "1", "My Ext/a/b/c/2": "2", "My Ext/a/b/d/3": "3", "My Ext/10": "", "My Ext/x.log": "x",
		}},
		pack("sizes and order", map[string]string{
			"a": strings.Repeat("x", 1023), "A1": strings.Repeat("x", 1024), "b": strings.Repeat("x", 1280), "B1": strings.Repeat("x", 1<<20-1), "c": strings.Repeat("x", 1<<20),
			"c-d": strings.Repeat("x", 1<<20*5/4), "c_d": "1", "c.d": "1", "C d": "1", "e/d": "1", "c1/e": "", "cd": "", "Cd1": "", "cD2": "", "2": "", "10": "", "(x)": "", "a$": "", "a~": "", "a'b": "", "x@y": "", "a,b": "", "a;b": "", "[x]": "", "{x}": "", "#x": "", "%x": "", "+x": "", "=x": "", "!x": "", "&x": "", "^x": "", "`x": "",
		}, nil),
		pack("deep folders", map[string]string{"a/b/c/d": "1", "a/b/c/e": "22", "a/b/x": "", "a/b/D/d/e/f": "1", "z/y/x/w/v": "1", "z/y/x/w/u": "1"}, nil),
		pack("names beyond ASCII", map[string]string{"é.txt": "", "日本.txt": "", "e\u0301tude/x": ""}, nil),
		pack("other scripts", map[string]string{"Б": "", "а": ""}, map[string]string{stdout: "pack-order"}),
		pack("names that differ in case", map[string]string{"x/README": "", "x/readme": ""}, map[string]string{code: "pack-names", stdout: "pack-names", stderr: "pack-names", disk: "pack-names"}),
		pack("a folder ignored with a slash", map[string]string{"src/a": "", "src/b": "", ".mcpbignore": "src/"}, map[string]string{stdout: "pack-count"}),
		pack("a folder taken back with a slash", map[string]string{"t/c/a": "", "t/d": "", ".mcpbignore": "t/*\n!t/c/"}, all("pack-slash")),
		pack("a blank escaped at the end", map[string]string{"foo ": "", ".mcpbignore": `foo\ `}, all("pack-blank")),
		pack("modes", map[string]string{"run@755": "", "private@600": "", "odd@641": "", "group@664": "", "readonly@444": ""}, nil),
		pack("again", map[string]string{"old.mcpb": "x", "sub/old.mcpb": "x"}, nil),
		{name: "pack twice", in: "d", files: an(nil), first: [][]string{{"pack"}}, args: []string{"pack"}},
		{name: "pack into new folders", in: "d", files: an(nil), args: []string{"pack", ".", "../x/y/z.zip"}},
		{name: "pack a folder", args: []string{"pack", "d"}, diffs: map[string]string{stdout: "pack-folder"}, files: an(nil)},
		{name: "pack with a path", args: []string{"pack", "./d/../d/", "o.mcpb"}, diffs: map[string]string{stdout: "pack-folder"}, files: an(nil)},
		{name: "pack what is not there", args: []string{"pack", "nope"}},
		{name: "pack a file", files: map[string]string{"f": ""}, args: []string{"pack", "f"}},
		{name: "pack an invalid one", files: map[string]string{"d/manifest.json": "{}"}, args: []string{"pack", "d"}},
		{name: "pack one with a wrong icon", files: map[string]string{"d/manifest.json": withIcon("x.png")}, args: []string{"pack", "d"}},
		{name: "pack without manifest", alone: true, files: map[string]string{"d/": ""}, args: []string{"pack", "d"}, diffs: map[string]string{stdout: "questions", stderr: "questions"}},
		{name: "pack over a folder", in: "d", files: an(map[string]string{"../o/": ""}), args: []string{"pack", ".", "../o"}, diffs: map[string]string{stdout: "pack-early", stderr: "system-words"}},
		pack("without entry point", map[string]string{"manifest.json": strings.ReplaceAll(aManifest, "server/index.js", "dist/main.js")}, map[string]string{stderr: "pack-entry"}),
		pack("odd names", map[string]string{"manifest.json": strings.Replace(aManifest, "My Ext", "  Ünï -- (Ext)\\t@x/Y_z.1 ", 1)}, map[string]string{stdout: "hidden"}),
		pack("a file called __proto__", map[string]string{"__proto__": "x"}, all("pack-proto")),
		pack("folders that look like files", map[string]string{"it.map/index.js": "x", "x.log/y": "y"}, all("pack-kinds")),
		pack("secrets", map[string]string{"key.pem": aKey, ".ssh/id_rsa": aKey}, map[string]string{stdout: "pack-secret", stderr: "pack-secret", disk: "pack-secret"}),
		pack("an environment taken back", map[string]string{".env": "A=1", ".mcpbignore": "!.env"}, map[string]string{stdout: "pack-secret", stderr: "pack-secret", disk: "pack-secret"}),
		pack("an environment", map[string]string{".env": "A=1"}, map[string]string{stderr: "pack-secret"}),
		pack("manifest ignored", map[string]string{".mcpbignore": "manifest.json\nserver"}, all("pack-required")),
		linking("a link to a file", "real/file", "link", nil),
		linking("a link to a folder", "real", "link", nil),
		linking("a link to the outside", "../outside", "link", map[string]string{code: "pack-link", stdout: "pack-link", stderr: "pack-link", disk: "pack-link"}),
		linking("an ignored link to the outside", "../outside", "link.log", nil),
		linking("a broken link", "nowhere", "link", map[string]string{stderr: "system-words"}),
		linking("a loop", ".", "real/loop", map[string]string{stderr: "system-words"}),
	}
}

// patterns are .mcpbignore files.
func patterns() []string {
	return []string{
		"", "foo", "FOO", "*.txt", "!x.log", "!UPPER.LOG", "src/", "/src/", "src", "a/b", "a/*", "a/*\n!a/keep.txt", "t/\n!t/c/a", "# foo\nb.txt",
		"  foo  ", "\t", `\#x`, `x\ y`, "\r\nfoo\r\nb.txt\r\n", "*.{js,ts}", "**/foo", "foo/**", "a/**/z", "[ab].txt", "[!a].txt", "?.txt", `\!bang`, "!bang",
		"!package-lock.json", "node_modules", "!node_modules/.bin", "*\n!*.js\n!server", "dir\n!dir/keep", "dir/*\n!dir/keep", ".hidden", ".*", "é*", "É.txt",
		"name with blank", "foo ", "//foo", "/", "./foo", "../foo", "a//b", "a\\b", "[", "[]", "[z-a].txt", "*/", "**", "**/", "*/foo", "a/**", "/a/b/1",
		"!.gitignore", "!*.map", "!tsconfig.json\n!*.d.ts", "!yarn.lock", ".vscode", "VENV/", "__pycache__/", "*.pem", "A.TXT", "foo\nfoo\n!foo", "!foo\nfoo",
	}
}

func ignoreTree() map[string]string {
	files := map[string]string{}
	for _, name := range strings.Fields(`foo foo.d/foo lib/foo a/b/1 a/keep.txt a/x/z a/z t/c/a t/d #x !bang bang src/1 lib/src/2 node_modules/m/src/3 dir/keep dir/other
		.hidden/x é.txt b.txt ab.txt a.txt B.TXT.bak x.log UPPER.LOG A.MAP Package-Lock.json sub/package-lock.json node_modules/.bin/tool node_modules/.cache/c node_modules/m/index.js
		node_modules/m/.bin/x a/node_modules/.bin/x .DS_Store Thumbs.db .gitignore .git/config sub/.git/config .eslintrc .eslintrc.json .vscode/x yarn.lock pnpm-lock.yaml
		tsconfig.json x.tsbuildinfo x.d.ts x.mcpb x.dxt .pnp.cjs .nycrc .babelrc venv/x __pycache__/x .npmignore cert.pem sub/.mcpbignore .npm/x .yarn/x npm-debug.log.1
		.prettierrc .editorconfig node_modules/.package-lock.json .github/x 10 2 a\b x.js.map x.ts x.tsx`) {
		files[name] = name
	}
	files["x y"], files["name with blank/x"], files["foo "] = "1", "2", "3"
	delete(files, `a\b`) // not a name that a bundle may hold
	return files
}

// TestPackTakesTheReferencesFiles compares the files in the bundles under many .mcpbignore files. The manifest and the
// entry point are in ours always, which is a row of its own.
func TestPackTakesTheReferencesFiles(t *testing.T) {
	t.Parallel()
	needReference(t)
	dir := t.TempDir()
	var calls []call
	for i, p := range patterns() {
		name := filepath.Join(dir, fmt.Sprint(i))
		for file, text := range an(ignoreTree()) {
			place(t, name, file, text)
		}
		place(t, name, "d/.mcpbignore", p)
		calls = append(calls, call{name, []string{"pack", "d", "theirs.mcpb"}})
	}
	for i, r := range askReference(t, calls) {
		if r.Code != 0 {
			t.Fatalf("%q: the reference: %+v", patterns()[i], r)
		}
	}
	excluded := map[string]bool{}
	for i, p := range patterns() {
		name := filepath.Join(dir, fmt.Sprint(i))
		if r := start(t, dir, name, filepath.Join(here.bin, "mcpb"), "pack", "d", "ours.mcpb"); r.Code != 0 {
			t.Errorf("%q: %+v", p, r)
			continue
		}
		ours, theirs := entries(t, filepath.Join(name, "ours.mcpb")), entries(t, filepath.Join(name, "theirs.mcpb"))
		for _, required := range []string{"manifest.json", "server/index.js"} {
			theirs[required] = ours[required]
		}
		if !maps.Equal(ours, theirs) {
			t.Errorf("%q\nours   %q\ntheirs %q", p, slices.Sorted(maps.Keys(ours)), slices.Sorted(maps.Keys(theirs)))
		}
		for file := range ignoreTree() {
			excluded[file] = excluded[file] || ours[file] == ""
		}
	}
	if len(excluded) != len(ignoreTree()) {
		t.Errorf("%d files looked at, want %d", len(excluded), len(ignoreTree()))
	}
}

// entries gives the files of a bundle, with their modes and checksums.
func entries(t *testing.T, path string) map[string]string {
	t.Helper()
	z, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	files := map[string]string{}
	for _, f := range z.File {
		files[f.Name] = fmt.Sprintf("%v %08x", f.Mode().Perm(), f.CRC32)
	}
	return files
}
