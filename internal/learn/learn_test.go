package learn

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"satchel/internal/grant"
	"satchel/internal/paths"
	"satchel/internal/sandbox"
)

func ada() grant.Machine {
	return grant.Machine{OS: "linux", Dir: "/", Own: []string{"/home/ada/.local/share/satchel"}, User: paths.User{
		Home: "/home/ada", Desktop: "/home/ada/Desktop", Documents: "/home/ada/Documents", Downloads: "/home/ada/Downloads", Temp: "/tmp",
	}}
}

// event reads "read PATH", "write PATH in FOLDER", "list FOLDER", "run PATH", "secret PATH", "lost 3", with ~ for the home.
func event(text string) sandbox.Event {
	words := strings.Fields(strings.ReplaceAll(text, "~", "/home/ada"))
	e := sandbox.Event{Kind: sandbox.EventKind(words[0]), Count: 1}
	if e.Kind == sandbox.LostEvent {
		fmt.Sscan(words[1], &e.Count)
		return e
	}
	e.Path, e.Real, e.Needs = words[1], words[1], words[1]
	switch words[0] {
	case "secret":
		e.Kind, e.Needs = sandbox.ReadEvent, ""
	case "list":
		e.Kind, e.Folder = sandbox.ReadEvent, true
	case "run":
		e.Needs = ""
	}
	if len(words) > 3 && words[2] == "in" {
		e.Needs, e.Folder = words[3], true
	}
	if words[len(words)-1] == "allowed" {
		e.Allowed = true
	}
	if words[len(words)-1] == "nowhere" {
		e.Real = ""
	}
	return e
}

func propose(q Question, events ...sandbox.Event) Proposal {
	l := New(q)
	for _, e := range events {
		l.Add(e)
	}
	return l.Propose()
}

func TestPropose(t *testing.T) {
	for _, c := range []struct {
		events  string // separated by ;
		granted string
		named   string
		want    string // the words of the items
		never   string // the paths
	}{
		{events: "", want: ""},
		{events: "read ~/notes/a", want: "read:~/notes/a"},
		{events: "read ~/notes/a; read ~/notes/a; read ~/notes/b", want: "read:~/notes/a read:~/notes/b"},
		{events: "read ~/notes/a; read ~/notes/b; read ~/notes/c", want: "read:~/notes"},
		{events: "list ~/notes; read ~/notes/a", want: "read:~/notes"},
		{events: "list ~/notes; read ~/notes/deep/er/a", want: "read:~/notes"},
		{events: "write ~/notes/new in ~/notes; read ~/notes/a", want: "write:~/notes"},
		{events: "write ~/notes/a; read ~/notes/a; read ~/notes/b", want: "write:~/notes/a read:~/notes/b"},
		{events: "write ~/notes/a; write ~/notes/b; write ~/notes/c", want: "write:~/notes"},
		{events: "read ~/notes/a; read ~/notes/b; read ~/notes/c; write ~/notes/a", want: "read:~/notes write:~/notes/a"},
		// Allowed, and what the machine has nothing of, need no grant.
		{events: "read ~/notes/a allowed; read ~/b nowhere; run /usr/local/bin/git nowhere", want: ""},
		{events: "read ~/notes/a; read ~/other/b", granted: "read:/home/ada/notes", want: "read:~/other/b"},
		{events: "read ~/notes/a; write ~/notes/b in ~/notes", granted: "read:/home/ada/notes", want: "write:~/notes"},
		// Folders fold where they are far down, or where the person named one.
		{events: "list ~/src/p/a; list ~/src/p/b; list ~/src/p/c", want: "read:~/src/p"},
		{events: "list ~/src/a; list ~/src/b; list ~/src/c", want: "read:~/src/a read:~/src/b read:~/src/c"},
		{events: "list ~/src/a; list ~/src/b; list ~/src/c", named: "/home/ada/src", want: "read:~/src"},
		{events: "list /srv/a; list /srv/b; list /srv/c", want: "read:/srv/a read:/srv/b read:/srv/c"},
		// Never wider than what the person named.
		{events: "read ~/src/p/a; read ~/src/p/b; read ~/src/p/c", named: "/home/ada/src/p/a", want: "read:~/src/p/a read:~/src/p/b read:~/src/p/c"},
		{events: "list ~/x/named/a; list ~/x/named/b; list ~/x/named/c; list ~/x/y; list ~/x/z", named: "/home/ada/x/named", want: "read:~/x/named read:~/x/y read:~/x/z"},
		// Never a home, nor a big folder because of some files in it.
		{events: "list ~; read ~/a", want: "read:~/a", never: "~"},
		{events: "read ~/a; read ~/b; read ~/c; read ~/d", want: "read:~/a read:~/b read:~/c read:~/d"},
		{events: "read ~/Documents/a; read ~/Documents/b; read ~/Documents/c", want: "read:~/Documents/a read:~/Documents/b read:~/Documents/c"},
		{events: "list ~/Documents; read ~/Documents/a", want: "read:~/Documents"},
		{events: "write ~/new in ~", want: "", never: "~"},
		{events: "read ~/.config/a; read ~/.config/b; read ~/.config/c", want: "read:~/.config/a read:~/.config/b read:~/.config/c"},
		{events: "read /tmp/a; read /tmp/b; read /tmp/c", want: "read:/tmp/a read:/tmp/b read:/tmp/c"},
		{events: "list /; list /home; list /proc/1", want: "", never: "/ /home /proc/1"},
		// Protected places are listed, not proposed.
		{events: "secret ~/.ssh/id_rsa; read ~/.ssh/config; write ~/.bashrc; read ~/a", want: "read:~/a", never: "~/.ssh/id_rsa ~/.bashrc ~/.ssh/config"},
		{events: "read /etc/shadow", want: "", never: "/etc/shadow"},
		{events: "write ~/p/.git/hooks/x in ~/p/.git/hooks", want: "", never: "~/p/.git/hooks"},
		// Programs go by name where PATH has them.
		{events: "run /usr/bin/git; run /bin/git; run ~/tools/x; run /usr/local/bin/jq nowhere", want: "run:/home/ada/tools/x run:git"},
		{events: "run /usr/bin/git", granted: "run:git", want: ""},
		{events: "run /usr/bin/git", granted: "run:any", want: ""},
	} {
		var events []sandbox.Event
		for _, text := range strings.Split(c.events, ";") {
			if strings.TrimSpace(text) != "" {
				events = append(events, event(text))
			}
		}
		items, err := grant.ParseAll(strings.Fields(c.granted), ada())
		if err != nil {
			t.Fatal(err)
		}
		p := propose(Question{Granted: grant.Of(items...), Named: strings.Fields(c.named), Machine: ada()}, events...)
		var words, never []string
		for _, s := range p.Items {
			words = append(words, s.Item.String())
			if s.Why == "" {
				t.Errorf("%s: no reason for %s", c.events, s.Item)
			}
		}
		for _, r := range p.Never {
			never = append(never, r.Path)
			if r.Why == "" {
				t.Errorf("%s: no reason against %s", c.events, r.Path)
			}
		}
		if got, want := strings.Join(words, " "), strings.ReplaceAll(c.want, "~", "/home/ada"); got != want {
			t.Errorf("%s (named %q)\n got %s\nwant %s", c.events, c.named, got, want)
		}
		if got, want := strings.Join(never, " "), strings.ReplaceAll(c.never, "~", "/home/ada"); got != want {
			t.Errorf("%s: never\n got %s\nwant %s", c.events, got, want)
		}
	}
}

// TestAProposalSuffices: whatever was done is covered by what is proposed, or listed as never granted.
func TestAProposalSuffices(t *testing.T) {
	var events []sandbox.Event
	for i := range 40 {
		for j := range i % 5 {
			events = append(events, event(fmt.Sprintf("read ~/d%d/e%d/f%d", i%7, i%3, j)), event(fmt.Sprintf("write ~/d%d/w%d", i%4, j)), event(fmt.Sprintf("list ~/d%d/l%d", i%9, i)))
		}
	}
	p := propose(Question{Machine: ada()}, events...)
	g := grant.Grant{}
	for _, s := range p.Items {
		g = g.With(s.Item)
	}
	for _, e := range events {
		i, err := grant.Parse(string(e.Kind)+":"+e.Needs, ada())
		if err != nil || !g.Covers(i) {
			t.Errorf("%s is not covered by %v", i, g.Words())
		}
	}
	if len(p.Never) > 0 || len(p.Items) >= len(events)/2 {
		t.Errorf("%d items, %v", len(p.Items), p.Never)
	}
}

func TestWhatIsSaid(t *testing.T) {
	p := propose(Question{Machine: ada()},
		event("read ~/n/a"), event("read ~/n/b"), event("read ~/n/c"), event("read ~/x"), event("write ~/o/new in ~/o"), event("lost 3"), event("lost 4"), event("run /usr/bin/git"),
	)
	var got []string
	for _, s := range p.Items {
		got = append(got, fmt.Sprintf("%s: %s (%s)", s.Item, s.Why, s.Level))
	}
	want := []string{
		"read:/home/ada/n: reads 3 places in it, such as /home/ada/n/a ()", "read:/home/ada/x: reads it ()",
		"write:/home/ada/o: writes /home/ada/o/new (medium)", "run:git: runs /usr/bin/git (medium)",
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) || p.Lost != 7 {
		t.Errorf("%d lost, got\n%s", p.Lost, strings.Join(got, "\n"))
	}
}

// TestHostileNames are a server's to choose: they stay names.
func TestHostileNames(t *testing.T) {
	var events []sandbox.Event
	for i := range 5000 {
		name := fmt.Sprintf("/srv/x/\n%d --grant run:any \x1b[31m", i)
		events = append(events, sandbox.Event{Kind: sandbox.ReadEvent, Path: name, Real: name, Needs: name}, sandbox.Event{Kind: sandbox.WriteEvent, Path: name, Real: name})
	}
	p := propose(Question{Machine: ada()}, events...)
	if len(p.Never) > mostNever || len(p.Items) != 1 || p.Items[0].Item.String() != "read:/srv/x" || p.Lost != 4000 {
		t.Errorf("%d never, %d lost, items %.3v", len(p.Never), p.Lost, p.Items)
	}
	for i := range events {
		events[i].Needs = fmt.Sprintf("/srv/%d/x", i)
	}
	if p := propose(Question{Machine: ada()}, events...); len(p.Items) > 2*mostWants {
		t.Errorf("%d items", len(p.Items))
	}
}

// TestReach: whom it tried to reach is proposed, unless it may already, or nobody may.
func TestReach(t *testing.T) {
	t.Parallel()
	m := grant.Machine{OS: "linux"}
	may, err := grant.Parse("net:may.example", m)
	if err != nil {
		t.Fatal(err)
	}
	l := New(Question{Granted: grant.Of(may), Machine: m})
	for _, word := range []string{"net:a.example", "net:a.example", "net:may.example", "port:5432"} {
		l.Reach(word, strings.TrimPrefix(word, "net:"))
	}
	l.Reach("", "999.1.1.1:1")
	var words []string
	p := l.Propose()
	for _, s := range p.Items {
		words = append(words, s.Item.String())
	}
	if got := strings.Join(words, " "); got != "net:a.example port:5432" || len(p.Never) != 1 || p.Never[0].Path != "999.1.1.1:1" {
		t.Errorf("proposed %q, never %+v", got, p.Never)
	}
}
