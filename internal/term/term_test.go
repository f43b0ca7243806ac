package term

import (
	"bytes"
	"testing"
)

func TestVisible(t *testing.T) {
	cases := map[string]string{
		"plain, ünïcode, 日本語, 👍":        "plain, ünïcode, 日本語, 👍",
		"clear \x1b[2J the screen":      `clear \x1b[2J the screen`,
		"two\nlines\tand a tab":         "two\nlines\tand a tab",
		"carriage\rreturn":              `carriage\x0dreturn`,
		"reverse \u202etxt.exe":         `reverse \u202etxt.exe`,
		"zero\u200bwidth":               `zero\u200bwidth`,
		"tag \U000e0041":                `tag \U000e0041`,
		"line\u2028separator":           `line\u2028separator`,
		"invalid \xff byte":             `invalid \xff byte`,
		"c1 \u009b31m":                  `c1 \u009b31m`,
		"hangul\u3164filler":            `hangul\u3164filler`,
		"selector\U000e0100 supplement": `selector\U000e0100 supplement`,
	}
	for in, want := range cases {
		if got := Visible(in); got != want {
			t.Errorf("Visible(%q) = %q, want %q", in, got, want)
		}
	}
	if got := VisibleLine("a\nb\tc"); got != `a\x0ab\x09c` {
		t.Errorf("VisibleLine kept a newline or a tab: %q", got)
	}
}

func TestPipeGetsPlainTabSeparatedLines(t *testing.T) {
	var b bytes.Buffer
	o := New(&b, func(string) string { return "" })
	if err := o.Table([]string{"ID", "VERSION"}, [][]string{{"local/a", "1.0"}, {o.Red("local/b"), "2.0"}}); err != nil {
		t.Fatal(err)
	}
	if got, want := b.String(), "local/a\t1.0\nlocal/b\t2.0\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestTerminalGetsHeaderAndColour(t *testing.T) {
	var b bytes.Buffer
	o := &Out{Writer: &b, TTY: true, Color: true}
	if err := o.Table([]string{"ID", "V"}, [][]string{{"local/a", "1"}}); err != nil {
		t.Fatal(err)
	}
	if got, want := b.String(), "ID       V\nlocal/a  1\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := o.Red("x"); got != "\x1b[1;31mx\x1b[0m" {
		t.Errorf("Red = %q", got)
	}
}
