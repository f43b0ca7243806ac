package secret

import (
	"bytes"
	"strings"
)

const maxKey = 16 << 10 // bytes of a private key that are looked at

// privateKey wants a header of RFC 7468, OpenSSH or PGP and the key itself: programs that read keys hold the header too.
func privateKey(data []byte, at int) (int, int) {
	rest := data[at:min(len(data), at+maxKey)]
	label, body, ok := bytes.Cut(rest[len("-----BEGIN "):], []byte("-----"))
	if !ok || len(label) > 40 || !(bytes.HasSuffix(label, []byte("PRIVATE KEY")) || string(label) == "PGP PRIVATE KEY BLOCK") {
		return 0, 0
	}
	if i := bytes.Index(body, []byte("-----")); i >= 0 {
		body = body[:i]
	}
	if !keyBody(body) {
		return 0, 0
	}
	return at, at + len("-----BEGIN ") + len(label) + len("-----")
}

// keyBody tells whether there is enough base 64 for a key: an Ed25519 key, the shortest, has 64 characters. Line breaks
// may be written as \n inside a string, and lines may be joined by quotes and plus signs.
func keyBody(body []byte) bool {
	seen, distinct, n, run, longest := [256]bool{}, 0, 0, 0, 0
	for i := 0; i < len(body); i++ {
		c := body[i]
		if c == '\\' && i+1 < len(body) { // \n, \r, or a line that goes on
			i++
			run = 0
			continue
		}
		if strings.IndexByte(string(base62)+"+/=", c) < 0 {
			run = 0
			continue
		}
		n++
		if run++; run > longest {
			longest = run
		}
		if !seen[c] {
			seen[c], distinct = true, distinct+1
		}
	}
	return n >= 60 && longest >= 40 && distinct >= 20
}

func puttyKey(data []byte, at int) (int, int) {
	const begin = "PuTTY-User-Key-File-"
	rest := data[at+len(begin) : min(len(data), at+len(begin)+maxKey)]
	if next := bytes.Index(rest, []byte(begin)); next >= 0 { // one key ends where the next begins: the time stays linear
		rest = rest[:next]
	}
	i := bytes.Index(rest, []byte("Private-Lines:"))
	if i < 0 || !keyBody(rest[i+len("Private-Lines:"):]) {
		return 0, 0
	}
	return at, at + len(begin)
}

// maxUserInfo bounds the part of a URL between scheme and host that is looked at.
const maxUserInfo = 300

// urlPassword finds the password of scheme://user:password@host, unless it is a variable or made up, or the host is the
// machine itself or an example.
func urlPassword(data []byte, at int) (int, int) {
	rest := data[at+len("://") : min(len(data), at+len("://")+maxUserInfo)]
	info, host, ok := cutLast(upTo(rest, " \t\r\n\"'`<>/?#|\\^{}$()[],;*"), '@')
	user, password, hasPassword := bytes.Cut(info, []byte(":"))
	if !ok || !hasPassword || len(password) < 8 || isLocal(string(host)) || madeUp(string(password)) || string(user) == string(password) {
		return 0, 0
	}
	from := at + len("://") + len(user) + 1
	return from, from + len(password)
}

func cutLast(b []byte, sep byte) (before, after []byte, ok bool) {
	i := bytes.LastIndexByte(b, sep)
	if i < 0 {
		return b, nil, false
	}
	return b[:i], b[i+1:], true
}

func isLocal(host string) bool {
	name, _, _ := strings.Cut(strings.ToLower(host), ":")
	switch {
	case name == "", name == "localhost", name == "host", name == "hostname", name == "server", name == "db", !strings.Contains(name, "."):
		return true
	case strings.HasPrefix(name, "127."), strings.HasSuffix(name, ".local"), strings.HasSuffix(name, ".test"), strings.HasSuffix(name, ".invalid"):
		return true
	}
	return strings.Contains(name, "example")
}

// madeUp passes over what no generator of passwords gives: words without digits, and the usual stand-ins.
func madeUp(s string) bool {
	return placeholder(s) || strings.Contains(strings.ToLower(s), "pass") || strings.Contains(s, "%") || entropy(s) < 2.5 ||
		!strings.ContainsAny(s, string(digits)) || !strings.ContainsAny(strings.ToLower(s), strings.ToLower(string(upper)))
}

// npmToken is a line such as //npm.example.com/:_authToken=abc of an .npmrc.
func npmToken(data []byte, at int) (int, int) {
	rest := data[at+len("_authToken") : min(len(data), at+len("_authToken")+maxUserInfo)]
	trimmed := bytes.TrimLeft(rest, " ")
	value, ok := bytes.CutPrefix(trimmed, []byte("="))
	if !ok {
		return 0, 0
	}
	value = bytes.TrimLeft(value, " \"'")
	from := at + len("_authToken") + len(rest) - len(value)
	token := upTo(value, " \t\r\n\"'=") // padding is no part of what is shown
	if !Value(string(token)) {
		return 0, 0
	}
	return from, from + len(token)
}
