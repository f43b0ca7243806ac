package devloop

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Redact gives a function that replaces secrets by "***": as they are, and in the forms that they commonly have in JSON
// and in addresses. Other forms, such as Base64, are not recognised.
func Redact(secrets []string) func(string) string {
	var forms []string
	for _, s := range secrets {
		if s != "" {
			quoted := quote(s)
			forms = append(forms, s, quoted, quoteHTML(s), ascii(quoted), url.QueryEscape(s), url.PathEscape(s))
		}
	}
	// The longest first: of two that begin alike none may leave the end of the other.
	slices.SortFunc(forms, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b)) })
	var pairs []string
	for _, form := range slices.Compact(forms) {
		pairs = append(pairs, form, "***")
	}
	return strings.NewReplacer(pairs...).Replace
}

// quote gives a text as it stands between the quotes of JSON.
func quote(s string) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s)                // a text can be encoded
	return b.String()[1 : b.Len()-2] // without the quotes and the end of the line
}

// quoteHTML also writes <, > and & as escapes, as Go does.
func quoteHTML(s string) string {
	return strings.NewReplacer("<", `\u003c`, ">", `\u003e`, "&", `\u0026`).Replace(quote(s))
}

// ascii also writes what is not ASCII as escapes, as Python does.
func ascii(quoted string) string {
	var b strings.Builder
	for _, r := range quoted {
		switch {
		case r < utf8.RuneSelf:
			b.WriteRune(r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// redactJSON redacts every text in a JSON document, whatever escapes it is written with, and then what is no text.
func redactJSON(raw []byte, redact func(string) string) string {
	var b strings.Builder
	for len(raw) > 0 {
		i := bytes.IndexByte(raw, '"')
		if i < 0 {
			break
		}
		b.Write(raw[:i])
		end := literal(raw[i:])
		var text string
		if err := json.Unmarshal(raw[i:i+end], &text); err == nil && redact(text) != text {
			b.WriteString(`"` + quote(redact(text)) + `"`)
		} else {
			b.Write(raw[i : i+end])
		}
		raw = raw[i+end:]
	}
	b.Write(raw)
	return redact(b.String())
}

// literal gives the length of the text that JSON begins with, its quotes included.
func literal(raw []byte) int {
	for i := 1; i < len(raw); i++ {
		switch raw[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(raw)
}
