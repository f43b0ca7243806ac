package grant

import (
	"strings"
	"testing"

	"satchel/internal/spec"
)

func TestRisks(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		grant, answered string
		level           spec.Level // the worst
		says            string
	}{
		{"", "", None, ""},
		{"read:~/notes", "", None, ""},
		{"write:~/notes", "", spec.Medium, "changes and deletes what is in /home/ada/notes"},
		{"read:~", "", spec.High, "your whole home"},
		{"write:~", "", Refused, "has secrets in it"},
		{"read:/home", "", Refused, "homes of all users"},
		{"read:/", "", Refused, "the whole machine"},
		{"read:/proc/1", "", Refused, "made by the system"},
		{"read:/dev", "", Refused, "made by the system"},
		{"read:/run/user/1000", "", Refused, "made by the system"},
		{"read:~/.ssh", "", Refused, "no extension gets it"},
		{"read:~/.ssh/id_rsa", "", Refused, "no extension gets it"},
		{"read:~/.config/Claude/claude_desktop_config.json", "", Refused, "no extension gets it"},
		{"read:~/.local/share/satchel/data/local/other", "", Refused, "no extension gets it"},
		{"read:/etc/shadow", "", Refused, "no extension gets it"},
		{"read:~/.config", "", spec.High, "programs keep secrets"},
		{"read:~/.cache", "", spec.High, ""},
		{"write:/tmp", "", spec.High, "of every program"},
		{"write:/tmp/mine", "", spec.Medium, ""},
		{"read:/etc", "", spec.High, "programs keep secrets"},
		{"write:/etc/cron.d", "", Refused, "programs start"},
		{"read:~/.bashrc", "", None, ""},
		{"write:~/.bashrc", "", Refused, "programs start"},
		{"write:~/.local/bin", "", Refused, "programs start"},
		{"write:~/.config/autostart", "", Refused, "programs start"},
		{"write:~/.config/systemd/user", "", Refused, "programs start"},
		{"write:/var/spool/cron/crontabs", "", Refused, "programs start"},
		{"write:~/proj/.git/hooks", "", Refused, "git starts"},
		{"write:~/proj/.GIT/Config", "", Refused, "git starts"},
		{"write:~/proj/.git", "", spec.Medium, ""},
		{"write:~/proj/.vscode/x", "", Refused, "tools start"},
		{"read:~/proj/.vscode", "", None, ""},
		{"read:/srv/docker.sock", "", spec.High, "any program"},
		{"read:~/.docker/run/docker.sock", "", Refused, "no extension gets it"},
		// Exfiltration: a folder and a host that the person did not name.
		{"net:x.example", "", None, ""},
		{"read:~/notes net:x.example", "", spec.High, "can send it what is in /home/ada/notes"},
		{"read:~/notes net:x.example", "net:x.example", spec.Medium, "which you named"},
		{"read:~/notes net:x.example:80", "net:x.example", spec.High, "can send it"},
		{"read:/usr/share/dict net:x.example", "", None, ""},
		{"clipboard net:x.example", "", Refused, "your clipboard"},
		{"read:/a read:/b read:/c read:/d net:x.example", "", spec.High, "/a, /b and 2 more"},
		{"net:any", "", spec.High, "every host"},
		{"read:/a net:any", "net:any", spec.High, "every host of the internet and can send"},
		{"net:tcp:x.example:22", "", spec.Medium, "any protocol"},
		{"net:10.0.0.1", "", spec.Medium, "your own network"},
		{"net:169.254.169.254:80", "net:169.254.169.254:80", spec.High, "credentials"},
		{"net:metadata.google.internal:80", "", spec.High, "credentials"},
		{"port:5432", "", spec.Medium, "port 5432"},
		{"port:2375", "", spec.High, "any program"},
		{"port:9229", "", spec.High, "debugger"},
		{"run:git", "", spec.Medium, "runs git"},
		{"run:any", "", spec.High, "any program"},
		{"socket:/run/postgresql/.s.PGSQL.5432", "", spec.Medium, "speaks to"},
		{"socket:/run/docker.sock", "", spec.High, "any program"},
		{"socket:/run/user/1000/podman/podman.sock", "", spec.High, "any program"},
		{"socket:/run/user/1000/bus", "", spec.High, "acts as you"},
		{"socket:/run/dbus/system_bus_socket", "", spec.High, "acts as you"},
		{"socket:/tmp/ssh-XXabc/agent.42", "", spec.High, "your keys"},
		{"socket:/run/user/1000/gnupg/S.gpg-agent", "", spec.High, "your keys"},
		{"socket:/run/user/1000/keyring/ssh", "", spec.High, "your keys"},
		{"socket:/run/user/1000/wayland-0", "", spec.High, "on your screen"},
		{"socket:/tmp/.X11-unix/X0", "", spec.High, "on your screen"},
		{"socket:/tmp/tmux-1000/default", "", spec.High, "acts as you"},
		{"socket:~/.gnupg/S.gpg-agent", "", Refused, "no extension gets it"},
		{"socket:/proc/1/root/run/x", "", Refused, "system's own"},
		{"socket:/dev/log", "", Refused, "system's own"},
		{"dbus", "", Refused, "opens this door"},
		{"display", "", Refused, "opens this door"},
		{"clipboard", "", Refused, "opens this door"},
		{"sampling", "", spec.Medium, "model"},
		{"elicitation", "", spec.Medium, "questions"},
		{"roots", "", spec.Medium, "folders are open"},
		{"env:LANG", "", None, ""},
		{"env:GITHUB_TOKEN", "", spec.High, "is a secret"},
		{"env:AWS_SECRET_ACCESS_KEY", "", spec.High, "is a secret"},
		{"env:DATABASE_URL", "", spec.High, "is a secret"},
		{"env:SSH_AUTH_SOCK", "", spec.High, "is a secret"},
		{"secret:k", "", None, ""},
		{"memory:512M processes:64 temp:64M", "", None, ""},
		{"processes:1000", "", spec.Medium, "more than is usual"},
		{"temp:1G", "", spec.Medium, "more than is usual"},
	} {
		risks := Risks(of(t, strings.Fields(c.grant)...), of(t, strings.Fields(c.answered)...), linux())
		worst, all := None, ""
		for n, r := range risks {
			if n > 0 && rank(risks[n-1].Level) < rank(r.Level) {
				t.Errorf("%s: the worst does not come first: %+v", c.grant, risks)
			}
			all += r.Text + "\n"
		}
		if len(risks) > 0 {
			worst = risks[0].Level
		}
		if worst != c.level || !strings.Contains(all, c.says) {
			t.Errorf("%s: %s %q, want %s %q", c.grant, worst, all, c.level, c.says)
		}
	}
}

func TestRisksAreNotRepeated(t *testing.T) {
	t.Parallel()
	if risks := Risks(Grant{Files: []File{{Path: "/a", Write: true}, {Path: "/a"}, {Path: "/a", Write: true}}}, Grant{}, linux()); len(risks) != 1 {
		t.Errorf("%+v", risks)
	}
}

// Systems that take names for the same do so here as well.
func TestRisksInOtherLetters(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		m    Machine
		word string
	}{
		{darwin(), "read:/Users/ada/.SSH"},
		{darwin(), "read:/USERS/Ada/.ſſh/id_rsa"},       // the long s
		{darwin(), "read:/Users/ada/library/KEYCHAINS"}, // the Kelvin sign would do too
		{darwin(), "read:/Users/ada/Library/\u212aeychains"},
		{darwin(), "write:/Users/ada/library/launchagents"},
		{darwin(), "write:/users/ada"},
		{darwin(), "write:/Users/ada/p/.GIT/HOOKS"},
		{windows(), `read:C:\users\ADA\.Ssh`},
		{windows(), `read:c:/Users/ada/appdata/local/google/CHROME/user data`},
		{windows(), `write:C:\Users\ada\AppData\Roaming\microsoft\windows\start menu\programs\startup`},
		{windows(), `write:C:\windows\system32`},
		{windows(), `read:C:\`},
		{windows(), `read:C:\Users`},
		{windows(), `write:C:\Users\ada\proj\.vscode`},
	} {
		risks := Risks(Of(item(t, c.word, c.m)), Grant{}, c.m)
		if len(risks) == 0 || risks[0].Level != Refused {
			t.Errorf("%s: %+v", c.word, risks)
		}
	}
	if risks := Risks(Of(item(t, "read:/home/ada/.SSH", linux())), Grant{}, linux()); len(risks) != 0 {
		t.Errorf("on Linux it is another name: %+v", risks)
	}
	home := darwin()
	home.User.Home = "/Users/Andr\u00e9" // one letter
	if risks := Risks(Of(item(t, "read:/Users/Andre\u0301/.ssh", home)), Grant{}, home); len(risks) == 0 || risks[0].Level != Refused {
		t.Errorf("two letters for one: %+v", risks)
	}
}
