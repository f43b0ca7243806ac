package manifest

import (
	"net/netip"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A format is a further rule for a text. The formats accept what the reference's validators accept.
type format struct {
	rule    string
	message string
	fix     string
	// The reference's words for what does not fit.
	reference string
	// JSON Schema's words for it: a pattern, or the name of a definition of formatDefs.
	pattern, def string
	ok           func(s string) bool
}

func emailFormat() *format {
	return &format{
		rule: "manifest/email", message: "is not an e-mail address", fix: `write it like "name@example.com", or leave it out`,
		reference: "Invalid email", def: "email", ok: isEmail,
	}
}

func urlFormat() *format {
	return &format{
		rule: "manifest/url", message: "is not a URL", fix: `write the whole URL, such as "https://example.com/page"`,
		reference: "Invalid url", def: "url", ok: isURL,
	}
}

func sizeFormat() *format {
	return &format{
		rule: "manifest/format", message: "is not WIDTHxHEIGHT", fix: `write it like "16x16"`,
		reference: `size must be in the format "WIDTHxHEIGHT" (e.g., "16x16")`,
		pattern:   `^\d+x\d+$`,
		ok: func(s string) bool {
			w, h, ok := strings.Cut(s, "x")
			return ok && isDigits(w) && isDigits(h)
		},
	}
}

func notEmpty() *format {
	return &format{
		rule: "manifest/format", message: "is empty", fix: "write a text, or leave it out",
		reference: "theme cannot be empty when provided",
		pattern:   `^[\s\S]`,
		ok:        func(s string) bool { return s != "" },
	}
}

func localePathFormat() *format {
	return &format{
		rule: "manifest/format", message: "has no ${locale} in it", fix: `write it like "mcpb-resources/${locale}.json"`,
		reference: `resources must include a "${locale}" placeholder`,
		pattern:   `\$\{[lL][oO][cC][aA][lL][eE]\}`,
		ok:        func(s string) bool { return strings.Contains(lowerASCII(s), "${locale}") },
	}
}

func localeFormat() *format {
	return &format{
		rule: "manifest/format", message: "is not a language tag (BCP 47)", fix: `write it like "en-US"`,
		reference: "default_locale must be a valid BCP 47 locale identifier",
		pattern:   `^[A-Za-z0-9]{2,8}(-[A-Za-z0-9]{1,8})*$`,
		ok:        isLocale,
	}
}

func isLocale(s string) bool {
	for i, part := range strings.Split(s, "-") {
		least := 1
		if i == 0 {
			least = 2
		}
		if len(part) < least || len(part) > 8 || strings.ContainsFunc(part, notAlnum) {
			return false
		}
	}
	return true
}

// isEmail is zod 3.25's /^(?!\.)(?!.*\.\.)([A-Z0-9_'+\-\.]*)[A-Z0-9_+-]@([A-Z0-9][A-Z0-9\-]*\.)+[A-Z]{2,}$/i, by hand
// because Go's case folding would also take U+017F and U+212A for s and k.
func isEmail(s string) bool {
	at := strings.LastIndexByte(s, '@')
	if at < 1 || strings.HasPrefix(s, ".") || strings.Contains(s, "..") {
		return false
	}
	local, domain := s[:at], s[at+1:]
	if strings.ContainsFunc(local, func(r rune) bool { return notAlnum(r) && !strings.ContainsRune("_'+-.", r) }) ||
		strings.ContainsRune("'.", rune(local[len(local)-1])) {
		return false
	}
	labels := strings.Split(domain, ".")
	for _, label := range labels[:len(labels)-1] {
		if label == "" || label[0] == '-' || strings.ContainsFunc(label, func(r rune) bool { return notAlnum(r) && r != '-' }) {
			return false
		}
	}
	top := labels[len(labels)-1]
	return len(labels) > 1 && len(top) >= 2 && !strings.ContainsFunc(top, func(r rune) bool { return !isLetter(r) })
}

func isDigits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

func isLetter(r rune) bool { return r|0x20 >= 'a' && r|0x20 <= 'z' }

func isAlnum(r rune) bool { return r >= '0' && r <= '9' || isLetter(r) }

func notAlnum(r rune) bool { return !isAlnum(r) }

// lowerASCII leaves all other letters alone: U+212A (Kelvin) is no k. The result is as long as s.
func lowerASCII(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

// isURL takes what WHATWG's URL parser takes without a base (https://url.spec.whatwg.org): any scheme at all, with a
// host where the scheme has hosts. Of host names beyond ASCII it looks at the forbidden characters only, not at IDNA's
// tables.
func isURL(s string) bool {
	scheme, rest, ok := cutScheme(s)
	if !ok {
		return false
	}
	switch scheme {
	case "http", "https", "ftp", "ws", "wss":
		return validAuthority(strings.TrimLeft(rest, `/\`), true)
	case "file":
		return validFileURL(rest)
	}
	after, hasHost := strings.CutPrefix(rest, "//")
	return !hasHost || validAuthority(after, false)
}

// cutScheme gives the scheme in lower case and what follows its colon, after the clean-up that the URL parser begins
// with: tabs and line breaks anywhere, blanks and control characters around.
func cutScheme(s string) (scheme, rest string, ok bool) {
	s = strings.TrimFunc(s, func(r rune) bool { return r <= ' ' })
	s = strings.NewReplacer("\t", "", "\n", "", "\r", "").Replace(s)
	scheme, rest, ok = strings.Cut(s, ":")
	if !ok || scheme == "" || !isLetter(rune(scheme[0])) ||
		strings.ContainsFunc(scheme, func(r rune) bool { return notAlnum(r) && !strings.ContainsRune("+-.", r) }) {
		return "", "", false
	}
	return lowerASCII(scheme), rest, true
}

// validFileURL checks the host of a file URL, which has no port and no user; a drive letter in its place is a path.
func validFileURL(rest string) bool {
	rest = strings.ReplaceAll(rest, `\`, "/")
	host, ok := strings.CutPrefix(rest, "//")
	if !ok {
		return true
	}
	if i := strings.IndexAny(host, "/?#"); i >= 0 {
		host = host[:i]
	}
	drive := len(host) == 2 && isLetter(rune(host[0])) && (host[1] == ':' || host[1] == '|')
	return host == "" || drive || validHost(host, true)
}

// validAuthority checks user@host:port up to the path. A special scheme needs a host, and its backslashes are slashes.
func validAuthority(s string, special bool) bool {
	end := "/?#"
	if special {
		end += `\`
	}
	if i := strings.IndexAny(s, end); i >= 0 {
		s = s[:i]
	}
	at := strings.LastIndex(s, "@")
	host := s[at+1:]
	if i := strings.LastIndexByte(host, ':'); i > strings.LastIndexByte(host, ']') {
		i = strings.LastIndexByte(host, ']') + 1 + strings.IndexByte(host[strings.LastIndexByte(host, ']')+1:], ':')
		if i == 0 || !validPort(host[i+1:]) {
			return false
		}
		host = host[:i]
	}
	if host == "" {
		return !special && at < 0
	}
	return validHost(host, special)
}

func validHost(host string, special bool) bool {
	if strings.HasPrefix(host, "[") {
		inside, ok := strings.CutSuffix(host[1:], "]")
		addr, err := netip.ParseAddr(inside)
		return ok && err == nil && addr.Is6() && addr.Zone() == ""
	}
	forbidden := "\x00\t\n\r #/:<>?@[\\]^|"
	if !special {
		return !strings.ContainsAny(host, forbidden)
	}
	host = unescapeHost(host)
	bad := func(r rune) bool {
		return r <= ' ' || r == 0x7f || r == '%' || r == utf8.RuneError || strings.ContainsRune(forbidden, r)
	}
	return host != "" && !strings.ContainsFunc(host, bad) && validNumericHost(host)
}

// unescapeHost decodes %41; a percent sign that begins no escape stays, and is refused later.
func unescapeHost(h string) string {
	var b strings.Builder
	for i := 0; i < len(h); i++ {
		if h[i] == '%' && i+2 < len(h) {
			if n, err := strconv.ParseUint(h[i+1:i+3], 16, 8); err == nil {
				b.WriteByte(byte(n))
				i += 2
				continue
			}
		}
		b.WriteByte(h[i])
	}
	return b.String()
}

// validNumericHost refuses what ends like an IPv4 address but is none, as "ends in a number" of the URL standard does.
func validNumericHost(host string) bool {
	parts := strings.Split(strings.TrimSuffix(host, "."), ".")
	last := parts[len(parts)-1]
	if _, ok := ipv4Part(last); !ok && !isDigits(last) {
		return true
	}
	for i, p := range parts {
		n, ok := ipv4Part(p)
		if !ok || len(parts) > 4 || i < len(parts)-1 && n > 255 || i == len(parts)-1 && n >= 1<<(8*(5-len(parts))) {
			return false
		}
	}
	return true
}

// ipv4Part reads one number of an IPv4 address: decimal, 0x and hexadecimal, or 0 and octal. "0x" alone is 0, and a
// number that is too large for any address still is a number.
func ipv4Part(p string) (n uint64, ok bool) {
	base, digits := 10, "0123456789"
	switch lower := lowerASCII(p); {
	case strings.HasPrefix(lower, "0x"):
		base, digits, p = 16, "0123456789abcdef", lower[2:]
		if p == "" {
			return 0, true
		}
	case len(p) > 1 && p[0] == '0':
		base, digits, p = 8, "01234567", p[1:]
	}
	if p == "" || strings.Trim(p, digits) != "" {
		return 0, false
	}
	n, _ = strconv.ParseUint(p, base, 64) // the largest number when it is out of range
	return n, true
}

func validPort(p string) bool {
	if p == "" {
		return true
	}
	n, err := strconv.ParseUint(strings.TrimLeft(p, "0")+"0", 10, 32)
	return isDigits(p) && err == nil && n/10 <= 65535
}
