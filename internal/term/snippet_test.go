package term

import (
	"strings"
	"testing"
)

func TestSnippet(t *testing.T) {
	source := "first\n\tlet key = \"s\u202ec\";\nlast"
	start := strings.Index(source, "key")
	var b strings.Builder
	(&Out{Writer: &b}).Snippet(2, CutSnippet([]byte(source), start, start+3))
	if want := "    2 |     let key = \"s\\u202ec\";\n      |         ^^^\n"; b.String() != want {
		t.Errorf("shown:\n%swant:\n%s", b.String(), want)
	}
	for _, place := range [][2]int{{-1, 2}, {5, 2}, {1000, 2000}, {len(source), len(source)}} {
		CutSnippet([]byte(source), place[0], place[1]) // does not panic
	}
}

// What is looked at of a line of megabytes is a small part of it: the work is counted by the bytes that are cut out
// and then measured.
func TestSnippetOfALongLineIsShort(t *testing.T) {
	source := []byte(strings.Repeat("é", 4<<20))
	cut := CutSnippet(source, 4<<20, 8<<20)
	if n := len(cut.Before) + len(cut.Marked) + len(cut.After); n > 4096 {
		t.Errorf("%d bytes are cut out to be measured", n)
	}
	var b strings.Builder
	(&Out{Writer: &b}).Snippet(1, cut)
	if b.Len() > 1000 {
		t.Errorf("%d bytes are shown", b.Len())
	}
}
