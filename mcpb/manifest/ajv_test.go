package manifest

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// TestEditorsAgree asks the validator that editors use, with JavaScript's patterns instead of Go's.
func TestEditorsAgree(t *testing.T) {
	t.Parallel()
	const ajv = "../../testdata/npm/node_modules/@modelcontextprotocol/sdk/node_modules/ajv"
	node, err := exec.LookPath("node")
	if _, missing := os.Stat(ajv); err != nil || missing != nil {
		t.Skipf("node or ajv is not installed: make deps (%v, %v)", err, missing)
	}
	made := mutations(t)
	maps.Copy(made, rawManifests())
	texts := slices.DeleteFunc(slices.Sorted(maps.Values(made)), func(text string) bool { return !json.Valid([]byte(text)) })
	var addresses []string
	for _, url := range addressesOfAllKinds() {
		text, err := json.Marshal(url)
		if err != nil {
			t.Fatal(err)
		}
		addresses = append(addresses, string(text))
	}
	type question struct {
		Schema json.RawMessage `json:"schema"`
		Texts  []string        `json:"texts"`
	}
	var questions []question
	for _, loose := range []bool{false, true} {
		schema, err := JSONSchema("", loose)
		if err != nil {
			t.Fatal(err)
		}
		questions = append(questions, question{schema, texts})
	}
	for _, def := range []string{"url", "email"} {
		schema, err := json.Marshal(ordered{{"$ref", "#/$defs/" + def}, {"$defs", formatDefs()}})
		if err != nil {
			t.Fatal(err)
		}
		questions = append(questions, question{schema, addresses})
	}
	input, err := json.Marshal(questions)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(node, "testdata/ajv.mjs", ajv)
	var problems bytes.Buffer
	cmd.Stdin, cmd.Stderr = bytes.NewReader(input), &problems
	out, err := cmd.Output()
	var said [4][]bool
	if err != nil || json.Unmarshal(out, &said) != nil {
		t.Fatalf("ajv: %v\n%s", err, problems.String())
	}
	for i, text := range texts {
		if want := Validate([]byte(text), Checks{SchemaOnly: true}).OK(); said[0][i] != want {
			t.Errorf("ajv says %t, we say %t: %s", said[0][i], want, text)
		}
		if _, _, err := Parse([]byte(text)); said[1][i] != (err == nil) {
			t.Errorf("loosely, ajv says %t, we say %v: %s", said[1][i], err, text)
		}
	}
	for i, s := range addressesOfAllKinds() {
		if want := isURL(s); said[2][i] != want && !looksLikeAddress(s) && !strings.ContainsAny(s, "\t\r\n") {
			t.Errorf("URL %q: ajv says %t", s, said[2][i])
		}
		if want := isEmail(s); said[3][i] != want {
			t.Errorf("e-mail %q: ajv says %t", s, said[3][i])
		}
	}
	t.Logf("%d manifests, %d addresses", len(texts), len(addresses))
}
