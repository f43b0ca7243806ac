package manifest

import (
	"net/netip"
	"regexp"
	"strconv"
	"strings"
)

// The formats accept what the reference's validators accept: zod 3.25 and WHATWG URL.

func notEmpty(s string) (rule, message string) {
	if s == "" {
		return "manifest/format", "is empty"
	}
	return "", ""
}

func emailFormat(s string) (rule, message string) {
	pattern := regexp.MustCompile(`(?i)^[A-Z0-9_'+\-.]*[A-Z0-9_+-]@([A-Z0-9][A-Z0-9-]*\.)+[A-Z]{2,}$`)
	if strings.HasPrefix(s, ".") || strings.Contains(s, "..") || !pattern.MatchString(s) {
		return "manifest/email", "is not an e-mail address"
	}
	return "", ""
}

func sizeFormat(s string) (rule, message string) {
	w, h, ok := strings.Cut(s, "x")
	if !ok || !digits(w) || !digits(h) {
		return "manifest/format", `is not WIDTHxHEIGHT, such as "16x16"`
	}
	return "", ""
}

func digits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

func localePathFormat(s string) (rule, message string) {
	if !strings.Contains(strings.ToLower(s), "${locale}") {
		return "manifest/format", "has no ${locale} in it"
	}
	return "", ""
}

func localeFormat(s string) (rule, message string) {
	for i, part := range strings.Split(s, "-") {
		least := 1
		if i == 0 {
			least = 2
		}
		if len(part) < least || len(part) > 8 || strings.ContainsFunc(part, func(r rune) bool { return !isAlnum(r) }) {
			return "manifest/format", `is not a language tag, such as "en-US" (BCP 47)`
		}
	}
	return "", ""
}

func isAlnum(r rune) bool {
	return r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
}

// urlFormat takes what WHATWG's URL parser takes without a base (https://url.spec.whatwg.org): any scheme at all, with a
// host where the scheme has hosts.
func urlFormat(s string) (rule, message string) {
	const bad = "is not a URL"
	s = strings.NewReplacer("\t", "", "\n", "", "\r", "").Replace(strings.Trim(s, c0AndSpace()))
	scheme, rest, ok := strings.Cut(s, ":")
	if !ok || scheme == "" || !isLetter(rune(scheme[0])) || strings.ContainsFunc(scheme, notSchemeChar) {
		return "manifest/url", bad
	}
	switch strings.ToLower(scheme) {
	case "http", "https", "ftp", "ws", "wss":
		if !validAuthority(strings.TrimLeft(rest, `/\`), true) {
			return "manifest/url", bad
		}
	case "file":
	default:
		if after, found := strings.CutPrefix(rest, "//"); found && !validAuthority(after, false) {
			return "manifest/url", bad
		}
	}
	return "", ""
}

func c0AndSpace() string {
	var b strings.Builder
	for c := rune(0); c <= ' '; c++ {
		b.WriteRune(c)
	}
	return b.String()
}

func isLetter(r rune) bool { return r|0x20 >= 'a' && r|0x20 <= 'z' }

func notSchemeChar(r rune) bool { return !isAlnum(r) && !strings.ContainsRune("+-.", r) }

// validAuthority checks user@host:port up to the path. A special scheme needs a host, and its backslashes are slashes.
func validAuthority(s string, special bool) bool {
	end := "/?#"
	if special {
		end += `\`
	}
	if i := strings.IndexAny(s, end); i >= 0 {
		s = s[:i]
	}
	s = s[strings.LastIndex(s, "@")+1:]
	if strings.HasPrefix(s, "[") {
		host, port, ok := strings.Cut(s[1:], "]")
		addr, err := netip.ParseAddr(host)
		return ok && err == nil && addr.Is6() && addr.Zone() == "" && (port == "" || port[0] == ':' && validPort(port[1:]))
	}
	host, port, hasPort := strings.Cut(s, ":")
	if hasPort && (!validPort(port) || host == "") {
		return false
	}
	if host == "" {
		return !special
	}
	forbidden := "\x00\t\n\r #/:<>?@[\\]^|"
	if special {
		forbidden += "%\x7f"
		if h, err := unescapeHost(host); err != nil || h == "" {
			return false
		} else {
			host = h
		}
	}
	return !strings.ContainsAny(host, forbidden) && (!special || validNumericHost(host))
}

func unescapeHost(h string) (string, error) {
	var b strings.Builder
	for i := 0; i < len(h); i++ {
		if h[i] == '%' && i+2 < len(h) {
			n, err := strconv.ParseUint(h[i+1:i+3], 16, 8)
			if err != nil {
				return "", err
			}
			b.WriteByte(byte(n))
			i += 2
			continue
		}
		b.WriteByte(h[i])
	}
	return b.String(), nil
}

// validNumericHost refuses what ends like an IPv4 address but is none, as "ends in a number" of the URL standard does.
func validNumericHost(host string) bool {
	last := strings.TrimSuffix(host, ".")
	last = last[strings.LastIndexByte(last, '.')+1:]
	if !digits(last) {
		return true
	}
	parts := strings.Split(strings.TrimSuffix(host, "."), ".")
	for i, p := range parts {
		n, err := strconv.ParseUint(p, 0, 32)
		if err != nil || len(parts) > 4 || i < len(parts)-1 && n > 255 || i == len(parts)-1 && n >= 1<<(8*(5-len(parts))) {
			return false
		}
	}
	return true
}

func validPort(p string) bool {
	if p == "" {
		return true
	}
	n, err := strconv.ParseUint(p, 10, 16)
	return err == nil && n <= 65535 && digits(p)
}
