package grant

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"satchel/internal/paths"
	"satchel/internal/problem"
)

func linux() Machine {
	return Machine{OS: "linux", Dir: "/home/ada/work", Own: []string{"/home/ada/.local/share/satchel", "/home/ada/.config/satchel"},
		User: paths.User{Home: "/home/ada", Desktop: "/home/ada/Desktop", Documents: "/home/ada/Documents", Downloads: "/home/ada/Downloads", Temp: "/tmp"}}
}

func windows() Machine {
	return Machine{OS: "windows", Dir: `C:\Users\ada\work`, Own: []string{`C:\Users\ada\AppData\Local\Satchel`},
		User: paths.User{Home: `C:\Users\ada`, Desktop: `C:\Users\ada\Desktop`, Documents: `C:\Users\ada\Documents`, Downloads: `C:\Users\ada\Downloads`}}
}

func darwin() Machine {
	return Machine{OS: "darwin", Dir: "/Users/ada/work", Own: []string{"/Users/ada/Library/Application Support/Satchel"},
		User: paths.User{Home: "/Users/ada", Desktop: "/Users/ada/Desktop", Documents: "/Users/ada/Documents", Downloads: "/Users/ada/Downloads"}}
}

// item is Parse of a word that must be right.
func item(t testing.TB, word string, m Machine) Item {
	t.Helper()
	i, err := Parse(word, m)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// of is the grant of words.
func of(t testing.TB, words ...string) Grant {
	t.Helper()
	var items []Item
	for _, w := range words {
		items = append(items, item(t, w, linux()))
	}
	return Of(items...)
}

func TestParse(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		m          Machine
		word, want string
	}{
		{linux(), "read:/a", ""},
		{linux(), "read:/a/../b//c/.", "read:/b/c"},
		{linux(), "read:~", "read:/home/ada"},
		{linux(), "write:~/x", "write:/home/ada/x"},
		{linux(), "read:x/../y", "read:/home/ada/work/y"},
		{linux(), "read:/a:b", ""},
		{linux(), "read:/a b/ü", ""},
		{linux(), `read:/a\b`, ""},
		{windows(), `read:c:\a/b\..\c`, `read:C:\a\c`},
		{windows(), `read:C:\..\..\a`, `read:C:\a`},
		{windows(), "read:~/x", `read:C:\Users\ada\x`},
		{windows(), `read:sub\x`, `read:C:\Users\ada\work\sub\x`},
		{windows(), `run:C:\bin\git.exe`, ""},
		{linux(), "net:any", ""},
		{linux(), "net:API.Example.COM.", "net:api.example.com"},
		{linux(), "net:a.example:443", "net:a.example"},
		{linux(), "net:a.example:8443", ""},
		{linux(), "net:intranet", ""},
		{linux(), "net:tcp:db.example:5432", ""},
		{linux(), "net:tcp:db.example:443", ""},
		{linux(), "net:192.168.1.5:80", ""},
		{linux(), "net:[2001:DB8:0::1]", "net:[2001:db8::1]"},
		{linux(), "net:[2001:db8::1]:80", ""},
		{linux(), "net:[::ffff:10.0.0.1]:80", "net:10.0.0.1:80"},
		{linux(), "port:5432", ""},
		{linux(), "socket:/run/postgresql/.s.PGSQL.5432", ""},
		{linux(), "socket:~/x/../app.sock", "socket:/home/ada/app.sock"},
		{linux(), "run:git", ""},
		{linux(), "run:g++", ""},
		{linux(), "run:/usr/bin/git", ""},
		{linux(), "run:any", ""},
		{linux(), "env:LANG", ""},
		{linux(), "secret:api key", ""},
		{linux(), "clipboard", ""}, {linux(), "display", ""}, {linux(), "dbus", ""},
		{linux(), "sampling", ""}, {linux(), "elicitation", ""}, {linux(), "roots", ""},
		{linux(), "memory:512M", ""},
		{linux(), "memory:1024M", "memory:1G"},
		{linux(), "memory:33554433", ""},
		{linux(), "memory:any", ""},
		{linux(), "temp:1G", ""},
		{linux(), "processes:64", ""},
		{linux(), "open-files:1024", ""},
		{linux(), "cpu:90s", ""},
		{linux(), "cpu:120s", "cpu:2m"},
		{linux(), "cpu:60m", "cpu:1h"},
	} {
		i, err := Parse(c.word, c.m)
		want := c.want
		if want == "" {
			want = c.word
		}
		if err != nil || i.String() != want {
			t.Errorf("%s: %s, %v; want %s", c.word, i, err, want)
		}
		if words := Of(i).Words(); err == nil && c.word != "memory:any" && (len(words) != 1 || words[0] != want) {
			t.Errorf("%s: in a grant it is %q", c.word, words)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		m          Machine
		word, says string
	}{
		{linux(), "", "there are read, write"},
		{linux(), "raed:/a", "did you mean read?"},
		{linux(), "clipbord", "did you mean clipboard?"},
		{linux(), "contaned", "did you mean contained?"},
		{linux(), "/home/ada", "write read:/home/ada or write:"},
		{linux(), "read", "says only half"},
		{linux(), "read:", "says only half"},
		{linux(), "clipboard:x", "nothing can stand after"},
		{linux(), "dbus:", "nothing can stand after"},
		{linux(), "read:~bob/x", "another user"},
		{linux(), "read:/a\x00b", "control character"},
		{linux(), "read:/a\nb", "control character"},
		{linux(), "read:/a\x1b[31m", "control character"},
		{linux(), "read:/a\xff", "UTF-8"},
		{linux(), "read:/" + strings.Repeat("x", 5000), "longer than any path"},
		{Machine{OS: "linux"}, "read:relative", "no absolute path"},
		{windows(), `read:\\server\share`, "network"},
		{windows(), `read://server/share`, "network"},
		{windows(), `read:\\?\C:\a`, "network"},
		{windows(), `read:\\.\pipe\docker_engine`, "network"},
		{windows(), `read:\a`, "no absolute path"},
		{windows(), `read:C:a`, "no absolute path"},
		{windows(), `read:/a`, "no absolute path"},
		{windows(), `read:C:\a\.ssh.`, "another one"},
		{windows(), `read:C:\a\.ssh `, "another one"},
		{windows(), `read:C:\a\.ssh::$INDEX_ALLOCATION`, "another one"},
		{windows(), `read:C:\a\x:stream`, "another one"},
		{windows(), `read:C:\a\NUL`, "another one"},
		{windows(), `read:C:\a\com1.txt`, "another one"},
		{windows(), `read:C:\a\con .txt`, "another one"},
		{windows(), `read:C:\a\*`, "another one"},
		{linux(), "net:*.example.com", "net:any"},
		{linux(), "net:localhost:80", "port:N"},
		{linux(), "net:x.localhost", "port:N"},
		{linux(), "net:127.0.0.1", "port:N"},
		{linux(), "net:[::1]:80", "port:N"},
		{linux(), "net:[::ffff:127.0.0.1]", "port:N"},
		{linux(), "net:0.0.0.0", "no host's address"},
		{linux(), "net:255.255.255.255", "no host's address"},
		{linux(), "net:[ff02::1]", "no host's address"},
		{linux(), "net:[fe80::1%eth0]", "zone"},
		{linux(), "net:2001:db8::1", "brackets"},
		{linux(), "net:[example.com]", "brackets"},
		{linux(), "net:[::2", "brackets"},
		{linux(), "net:2130706433", "four numbers"},
		{linux(), "net:0x7f.1", "four numbers"},
		{linux(), "net:127.1", "four numbers"},
		{linux(), "net:0177.0.0.1", "four numbers"},
		{linux(), "net:bücher.example", "ASCII"},
		{linux(), "net:a..b", "no host's name"},
		{linux(), "net:-a", "no host's name"},
		{linux(), "net:a b", "no host's name"},
		{linux(), "net:https://a.example", "without what stands before"},
		{linux(), "net:user@a", "no host's name"},
		{linux(), "net:" + strings.Repeat("a.", 200) + "b", "so long"},
		{linux(), "net:a:", "1 to 65535"},
		{linux(), "net:a:0", "1 to 65535"},
		{linux(), "net:a:65536", "1 to 65535"},
		{linux(), "net:a:+80", "1 to 65535"},
		{linux(), "net:a:080", "1 to 65535"},
		{linux(), "net:tcp:a", "needs a port"},
		{linux(), "net:tcp", "no host"},
		{linux(), "net:any:80", "no host"},
		{linux(), "net:tcp:any:80", "no host"},
		{linux(), "port:0", "1 to 65535"},
		{linux(), "port:http", "1 to 65535"},
		{linux(), "run:git status", "no program's name"},
		{linux(), "run:-x", "no program's name"},
		{linux(), "run:..", "no program's name"},
		{linux(), "env:A=B", "no variable's name"},
		{linux(), "env:1A", "no variable's name"},
		{linux(), "env:*", "no variable's name"},
		{linux(), "secret:a\tb", "control character"},
		{linux(), "memory:1M", "less than 32M"},
		{linux(), "memory:-512M", "above zero"},
		{linux(), "memory:+512M", "above zero"},
		{linux(), "memory:M", "above zero"},
		{linux(), "memory:512", "less than"},
		{linux(), "memory:512MM", "unit"},
		{linux(), "memory:9999999T", "any machine"},
		{linux(), "memory:99999999999999999999", "above zero"},
		{linux(), "memory:5s", "unit"},
		{linux(), "processes:4", "less than 32"},
		{linux(), "processes:any", "above zero"},
		{linux(), "processes:64M", "unit"},
		{linux(), "cpu:90", "unit"},
		{linux(), "cpu:0s", "above zero"},
	} {
		_, err := Parse(c.word, c.m)
		p, ok := errors.AsType[*problem.Problem](err)
		if !ok || p.Code != problem.Usage || p.Hint == "" || !strings.Contains(p.Error()+" "+p.Hint, c.says) {
			t.Errorf("%.60q: %v (%+v), want %q", c.word, err, p, c.says)
		}
		if err != nil && len(err.Error()) > 1200 {
			t.Errorf("%.60q: the message has %d bytes", c.word, len(err.Error()))
		}
	}
}

func TestParseAllTakesSets(t *testing.T) {
	t.Parallel()
	items, err := ParseAll([]string{"documents-read", "contained", "run:git"}, linux())
	if err != nil || len(items) != 2 || items[0].String() != "read:/home/ada/Documents" || items[1].String() != "run:git" {
		t.Errorf("%v, %v", items, err)
	}
	many := make([]string, 10_000)
	for n := range many {
		many[n] = "read:/a"
	}
	if _, err := ParseAll(many, linux()); problem.CodeOf(err) != problem.Refused {
		t.Errorf("10,000 words: %v", err)
	}
	if _, err := ParseAll([]string{"documents-read"}, Machine{OS: "linux"}); err == nil {
		t.Error("a set of a folder that the machine does not have was taken")
	}
}

// The example of each form is right, each kind has one, and a display shows what JSON has.
func TestEveryKindHasAnExample(t *testing.T) {
	t.Parallel()
	for _, f := range forms() {
		i := item(t, f.example, linux())
		text, err := json.Marshal(i)
		if i.Kind() != f.kind || err != nil || string(text) != `"`+i.String()+`"` || Plain(i) == "" {
			t.Errorf("%s: %v, %s, %v, %q", f.example, i.Kind(), text, err, Plain(i))
		}
		if g := Of(i); !g.Covers(i) || g.IsZero() {
			t.Errorf("%s: its own grant does not cover it", f.example)
		}
	}
}

func FuzzWord(f *testing.F) {
	for _, form := range forms() {
		f.Add(form.example)
	}
	for _, w := range []string{"net:[2001:db8::1]:80", `read:C:\a`, "net:tcp:tcp:1", "memory:any", "cpu:3600s", "read:/a:b", "net:any.", "secret:"} {
		f.Add(w)
	}
	f.Fuzz(func(t *testing.T, word string) {
		for _, m := range []Machine{linux(), windows(), darwin()} {
			i, err := Parse(word, m)
			if err != nil {
				continue
			}
			again, err := Parse(i.String(), m)
			if err != nil || again != i {
				t.Fatalf("%q became %q, which became %q, %v", word, i, again, err)
			}
			g := Of(i)
			if !g.Covers(i) {
				t.Fatalf("%q: its own grant does not cover it", i)
			}
			items := g.Items()
			if len(items) > 1 || len(items) == 1 && items[0] != i || len(items) == 0 && i.value != anything {
				t.Fatalf("%q: its grant has %v", i, items)
			}
			if d := Diff(g, g); len(d.More)+len(d.Less) > 0 {
				t.Fatalf("%q differs from itself: %+v", i, d)
			}
		}
	})
}
