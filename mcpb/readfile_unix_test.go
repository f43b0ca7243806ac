//go:build unix

package mcpb

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"satchel/internal/problem"
)

func TestReadFileOfAFolder(t *testing.T) {
	t.Parallel()
	outside := writeTree(t, files{"secret.txt": "secret"})
	dir := writeTree(t, files{
		"a/b": "12345", "inside": "@a/b", "out": "@" + outside + "/secret.txt", "up": "@../" + filepath.Base(outside) + "/secret.txt", "broken": "@nowhere", "folder": "@a", "d": "@" + outside,
	})
	must(t, syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600))
	for _, name := range []string{"a/b", "inside"} {
		if data, err := ReadFile(dir, name, 5); err != nil || string(data) != "12345" {
			t.Errorf("%s: %q, %v", name, data, err)
		}
	}
	for _, c := range []struct {
		name, says string
		code       problem.Code
		rule       string
	}{
		{"a/b", "larger than 4 bytes", problem.Invalid, "folder/file"},
		{"a", "is a folder", problem.Invalid, "folder/file"},
		{"folder", "is a folder", problem.Invalid, "folder/file"},
		{"pipe", "is a named pipe", problem.Invalid, "folder/file"},
		{"out", "is a link to " + outside, problem.Invalid, "folder/link"},
		{"up", "is a link to ../", problem.Invalid, "folder/link"},
		{"broken", "is a link to nowhere, which is not there", problem.NotFound, "folder/link"},
		{"d/secret.txt", "", problem.Failed, "pack/input"},
		{"../x", "", problem.Failed, "pack/input"},
		{"nowhere", "no such file", problem.NotFound, "pack/input"},
	} {
		data, err := ReadFile(dir, c.name, 4)
		p := checkProblem(t, err, c.code, c.rule)
		if data != nil || !strings.Contains(p.Message, c.says) || p.Subject != filepath.Join(dir, c.name) || p.Hint == "" {
			t.Errorf("%s: %q, %v, try %q", c.name, data, p, p.Hint)
		}
	}
	_, err := ReadFile(filepath.Join(dir, "pipe"), "x", 4)
	checkProblem(t, err, problem.Usage, "pack/input")
	_, err = ReadFile(filepath.Join(dir, "nowhere"), "x", 4)
	checkProblem(t, err, problem.NotFound, "pack/input")
	must(t, os.Remove(filepath.Join(dir, "pipe")))
}
