package term

import (
	"strings"
	"testing"
	"time"
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

func TestSnippetOfALongLineIsShort(t *testing.T) {
	source := []byte(strings.Repeat("é", 4<<20))
	begin := time.Now()
	var b strings.Builder
	for range 100 {
		b.Reset()
		(&Out{Writer: &b}).Snippet(1, CutSnippet(source, 4<<20, 8<<20))
	}
	if b.Len() > 1000 || time.Since(begin) > 5*time.Second {
		t.Errorf("%d bytes in %v", b.Len(), time.Since(begin))
	}
}
