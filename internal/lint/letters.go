package lint

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// invisible tells whether nobody sees r where it stands: zero-width and bidirectional characters, tags, fillers,
// variation selectors. before and after are its neighbours: emoji and some scripts need a few of these.
func invisible(r, before, after rune) bool {
	switch {
	case r == '\n' || r == '\t' || r == '\r':
		return false
	case r == 0x200c || r == 0x200d: // joiners: in Persian, in Indic scripts, in emoji of several parts
		return !joins(before) || !joins(after)
	case r == 0xfe0f: // what stands before it is shown as a picture
		return !pictures(before)
	case r == 0x200e || r == 0x200f || r == 0x061c: // a mark between two scripts
		return !rightToLeft(before) && !rightToLeft(after)
	case unicode.Is(unicode.Cc, r), unicode.Is(unicode.Cf, r), unicode.Is(unicode.Zl, r), unicode.Is(unicode.Zp, r), unicode.Is(unicode.Co, r):
		return r != 0xad || !unicode.IsLetter(before) // a soft hyphen inside a word
	}
	return unicode.In(r, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point)
}

func joins(r rune) bool {
	return r == 0xfe0f || unicode.In(r, unicode.So, unicode.Sk) || unicode.In(r, unicode.Arabic, unicode.Syriac, unicode.Devanagari, unicode.Bengali, unicode.Gurmukhi, unicode.Gujarati, unicode.Oriya,
		unicode.Tamil, unicode.Telugu, unicode.Kannada, unicode.Malayalam, unicode.Sinhala, unicode.Myanmar, unicode.Khmer, unicode.Mongolian)
}

// pictures tells whether a character has a form as a picture, keycaps included.
func pictures(r rune) bool {
	return r == 0x2139 || r == 0x3030 || r != ' ' && unicode.In(r, unicode.So, unicode.Sm, unicode.Sk, unicode.Po, unicode.Nd)
}

func rightToLeft(r rune) bool {
	return unicode.In(r, unicode.Hebrew, unicode.Arabic, unicode.Syriac, unicode.Thaana, unicode.Nko)
}

// hiddenIn gives the invisible characters of a text: how many, the first, and the text without them.
func hiddenIn(s string) (n int, first rune, without string) {
	var b strings.Builder
	r := []rune(s)
	flag := 0 // the end of one: its tags are part of a picture
	for i, c := range r {
		before, after := ' ', ' '
		if n := flagTags(r[i:]); n > 0 {
			flag = i + 1 + n
		}
		if i < flag && c >= 0xe0000 {
			b.WriteRune(c)
			continue
		}
		if i > 0 {
			before = r[i-1]
		}
		if i+1 < len(r) {
			after = r[i+1]
		}
		if c == 0xfeff || invisible(c, before, after) {
			if n++; n == 1 {
				first = c
			}
			continue
		}
		b.WriteRune(c)
	}
	return n, first, b.String()
}

// flagTags gives how many tags follow a black flag that is that of England, Scotland or Wales: the only ones that Unicode
// recommends (UTS #51).
func flagTags(r []rune) int {
	for _, region := range []string{"gbeng", "gbsct", "gbwls"} {
		want := []rune{0x1f3f4}
		for _, c := range region {
			want = append(want, 0xe0000+c)
		}
		if want = append(want, 0xe007f); len(r) >= len(want) && slices.Equal(r[:len(want)], want) {
			return len(want) - 1
		}
	}
	return 0
}

// hiddenKind says what an invisible character is for.
func hiddenKind(r rune) string {
	switch {
	case r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069, r == 0x200e, r == 0x200f, r == 0x061c:
		return "a bidirectional control"
	case r >= 0xe0000 && r <= 0xe007f:
		return "a tag character"
	case unicode.Is(unicode.Variation_Selector, r):
		return "a variation selector"
	case unicode.Is(unicode.Cc, r):
		return "a control character"
	}
	return "an invisible character"
}

// fold gives what a reader takes a name for: letters of other alphabets that look like Latin ones are those, case and
// width do not count, and neither do invisible characters.
func fold(s string) string {
	_, _, s = hiddenIn(s)
	s = strings.ToLower(norm.NFKD.String(s))
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) { // accents
			return -1
		}
		if latin, ok := lookAlike(r); ok {
			return latin
		}
		return r
	}, s)
}

// lookAlike gives the Latin letter that a small letter of another alphabet looks like (Unicode, confusables.txt).
func lookAlike(r rune) (rune, bool) {
	const others = "аеорсухіјѕһԁԛԝӏвнкмтαορνικτεωѡɡɑıⅼ"
	const latins = "aeopcyxijshdqwlbhkmtaopviktewwgail"
	if i := strings.IndexRune(others, r); i >= 0 {
		n := len([]rune(others[:i]))
		return rune(latins[n]), true
	}
	return 0, false
}

// sketch is fold without what the eye slips over: separators, and digits that look like letters.
func sketch(s string) string {
	s = strings.NewReplacer("0", "o", "1", "l", "rn", "m", "vv", "w").Replace(fold(s))
	return strings.Map(func(r rune) rune {
		if r == '-' || r == '_' || r == '.' || r == ' ' {
			return -1
		}
		return r
	}, s)
}
