package ignore

import (
	"io/fs"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzMatch holds that a pattern, whatever it is, neither panics nor takes long, and that a path whose every special
// character is quoted matches itself and nothing longer.
func FuzzMatch(f *testing.F) {
	for _, pattern := range []string{"*.log", "/a/**/b", "[!a-z]*", "a[[:alpha:]]\\", "**/**/**x", "!x/", strings.Repeat("*a", 50)} {
		f.Add(pattern, "a/x/b.log")
	}
	f.Fuzz(func(t *testing.T, pattern, path string) {
		if len(pattern)+len(path) > 1000 {
			return
		}
		l := New(pattern)
		l.Match(path, false)
		l.Match(path, true)
		if !fs.ValidPath(path) || !utf8.ValidString(path) || path == "." || strings.ContainsAny(path, "\r\n") {
			return
		}
		quoted := &List{}
		quoted.add("/"+quote(path), "quoted", false)
		if _, out := quoted.Match(path, false); !out {
			t.Fatalf("%q does not match %q", quote(path), path)
		}
		if _, out := quoted.Match(path+"x", false); out {
			t.Fatalf("%q matches %q", quote(path), path+"x")
		}
	})
}

func quote(path string) string {
	var b strings.Builder
	for _, r := range path {
		if strings.ContainsRune(`*?[]\! #`, r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}
