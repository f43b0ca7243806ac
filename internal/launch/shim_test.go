//go:build unix

package launch

import (
	"os"
	"path/filepath"
	"testing"

	"satchel/internal/paths"
)

// TestBehindShim: what a version manager's stand-in starts is found without starting it; what cannot be told is not guessed.
func TestBehindShim(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		files map[string]string // by path below the home; programs are empty
		shim  string
		env   map[string]string
		want  string
	}{
		"pyenv":          {map[string]string{".pyenv/version": "3.9.1\n3.12.1\n", ".pyenv/versions/3.12.1/bin/python3": ""}, ".pyenv/shims/python3", nil, ".pyenv/versions/3.12.1/bin/python3"},
		"pyenv variable": {map[string]string{".pyenv/version": "3.9.1", ".pyenv/versions/3.9.1/bin/python3": "", ".pyenv/versions/3.12.1/bin/python3": ""}, ".pyenv/shims/python3", map[string]string{"PYENV_VERSION": "3.12.1"}, ".pyenv/versions/3.12.1/bin/python3"},
		"pyenv system":   {map[string]string{".pyenv/version": "system", ".pyenv/versions/3.12.1/bin/python3": ""}, ".pyenv/shims/python3", nil, ""},
		"pyenv hostile":  {map[string]string{".pyenv/version": "../../evil", ".pyenv/versions/x": "", "evil/bin/python3": ""}, ".pyenv/shims/python3", nil, ""},
		"nodenv":         {map[string]string{".nodenv/version": "20.1.0", ".nodenv/versions/20.1.0/bin/node": ""}, ".nodenv/shims/node", nil, ".nodenv/versions/20.1.0/bin/node"},
		"asdf":           {map[string]string{".asdf/shims/node": "#!/bin/sh\n# asdf-plugin: nodejs 18.0.0\n# asdf-plugin: nodejs 20.1.0\n", ".asdf/installs/nodejs/18.0.0/bin/node": "", ".asdf/installs/nodejs/20.1.0/bin/node": ""}, ".asdf/shims/node", nil, ".asdf/installs/nodejs/20.1.0/bin/node"},
		"asdf picked":    {map[string]string{".tool-versions": "nodejs 18.0.0\n", ".asdf/shims/node": "# asdf-plugin: nodejs 18.0.0\n# asdf-plugin: nodejs 20.1.0\n", ".asdf/installs/nodejs/18.0.0/bin/node": "", ".asdf/installs/nodejs/20.1.0/bin/node": ""}, ".asdf/shims/node", nil, ".asdf/installs/nodejs/18.0.0/bin/node"},
		"mise":           {map[string]string{".local/share/mise/installs/node/latest/bin/node": ""}, ".local/share/mise/shims/node", nil, ".local/share/mise/installs/node/latest/bin/node"},
		"volta":          {map[string]string{".volta/tools/user/platform.json": `{"node":{"runtime":"20.1.0","npm":null}}`, ".volta/tools/image/node/20.1.0/bin/node": ""}, ".volta/bin/node", nil, ".volta/tools/image/node/20.1.0/bin/node"},
		"volta, none":    {map[string]string{".volta/tools/image/x": ""}, ".volta/bin/node", nil, ""},
		"no stand-in":    {nil, "bin/node", nil, "bin/node"},
	} {
		t.Run(name, func(t *testing.T) {
			home := t.TempDir()
			if _, given := c.files[c.shim]; !given {
				write(t, filepath.Join(home, c.shim), "")
			}
			for file, text := range c.files {
				write(t, filepath.Join(home, file), text)
			}
			want := c.want
			if want != "" {
				want = filepath.Join(home, want)
			}
			m := Machine{OS: "linux", User: paths.User{Home: home}, Getenv: func(key string) string { return c.env[key] }}
			if got := behindShim(filepath.Join(home, c.shim), m); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
}
