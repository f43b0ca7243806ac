package seatbelt

import (
	"path"
	"strings"
	"unicode/utf8"

	"satchel/internal/problem"
)

// quote writes a path as a string of the language. Paths are foreign text: a quote that is not escaped would end the
// string, and what follows would be rules. What has no plain way to be written is refused, not changed.
func quote(name string) (string, error) {
	switch {
	case !path.IsAbs(name) || path.Clean(name) != name:
		return "", refused(name, "is no absolute path in its shortest form")
	case !utf8.ValidString(name):
		return "", refused(name, "is not UTF-8")
	case strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return "", refused(name, "has control characters in it")
	}
	return text(name), nil
}

func refused(name, why string) error {
	return problem.New(problem.Refused, "sandbox/path", "%s", why).At(name).From("docs/sandbox.md").Try("rename it, or grant another folder")
}

func text(s string) string { return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"` }

// pattern is a regular expression for a path in whatever case: most file systems of macOS do not tell cases apart, and of
// what does not exist yet the kernel knows the path as the server writes it.
func pattern(name string) string {
	var b strings.Builder
	b.WriteByte('^')
	for _, r := range name {
		switch {
		case 'a' <= r && r <= 'z':
			b.WriteString("[" + string(r) + string(r-'a'+'A') + "]")
		case 'A' <= r && r <= 'Z':
			b.WriteString("[" + string(r-'A'+'a') + string(r) + "]")
		case strings.ContainsRune(`\.[](){}*+?^$|`, r):
			b.WriteString(`\` + string(r))
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
