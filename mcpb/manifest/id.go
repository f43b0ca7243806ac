package manifest

import (
	"fmt"
	"strings"

	"satchel/internal/problem"
)

// Local is the namespace of extensions installed from a file or a URL.
const Local = "local"

// maxIDName is the longest name or namespace in an id, in bytes.
const maxIDName = 64

// ID makes the id namespace/name by which an extension is known everywhere: the name in lower case, every run outside
// [a-z0-9._-] as one dash. It must begin and end with a letter or a digit and have at most 64 bytes; another name is
// refused with a problem of class Invalid that proposes one. The namespace must have the form of a name already. ID of
// its own result's name gives the same id.
func ID(namespace, name string) (string, error) {
	if !isIDName(namespace) {
		return "", problem.New(problem.Invalid, "manifest/name", "%s is no namespace: a-z, 0-9, dots, dashes and underscores, at most %d", quote(namespace), maxIDName).
			From(sourceOf("manifest/name"))
	}
	id := fold(name)
	if isIDName(id) {
		return namespace + "/" + id, nil
	}
	return "", problem.New(problem.Invalid, "manifest/name", "the name %s gives no id: it must begin and end with a letter or a digit and have at most %d", quote(name), maxIDName).
		From(sourceOf("manifest/name")).Try("%s", idFix(name))
}

// idFix proposes a name that gives an id.
func idFix(name string) string {
	better := strings.Trim(fold(name), "._-")
	better = strings.TrimRight(better[:min(len(better), maxIDName)], "._-")
	if better == "" {
		better = "my-extension"
	}
	return fmt.Sprintf("name it %q", better)
}

// fold lower-cases ASCII only: other alphabets' letters become dashes, also those whose lower case is an ASCII letter.
func fold(name string) string {
	var b strings.Builder
	inRun := false
	for _, r := range lowerASCII(name) {
		switch {
		case isIDRune(r):
			b.WriteRune(r)
		case !inRun:
			b.WriteByte('-')
		}
		inRun = !isIDRune(r)
	}
	return b.String()
}

func isIDRune(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '.' || r == '_' || r == '-'
}

func isIDName(s string) bool {
	return s != "" && len(s) <= maxIDName && !strings.ContainsFunc(s, func(r rune) bool { return !isIDRune(r) }) &&
		isAlnum(rune(s[0])) && isAlnum(rune(s[len(s)-1]))
}
