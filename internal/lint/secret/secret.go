// Package secret finds credentials in text: private keys, tokens of known services, passwords in URLs. Use it on files
// that are about to be published or reviewed.
//
// It knows forms, not meanings: what has no form of its own, such as a password in a variable, is not found. Examples,
// placeholders and test keys that say so are passed over. Time is linear in the text, whatever it holds.
package secret

import (
	"bytes"
	"math"
	"strings"
)

// A Match is a credential in a text: the bytes Start to End.
type Match struct {
	Kind       string // such as "a GitHub token"
	Start, End int
}

// A Scanner looks for credentials. It does not change and is safe for concurrent use.
type Scanner struct {
	forms []form
	pairs *[1 << 16][]int // by the first two bytes of a form: which forms may begin here
}

// New makes a Scanner.
func New() *Scanner {
	s := &Scanner{forms: forms(), pairs: new([1 << 16][]int)}
	for i, f := range s.forms {
		p := pair(f.prefix[0], f.prefix[1])
		s.pairs[p] = append(s.pairs[p], i)
	}
	return s
}

func pair(a, b byte) int { return int(a)<<8 | int(b) }

// Scan gives the first credentials in data, at most limit, in the order of the text.
func (s *Scanner) Scan(data []byte, limit int) []Match {
	var found []Match
	for i := 0; i+1 < len(data); i++ {
		for _, k := range s.pairs[pair(data[i], data[i+1])] {
			f := &s.forms[k]
			if !bytes.HasPrefix(data[i:], []byte(f.prefix)) {
				continue
			}
			if start, end := f.match(data, i); end > start {
				found = append(found, Match{f.kind, start, end})
				if len(found) >= limit {
					return found
				}
				i = end - 1
				break
			}
		}
	}
	return found
}

// Value tells whether a text that stands where a secret belongs, such as the value of API_KEY, is one: long and random
// enough, and no placeholder.
func Value(s string) bool {
	return len(s) >= 16 && len(s) <= 4096 && !strings.ContainsAny(s, " \t\n${}<>") && !strings.Contains(s, "://") && !placeholder(s) && entropy(s) > 3 &&
		strings.ContainsAny(s, "0123456789")
}

// placeholder knows the words that stand where a secret will be, in documentation, templates and tests.
func placeholder(s string) bool {
	low := strings.ToLower(s)
	for _, word := range []string{
		"example", "your", "xxxx", "00000000", "11111111", "123456", "abcdef", "dummy", "fake", "placeholder", "changeme", "change_me",
		"insert", "redacted", "replace", "sample", "test", "secret", "token", "password", "...", "****", "____",
	} {
		if strings.Contains(low, word) {
			return true
		}
	}
	return false
}

// entropy is that of the bytes of s, in bits for each: random base 62 of 36 characters has some 4.6, a hexadecimal one
// of 32 some 3.6, English words 3.5 and less, "aaaa" 0.
func entropy(s string) (bits float64) {
	var count [256]int
	for i := range len(s) {
		count[s[i]]++
	}
	for _, n := range count {
		if n > 0 {
			p := float64(n) / float64(len(s))
			bits -= p * math.Log2(p)
		}
	}
	return bits
}

// upTo gives the beginning of b before the first byte of a set.
func upTo(b []byte, set string) []byte {
	var in [256]bool
	for i := range len(set) {
		in[set[i]] = true
	}
	for i, c := range b {
		if in[c] {
			return b[:i]
		}
	}
	return b
}
