// Package ignore decides what pack leaves out: the default list and .mcpbignore, in gitignore syntax. Use it to walk a
// folder from the top down; ask for every folder before what is in it, and do not ask for what is in a folder that is
// left out: nothing below can be taken back in, as gitignore(5) says.
//
// Matching is that of the reference, npm's ignore 7: gitignore(5) without regard to case. It is written here because no
// kept Go library does it: go-git's does not try again after a ** that matched too early (go-git/go-git#2317), applies a
// re-inclusion to what is below (go-git/go-git#2112), reads escapes through filepath.Match, which knows none on Windows,
// and brings fifteen modules along; the others had their last release before 2022.
package ignore

import (
	"fmt"
	"strings"
	"unicode"
)

// File is the name of the file with an author's own patterns; only the one at the top of the folder counts.
const File = ".mcpbignore"

// A rule is one pattern and where it comes from.
type rule struct {
	*pattern
	origin    string
	filesOnly bool
}

const defaultOrigin = "default list: "

// IsDefault tells whether an origin that Match gave is a pattern of the default list.
func IsDefault(origin string) bool { return strings.HasPrefix(origin, defaultOrigin) }

// Pattern gives the pattern of an origin of the default list.
func Pattern(origin string) string { return strings.TrimPrefix(origin, defaultOrigin) }

// A List is the patterns that apply to one folder, the later ones deciding. It is safe for concurrent use.
type List struct{ rules []rule }

// New gives the default list with an author's patterns behind it: own is the content of .mcpbignore, perhaps empty. A
// line that is no pattern matches nothing, as in git.
func New(own string) *List {
	l := &List{}
	for _, d := range defaults() {
		l.add(d.text, defaultOrigin+d.text, d.filesOnly)
	}
	n := 0
	for line := range strings.SplitSeq(own, "\n") {
		n++
		if text := trim(line); text != "" && text[0] != '#' {
			l.add(text, fmt.Sprintf("%s line %d: %s", File, n, text), false)
		}
	}
	return l
}

func (l *List) add(text, origin string, filesOnly bool) {
	if p, ok := parse(text); ok {
		l.rules = append(l.rules, rule{p, origin, filesOnly})
	}
}

// trim takes the white space around a line, as the reference does, but for a blank at the end that is escaped.
func trim(line string) string {
	text := strings.TrimFunc(line, isSpace)
	rest := line[strings.Index(line, text)+len(text):]
	if endsEscaping(text) && strings.HasPrefix(rest, " ") {
		return text + " "
	}
	return text
}

// isSpace knows what JavaScript trims: a byte order mark is white space there, NEXT LINE is not.
func isSpace(r rune) bool { return r == '\ufeff' || r != '\u0085' && unicode.IsSpace(r) }

// Match tells whether the path (slash-separated, relative; dir says that it is a folder) is left out, and by which
// pattern.
func (l *List) Match(path string, dir bool) (origin string, out bool) {
	folded := foldString(path)
	base := folded[strings.LastIndexByte(folded, '/')+1:]
	for i := len(l.rules) - 1; i >= 0; i-- {
		r := &l.rules[i]
		if r.dirOnly && !dir || r.filesOnly && dir || !r.matches(folded, base) {
			continue
		}
		return r.origin, !r.negated
	}
	return "", false
}

// A builtin is a pattern of the default list.
type builtin struct {
	text      string
	filesOnly bool
}

// defaults are the reference's list (npm @anthropic-ai/mcpb 2.1.2). What names a kind of file applies to files only: the
// reference also drops folders such as Iterator.prototype.map, with the code in them (modelcontextprotocol/mcpb#241).
func defaults() []builtin {
	var list []builtin
	for _, text := range []string{
		".DS_Store", "Thumbs.db", ".gitignore", ".git", ".mcpbignore", ".env*", ".npm", ".npmrc", ".yarnrc", ".yarn",
		".eslintrc", ".editorconfig", ".prettierrc", ".prettierignore", ".eslintignore", ".nycrc", ".babelrc", ".pnp.*",
		"node_modules/.cache", "node_modules/.bin", ".env.local", ".env.*.local", "package-lock.json", "yarn.lock",
		"tsconfig.json",
	} {
		list = append(list, builtin{text, false})
	}
	for _, text := range []string{
		"*.log", "*.map", "npm-debug.log*", "yarn-debug.log*", "yarn-error.log*", "*.mcpb", "*.d.ts", "*.tsbuildinfo",
	} {
		list = append(list, builtin{text, true})
	}
	return list
}
