package manifest

import (
	"encoding/csv"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// A verdict is what the reference CLI says about a real manifest, with icon fields stripped.
type verdict struct{ file, strict, loose, message string }

func verdicts(t *testing.T) []verdict {
	t.Helper()
	f, err := os.Open("testdata/corpus/verdicts.tsv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.Comma, r.LazyQuotes = '\t', true
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var list []verdict
	for _, row := range rows[1:] {
		list = append(list, verdict{row[0], row[3], row[4], row[5]})
	}
	if len(list) != 88 {
		t.Fatalf("%d verdicts, want 88", len(list))
	}
	return list
}

func corpusFile(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata/corpus/manifests", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestCorpusVerdictsAreTheReferences(t *testing.T) {
	for _, v := range verdicts(t) {
		data := corpusFile(t, v.file)
		report := Validate(data, Checks{SchemaOnly: true})
		if got := word(report.OK()); got != v.strict {
			t.Errorf("%s: strict %s, the reference says %s (%s): %+v", v.file, got, v.strict, v.message, report.Findings)
		}
		_, _, err := Parse(data)
		if got := word(err == nil); got != v.loose {
			t.Errorf("%s: loose %s, the reference says %s: %v", v.file, got, v.loose, err)
		}
	}
}

func word(ok bool) string {
	if ok {
		return "pass"
	}
	return "fail"
}

// TestCorpusFindings shows all that we say about real manifests beyond the schema; the golden file is the review.
func TestCorpusFindings(t *testing.T) {
	var b strings.Builder
	for _, v := range verdicts(t) {
		report := Validate(corpusFile(t, v.file), Checks{})
		fmt.Fprintf(&b, "%s: reference %s, ours %s\n", v.file, v.strict, word(report.OK()))
		for _, f := range report.Findings {
			fmt.Fprintf(&b, "  %d:%d %s %s %s: %s\n", f.Line, f.Column, f.Severity, f.Rule, f.Path, f.Message)
		}
	}
	golden(t, "testdata/corpus-findings.txt", b.String())
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
	if got != string(want) {
		t.Errorf("%s differs; regenerate with -update and review the difference.\n%s", path, firstDifference(got, string(want)))
	}
}

func firstDifference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			return fmt.Sprintf("line %d\ngot  %s\nwant %s", i+1, g[i], w[i])
		}
	}
	return fmt.Sprintf("%d lines, want %d", len(g), len(w))
}
