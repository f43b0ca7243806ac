//go:build unix

package scaffold

import (
	"os"
	"path/filepath"
	"testing"
)

// A folder that is named by a link is the folder, on either side; what a link in it leads to elsewhere is not of it.
func TestAdoptThroughLinks(t *testing.T) {
	t.Parallel()
	top := t.TempDir()
	writeFile(t, filepath.Join(top, "real", "serve.js"), "")
	writeFile(t, filepath.Join(top, "other.js"), "")
	if err := os.Symlink("real", filepath.Join(top, "link")); err != nil {
		t.Fatal(err)
	}
	for _, c := range [][3]string{
		{"link", "real/serve.js", "${__dirname}/serve.js"}, {"real", "link/serve.js", "${__dirname}/serve.js"},
		{"link", "link/serve.js", "${__dirname}/serve.js"}, {"link", "other.js", filepath.Join(top, "other.js")},
	} {
		d := &Draft{}
		if _, err := d.Adopt(Started{Dir: filepath.Join(top, c[0]), Cwd: top, Argv: []string{"node", c[1]}}, Settled{}); err != nil {
			t.Fatal(err)
		}
		if got := d.Manifest.Server.MCPConfig.Args[0]; got != c[2] {
			t.Errorf("%s in %s: %s, want %s", c[1], c[0], got, c[2])
		}
	}
}
