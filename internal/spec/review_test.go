package spec

import (
	"bytes"
	"strings"
	"testing"
)

func TestReviewShowsRisksFirstAndEverythingExactly(t *testing.T) {
	long := strings.Repeat("x", 5000)
	r := Review{
		ID: "local/a", Title: "A \x1b[31mred\u202e title", Version: "1", Author: "Somebody", Signature: "unsigned", Digest: "sha256:00",
		Command: []string{"/usr/bin/node", "an argument", "it's", long, ""}, Risks: []Risk{{High, "NOT SANDBOXED"}},
		Answers: []Answer{{Key: "k", Title: "API key", Value: "***", Secret: true}}, Missing: []string{"Folder"},
	}
	var b bytes.Buffer
	r.Render(&b, false)
	got := b.String()
	if strings.ContainsAny(got, "\x1b\u202e") {
		t.Errorf("the author's text reached the terminal raw: %q", got)
	}
	if want := `/usr/bin/node 'an argument' 'it'\''s' ` + long + ` ''`; !strings.Contains(got, want) {
		t.Errorf("the command is not exact:\n%s", got)
	}
	if strings.Index(got, "NOT SANDBOXED") > strings.Index(got, "local/a") {
		t.Error("the risks do not come first")
	}
	for _, want := range []string{`A \x1b[31mred\u202e title`, "API key: ***", "Folder (not answered yet)", "Somebody (self-declared)"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not shown:\n%s", want, got)
		}
	}
}

// An author cannot push the risks out of sight with what nobody agrees to.
func TestWhatIsNotAgreedToIsBounded(t *testing.T) {
	r := Review{Command: []string{"x"}, Warnings: make([]string, 5000), Without: make([]string, 5000)}
	for i := range r.Warnings {
		r.Warnings[i], r.Without[i] = strings.Repeat("é", 10_000), "--flag"
	}
	var b bytes.Buffer
	r.Render(&b, false)
	if b.Len() > 10_000 || !strings.Contains(b.String(), "4990 more") || !strings.Contains(b.String(), "without    --flag") {
		t.Errorf("%d bytes:\n%.2000s", b.Len(), b.String())
	}
}
