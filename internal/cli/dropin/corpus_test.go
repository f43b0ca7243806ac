package dropin_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"satchel/internal/cli/dropin"
)

// TestValidatePublicManifests compares what is printed about real manifests, icons included, word by word. Only why a
// text is no JSON is in our own words.
func TestValidatePublicManifests(t *testing.T) {
	t.Parallel()
	needReference(t)
	corpus, err := filepath.Abs("../../../mcpb/manifest/testdata/corpus/manifests")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(corpus, "*.json"))
	if err != nil || len(files) != 88 {
		t.Fatalf("%d manifests, %v", len(files), err)
	}
	home, words := t.TempDir(), 0
	var calls []call
	for _, f := range files {
		calls = append(calls, call{corpus, []string{"validate", f}})
	}
	for i, theirs := range askReference(t, calls) {
		ours := start(t, home, corpus, filepath.Join(here.bin, "mcpb"), "validate", files[i])
		const noJSON = "ERROR: Invalid JSON in manifest file: "
		if strings.HasPrefix(ours.Stderr, noJSON) && strings.HasPrefix(theirs.Stderr, noJSON) {
			ours.Stderr, theirs.Stderr = noJSON, noJSON
			words++
		}
		if ours != theirs {
			t.Errorf("%s\nours   %+v\ntheirs %+v", filepath.Base(files[i]), ours, theirs)
		}
	}
	t.Logf("88 manifests, the same words about all; %d are no JSON", words)
}

// Names sort as the reference sorts them, whatever of ASCII is in them.
func TestTheListIsSortedAsByTheReference(t *testing.T) {
	t.Parallel()
	needReference(t)
	dir := t.TempDir()
	var names []string
	for c := rune(' '); c < 127; c++ {
		if strings.ContainsRune(`/\:*?"<>|`, c) { // what no bundle holds
			continue
		}
		for _, pattern := range []string{"a*b", "A*c", "*x", "*X y", "b*B*"} {
			names = append(names, strings.ReplaceAll(pattern, "*", string(c)))
		}
	}
	names = append(names, "résumé", "resume", "resumé", "Resume", "re\u0301sume", "resumes", "ñandu", "nandu", "z", "zz")
	text := strings.Join(names, "\n")
	if err := os.WriteFile(filepath.Join(dir, "sort.mjs"), []byte(`console.log(process.argv[2].split("\n").sort((a, b) => a.localeCompare(b)).join("\n"))`), 0o644); err != nil {
		t.Fatal(err)
	}
	r := start(t, dir, dir, "node", "sort.mjs", text)
	if want, got := strings.Split(strings.TrimSuffix(r.Stdout, "\n"), "\n"), dropin.Sorted(names); strings.Join(want, "\n") != strings.Join(got, "\n") {
		for i := range want {
			if want[i] != got[i] {
				t.Fatalf("at %d: %q, the reference %q", i, got[max(0, i-2):i+3], want[max(0, i-2):i+3])
			}
		}
	}
}
