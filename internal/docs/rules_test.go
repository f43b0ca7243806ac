package docs

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"satchel/mcpb"
	"satchel/mcpb/manifest"
)

var update = flag.Bool("update", false, "rewrite the generated pages")

// generated holds a page to what its rules give.
func generated(t *testing.T, path, want string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if read(t, path) != want {
		t.Errorf("%s is not what the rules give: go test ./internal/docs -update", path)
	}
}

func TestBundleRulesPage(t *testing.T) {
	var b strings.Builder
	b.WriteString("# Rules for bundles\n\nEach rule is checked before anything is written; those about content, while it streams.\nThis page is made from the rules themselves.\n\n| rule | why | from | what to do |\n|---|---|---|---|\n")
	for _, r := range mcpb.Rules() {
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", r.ID, r.Why, r.Source, r.Fix)
	}
	generated(t, root+"/docs/bundle-rules.md", b.String())
}

func TestManifestRulesPage(t *testing.T) {
	var b strings.Builder
	b.WriteString("# Rules for manifests\n\n`satchel validate` names the rule, the place and, where it can, the fix. This page is made from the rules themselves.\n\n| rule | why | from | `validate --fix` |\n|---|---|---|---|\n")
	for _, r := range manifest.Rules() {
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", r.ID, r.Why, r.Source, r.Mends)
	}
	generated(t, root+"/docs/manifest-rules.md", b.String())
}
