package page

import (
	"os"
	"path/filepath"
	"testing"
)

// TestWrite: only what stands between the marks changes, and without them nothing does.
func TestWrite(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "page.md")
	for text, want := range map[string]string{
		"a\n<b>\nold\n<e>\nz\n": "a\n<b>\nnew\n<e>\nz\n",
		"a\n<b>\nold\n":         "",
		"nothing":               "",
	} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		err := Write(name, "<b>\n", "<e>\n", "new\n")
		got, _ := os.ReadFile(name)
		if want == "" && (err == nil || string(got) != text) || want != "" && (err != nil || string(got) != want) {
			t.Errorf("%q became %q, %v", text, got, err)
		}
	}
}
