package docs

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const root = "../.."

// pages gives the project's Markdown files, slash-separated and relative to the root.
func pages(t *testing.T) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "node_modules" || d.Name() == ".git" || d.Name() == "testdata") {
			return filepath.SkipDir
		}
		if strings.HasSuffix(path, ".md") {
			found = append(found, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(found) < 5 {
		t.Fatalf("only %d pages found: the walk is wrong", len(found))
	}
	return found
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestLinksLeadSomewhere(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#\s]*)(#[^)\s]*)?\)`)
	for _, page := range pages(t) {
		for _, m := range link.FindAllStringSubmatch(read(t, page), -1) {
			target, anchor := m[1], strings.TrimPrefix(m[2], "#")
			if strings.Contains(target, "://") {
				continue
			}
			path := page
			if target != "" {
				path = filepath.Join(filepath.Dir(page), target)
			}
			if _, err := os.Stat(path); err != nil {
				t.Errorf("%s links to %s, which is not there", page, target)
			} else if anchor != "" && !hasAnchor(read(t, path), anchor) {
				t.Errorf("%s links to %s#%s: no such heading", page, target, anchor)
			}
		}
	}
}

func hasAnchor(page, anchor string) bool {
	heading := regexp.MustCompile(`(?m)^#+\s+(.*)$`)
	for _, m := range heading.FindAllStringSubmatch(page, -1) {
		if slug(m[1]) == anchor {
			return true
		}
	}
	return strings.Contains(page, `id="`+anchor+`"`) || strings.Contains(page, `name="`+anchor+`"`)
}

// slug is the anchor that hosting sites make of a heading.
func slug(heading string) string {
	s := strings.ToLower(strings.TrimSpace(heading))
	s = regexp.MustCompile(`[^\pL\pN _-]`).ReplaceAllString(s, "")
	return strings.ReplaceAll(s, " ", "-")
}

// TestMentionedPagesExist looks at pages that text or code names without a link, such as docs/json.md.
func TestMentionedPagesExist(t *testing.T) {
	mention := regexp.MustCompile(`\bdocs/[a-z-]+\.md\b`)
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			if err == nil && (d.Name() == "node_modules" || d.Name() == ".git") {
				return filepath.SkipDir
			}
			return err
		}
		if ext := filepath.Ext(path); ext != ".go" && ext != ".md" {
			return nil
		}
		for _, page := range mention.FindAllString(read(t, path), -1) {
			if _, err := os.Stat(filepath.Join(root, page)); err != nil {
				t.Errorf("%s speaks of %s, which is not there", path, page)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestNoPathsOfAMachine(t *testing.T) {
	machine := regexp.MustCompile(`(^|[\s"'(=])/(root|work|home/[a-z]+)/[a-z]`)
	for _, page := range pages(t) {
		for i, line := range strings.Split(read(t, page), "\n") {
			if machine.MatchString(line) {
				t.Errorf("%s:%d names a path of a machine: %s", page, i+1, line)
			}
		}
	}
}
