package manifest

import (
	"strings"

	"satchel/internal/problem"
)

// Local is the namespace of extensions installed from a file or a URL.
const Local = "local"

const maxIDName = 64

// ID makes the id namespace/name by which an extension is known everywhere: the name in lower case, every run outside
// [a-z0-9._-] as one dash. It must begin and end with a letter or a digit and have at most 64 bytes; another name is
// refused with a problem of class Invalid that proposes one. The namespace must have the form of a name already. ID of
// its own result's name gives the same id.
func ID(namespace, name string) (string, error) {
	id := fold(name)
	if idName(namespace) && idName(id) {
		return namespace + "/" + id, nil
	}
	p := problem.New(problem.Invalid, "manifest/name", "gives no id: %q must begin and end with a letter or digit and have at most %d characters", id, maxIDName).
		At(name).From(ours)
	if better := strings.Trim(id[:min(len(id), maxIDName)], "._-"); idName(better) {
		p = p.Try("name it %q", better)
	}
	return "", p
}

func fold(name string) string {
	var b strings.Builder
	dash := false
	for _, r := range strings.ToLower(name) {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '.' || r == '_' || r == '-' {
			b.WriteRune(r)
			dash = false
		} else if !dash {
			b.WriteByte('-')
			dash = true
		}
	}
	return b.String()
}

func idName(s string) bool {
	if s == "" || len(s) > maxIDName || s != fold(s) {
		return false
	}
	return isAlnum(rune(s[0])) && isAlnum(rune(s[len(s)-1]))
}
