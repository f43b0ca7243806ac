//go:build unix

package launch

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"satchel/internal/spec"
)

// TestConfinedEnvironment: a sandboxed server gets of our environment what was granted and what it needs to speak and to
// tell the time; certificates only with network; never where our things are, nor our proxies, which may hold passwords.
func TestConfinedEnvironment(t *testing.T) {
	t.Parallel()
	env := map[string]string{
		"HOME": "/home/u", "LANG": "de_DE.UTF-8", "TZ": "Europe/Berlin", "HTTPS_PROXY": "http://me:pw@proxy:1", "DBUS_SESSION_BUS_ADDRESS": "unix:path=/run/x",
		"AWS_SECRET_ACCESS_KEY": "s", "EDITOR": "vi", "NODE_EXTRA_CA_CERTS": "/etc/corp.pem", "DISPLAY": ":0",
	}
	e := extension("node")
	e.Manifest.Server.MCPConfig.Env = map[string]string{"MODE": "x", "TZ": "UTC"}
	for _, c := range []struct {
		box  spec.Sandbox
		want []string
	}{
		{spec.Sandbox{}, []string{"EDITOR=vi", "LANG=de_DE.UTF-8", "MODE=x", "PYTHONPYCACHEPREFIX=/data/.cache/pycache", "TZ=UTC"}},
		{spec.Sandbox{Net: spec.Net{Any: true}}, []string{"EDITOR=vi", "LANG=de_DE.UTF-8", "MODE=x", "NODE_EXTRA_CA_CERTS=/etc/corp.pem", "PYTHONPYCACHEPREFIX=/data/.cache/pycache", "TZ=UTC"}},
	} {
		plan, err := Make(e, machine(t, env, "node"))
		if err != nil {
			t.Fatal(err)
		}
		plan.Confine(c.box, []string{"EDITOR", "NOT_SET"})
		if !slices.Equal(plan.Spec.Env, c.want) || plan.Spec.Sandbox == nil {
			t.Errorf("got %q, want %q", plan.Spec.Env, c.want)
		}
	}
}

// TestRuntimeFolders: where a version manager put a runtime is shown; a folder that holds more than a runtime is not, nor
// is one of the system or of the bundle.
func TestRuntimeFolders(t *testing.T) {
	t.Parallel()
	home, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{
		".nvm/versions/node/v20/bin/node", ".nvm/versions/node/v20/include/node/node.h", "venv[1]/pyvenv.cfg", "bin/tool", "lib/node_modules/x",
		".local/bin/tool", ".local/lib/python3.12/os.py", "bundle/venv/pyvenv.cfg", "bundle/venv/bin/python", "py/lib/python3.12/os.py", "py/bin/python3",
	} {
		write(t, filepath.Join(home, file), "")
	}
	if err := os.MkdirAll(filepath.Join(home, "venv[1]/bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../../py/bin/python3", filepath.Join(home, "venv[1]/bin/python")); err != nil {
		t.Fatal(err)
	}
	m := machine(t, nil)
	m.User.Home = home
	for program, want := range map[string][]string{
		".nvm/versions/node/v20/bin/node": {".nvm/versions/node/v20"},
		"venv[1]/bin/python":              {"venv[1]", "py"},
		"bin/tool":                        nil, // its prefix is the home
		".local/bin/tool":                 nil, // holds far more
		"bundle/venv/bin/python":          nil,
	} {
		got := runtimeFolders([]string{filepath.Join(home, program)}, filepath.Join(home, "bundle"), m)
		for n := range want {
			want[n] = filepath.Join(home, want[n])
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", program, got, want)
		}
	}
	if got := runtimeFolders([]string{"/usr/bin/env"}, "/bundle", m); got != nil {
		t.Errorf("the system's: %q", got)
	}
}
