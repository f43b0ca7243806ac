package manifest

import (
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
)

func TestURLs(t *testing.T) {
	t.Parallel()
	valid := []string{
		"https://example.com", "http://example.com/a b?c#d", "  https://example.com", "HTTPS://EXAMPLE.COM", "https:example.com",
		"https:\\\\example.com", "https:////example.com", "javascript:alert(1)", "java\nscript:alert(1)", "ftp://host", "git+ssh://git@host/a",
		"mailto:a@b", "a:", "a:b", "x-y.z+1:", "file:", "file:///etc/passwd", "file://host/x", "file:///C:/x", "file://C:/x",
		"http://1.2.3.4", "http://0x7f.1", "http://[::1]", "http://[::1]:80/", "http://[::ffff:1.2.3.4]", "http://a:0", "http://a:65535", "http://a:",
		"http://u:p@h", "http://u@v@h", "http://münchen.de", "http://%41.com", "foo://", "foo:///x", "foo://a%zz/", "http://a..b", "http://a.", "http://-a-",
		"http://1.2.3.4.", "http://0300.1", "http://a:00080",
	}
	invalid := []string{
		"", " ", "example.com", "/path", "git@github.com:a/b", "http:", "http://", "https://?x", "http://#", "http://:80", "http://a:b", "http://a:65536",
		"http://a b", "http://a<b", "http://a%", "http://%00", "http://[::1", "http://[::1]x", "http://[::g]", "http://[fe80::1%25eth0]", "http://1.2.3.256",
		"http://1.2.3.4.5", "http://256.256.256.256", "http://4294967296", "http://u@", "1http://a", "ht tp://a", ":", "://a", "foo://a b", "foo://:80", "foo://u@", "foo://a:x",
		"file://a b/", "file://h:80/", "file://u@h/", "http://a:-1", "http://a:+1",
	}
	for _, s := range valid {
		if !isURL(s) {
			t.Errorf("isURL(%q) = false", s)
		}
	}
	for _, s := range invalid {
		if isURL(s) {
			t.Errorf("isURL(%q) = true", s)
		}
	}
	agree(t, "url", isURL, append(valid, invalid...))
}

func TestEmails(t *testing.T) {
	t.Parallel()
	valid := []string{"a@b.cd", "A.B@C.DE", "a'b@c.de", "a+b_c-d@e-f.gh", "_@x.yz", "a@b.c.de", "1@2.ab", "a-@b.cd", "a@b-.cd"}
	invalid := []string{
		"", "a", "@b.cd", "a@", "a@b", "a@b.c", ".a@b.cd", "a.@b.cd", "a'@b.cd", "a..b@c.de", "a@b..cd", "a@-b.cd", "a@b.c1", "a@@b.cd", "a b@c.de",
		"a@b.cd\n", "a@b.cd.", "ü@b.cd", "a@b.ſs", "a@\u212a.cd", "a@b_c.de", "a@b.cd@e.fg",
	}
	for _, s := range valid {
		if !isEmail(s) {
			t.Errorf("isEmail(%q) = false", s)
		}
	}
	for _, s := range invalid {
		if isEmail(s) {
			t.Errorf("isEmail(%q) = true", s)
		}
	}
	agree(t, "email", isEmail, append(valid, invalid...))
}

// TestFormatsAgreeOnRandomTexts asks the reference about texts put together from the characters that matter.
func TestFormatsAgreeOnRandomTexts(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(1, 2))
	pick := func(pieces []string, most int) string {
		var b strings.Builder
		for range rnd.IntN(most) + 1 {
			b.WriteString(pieces[rnd.IntN(len(pieces))])
		}
		return b.String()
	}
	urlPieces := []string{
		"a", "b.c", "1", "0x1", "255", "256", ".", ":", "/", "//", "\\", "@", "?", "#", "[", "]", "::1", "%", "%41", "%2e", " ", "\t", "-", "+", "|", "^", "<", "\x01", "\x7f", "08", "99999999999", "_", "~", "*", "'",
	}
	var urls, emails []string
	for range 4000 {
		scheme := []string{"", "http:", "https://", "ftp://", "file:", "file://", "foo:", "foo://", "ws://", "HTTP://"}[rnd.IntN(10)]
		urls = append(urls, scheme+pick(urlPieces, 6))
		emails = append(emails, pick([]string{"a", "B", "1", ".", "@", "b.cd", "'", "-", "_", "+", "x", " ", "..", "é"}, 7))
	}
	agree(t, "url", isURL, urls)
	agree(t, "email", isEmail, emails)
}

func agree(t *testing.T, kind string, ours func(string) bool, texts []string) {
	t.Helper()
	questions := make([]question, len(texts))
	for i, s := range texts {
		questions[i] = question{kind, s}
	}
	wrong := 0
	for i, theirs := range askReference[bool](t, questions) {
		if ours(texts[i]) == theirs {
			continue
		}
		if wrong++; wrong <= 20 {
			t.Errorf("%s %q: ours %t, the reference %t", kind, texts[i], !theirs, theirs)
		}
	}
	if wrong > 20 {
		t.Errorf("and %d more", wrong-20)
	}
}

// TestFormatsAgreeWithTheirPatterns holds the hand-written checks to the patterns that a JSON Schema shows.
func TestFormatsAgreeWithTheirPatterns(t *testing.T) {
	t.Parallel()
	texts := []string{"", "1x1", "0x0", "16X16", "1x", "x1", "1x1x", "1x1\n", "٣x٣", "en", "en-US", "en_US", "12", "e", "en-", "abcdefghi", "en-abcdefghi", "é", "\n",
		"${locale}", "a/${LOCALE}.json", "${locale", "$locale", "${locale }", "${loc\u0000ale}", "en\n"}
	for _, f := range []*format{sizeFormat(), notEmpty(), localePathFormat(), localeFormat()} {
		pattern := regexp.MustCompile(f.pattern)
		for _, s := range texts {
			if f.ok(s) != pattern.MatchString(s) {
				t.Errorf("%q: ok %t, pattern %s says otherwise", s, f.ok(s), f.pattern)
			}
		}
	}
}
