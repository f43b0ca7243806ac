package grant

import (
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"satchel/internal/problem"
)

// The JSON form is what records keep: a change of it would make them unreadable.
func TestJSONIsStable(t *testing.T) {
	t.Parallel()
	g := of(t, "read:/b", "write:/a", "read:/a", "net:any", "net:x.example", "net:tcp:y.example:22", "port:5432", "socket:/run/s", "run:git", "run:any", "env:LANG",
		"clipboard", "dbus", "display", "sampling", "elicitation", "roots", "memory:512M", "temp:1G", "processes:64", "open-files:100", "cpu:1m", "secret:k")
	g.Files[0].Inode = 7
	got, err := json.Marshal(g)
	want := `{"files":[{"path":"/a","write":true,"inode":7},{"path":"/b"}],` +
		`"net":{"any":true,"hosts":[{"name":"x.example","port":443},{"name":"y.example","port":22,"raw":true}],"ports":[5432],"sockets":["/run/s"]},` +
		`"programs":{"any":true,"names":["git"]},"env":["LANG"],"desktop":{"clipboard":true,"display":true,"dbus":true},` +
		`"client":{"sampling":true,"elicitation":true,"roots":true},` +
		`"limits":{"memory":536870912,"temp":1073741824,"processes":64,"open_files":100,"cpu_seconds":60},"secrets":["k"]}`
	if err != nil || string(got) != want {
		t.Errorf("got  %s\nwant %s, %v", got, want, err)
	}
	var back Grant
	if err := json.Unmarshal(got, &back); err != nil || !reflect.DeepEqual(back, g) {
		t.Errorf("back: %+v, %v", back, err)
	}
	if text, _ := json.Marshal(Grant{}); string(text) != "{}" {
		t.Errorf("nothing is %s", text)
	}
}

func TestCanonicalOrder(t *testing.T) {
	t.Parallel()
	words := []string{"read:/a", "write:/b", "net:any", "net:a.example:80", "net:a.example", "net:tcp:b.example:22", "port:80", "port:5432", "socket:/a", "socket:/b", "run:any", "run:git",
		"env:A", "clipboard", "roots", "memory:1G", "processes:64", "secret:a", "secret:b"}
	mixed := slices.Clone(words)
	rand.Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
	mixed = append(mixed, mixed...)                      // twice
	mixed = append(mixed, "read:/b", "net:b.example:22") // covered by what is there
	g := of(t, mixed...)
	if got := g.Words(); !slices.Equal(got, words) {
		t.Errorf("got %q", got)
	}
	if !g.Equal(of(t, words...)) || g.Equal(of(t, words[1:]...)) || g.IsZero() || !(Grant{}).IsZero() {
		t.Error("Equal or IsZero")
	}
	g.Files[0].Inode = 9
	if !g.Equal(of(t, words...)) {
		t.Error("which file it was counts for Equal")
	}
}

// What is appended to a grant does not reach into the one that it was made of.
func TestWithLeavesTheGrantAlone(t *testing.T) {
	t.Parallel()
	g := of(t, "read:/b", "env:B")
	g.Files = slices.Grow(g.Files, 10)
	before := g.Words()
	_ = g.With(item(t, "read:/a", linux()), item(t, "env:A", linux()), item(t, "write:/b", linux()))
	if got := g.Words(); !slices.Equal(got, before) {
		t.Errorf("%q became %q", before, got)
	}
}

func TestDiff(t *testing.T) {
	t.Parallel()
	words := func(s string) Grant { return of(t, strings.Fields(s)...) }
	for _, c := range []struct{ old, new, more, less, same string }{
		{"", "", "", "", ""},
		{"read:/a", "read:/a", "", "", "read:/a"},
		{"", "read:/a", "read:/a", "", ""},
		{"read:/a", "", "", "read:/a", ""},
		{"read:/a", "read:/a/b", "", "read:/a", "read:/a/b"},
		{"read:/a/b", "read:/a", "read:/a", "", ""},
		{"read:/a", "read:/ab", "read:/ab", "read:/a", ""},
		{"read:/a", "write:/a", "write:/a", "", ""},
		{"write:/a", "read:/a/b", "", "write:/a", "read:/a/b"},
		{"net:any", "net:x.example", "", "net:any", "net:x.example"},
		{"net:x.example", "net:any", "net:any", "", ""},
		{"net:any", "net:tcp:x.example:22", "net:tcp:x.example:22", "net:any", ""},
		{"net:any", "net:10.0.0.1", "net:10.0.0.1", "net:any", ""},
		{"net:any", "net:[fe80::1]:80", "net:[fe80::1]:80", "net:any", ""},
		{"net:any", "net:100.64.0.1", "net:100.64.0.1", "net:any", ""},
		{"net:any", "net:8.8.8.8", "", "net:any", "net:8.8.8.8"},
		{"net:any", "port:80", "port:80", "net:any", ""},
		{"net:x.example", "net:x.example:80", "net:x.example:80", "net:x.example", ""},
		{"net:tcp:x.example:22", "net:x.example:22", "", "net:tcp:x.example:22", "net:x.example:22"},
		{"net:x.example:22", "net:tcp:x.example:22", "net:tcp:x.example:22", "", ""},
		{"run:any", "run:git", "", "run:any", "run:git"},
		{"run:git", "run:any", "run:any", "", ""},
		{"run:git", "run:/usr/bin/git", "run:/usr/bin/git", "run:git", ""},
		{"clipboard env:A", "env:A secret:s", "secret:s", "clipboard", "env:A"},
		{"memory:512M", "memory:1G", "memory:1G", "", ""},
		{"memory:1G", "memory:512M", "", "memory:1G", "memory:512M"},
		{"memory:1G", "", "memory:any", "", ""},
		{"", "memory:1G", "", "memory:any", "memory:1G"},
		{"", "processes:1000", "processes:1000", "", ""},
		{"", "processes:256", "", "", "processes:256"},
		{"processes:64", "", "processes:256", "", ""},
		{"cpu:1h", "cpu:60m", "", "", "cpu:1h"},
	} {
		d := Diff(words(c.old), words(c.new))
		for name, x := range map[string]struct {
			got  []Item
			want string
		}{"more": {d.More, c.more}, "less": {d.Less, c.less}, "same": {d.Same, c.same}} {
			var got []string
			for _, i := range x.got {
				got = append(got, i.String())
			}
			if strings.Join(got, " ") != x.want {
				t.Errorf("%q to %q: %s is %q, want %q", c.old, c.new, name, got, x.want)
			}
		}
	}
}

// someItems are those of a small world, so that they meet.
func someItems(t testing.TB) (items []Item) {
	for _, w := range strings.Fields(`read:/a read:/a/b write:/a write:/a/b write:/a/b/c read:/ab net:any net:x.example net:x.example:80 net:tcp:x.example:80
		net:10.0.0.1 port:80 run:any run:git run:/usr/bin/git env:A clipboard dbus sampling secret:s memory:512M memory:1G memory:any processes:64
		processes:256 processes:1000 temp:1G temp:8M cpu:1m open-files:64`) {
		items = append(items, item(t, w, linux()))
	}
	return items
}

func anyGrant(items []Item, r *rand.Rand) Grant {
	var some []Item
	for range r.IntN(8) {
		some = append(some, items[r.IntN(len(items))])
	}
	return Of(some...)
}

func TestDiffProperties(t *testing.T) {
	t.Parallel()
	items, r := someItems(t), rand.New(rand.NewPCG(1, 2))
	for range 5_000 {
		old, new := anyGrant(items, r), anyGrant(items, r)
		if d := Diff(old, old); len(d.More)+len(d.Less) > 0 {
			t.Fatalf("%q differs from itself: %+v", old.Words(), d)
		}
		d := Diff(old, new)
		for _, i := range d.More {
			if old.Covers(i) {
				t.Fatalf("%q to %q: more has %s, which the old covers", old.Words(), new.Words(), i)
			}
			if !new.Covers(i) {
				t.Fatalf("%q to %q: more has %s, which is not new", old.Words(), new.Words(), i)
			}
		}
		for _, i := range d.Less {
			if new.Covers(i) {
				t.Fatalf("%q to %q: less has %s, which the new one covers", old.Words(), new.Words(), i)
			}
		}
		// Nothing of the new one is lost, and agreeing to it all gives it.
		if rest := Diff(old.With(d.More...), new).More; len(rest) > 0 {
			t.Fatalf("%q to %q: after agreeing, %v is more", old.Words(), new.Words(), rest)
		}
		held := Hold(old, new)
		if more := Diff(old, held).More; len(more) > 0 {
			t.Fatalf("%q to %q: until it is agreed to, %v of %q is more", old.Words(), new.Words(), more, held.Words())
		}
		if more := Diff(new, held).More; len(more) > 0 {
			t.Fatalf("%q to %q: %v of %q was not asked for", old.Words(), new.Words(), more, held.Words())
		}
	}
}

func TestWithout(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ have, take, left, rule string }{
		{"read:/a run:git", "read:/a", "run:git", ""},
		{"write:/a", "read:/a", "", ""},
		{"write:/a", "write:/a", "read:/a", ""},
		{"read:/a", "write:/a", "", "grant/not-granted"},
		{"read:/a", "read:/a/b", "", "grant/covered"},
		{"read:/a read:/a/b", "read:/a/b", "", "grant/covered"},
		{"read:/a read:/a/b", "read:/a", "read:/a/b", ""},
		{"net:any net:x.example", "net:x.example", "", "grant/covered"},
		{"net:any net:x.example", "net:any", "net:x.example", ""},
		{"run:any", "run:git", "", "grant/covered"},
		{"clipboard", "clipboard", "", ""},
		{"clipboard", "display", "", "grant/not-granted"},
		{"memory:1G", "memory:1G", "", "grant/limit"},
		{"secret:a", "secret:a", "", ""},
	} {
		have := of(t, strings.Fields(c.have)...)
		left, err := have.Without(item(t, c.take, linux()))
		if c.rule != "" {
			if p, _ := err.(*problem.Problem); p == nil || p.Rule != c.rule || !left.Equal(have) {
				t.Errorf("%s without %s: %q, %v", c.have, c.take, left.Words(), err)
			}
			continue
		}
		if got := strings.Join(left.Words(), " "); err != nil || got != c.left {
			t.Errorf("%s without %s: %q, %v", c.have, c.take, got, err)
		}
	}
}

// Taking away never gives, and keeps which files the others are.
func TestWithoutOnlyTakes(t *testing.T) {
	t.Parallel()
	all, r := someItems(t), rand.New(rand.NewPCG(3, 4))
	for range 2_000 {
		g, items := anyGrant(all, r), anyGrant(all, r).Items()
		for n := range g.Files {
			g.Files[n].Inode = uint64(n + 1)
		}
		for _, i := range items {
			left, err := g.Without(i)
			if err == nil && left.Covers(i) || len(Diff(g, left).More) > 0 {
				t.Fatalf("%q without %s is %q", g.Words(), i, left.Words())
			}
			for _, f := range left.Files {
				if !slices.ContainsFunc(g.Files, func(o File) bool { return o.Path == f.Path && o.Inode == f.Inode }) {
					t.Fatalf("%q without %s: %+v is another file", g.Words(), i, f)
				}
			}
		}
	}
}

func TestCarry(t *testing.T) {
	t.Parallel()
	g := of(t, "read:~/notes", "read:~/.config", "net:x.example", "port:80", "run:git", "run:any", "dbus", "roots", "secret:k", "memory:512M", "env:LANG", "env:API_TOKEN")
	g.Files[0].Inode, g.Files[1].Inode = 1, 2
	if got := Carry(g, true, linux()); !reflect.DeepEqual(got, g) {
		t.Errorf("the same signer: %q", got.Words())
	}
	got := Carry(g, false, linux())
	if want := of(t, "read:~/notes", "port:80", "run:git", "roots", "memory:512M", "env:LANG"); !got.Equal(want) || got.Files[0].Inode != 2 {
		t.Errorf("another signer: %q, %+v", got.Words(), got.Files)
	}
	if got := Carry(of(t, "net:x.example"), false, linux()); len(got.Net.Hosts) != 1 {
		t.Errorf("a host alone: %q", got.Words())
	}
}
