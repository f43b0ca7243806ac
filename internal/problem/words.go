package problem

import (
	"strings"
	"unicode"
)

// Words shows the words of a command so that one can be told from two, as a person would type them into a shell. Hints
// that name a file use it.
func Words(argv ...string) string {
	words := make([]string, len(argv))
	for i, a := range argv {
		if a == "" || strings.ContainsFunc(a, needsQuotes) {
			a = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
		}
		words[i] = a
	}
	return strings.Join(words, " ")
}

func needsQuotes(r rune) bool {
	return unicode.IsSpace(r) || strings.ContainsRune("'\"\\$`&|;<>(){}[]*?#~!^", r)
}
