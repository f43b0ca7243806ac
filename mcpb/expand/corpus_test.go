package expand

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"satchel/mcpb/manifest"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestCorpus expands every real manifest that can be read, on three systems, with an answer to what is required and has
// no default. The golden file is the review; the environment is written for Linux only.
func TestCorpus(t *testing.T) {
	files, err := filepath.Glob("../manifest/testdata/corpus/manifests/*.json")
	if err != nil || len(files) < 80 {
		t.Fatalf("%d manifests, %v", len(files), err)
	}
	var b strings.Builder
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		m, _, err := manifest.Parse(data)
		if err != nil {
			continue // mcpb/manifest holds which can be read
		}
		fmt.Fprintf(&b, "%s\n", filepath.Base(file))
		writeExpanded(t, &b, m)
	}
	golden(t, "testdata/corpus.txt", b.String())
}

func writeExpanded(t *testing.T, b *strings.Builder, m *manifest.Manifest) {
	t.Helper()
	for _, os := range []string{"linux", "darwin", "windows"} {
		in := linux(dummies(m.UserConfig))
		if in.OS = os; os == "windows" {
			in = windows(in.Answers)
		}
		cmd, err := Expand(m, in)
		if err != nil {
			fmt.Fprintf(b, "  %s refused: %v\n", os, err)
			continue
		}
		if len(cmd.Missing) > 0 {
			t.Errorf("%s: missing %v", m.Name, cmd.Missing)
		}
		fmt.Fprintf(b, "  %-7s %q\n", os, cmd.Shown)
		if os != "linux" {
			continue
		}
		for _, key := range slices.Sorted(maps.Keys(cmd.ShownEnv)) {
			fmt.Fprintf(b, "          %s=%q\n", key, cmd.ShownEnv[key])
		}
		for i, list := range [][]string{cmd.Dropped, cmd.Unknown} {
			if len(list) > 0 {
				fmt.Fprintf(b, "          %s %q\n", []string{"dropped", "unknown"}[i], list)
			}
		}
	}
}

// dummies answers what is required and has no default.
func dummies(options manifest.Options) map[string]any {
	answers := map[string]any{}
	for _, o := range options {
		if v, ok := valueOf(o.Default); !o.Required || ok && !v.empty() {
			continue
		}
		switch {
		case o.Type == manifest.Number:
			answers[o.Key] = 1.0
		case o.Type == manifest.Boolean:
			answers[o.Key] = true
		case o.Multiple:
			answers[o.Key] = []string{"/answer/1", "/answer/2"}
		default:
			answers[o.Key] = "answer"
		}
	}
	return answers
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got == string(want) {
		return
	}
	g, w := strings.Split(got, "\n"), strings.Split(string(want), "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			t.Fatalf("%s differs in line %d; regenerate with -update and review the difference.\ngot  %s\nwant %s", path, i+1, g[i], w[i])
		}
	}
	t.Fatalf("%s differs: %d lines, want %d", path, len(g), len(w))
}
