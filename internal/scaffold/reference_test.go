package scaffold

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// packages are texts of package.json, each with its reason to be here.
func packages() []string {
	return []string{
		`{}`, ` { } `, `[]`, `5`, `"text"`, `true`, `null`, `{"name": null}`,
		`{"name": "@scope/pkg", "version": "not-semver", "description": "Ünïcode 👍 <&> \u2028\u2029 \u007f \u0001\b\f\n\r\t\"\\\/"}`,
		`{"name": "", "version": "", "description": "", "license": "", "main": "", "author": ""}`,
		`{"name": 0, "version": -0, "description": false, "license": null, "main": 0, "author": 0}`,
		`{"name": 5, "version": 1.0, "description": true, "license": 1e400, "main": 1e400, "author": {"name": -1e400}}`,
		`{"name": 1e21, "version": 1e-7, "description": 123456789012345680000, "license": 0.000001, "main": 1e21}`,
		`{"name": {"b": 1, "10": [], "2": {}, "a": [[], {}, null, -0, 1.50]}, "version": ["x", null, true]}`,
		`{"author": "Barney <b@example.com> (http://example.com)"}`,
		`{"author": {"name": "B", "email": "b@example.com", "url": "http://example.com", "more": 1}}`,
		`{"author": {"email": "b@example.com", "url": ""}}`, `{"author": {"name": "", "email": 5, "url": []}}`,
		`{"author": [{"name": "B"}]}`, `{"author": null}`, `{"author": true}`, `{"author": {"name": {"name": "deep"}}}`,
		`{"main": "dist/index.js"}`, `{"main": "./a b/ü.js"}`, `{"main": {}}`, `{"main": []}`, `{"main": ["a", null, [1, [2]], {}, true, -0]}`,
		`{"main": {"toString": 1}}`, `{"main": {"valueOf": 1}}`, `{"main": [{"toString": 1}]}`, `{"main": true}`, `{"main": null}`, `{"main": -0}`,
		`{"main": "${HOME}/x"}`, `{"main": "\ud83d\ude00"}`, `{"main": "\ud83d", "name": "\ude00\ud83d\ude00\ud800\u0041"}`,
		`{"license": {"type": "MIT"}}`, `{"license": "UNLICENSED", "repository": "github:a/b", "homepage": "https://example.com", "keywords": ["a"]}`,
		`{"name": "a", "name": "b", "author": {"name": "1", "name": "2"}}`,
		`{"version": {"x": 1, "y": 2, "x": 3, "4294967294": 1, "4294967295": 2, "01": 3, "1": 4, "-1": 5}}`,
		`{"__proto__": {"name": "inherited"}, "constructor": 1}`, `{"name": {"__proto__": {"a": 1}, "toJSON": 1}}`,
		"\ufeff{\"name\": \"bom\"}", "{\"name\": \"a\xffb\xe2\x82c\xf0\x9f\x98\"}", "{\"name\": \"\xed\xa0\x80\"}",
		`{"name": "comment" /* no */}`, `{"name": "trailing",}`, `{'name': 1}`, `{"name": "cut`, ``, ` `, "\x00", `{"name": "tab	in"}`, `{"name": 01}`, `{"name": "x"} x`,
		"{\"name\":\t\"crlf\",\r\n\"version\"\r\n:\r\n\"1\"\r\n}\r\n",
		`{"name": ` + strings.Repeat(`[`, 100) + strings.Repeat(`]`, 100) + `}`,
	}
}

// TestReferenceManifestIsTheReferences runs the reference over the table and over packages put together by chance.
func TestReferenceManifestIsTheReferences(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	texts := packages()
	for i := range uint64(400) {
		texts = append(texts, madeUp(rand.New(rand.NewPCG(i, 1))))
	}
	var dirs []string
	for i, text := range texts {
		dir := filepath.Join(root, fmt.Sprintf("Übung %d's", i))
		writeFile(t, filepath.Join(dir, "package.json"), text)
		dirs = append(dirs, dir)
	}
	none := filepath.Join(root, `no package "here"`)
	if err := os.Mkdir(none, 0o755); err != nil {
		t.Fatal(err)
	}
	want := askReference(t, append(dirs, none))
	for i, text := range texts {
		compare(t, dirs[i], []byte(text), want[i])
	}
	compare(t, none, nil, want[len(texts)])
}

func compare(t *testing.T, dir string, pkg, want []byte) {
	t.Helper()
	got, err := ReferenceManifest(dir, pkg)
	if (err == nil) != (want != nil) || !bytes.Equal(got, want) {
		t.Errorf("package.json %q\nours:   %s %v\ntheirs: %s", pkg, got, err, want)
	}
}

// madeUp gives a package.json whose properties have values of any type.
func madeUp(r *rand.Rand) string {
	keys := []string{"name", "version", "description", "author", "main", "license", "repository", "email", "url", "7", "toString"}
	leaves := []string{`""`, `"text"`, `0`, `12.5`, `true`, `false`, `null`, `[]`, `{}`, `"\ud800"`, `1e30`, `"a\nb"`}
	var value func(depth int) string
	value = func(depth int) string {
		var parts []string
		switch n := r.IntN(6); {
		case depth > 0 && n == 0:
			for range r.IntN(4) {
				parts = append(parts, value(depth-1))
			}
			return "[" + strings.Join(parts, ",") + "]"
		case depth > 0 && n < 3 || depth == 3:
			for range r.IntN(8) {
				parts = append(parts, fmt.Sprintf("%q: %s", keys[r.IntN(len(keys))], value(depth-1)))
			}
			return "{" + strings.Join(parts, ",") + "}"
		}
		return leaves[r.IntN(len(leaves))]
	}
	return value(3)
}

// The functions that write the folder are one thing, the whole program another.
func TestReferenceManifestIsTheProgrammes(t *testing.T) {
	t.Parallel()
	dist := referenceDist(t)
	dir := filepath.Join(t.TempDir(), "whole")
	pkg := `{"name": "@scope/pkg", "version": "1.2.3-beta", "author": "A <a@example.com>", "main": "lib/a.js"}`
	writeFile(t, filepath.Join(dir, "package.json"), pkg)
	if out, err := exec.Command("node", filepath.Join(dist, "cli", "cli.js"), "init", dir, "-y").CombinedOutput(); err != nil {
		t.Fatalf("the reference: %v\n%s", err, out)
	}
	want, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	compare(t, dir, []byte(pkg), want)
}

func TestReferenceManifestRefuses(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"too deep":  `{"name": ` + strings.Repeat(`[`, 100_000) + strings.Repeat(`]`, 100_000) + `}`,
		"too large": `{"name": "` + strings.Repeat("x", maxProjectFile) + `"}`,
	} {
		if out, err := ReferenceManifest("/x", []byte(text)); err == nil || out != nil {
			t.Errorf("%s: not refused", name)
		}
	}
}

func TestReferenceManifestNamesTheFolder(t *testing.T) {
	t.Parallel()
	for dir, want := range map[string]string{"/": `"name": ""`, "/a/b/": `"name": "b"`, "/a/\xff": `"name": "` + "\ufffd" + `"`} {
		if out, err := ReferenceManifest(dir, nil); err != nil || !strings.Contains(string(out), want) {
			t.Errorf("%q: %s %v", dir, out, err)
		}
	}
}

func FuzzReferenceManifest(f *testing.F) {
	for _, text := range packages() {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		out, err := ReferenceManifest("/folder", data)
		if err == nil && !json.Valid(out) {
			t.Errorf("%q gives no JSON: %s", data, out)
		}
	})
}

// askReference gives the manifests that the reference writes into folders; nil where it fails.
func askReference(t *testing.T, dirs []string) [][]byte {
	t.Helper()
	input, err := json.Marshal(dirs)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("node", "testdata/reference.mjs", referenceDist(t))
	var problems bytes.Buffer
	cmd.Stdin, cmd.Stderr = bytes.NewReader(input), &problems
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("the reference: %v\n%s", err, problems.String())
	}
	var encoded []*string
	if err := json.Unmarshal(out, &encoded); err != nil || len(encoded) != len(dirs) {
		t.Fatalf("the reference gave %d manifests for %d folders: %v", len(encoded), len(dirs), err)
	}
	manifests := make([][]byte, len(dirs))
	for i, e := range encoded {
		if e != nil {
			if manifests[i], err = base64.StdEncoding.DecodeString(*e); err != nil {
				t.Fatal(err)
			}
		}
	}
	return manifests
}

// referenceDist is the dist folder of the reference that `make deps` installs.
func referenceDist(t *testing.T) string {
	t.Helper()
	dist, err := filepath.Abs("../../testdata/npm/node_modules/@anthropic-ai/mcpb/dist")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dist); errors.Is(err, fs.ErrNotExist) {
		t.Skipf("the reference is not installed at %s: run `make deps`", dist)
	}
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("node is not installed: run `make deps`")
	}
	return dist
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
