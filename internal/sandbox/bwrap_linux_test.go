package sandbox

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"satchel/internal/spec"
)

// TestNothingOutlivesBwrap: what bwrap leaves when it ends early, in a session of its own and with our streams open, ends
// with it. A bwrap that is killed while it builds a world leaves the first process of that, which waits for it for ever.
func TestNothingOutlivesBwrap(t *testing.T) {
	dir := realTemp(t)
	fake := "#!/bin/sh\nsetsid sleep 86399 &\necho it broke >&2\nexit 1\n"
	if err := os.WriteFile(filepath.Join(dir, "bwrap"), []byte(fake), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":/usr/bin:/bin")
	l := NewLauncher()
	l.modes = []Mode{Bubblewrap}
	_, err := l.Start(t.Context(), shell(spec.Sandbox{}, realTemp(t), "true", nil), nil)
	if err == nil || !strings.Contains(err.Error(), "no sandbox") {
		t.Errorf("%v", err)
	}
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range lines {
		if text, err := os.ReadFile(name); err == nil && string(text) == "sleep\x0086399\x00" {
			t.Errorf("%s is left", name)
		}
	}
}
