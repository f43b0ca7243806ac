package lint

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"satchel/internal/problem"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden holds text to a file that -update rewrites.
func golden(t *testing.T, name, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is not what was found: go test -update, and read the difference", name)
	}
}

// line writes a finding as the goldens have it.
func line(f Finding) string {
	at := f.File
	if f.Line > 0 {
		at = fmt.Sprintf("%s:%d:%d", f.File, f.Line, f.Column)
	}
	return strings.TrimSpace(fmt.Sprintf("%s %s %s %s: %s", at, f.Severity, f.Rule, f.Path, f.Message))
}

// TestCorpus shows all that is said about the manifests of public bundles, for both profiles. Their files are not there,
// so rules about files say nothing. docs/lint.md says what was found when each finding was read by hand.
func TestCorpus(t *testing.T) {
	names, err := filepath.Glob("../../mcpb/manifest/testdata/corpus/manifests/*.json")
	if err != nil || len(names) != 88 {
		t.Fatalf("%d manifests, want 88: %v", len(names), err)
	}
	for _, profile := range []Profile{Author, Reviewer} {
		var b strings.Builder
		counts := map[string]int{}
		for _, name := range names {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			report, err := Run(context.Background(), Subject{Manifest: data}, Options{Profile: profile})
			if p, ok := errors.AsType[*problem.Problem](err); ok {
				fmt.Fprintf(&b, "%s: not valid: %s\n", filepath.Base(name), p.Rule)
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&b, "%s: %d\n", filepath.Base(name), len(report.Findings))
			for _, f := range report.Findings {
				fmt.Fprintf(&b, "  %s\n", line(f))
				counts[f.Rule]++
			}
		}
		b.WriteString("\n")
		for _, r := range Rules() {
			if counts[r.ID] > 0 {
				fmt.Fprintf(&b, "%s: %d\n", r.ID, counts[r.ID])
			}
		}
		golden(t, "testdata/corpus-"+string(profile)+".txt", b.String())
	}
}
