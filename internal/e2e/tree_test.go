package e2e

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// A file is what must survive a round trip: permissions and content.
type file struct {
	Mode   fs.FileMode `json:"mode"`
	SHA256 string      `json:"sha256"`
}

// A tree is the files of a folder or a bundle by their slash-separated names.
type tree map[string]file

// readTree reads a folder; anything in it but folders and regular files fails the test.
func readTree(t *testing.T, root string) tree {
	t.Helper()
	got := tree{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if !d.Type().IsRegular() {
			t.Errorf("%s is %s", path, d.Type())
			return nil
		}
		name, err := filepath.Rel(root, path)
		got[filepath.ToSlash(name)] = readFile(t, path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func readFile(t *testing.T, path string) file {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return file{info.Mode(), hexDigest(data)}
}

func hexDigest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// same fails the test with every difference between two trees.
func same(t *testing.T, what string, got, want tree) {
	t.Helper()
	if len(want) == 0 {
		t.Fatalf("%s: nothing to compare with", what)
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if g, ok := got[name]; !ok {
			t.Errorf("%s: %q is missing", what, name)
		} else if g != want[name] {
			t.Errorf("%s: %q is %v, want %v", what, name, g, want[name])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(got)) {
		if _, ok := want[name]; !ok {
			t.Errorf("%s: %q is too much", what, name)
		}
	}
}

// source makes the folder of an extension with what archives get wrong: permissions, names outside ASCII, in both
// Unicode forms, with characters that shells and formats care for, empty files, content that does not deflate.
// The entry point is not executable: packing and unpacking leave that so, only install changes it.
func source(t *testing.T) string {
	t.Helper()
	root := filepath.Join(t.TempDir(), "source")
	noise := make([]byte, 100_000)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(noise) // never fails
	for _, f := range []struct {
		name string
		mode fs.FileMode
		data []byte
	}{
		{"manifest.json", 0o644, []byte(treeManifest)},
		{"server/index.js", 0o644, []byte("process.exit(0)\n")},
		{"server/private.js", 0o600, []byte("1")},
		{"server/shared.js", 0o664, []byte("2")},
		{"server/read only.txt", 0o444, []byte("3")},
		{"server/tool", 0o711, []byte("#!/bin/sh\n")},
		{"data/empty", 0o644, nil},
		{"data/noise.bin", 0o644, noise},
		{"data/much.txt", 0o644, bytes.Repeat([]byte("all the same \n"), 200_000)},
		{"a/b/c/d/e/f/g/h/i/j/deep.txt", 0o640, []byte("deep")},
		{"names/Größe ☃ 日本語.txt", 0o644, []byte("4")},
		{"names/e\u0301tude.txt", 0o644, []byte("5")},
		{"names/$HOME ${x} %PATH% `id` 'q'.txt", 0o644, []byte("6")},
		{"names/-rf", 0o644, []byte("7")},
		{"names/10", 0o644, []byte("8")},
		{"names/2", 0o644, []byte("9")},
		{"names/.hidden", 0o644, []byte("10")},
	} {
		path := filepath.Join(root, filepath.FromSlash(f.name))
		write(t, path, string(f.data))
		if err := os.Chmod(path, f.mode); err != nil { // the umask must not decide
			t.Fatal(err)
		}
	}
	return root
}

// write writes a file and makes the folders above it.
func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

const treeManifest = `{
  "manifest_version": "0.3",
  "name": "round-trip",
  "version": "1.0.0",
  "description": "What archives get wrong.",
  "author": { "name": "The Satchel authors" },
  "server": {
    "type": "node",
    "entry_point": "server/index.js",
    "mcp_config": { "command": "node", "args": ["${__dirname}/server/index.js"] }
  }
}
`
