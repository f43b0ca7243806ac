package mcpb

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"satchel/internal/problem"
)

func planned(t testing.TB, dir string, opts PackOptions) *PackPlan {
	t.Helper()
	plan, err := Plan(dir, opts)
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

func (p *PackPlan) names() []string {
	var names []string
	for _, f := range p.Files {
		names = append(names, f.Name)
	}
	return names
}

func (p *PackPlan) reasons() map[string]string {
	reasons := map[string]string{}
	for _, x := range p.Excluded {
		reasons[x.Name] = x.Reason
	}
	return reasons
}

func checkNamesAre(t testing.TB, got []string, want ...string) {
	t.Helper()
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("packed:\n %q\nwant:\n %q", got, want)
	}
}

func TestPlanSaysWhy(t *testing.T) {
	t.Parallel()
	plan := planned(t, writeTree(t, files{
		".mcpbignore": "# mine\n\n*.tmp\r\n  /doc/  \n!keep.log\n", "a.js": "x", "a.tmp": "x", "doc/a.md": "x", "lib/doc/a.md": "x",
		"keep.log": "x", "drop.log": "x", "yarn.lock": "x", "x.map/index.js": "x", "x.map/index.js.map": "x", ".git/config": "x",
		"empty/.DS_Store": "x", "credentials.json": "{}",
	}), PackOptions{})
	checkNamesAre(t, plan.names(), "a.js", "keep.log", "lib/doc/a.md", "manifest.json", "x.map/index.js")
	want := map[string]string{
		".git/": "default list: .git", ".mcpbignore": "default list: .mcpbignore", "a.tmp": ".mcpbignore line 3: *.tmp",
		"credentials.json": "secret: credentials", "doc/": ".mcpbignore line 4: /doc/", "drop.log": "default list: *.log",
		"empty/.DS_Store": "default list: .DS_Store", "x.map/index.js.map": "default list: *.map", "yarn.lock": "default list: yarn.lock",
	}
	if got := plan.reasons(); !maps.Equal(got, want) {
		t.Errorf("left out: %q\nwant: %q", got, want)
	}
}

func TestRequiredFilesCannotBeIgnored(t *testing.T) {
	t.Parallel()
	tree := files{
		".mcpbignore": "*.json\ndist/\n*.js\n", "dist/deep/main.js": "x", "dist/deep/other.js": "x", "dist/b.js": "x", "other.json": "x",
		".env": "SECRET=1", "node_modules/.bin/tool": "x",
	}
	opts := PackOptions{Entry: "./dist/deep/main.js", Include: []string{".env", "node_modules/.bin/tool", "./other.json"}}
	plan := planned(t, writeTree(t, tree), opts)
	checkNamesAre(t, plan.names(), ".env", "dist/deep/main.js", "manifest.json", "node_modules/.bin/tool", "other.json")
	for _, x := range []string{"dist/", "node_modules/.bin/"} {
		if plan.reasons()[x] == "" {
			t.Errorf("%s is not listed as left out", x)
		}
	}
}

func TestRequiredFilesMustBeThere(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		tree files
		opts PackOptions
		code problem.Code
		rule string
	}{
		"entry point":          {nil, PackOptions{Entry: "server/index.js"}, problem.Invalid, "pack/entry-point"},
		"entry point outside":  {nil, PackOptions{Entry: "../../etc/passwd"}, problem.Invalid, "pack/entry-point"},
		"entry point absolute": {nil, PackOptions{Entry: "/etc/passwd"}, problem.Invalid, "pack/entry-point"},
		"included":             {nil, PackOptions{Include: []string{".env"}}, problem.NotFound, "pack/include"},
		"included folder":      {files{"a/b": "x"}, PackOptions{Include: []string{"a"}}, problem.NotFound, "pack/include"},
		"secret entry point":   {files{".env": "A=1"}, PackOptions{Entry: ".env"}, problem.Invalid, "pack/required"},
	} {
		_, err := Plan(writeTree(t, c.tree), c.opts)
		if p := checkProblem(t, err, c.code, c.rule); p.Subject == "" {
			t.Errorf("%s: %v does not say which file", name, p)
		}
	}
	_, err := Plan(t.TempDir(), PackOptions{})
	checkProblem(t, err, problem.Invalid, "bundle/no-manifest")
	_, err = Plan(filepath.Join(t.TempDir(), "nowhere"), PackOptions{})
	checkProblem(t, err, problem.NotFound, "pack/input")
}

func TestProgramsCannotBeIgnoredAndTheRestSaysWhy(t *testing.T) {
	t.Parallel()
	dir := writeTree(t, files{".mcpbignore": "bin/\n*.png\n", "bin/tool": "x", "bin/other": "x", "icon.png": "x", ".env": "A=1"})
	var checked *PackPlan
	plan := planned(t, dir, PackOptions{Programs: []string{"bin/tool"}, Check: func(p *PackPlan) error { checked = p; return nil }})
	checkNamesAre(t, plan.names(), "bin/tool", "manifest.json")
	if checked != plan {
		t.Error("the plan was not checked")
	}
	files, err := plan.FS()
	must(t, err)
	for name, want := range map[string]string{
		"icon.png": ".mcpbignore line 2: *.png", "bin/other": ".mcpbignore line 1: bin/", ".env": "secret: an environment file", "bin/nowhere": "", "nowhere": "",
	} {
		_, err := fs.Stat(files, name)
		if !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", name, err)
		}
		if out, ok := errors.AsType[leftOut](err); ok != (want != "") || out.LeftOut() != want {
			t.Errorf("%s is left out for %q, want %q", name, out, want)
		}
	}
	refused := problem.New(problem.Invalid, "manifest/icon", "no")
	if _, err := Plan(dir, PackOptions{Check: func(*PackPlan) error { return refused }}); err != refused {
		t.Errorf("%v", err)
	}
	if _, err := PackFile(t.Context(), dir, filepath.Join(dir, "out.mcpb"), PackOptions{Check: func(*PackPlan) error { return refused }}); err != refused || holdsAll(dir, []string{"out.mcpb"}) {
		t.Errorf("%v, or a bundle was written", err)
	}
}

func TestSecretsAreLeftOut(t *testing.T) {
	t.Parallel()
	const key = "-----BEGIN RSA PRIVATE KEY-----\nMIIB\n-----END RSA PRIVATE KEY-----\n"
	const cert = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
	secrets := files{
		"key.pem": key, "a/server.key": key, "certs/chain.pem": strings.Repeat(cert, 3000) + key, "key.p8": "-----BEGIN PRIVATE KEY-----", "UPPER.PEM": key,
		"id_rsa": "x", "keys/id_ed25519": "x", "store.p12": "x", "store.PFX": "x", "a.jks": "x", ".ssh/config": "x", "home/.ssh/id_rsa.pub": "x",
		".aws/credentials": "x", "credentials.json": "{}", "lib/Credentials.JSON": "{}", ".netrc": "x", ".pypirc": "x", ".git-credentials": "x",
		"service-account.json": `{"private_key":"-----BEGIN PRIVATE KEY-----\nMII"}`, "my_serviceAccountKey.json": `{"private_key":"-----BEGIN PRIVATE KEY-----\nMII"}`,
		"client_secret_1234.apps.json": "{}", ".docker/config.json": "{}", ".gnupg/secring": "x",
	}
	public := files{
		"certifi/cacert.pem": strings.Repeat(cert, 3000), "ca.key": "not a key", "id_rsa.pub": "ssh-rsa", "service-account.json": `{"docs":true}`,
		".aws/config": "x", "src/environment.ts": "x", "credentials.js": "x", "env": "x", "pem.js": key, "keys.json": "{}",
	}
	for set, secret := range map[*files]bool{&secrets: true, &public: false} {
		plan := planned(t, writeTree(t, *set), PackOptions{})
		for name := range *set {
			i := slices.IndexFunc(plan.Excluded, func(x Excluded) bool { return x.Name == name && x.Secret })
			if (i >= 0) != secret || slices.Contains(plan.names(), name) == secret {
				t.Errorf("%s: taken for a secret: %v, want %v", name, i >= 0, secret)
			}
			warned := slices.ContainsFunc(plan.Warnings, func(s string) bool {
				return strings.HasPrefix(s, name+" is left out") && strings.Contains(s, "--include "+name)
			})
			if warned != secret {
				t.Errorf("%s: warned of: %v, want %v: %q", name, warned, secret, plan.Warnings)
			}
		}
	}
	all := planned(t, writeTree(t, secrets), PackOptions{Include: slices.Collect(maps.Keys(secrets))})
	if len(all.Files) != len(secrets)+1 || len(all.Excluded) > 0 {
		t.Errorf("included by name, %d of %d files are packed; left out: %v", len(all.Files)-1, len(secrets), all.Excluded)
	}
}

// A pattern takes a file of the default list back in, but not a secret: for that it must be named.
func TestAPatternDoesNotTakeASecretBackIn(t *testing.T) {
	t.Parallel()
	plan := planned(t, writeTree(t, files{".mcpbignore": "!.env*\n!.npmrc", ".env": "A=1", ".env.local": "A=1", ".env.example": "A=", ".npmrc": "x"}), PackOptions{})
	checkNamesAre(t, plan.names(), ".env.example", "manifest.json")
	if len(plan.Warnings) != 3 {
		t.Errorf("warnings: %q", plan.Warnings)
	}
}

func TestLinks(t *testing.T) {
	t.Parallel()
	outside := writeTree(t, files{"secret.txt": "secret"})
	for name, c := range map[string]struct {
		tree   files
		follow bool
		rule   string // "" when it packs
		want   []string
	}{
		"file":                    {files{"a": "x", "l": "@a"}, false, "pack/link", nil},
		"file, followed":          {files{"a": "x", "l": "@a"}, true, "", []string{"a", "l"}},
		"folder":                  {files{"d/a": "x", "l": "@d"}, false, "pack/link", nil},
		"folder, followed":        {files{"d/a": "x", "d/e/b": "x", "l": "@d"}, true, "", []string{"d/a", "d/e/b", "l/a", "l/e/b"}},
		"to a link":               {files{"a": "x", "l": "@m", "m": "@a"}, true, "", []string{"a", "l", "m"}},
		"up and down":             {files{"d/a": "x", "e/l": "@../d/a"}, true, "", []string{"d/a", "e/l"}},
		"pnpm":                    {files{"node_modules/.pnpm/p@1/node_modules/p/i.js": "x", "node_modules/p": "@.pnpm/p@1/node_modules/p"}, true, "", []string{"node_modules/.pnpm/p@1/node_modules/p/i.js", "node_modules/p/i.js"}},
		"outside":                 {files{"l": "@" + outside + "/secret.txt"}, false, "pack/link-outside", nil},
		"outside, followed":       {files{"l": "@" + outside + "/secret.txt"}, true, "pack/link-outside", nil},
		"folder outside":          {files{"l": "@" + outside}, true, "pack/link-outside", nil},
		"relative outside":        {files{"d/l": "@../../" + filepath.Base(outside)}, true, "pack/link-outside", nil}, // both are in one folder
		"root":                    {files{"l": "@/"}, true, "pack/link-outside", nil},
		"parent":                  {files{"l": "@.."}, true, "pack/link-outside", nil},
		"outside through a link":  {files{"d": "@" + outside, "l": "@d/secret.txt"}, true, "pack/link-outside", nil},
		"broken":                  {files{"l": "@nowhere"}, false, "pack/broken-link", nil},
		"broken, followed":        {files{"l": "@nowhere"}, true, "pack/broken-link", nil},
		"itself":                  {files{"l": "@l"}, true, "pack/broken-link", nil},
		"each other":              {files{"l": "@m", "m": "@l"}, true, "pack/broken-link", nil},
		"loop":                    {files{"loop": "@."}, true, "pack/link-loop", nil},
		"loop, not followed":      {files{"loop": "@."}, false, "pack/link", nil},
		"loop further down":       {files{"a/b/l": "@../../a"}, true, "pack/link-loop", nil},
		"loop over two":           {files{"p/l": "@../q", "q/l": "@../p"}, true, "pack/link-loop", nil},
		"ignored":                 {files{"l": "@" + outside, "m": "@nowhere", ".mcpbignore": "l\nm"}, false, "", nil},
		"ignored folder pattern":  {files{"l": "@" + outside, ".mcpbignore": "l/"}, false, "", nil},
		"below an ignored folder": {files{"d/l": "@" + outside, ".mcpbignore": "d"}, true, "", nil},
		"to a secret":             {files{"config.txt": "@.env", ".env": "A=1"}, true, "", nil},
		"to a folder of secrets":  {files{"k": "@.ssh", ".ssh/config": "x"}, true, "", nil},
		"to an ignored file":      {files{"a.js": "@a.log", "a.log": "x"}, true, "", []string{"a.js"}},
		"ignored target of entry": {files{"l.log": "@a", "a": "x"}, true, "", []string{"a"}},
	} {
		plan, err := Plan(writeTree(t, c.tree), PackOptions{Follow: c.follow})
		if c.rule == "" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			checkNamesAre(t, plan.names(), append(c.want, "manifest.json")...)
			continue
		}
		p := checkProblem(t, err, problem.Invalid, c.rule)
		if p.Subject == "" || p.Hint == "" || !strings.Contains(p.Message, "link to ") {
			t.Errorf("%s: %v (%s) does not name the link, its target and a way out", name, p, p.Hint)
		}
		if strings.HasPrefix(c.rule, "pack/link") && c.rule != "pack/link-outside" && c.follow == strings.Contains(p.Hint, "--follow") {
			t.Errorf("%s: hint %q", name, p.Hint)
		}
	}
}

// Absolute links that stay inside the folder are links inside it.
func TestAbsoluteLinkInside(t *testing.T) {
	t.Parallel()
	dir := writeTree(t, files{"a.js": "content"})
	addFiles(t, dir, files{"l.js": "@" + filepath.Join(dir, "a.js")})
	if got := unzip(t, packBytes(t, dir, PackOptions{Follow: true})); got["l.js"] != "content" {
		t.Errorf("packed %q", got)
	}
}

// The folder itself may be named by a link.
func TestPackThroughALinkToTheFolder(t *testing.T) {
	t.Parallel()
	dir := writeTree(t, files{"a/b.js": "content", "l": "@a"})
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	if got := unzip(t, packBytes(t, link, PackOptions{Follow: true})); got["a/b.js"] != "content" || got["l/b.js"] != "content" {
		t.Errorf("packed %q", got)
	}
}

// Thirty folders with two links each to the next are a billion files.
func TestLinkBomb(t *testing.T) {
	t.Parallel()
	tree := files{}
	for i := range 30 {
		for _, l := range []string{"a", "b"} {
			tree[fmt.Sprintf("d%d/%s", i, l)] = fmt.Sprintf("@../d%d", i+1)
		}
	}
	tree["d30/f"] = "x"
	_, err := Plan(writeTree(t, tree), PackOptions{Follow: true})
	checkProblem(t, err, problem.Invalid, "bundle/limit-entries")
}

func TestNamesThatNoBundleCanHold(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rule  string
		names []string
	}{
		{"bundle/backslash", []string{`a\b`}},
		{"bundle/control-character", []string{"a\nb"}},
		{"bundle/name-encoding", []string{"a\xff"}},
		{"bundle/name-encoding", []string{"d\xff/a"}},
		{"bundle/name-collision", []string{"README", "readme"}},
		{"bundle/name-collision", []string{"Lib/a", "lib/b"}},
		{"bundle/name-collision", []string{"\u00e4", "a\u0308"}},
		{"bundle/absolute-name", []string{"c:/x"}},
	} {
		dir := writeTree(t, nil)
		for _, name := range c.names {
			path := filepath.Join(dir, filepath.FromSlash(name))
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				continue // no file system here can hold it
			}
			_ = os.WriteFile(path, []byte("x"), 0o644)
		}
		if found, _ := os.ReadDir(dir); len(found) <= len(c.names)-1 || !holdsAll(dir, c.names) {
			t.Logf("skipped %q: this file system cannot hold them", c.names)
			continue
		}
		_, err := Plan(dir, PackOptions{})
		if p := checkProblem(t, err, problem.Invalid, c.rule); p.Hint == "" || p.Subject == "" {
			t.Errorf("%q: %+v has no hint or names no file", c.names, p)
		}
		addFiles(t, dir, files{".mcpbignore": "*\n"})
		if plan, err := Plan(dir, PackOptions{}); err != nil || len(plan.Files) != 1 {
			t.Errorf("%q, ignored: %v", c.names, err)
		}
	}
}

// holdsAll tells whether each name is a file of its own.
func holdsAll(dir string, names []string) bool {
	var infos []os.FileInfo
	for _, name := range names {
		info, err := os.Lstat(filepath.Join(dir, filepath.FromSlash(name)))
		if err != nil || slices.ContainsFunc(infos, func(i os.FileInfo) bool { return os.SameFile(i, info) }) {
			return false
		}
		infos = append(infos, info)
	}
	return true
}

func TestNamesToWarnOf(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("folder-of-some-length/", 10) + "file.js"
	dir := writeTree(t, files{deep: "x", deep + "2": "x"})
	for _, name := range []string{"aux.js", "ab:c", "trailing."} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o644); err != nil {
			t.Skip("skipped: this file system cannot hold the names")
		}
	}
	plan := planned(t, dir, PackOptions{})
	if len(plan.Files) != 6 || len(plan.Warnings) != 4 {
		t.Errorf("%d files, warnings %q", len(plan.Files), plan.Warnings)
	}
	if last := plan.Warnings[3]; !strings.HasPrefix(last, "2 names have more than 180 bytes") || !strings.HasSuffix(last, deep+"2") {
		t.Errorf("warning %q", last)
	}
}

func TestIgnoreFileMustBeOne(t *testing.T) {
	t.Parallel()
	outside := writeTree(t, files{"patterns": "*.js"})
	for name, tree := range map[string]files{
		"a folder":  {".mcpbignore/x": "x"},
		"huge":      {".mcpbignore": strings.Repeat("# nothing\n", maxIgnoreFile/10+1)},
		"elsewhere": {".mcpbignore": "@" + outside + "/patterns"},
	} {
		_, err := Plan(writeTree(t, tree), PackOptions{})
		if p := checkProblem(t, err, problem.Invalid, "pack/ignore-file"); !strings.HasSuffix(p.Subject, ".mcpbignore") {
			t.Errorf("%s: %v", name, p)
		}
	}
}
