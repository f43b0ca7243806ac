package notify

import (
	"os"
	"path/filepath"
	"testing"
)

// TestPlaces: a world is followed as its programs would, the machine as the person's.
func TestPlaces(t *testing.T) {
	base, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(base+"/a/b", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(base+"/a/file", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, to := range map[string]string{
		"link": "a/b", "abs": base + "/a/file", "up": "../" + filepath.Base(base) + "/a", "loop": "loop", "broken": "nowhere", "twice": "up/../a/file",
	} {
		if err := os.Symlink(to, filepath.Join(base, name)); err != nil {
			t.Fatal(err)
		}
	}
	w, err := Open(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	for _, c := range []struct {
		name         string
		follow, dead bool
		want         string
		folder       bool
	}{
		{"/a/file", true, false, "/a/file", false},
		{"/a", true, false, "/a", true},
		{"/link", true, false, "/a/b", true},
		{"/link", false, false, "/link", false},
		{"/link/../file", true, false, "/a/file", false},
		{"/abs", true, false, "/a/file", false},
		{"/up/file", false, false, "/a/file", false},
		{"/up/b/../../abs", true, false, "/a/file", false},
		{"/twice", true, false, "/a/file", false},
		{"/loop", true, true, "", false},
		{"/broken", true, true, "", false},
		{"/broken", false, false, "/broken", false},
		{"/nothing", true, true, "", false},
		{"/a/file/x", true, true, "", false},
	} {
		out, ok := Outside(base+c.name, c.follow)
		if ok == c.dead || (ok && out != Place{Path: base + c.want, Exists: true, Folder: c.folder}) {
			t.Errorf("outside: %s, followed %v: %+v, %v", c.name, c.follow, out, ok)
		}
		in, err := w.Find(base+c.name, c.follow)
		if ok := err == nil && in.Exists; ok == c.dead || (ok && in != out) {
			t.Errorf("in a world: %s, followed %v: %+v, %v", c.name, c.follow, in, err)
		}
	}
	if p, err := w.Find(base+"/up/new", true); err != nil || p.Exists || p.Path != base+"/a/new" {
		t.Errorf("what is not there: %+v, %v", p, err)
	}
	if p, ok := Outside("/", true); !ok || !p.Folder || p.Path != "/" {
		t.Errorf("the root: %+v, %v", p, ok)
	}
}
