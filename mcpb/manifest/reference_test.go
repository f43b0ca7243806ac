package manifest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// A question is one for the reference implementation; testdata/oracle.mjs says which kinds there are.
type question struct {
	Kind string `json:"kind"`
	Text string `json:"text"`
}

// askReference gives the answers of the reference, all from one process. It skips the test when the reference is not
// installed: SATCHEL_REF_MCPB names its program, else the one that `make deps` installs is used.
func askReference[A any](t *testing.T, questions []question) []A {
	t.Helper()
	dist := referenceDist(t)
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("node is not installed: run `make deps`")
	}
	input, err := json.Marshal(questions)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(node, "testdata/oracle.mjs", dist)
	var out, problems bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(input), &out, &problems
	if err := cmd.Run(); err != nil {
		t.Fatalf("the reference: %v\n%s", err, problems.String())
	}
	var answers []A
	if err := json.Unmarshal(out.Bytes(), &answers); err != nil || len(answers) != len(questions) {
		t.Fatalf("the reference gave %d answers to %d questions: %v", len(answers), len(questions), err)
	}
	return answers
}

func referenceDist(t *testing.T) string {
	t.Helper()
	program := os.Getenv("SATCHEL_REF_MCPB")
	if program == "" {
		program = "../../testdata/npm/node_modules/.bin/mcpb"
	}
	real, err := filepath.EvalSymlinks(program)
	if errors.Is(err, fs.ErrNotExist) {
		t.Skipf("the reference is not installed at %s: run `make deps`", program)
	}
	if err != nil {
		t.Fatal(err)
	}
	dist, err := filepath.Abs(filepath.Join(filepath.Dir(real), "..")) // of dist/cli/cli.js
	if err != nil {
		t.Fatal(err)
	}
	return dist
}
