package docs

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"satchel/internal/lint"
)

// TestLintPages holds the index and the page of each rule to the rules.
func TestLintPages(t *testing.T) {
	dir := root + "/docs/lint"
	if *update {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	var b strings.Builder
	b.WriteString(lintIntro)
	pages := map[string]bool{}
	for _, r := range lint.Rules() {
		name := strings.TrimPrefix(r.ID, "lint/") + ".md"
		pages[name] = true
		fmt.Fprintf(&b, "| [`%s`](lint/%s) | %s | %s | %s | %s |\n", r.ID, name, r.Title, r.Author, r.Reviewer, lintNote(r))
		generated(t, filepath.Join(dir, name), lintPage(r))
	}
	b.WriteString(lintReview)
	generated(t, root+"/docs/lint.md", b.String())
	there, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range there {
		if !pages[d.Name()] {
			t.Errorf("docs/lint/%s is the page of no rule: delete it", d.Name())
		}
	}
}

func lintNote(r lint.Rule) string {
	var notes []string
	if r.Served {
		notes = append(notes, "with `--start`")
	}
	if r.Mends != "" {
		notes = append(notes, "`--fix`")
	}
	return strings.Join(notes, ", ")
}

func lintPage(r lint.Rule) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n`%s` is %s for authors and %s for reviewers. It comes from %s.\n", r.Title, r.ID, severityText(r.Author), severityText(r.Reviewer), r.Source)
	if r.Served {
		b.WriteString("It compares with what the started server serves: `satchel lint --start`.\n")
	}
	fmt.Fprintf(&b, "\n%s\n\nBad:\n\n```\n%s\n```\n\nGood:\n\n```\n%s\n```\n\nTo mend it: %s.\n", r.Why, r.Bad, r.Good, r.Fix)
	if r.Mends != "" {
		fmt.Fprintf(&b, "`satchel lint --fix` %s.\n", r.Mends)
	}
	return b.String()
}

func severityText(s lint.Severity) string {
	switch s {
	case lint.Off:
		return "off"
	case lint.Error:
		return "an error"
	}
	return "a " + string(s)
}

const lintIntro = `# Lint

` + "`satchel lint`" + ` looks at a folder, as it would be packed, at a bundle, or at a manifest alone. The manifest must be valid first:
what [` + "`satchel validate`" + `](manifest-rules.md) says is not said again, but for two tools of one name, which a reviewer should see
here too. Nothing of the extension runs, unless ` + "`--start`" + ` is given and its review agreed to.

Two profiles decide how bad a finding is. An **author** can silence a rule in the manifest, with a reason:

` + "```json" + `
"_meta": {"dev.satchel": {"lint": {"lint/network": "It is a client of example.com."}}}
` + "```" + `

A **reviewer** sees those findings all the same, with the reason beside them. The exit code is 3 when something is at least
as bad as ` + "`--fail-on`" + ` (by default an error). ` + "`--sarif`" + ` writes a log for code-scanning services;
it was checked once with the published schema of SARIF 2.1.0 (2026-11-26), and a test holds its structure since.

What it cannot do: it reads forms, names and words, and follows no program. Who hides something on purpose from such a
reader will manage to; a clean result is no proof of good intent. What it did not read because of its bounds is said by
` + "`lint/unread`" + `. A finding about a secret never shows the secret.

This page, and those of the rules, are made from the rules themselves.

| rule | what | author | reviewer | |
|---|---|---|---|---|
`

const lintReview = `
## What it says about public extensions

The tests run every rule over the manifests of 88 public extensions, without their files; the findings are kept as a golden
file (internal/lint/testdata/corpus-author.txt, corpus-reviewer.txt), and each was read by hand once, on 2026-11-26.
13 manifests are not valid and are refused. Of the other 75, 27 have findings, 33 in all, the same for both profiles:

- 13 commands fetch a package or a repository without an exact version; all are right. Two more start the bundle's own
  folder with uvx and are rightly passed over.
- 11 licences: 10 are missing, one is "NOT GIVEN".
- 3 manifests name hosts of a service and link to no privacy policy.
- 2 arguments are passwords or keys, written as ` + "`${PASSWORD}`" + ` and ` + "`${api-key}`" + `; 2 options for a password and a token are not
  marked as sensitive.
- 2 default folders are the whole Documents folder: both are copies of one example of the reference.

Read beside the manifests themselves, these were passed over and should be: options called api_key_header, token_limit,
credentials_path and client_id, which are no secrets; defaults such as ` + "`${HOME}/Desktop/output`" + `, which are folders of the
extension's own. One false alarm was
found and mended: ` + "`${PWD}`" + `, a folder, was taken for a password. Nothing in the corpus has hidden characters, orders to the model, tools that read alike, or a name close
to a well-known one.
`
