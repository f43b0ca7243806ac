// Package ignore decides what pack leaves out: the default list and .mcpbignore, in gitignore syntax.
//
// A [List] is asked for every path from the top down; a folder that is left out takes all below it along, and nothing
// below can be taken back in, as gitignore(5) says. Matching ignores case, as the reference does.
package ignore

import (
	"bufio"
	"fmt"
	"strings"

	"github.com/go-git/go-git/v5/plumbing/format/gitignore"
)

// File is the name of the file with an author's own patterns; only the one at the top of the folder counts.
const File = ".mcpbignore"

// A rule is one pattern and where it comes from.
type rule struct {
	pattern   gitignore.Pattern
	origin    string
	filesOnly bool
	baseOnly  bool // without a slash it is about the last part of a path: the parts before were asked for already
}

// A List is the patterns that apply to one folder, the later ones deciding. It is safe for concurrent use.
type List struct{ rules []rule }

// New gives the default list with an author's patterns behind it; own may be empty.
func New(own string) *List {
	l := &List{}
	for _, p := range folderDefaults() {
		l.add(p, "default list: "+p, false)
	}
	for _, p := range fileDefaults() {
		l.add(p, "default list: "+p, true)
	}
	lines := bufio.NewScanner(strings.NewReader(own))
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if strings.HasSuffix(line, `\`) { // an escaped blank at the end was trimmed
			line += " "
		}
		if line != "" && line[0] != '#' {
			l.add(line, fmt.Sprintf("%s line %d: %s", File, n, line), false)
		}
	}
	return l
}

func (l *List) add(pattern, origin string, filesOnly bool) {
	baseOnly := !strings.Contains(strings.TrimSuffix(pattern, "/"), "/")
	l.rules = append(l.rules, rule{gitignore.ParsePattern(adapt(pattern), nil), origin, filesOnly, baseOnly})
}

// adapt writes a pattern so that the library reads it as gitignore(5) does: it knows a negated class only as [^a], and
// takes foo/** as foo itself too, where asked from the top down foo/* is the same as git's foo/**.
func adapt(pattern string) string {
	pattern = strings.ReplaceAll(strings.ToLower(pattern), "[!", "[^")
	if rest, ok := strings.CutSuffix(pattern, "/**"); ok && rest != "" && !strings.HasSuffix(rest, "**") {
		return rest + "/*"
	}
	return pattern
}

// Match tells whether the path (slash-separated, relative) is left out, and by which pattern.
func (l *List) Match(path string, dir bool) (origin string, out bool) {
	parts := strings.Split(strings.ToLower(path), "/")
	for i := len(l.rules) - 1; i >= 0; i-- {
		r := &l.rules[i]
		if r.filesOnly && dir {
			continue
		}
		about := parts
		if r.baseOnly {
			about = parts[len(parts)-1:]
		}
		switch r.pattern.Match(about, dir) {
		case gitignore.Exclude:
			return r.origin, true
		case gitignore.Include:
			return "", false
		}
	}
	return "", false
}

// folderDefaults and fileDefaults are the reference's list (npm @anthropic-ai/mcpb 2.1.2). What names a kind of file
// applies to files only: the reference also drops folders such as Iterator.prototype.map, with the code in them
// (modelcontextprotocol/mcpb#241).
func folderDefaults() []string {
	return []string{
		".DS_Store", "Thumbs.db", ".gitignore", ".git", ".mcpbignore", ".env*", ".npm", ".npmrc", ".yarnrc", ".yarn",
		".eslintrc", ".editorconfig", ".prettierrc", ".prettierignore", ".eslintignore", ".nycrc", ".babelrc", ".pnp.*",
		"node_modules/.cache", "node_modules/.bin", ".env.local", ".env.*.local", "package-lock.json", "yarn.lock",
		"tsconfig.json",
	}
}

func fileDefaults() []string {
	return []string{
		"*.log", "*.map", "npm-debug.log*", "yarn-debug.log*", "yarn-error.log*", "*.mcpb", "*.d.ts", "*.tsbuildinfo",
	}
}
