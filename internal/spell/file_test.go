package spell

import (
	"os"
	"path/filepath"
	"testing"
)

func TestBeside(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"notes.mcpb", "manifest.json", ".x", "lines.\nerror"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{
		"note.mcpb": "notes.mcpb", "manifset.json": "manifest.json", "notes.dxt": "notes.mcpb", "notes": "notes.mcpb", "other.zip": "", ".y": ".x", ".envfile": "", "lines.md": "",
		"notes.mcpb": "", // there, but not what was wanted
	} {
		if want != "" {
			want = filepath.Join(dir, want)
		}
		if got := beside(filepath.Join(dir, name)); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if got, want := Hint(filepath.Join(dir, "note.mcpb")), "did you mean "+filepath.Join(dir, "notes.mcpb")+"?"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	for _, name := range []string{filepath.Join(dir, "nowhere", "notes.mcpb"), filepath.Join(dir, "notes.mcpb", "x")} {
		if got := beside(name); got != "" {
			t.Errorf("%s: %q", name, got)
		}
		if got, err := filepath.EvalSymlinks(folder(name)); err != nil || filepath.Base(got) != filepath.Base(dir) {
			t.Errorf("%s is looked for in %q, %v", name, got, err)
		}
	}
}
