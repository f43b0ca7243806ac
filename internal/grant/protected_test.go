package grant

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"satchel/internal/spec"
)

// The lists are read by people: a change of one is seen here as the places that a machine would get.
func TestProtectedPlaces(t *testing.T) {
	t.Parallel()
	for _, m := range []Machine{linux(), darwin(), windows()} {
		var b strings.Builder
		for _, p := range Protected(m) {
			kind := "starts"
			if p.Secret {
				kind = "secret"
			}
			fmt.Fprintf(&b, "%s %s\n", kind, p.Path)
		}
		file := filepath.Join("testdata", "protected_"+m.OS)
		if *update {
			if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil || string(want) != b.String() {
			t.Errorf("%s is different (%v): go test ./internal/grant -update, and look at the difference", file, err)
		}
	}
}

var update = flag.Bool("update", false, "write the golden files anew")

func protects(list []spec.Protected, path string) string {
	i := slices.IndexFunc(list, func(p spec.Protected) bool { return p.Path == path })
	switch {
	case i < 0:
		return ""
	case list[i].Secret:
		return "secret"
	}
	return "starts"
}

// What every list must have, on each system where it exists.
func TestProtectedAtLeast(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		m               Machine
		secrets, starts string
	}{
		{linux(), `.ssh;.gnupg;.aws;.azure;.config/gcloud;.kube;.docker/config.json;.netrc;.npmrc;.pypirc;.git-credentials;.password-store;.mozilla
			.config/google-chrome;.local/share/keyrings;.local/share/satchel;.config/satchel;.config/Claude;.claude.json;.claude;.cursor;.config/Code;.copilot
			.codeium;.gemini;.config/zed;.codex;.config/goose;.lmstudio/mcp.json;.cache/lm-studio/mcp.json;.continue;.config/amp;.config/opencode;.kiro;.warp
			.config/crush;.config/Trae;.qoder;.factory;.kimi;.vibe;.vscode-server`,
			".bashrc;.profile;.zshrc;.zshenv;.config/fish;.config/autostart;.config/systemd;.local/share/systemd;.config/environment.d;.local/bin;bin;.cargo/bin;go/bin;.gitconfig;.config/git;.local/share/applications;.vimrc"},
		{darwin(), ".ssh;.aws;Library/Keychains;Library/Safari;Library/Cookies;Library/Application Support/Google/Chrome;Library/Application Support/Firefox;Library/Application Support/Claude;Library/Application Support/Code;Library/Application Support/Satchel;Library/Application Support/Trae;.config/goose;.claude.json",
			".zshrc;.zprofile;.bash_profile;Library/LaunchAgents;Library/Services;Library/Preferences;.local/bin;.config/fish"},
		{windows(), `.ssh;.aws;.kube;AppData/Roaming/Microsoft/Credentials;AppData/Local/Microsoft/Credentials;AppData/Roaming/Microsoft/Protect;AppData/Local/Google/Chrome;AppData/Roaming/Mozilla
			AppData/Roaming/Claude;AppData/Local/Packages;AppData/Roaming/Code;AppData/Roaming/Zed;AppData/Roaming/Block;AppData/Roaming/amp;AppData/Local/crush;AppData/Roaming/Qoder;AppData/Local/Satchel
			.config/zed;.config/opencode;.cursor;.claude.json`,
			"AppData/Roaming/Microsoft/Windows/Start Menu;Documents/PowerShell;Documents/WindowsPowerShell;AppData/Local/Microsoft/WindowsApps;.gitconfig;AppData/Local/Programs"},
	} {
		got := Protected(c.m)
		for kind, list := range map[string]string{"secret": c.secrets, "starts": c.starts} {
			for _, name := range strings.FieldsFunc(list, func(r rune) bool { return r == ';' || r == '\n' }) {
				path := c.m.join(c.m.User.Home, strings.TrimSpace(name))
				if have := protects(got, path); have != kind {
					t.Errorf("%s: %s is %q, want %s", c.m.OS, path, have, kind)
				}
			}
		}
	}
	for _, p := range []string{"/etc", "/usr", "/var/spool/cron", "/boot"} {
		if protects(Protected(linux()), p) != "starts" {
			t.Errorf("%s is not held", p)
		}
	}
}

// Places that variables move are protected where they are, and where they would be without.
func TestProtectedWhereTheyWereMoved(t *testing.T) {
	t.Parallel()
	m := linux()
	env := map[string]string{
		"XDG_CONFIG_HOME": "/cfg", "XDG_DATA_HOME": "relative", "KUBECONFIG": "/k/one:/k/two", "CODEX_HOME": "/codex", "AWS_CONFIG_FILE": "bad\x00path",
		"PATH": "/usr/bin:.::/home/ada/tools:/home/ada",
	}
	m.Getenv = func(key string) string { return env[key] }
	got := Protected(m)
	for path, want := range map[string]string{
		"/cfg/gh": "secret", "/cfg/autostart": "starts", "/home/ada/.config/gh": "secret", "/k/one": "secret", "/k/two": "secret", "/codex": "secret",
		"/home/ada/tools": "starts", "/usr/bin": "starts", "/home/ada": "", "/": "",
	} {
		if have := protects(got, path); have != want {
			t.Errorf("%s is %q, want %q", path, have, want)
		}
	}
	root := linux()
	root.User.Home = "/root"
	if have := protects(Protected(root), "/root"); have != "" {
		t.Errorf("root's own home is %s", have)
	}
	for _, m := range []Machine{{OS: "linux"}, {OS: "windows"}, {OS: "darwin"}} { // a machine that says nothing of its user
		for _, p := range Protected(m) {
			if clean, err := m.clean(p.Path); err != nil || clean != p.Path {
				t.Errorf("%s: %q is no clean path", m.OS, p.Path)
			}
		}
	}
}
