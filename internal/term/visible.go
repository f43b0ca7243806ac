package term

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Visible gives text that somebody else wrote in a form that cannot deceive the reader or drive the terminal: control
// characters, invisible and bidirectional format characters and invalid bytes are written as escapes such as \x1b and
// \u202e. Newlines and tabs stay. The rule is CVE-2021-42574's ("Trojan Source") and the threat model's: hidden and
// bidirectional characters are shown.
func Visible(s string) string { return visible(s, "\n\t") }

// VisibleLine is Visible for one line: newlines and tabs are escaped too.
func VisibleLine(s string) string { return visible(s, "") }

// VisibleJSON is Visible for a JSON document: what Visible shows as an escape is written as JSON's own escape, so that the
// document says the same. Newlines, which stand between its parts, stay.
func VisibleJSON(doc []byte) []byte {
	var b []byte
	for i := 0; i < len(doc); {
		r, n := utf8.DecodeRune(doc[i:])
		switch {
		case r == '\n' || !hidden(r):
			b = append(b, doc[i:i+n]...)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			b = fmt.Appendf(b, `\u%04x\u%04x`, high, low)
		default:
			b = fmt.Appendf(b, `\u%04x`, r)
		}
		i += n
	}
	return b
}

func visible(s, keep string) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case strings.ContainsRune(keep, r) || !hidden(r):
			b.WriteString(s[i : i+n])
		case r < 0x80:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r <= 0xffff:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
		i += n
	}
	return b.String()
}

// hidden tells whether a person cannot see r, or r changes how what stands around it is seen. Cf holds the zero-width,
// bidirectional and tag characters; variation selectors and the Hangul fillers are invisible without being Cf.
func hidden(r rune) bool {
	switch {
	case unicode.Is(unicode.Cc, r), unicode.Is(unicode.Cf, r), unicode.Is(unicode.Zl, r), unicode.Is(unicode.Zp, r):
		return true
	case unicode.Is(unicode.Co, r), unicode.Is(unicode.Variation_Selector, r) && r != 0xfe0f:
		return true
	}
	return r == 0x115f || r == 0x1160 || r == 0x3164 || r == 0xffa0
}
