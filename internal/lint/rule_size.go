package lint

import (
	"fmt"
	"path"
	"strings"

	"satchel/internal/term"
)

// The sizes beyond which somebody should look, in bytes unpacked.
const (
	largeBundle  = 100 << 20
	largeFile    = 50 << 20
	manyFiles    = 10_000
	minUnneeded  = 256 << 10 // all files of one kind together
	minDuplicate = 256 << 10
)

func sizeRules() []Rule {
	return []Rule{
		{
			ID: "lint/size", Title: "A large bundle",
			Why: fmt.Sprintf("Every person downloads and unpacks all of it. Said of more than %s in all, %s in one file, or %d files.",
				term.Bytes(largeBundle), term.Bytes(largeFile), manyFiles),
			Fix:    "leave out what the server does not need (.mcpbignore), or bundle its code into one file; fetch models and data when they are needed",
			Bad:    "server/model.bin of 800 MB",
			Good:   "a server that fetches the model once, after asking",
			Source: ours, Author: Warning, Reviewer: Warning, check: checkSize,
		},
		{
			ID: "lint/unneeded-file", Title: "Files that the server does not need",
			Why: fmt.Sprintf("Source maps, tests and documentation of packages often are half of a bundle. Said when one kind has more than %s in all.",
				term.Bytes(minUnneeded)),
			Fix:    "leave them out by a line in .mcpbignore",
			Bad:    "node_modules/some-package/test/ with 3 MB",
			Good:   ".mcpbignore with the line node_modules/**/test/",
			Source: ours, Author: Hint, Reviewer: Hint, check: checkUnneeded,
		},
		{
			ID: "lint/duplicate-file", Title: "A large file that is packed twice",
			Why:    fmt.Sprintf("The same content at two places is downloaded twice. Said of files of %s and more.", term.Bytes(minDuplicate)),
			Fix:    "keep one of them",
			Bad:    "dist/index.js and server/index.js are the same 2 MB",
			Good:   "server/index.js",
			Source: ours, Author: Hint, Reviewer: Off, check: checkDuplicateFiles,
		},
		{
			ID: "lint/unread", Title: "Files that were not looked at in full",
			Why: fmt.Sprintf("What is read is bounded: %s of one file, %s in all, %s of a program. What is beyond was not looked at, so other rules may have missed something.",
				term.Bytes(maxFileBytes), term.Bytes(maxTotalBytes), term.Bytes(maxSourceBytes)),
			Fix:    "nothing, when it must be so large: look at it yourself",
			Bad:    "server/index.js of 20 MB",
			Good:   "server/index.js of 2 MB",
			Source: ours, Author: Hint, Reviewer: Warning, check: checkUnread,
		},
	}
}

func checkSize(c *check) {
	if c.tree.bytes > largeBundle {
		c.add(c.at(nil, "the bundle unpacks to %s", term.Bytes(c.tree.bytes)))
	}
	if n := len(c.tree.files); n > manyFiles {
		c.add(c.at(nil, "the bundle has %d files", n))
	}
	for _, f := range c.tree.files {
		if f.size > largeFile {
			c.add(inFile(f.name, spot{}, "has %s", term.Bytes(f.size)))
		}
	}
}

func checkUnneeded(c *check) {
	type sum struct {
		bytes int64
		files int
		first string
	}
	kinds := []string{"source maps", "type declarations", "tests and fixtures of packages", "documentation and examples of packages"}
	sums := make([]sum, len(kinds))
	for _, f := range c.tree.files {
		if k := unneeded(f); k >= 0 {
			s := &sums[k]
			s.bytes, s.files = s.bytes+f.size, s.files+1
			if s.first == "" {
				s.first = f.name
			}
		}
	}
	for k, s := range sums {
		if s.bytes > minUnneeded {
			c.add(inFile(s.first, spot{}, "is the first of the %s: %s, %s in all", kinds[k], plural(s.files, "file"), term.Bytes(s.bytes)))
		}
	}
}

// unneeded gives the kind of a file that nothing loads, as an index; -1 for others.
func unneeded(f *file) int {
	switch low := strings.ToLower(f.name); {
	case strings.HasSuffix(low, ".js.map"), strings.HasSuffix(low, ".mjs.map"), strings.HasSuffix(low, ".cjs.map"), strings.HasSuffix(low, ".css.map"):
		return 0
	case strings.HasSuffix(low, ".d.ts"), strings.HasSuffix(low, ".d.mts"), strings.HasSuffix(low, ".d.cts"):
		return 1
	}
	if !f.dep {
		return -1
	}
	for part := range strings.SplitSeq(strings.ToLower(path.Dir(f.name)), "/") {
		switch part {
		case "test", "tests", "__tests__", "fixtures", "testdata":
			return 2
		case "docs", "doc", "example", "examples":
			return 3
		}
	}
	return -1
}

func checkDuplicateFiles(c *check) {
	first := map[[32]byte]string{}
	for _, f := range c.tree.files {
		if !f.sized || f.sum == [32]byte{} {
			continue
		}
		if other, twice := first[f.sum]; twice {
			c.add(inFile(f.name, spot{}, "is the same as %s: %s", quote(other), term.Bytes(f.size)))
			continue
		}
		first[f.sum] = f.name
	}
}

func checkUnread(c *check) {
	for _, f := range c.tree.files {
		if f.unread != "" {
			c.add(inFile(f.name, spot{}, "was not looked at in full: %s", f.unread))
		}
	}
}
