package host

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"satchel/internal/grant"
	"satchel/internal/problem"
	"satchel/internal/sample"
	"satchel/internal/spec"
	"satchel/mcpb/manifest"
)

// words are what an installed extension was granted.
func (w world) words(t *testing.T) []string {
	t.Helper()
	in, err := w.store.Get("demo")
	if err != nil {
		t.Fatal(err)
	}
	rec, err := w.agreed(in)
	if err != nil {
		t.Fatal(err)
	}
	return rec.Grant.Words()
}

func (w world) folder(t *testing.T, name string) string {
	t.Helper()
	dir := w.path(name)
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func wantWords(t *testing.T, w world, want ...string) {
	t.Helper()
	got := w.words(t)
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("granted %q, want %q", got, want)
	}
}

// asking is a manifest whose author declares hosts.
func asking(hosts ...string) map[string]any {
	return manifestWith(func(m map[string]any) {
		m["_meta"] = map[string]any{"dev.satchel": map[string]any{"permissions": map[string]any{"read": []string{"${user_config.folder}"}, "net": hosts}}}
	})
}

// TestTermsFollowAnswers: what a person names is granted, what only the author names is not; and it goes with the answer.
func TestTermsFollowAnswers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	one, two := w.folder(t, "one"), w.folder(t, "two")
	res := w.install(t, w.bundle(t, "v1", asking("api.example.com")), "folder="+one, "key=s")
	wantWords(t, w, "read:"+one, "secret:key")
	asks := slices.ContainsFunc(res.Review.Permissions, func(p spec.Permission) bool { return p.Word == "net:api.example.com" && p.Asked && !p.Granted })
	if !asks {
		t.Errorf("the review does not say what is asked for: %+v", res.Review.Permissions)
	}
	if _, err := w.Configure("demo", []string{"folder=" + two}, nil); err != nil {
		t.Fatal(err)
	}
	wantWords(t, w, "read:"+two, "secret:key")
	if err := w.Permit("demo", Change{Grant: []string{"net:api.example.com"}, Revoke: []string{"read:" + two}}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Configure("demo", []string{"key=other"}, nil); err != nil {
		t.Fatal(err)
	}
	wantWords(t, w, "net:api.example.com", "secret:key") // what was revoked stays so
	left, err := w.Configure("demo", []string{"folder=" + w.dir}, nil)
	if err != nil || len(left) != 1 || left[0].Item.String() != "read:"+w.dir {
		t.Errorf("a home is asked for by name: %v, %v", left, err)
	}
	wantWords(t, w, "net:api.example.com", "secret:key")
}

// TestTermsOfAnUpdate: more is not granted before somebody names it, less is less at once, and nobody knows who made it.
func TestTermsOfAnUpdate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	one := w.folder(t, "one")
	w.install(t, w.bundle(t, "v1", asking("a.example.com", "b.example.com")), "folder="+one, "key=s")
	if err := w.Permit("demo", Change{Grant: []string{"net:a.example.com", "net:mine.example.com", "memory:1G"}}); err != nil {
		t.Fatal(err)
	}
	res := w.install(t, w.bundle(t, "v2", asking("b.example.com", "c.example.com")), "key=s")
	for _, p := range res.Review.Permissions {
		if p.Asked && p.New != (p.Word == "net:c.example.com") {
			t.Errorf("%s: new %v", p.Word, p.New)
		}
	}
	wantWords(t, w, "read:"+one, "secret:key", "memory:1G")
	// Hosts beside files are high risk, and another bundle does not inherit those; the same one does.
	if err := w.Permit("demo", Change{Grant: []string{"net:b.example.com"}}); err != nil {
		t.Fatal(err)
	}
	w.install(t, w.path("v2.mcpb"))
	wantWords(t, w, "read:"+one, "secret:key", "memory:1G", "net:b.example.com")
}

// TestNamedTerms: what is named is granted or refused, and what cannot be leaves nothing behind.
func TestNamedTerms(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	one := w.folder(t, "one")
	file := w.bundle(t, "v1", asking("a.example.com"))
	for word, want := range map[string]problem.Code{
		"read:/": problem.Refused, "write:" + w.dir: problem.Refused, "nonsense": problem.Usage, "read:" + w.path("nowhere"): problem.NotFound, "run:satchel-no-such": problem.NotFound,
	} {
		if _, err := w.Inspect(t.Context(), file, []string{"folder=" + one}, Terms{Grant: []string{word}}); problem.CodeOf(err) != want {
			t.Errorf("%s: %v, want class %v", word, err, want)
		}
	}
	c, err := w.Inspect(t.Context(), file, []string{"folder=" + one}, Terms{Grant: []string{"net:a.example.com"}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if asks := c.Asks(); len(asks) != 0 {
		t.Errorf("it asks again: %v", asks)
	}
	if _, err := w.Install(t.Context(), c, nil); err != nil {
		t.Fatal(err)
	}
	wantWords(t, w, "read:"+one, "net:a.example.com")
}

// TestSecretsAreGrantedToo: a secret that was taken away is not given.
func TestSecretsAreGrantedToo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := manifestWith(func(m map[string]any) {
		m["user_config"].(map[string]any)["key"].(map[string]any)["required"] = true
		m["server"].(map[string]any)["mcp_config"].(map[string]any)["env"] = map[string]any{"KEY": "${user_config.key}"}
	})
	w.install(t, w.bundle(t, "v1", m), "folder="+w.folder(t, "one"), "key=s3cret")
	s, release, err := w.ready("demo")
	if err != nil || !slices.Contains(s.Env, "KEY=s3cret") {
		t.Fatalf("%v, %v", s.Env, err)
	}
	release()
	if err := w.Permit("demo", Change{Revoke: []string{"secret:key"}}); err != nil {
		t.Fatal(err)
	}
	_, _, err = w.ready("demo")
	wantProblem(t, err, problem.Refused, "permissions/secret")
}

// TestALinkInAnAnswer: what was agreed to is where it leads, and the server is told that.
func TestALinkInAnAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	one := w.folder(t, "one")
	link := filepath.Join(w.dir, "link")
	if err := os.Symlink(one, link); err != nil {
		t.Skipf("this system lets us make no links: %v", err)
	}
	w.install(t, w.bundle(t, "v1", manifestWith(nil)), "folder="+link)
	wantWords(t, w, "read:"+one)
	s, release, err := w.ready("demo")
	if err != nil || !slices.Contains(s.Argv, one) {
		t.Fatalf("%v, %v", s.Argv, err)
	}
	release()
}

// TestNothingAgreedTo: without a record, or with that of other content, nothing starts.
func TestNothingAgreedTo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.install(t, w.bundle(t, "v1", manifestWith(nil)), "folder="+w.folder(t, "one"))
	in, err := w.store.Get("demo")
	if err != nil {
		t.Fatal(err)
	}
	key, err := w.store.Key()
	if err != nil {
		t.Fatal(err)
	}
	other, err := grant.Seal(key, grant.Record{Extension: in.ID, Digest: "sha256:00"})
	if err != nil {
		t.Fatal(err)
	}
	for rule, sealed := range map[string][]byte{"permissions/none": nil, "grant/record": other} {
		in.Grant = sealed
		_, err := w.agreed(in)
		wantProblem(t, err, problem.Refused, rule)
	}
}

// TestARunningServerEndsWhenItsGrantChanges: it must not go on with what was taken away; the app starts it anew.
func TestARunningServerEndsWhenItsGrantChanges(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	m := manifestWith(func(m map[string]any) {
		m["server"] = map[string]any{"type": "binary", "entry_point": "index.js", "mcp_config": map[string]any{"command": self, "args": []string{sample.Mode, "${user_config.folder}"}}}
	})
	w.install(t, w.bundle(t, "v1", m), "folder="+w.folder(t, "one"))
	in, app, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer app.Close()
	defer in.Close()
	out, answers, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	ended := make(chan error, 1)
	go func() {
		_, err := w.Run(t.Context(), "demo", in, answers, os.Stderr)
		answers.Close()
		ended <- err
	}()
	if _, err := app.WriteString(`{"jsonrpc":"2.0","id":1,"method":"ping"}` + "\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	if err := w.Permit("demo", Change{Grant: []string{"net:api.example.com"}}); err != nil {
		t.Fatal(err)
	}
	wantProblem(t, <-ended, problem.Failed, "permissions/changed")
}

// TestAFolderWithSecretsIsNoBundle: a linked folder is shown to its server whole, so a home, or what holds one, is none.
func TestAFolderWithSecretsIsNoBundle(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	text, err := json.Marshal(manifestWith(nil))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(w.path("manifest.json"), text, 0o644); err != nil { // w.dir is the home of this test
		t.Fatal(err)
	}
	m, _, err := manifest.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.TryFolder(w.dir, m, Tries{})
	wantProblem(t, err, problem.Refused, "permissions/own-secrets")
	_, err = w.InspectLink(t.Context(), w.dir, []string{"folder=" + w.folder(t, "one")}, Terms{})
	wantProblem(t, err, problem.Refused, "permissions/own-secrets")
}
