package manifest

import (
	"strings"
	"testing"

	"satchel/internal/problem"
)

func TestID(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"notes":                   "local/notes",
		"My Extension":            "local/my-extension",
		"a":                       "local/a",
		"0":                       "local/0",
		"a.b_c-d":                 "local/a.b_c-d",
		"a..b":                    "local/a..b",
		"tab\tand  blanks":        "local/tab-and-blanks",
		"a @- b":                  "local/a---b",
		"a/b":                     "local/a-b",
		`a\b`:                     "local/a-b",
		"a/../../b":               "local/a-..-..-b",
		"naïve":                   "local/na-ve",
		"日本 x 日本 y":               "",
		"a\u202eb":                "local/a-b",
		"a\xffb":                  "local/a-b",
		"a\x00b":                  "local/a-b",
		"\u212aelvin":             "", // the Kelvin sign, whose lower case is k
		strings.Repeat("a", 64):   "local/" + strings.Repeat("a", 64),
		strings.Repeat("a", 65):   "",
		strings.Repeat("a/", 100): "",
		"":                        "",
		".":                       "",
		"..":                      "",
		"../x":                    "",
		"@scope/pkg":              "",
		"-x":                      "",
		"x-":                      "",
		"x!":                      "",
		" x":                      "",
		"/etc/passwd":             "",
	} {
		got, err := ID(Local, name)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("ID(%q) = %q, %v, want %q", name, got, err, want)
		}
		if err != nil && problem.CodeOf(err) != problem.Invalid {
			t.Errorf("ID(%q): class %s", name, problem.CodeOf(err))
		}
	}
}

func TestIDProposesAName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"@scope/pkg":             `name it "scope-pkg"`,
		"日本語":                    `name it "my-extension"`,
		strings.Repeat("ab", 40): `name it "` + strings.Repeat("ab", 32) + `"`,
		"..":                     `name it "my-extension"`,
	} {
		_, err := ID(Local, name)
		p, ok := err.(*problem.Problem)
		if !ok || p.Hint != want || p.Rule != "manifest/name" || p.Source == "" {
			t.Errorf("ID(%q): %+v, want the hint %s", name, err, want)
		}
	}
}

func TestIDRefusesNamespaces(t *testing.T) {
	t.Parallel()
	for _, namespace := range []string{"", ".", "..", "a/b", "A", "io.github.", "x y", strings.Repeat("a", 65), "\u212a"} {
		if id, err := ID(namespace, "x"); err == nil {
			t.Errorf("namespace %q gave %q", namespace, id)
		}
	}
	if id, err := ID("io.github.user", "X"); id != "io.github.user/x" || err != nil {
		t.Errorf("got %q, %v", id, err)
	}
}

func FuzzID(f *testing.F) {
	for _, name := range []string{"notes", "My Extension", "../x", "@a/b", "\xff", "日本", "a\x00", strings.Repeat("é", 80)} {
		f.Add(Local, name)
	}
	f.Add("io.github.user", "x")
	f.Fuzz(func(t *testing.T, namespace, name string) {
		id, err := ID(namespace, name)
		if err != nil {
			if id != "" {
				t.Errorf("an id with an error: %q, %v", id, err)
			}
			return
		}
		ns, short, _ := strings.Cut(id, "/")
		for _, part := range []string{ns, short} {
			if part == "" || part == "." || part == ".." || len(part) > 64 || strings.Trim(part, "abcdefghijklmnopqrstuvwxyz0123456789._-") != "" {
				t.Errorf("ID(%q, %q) = %q", namespace, name, id)
			}
		}
		if again, err := ID(ns, short); again != id || err != nil {
			t.Errorf("ID of its own result: %q, %v, want %q", again, err, id)
		}
	})
}
