package term

import (
	"bytes"
	"encoding/json"
	"testing"
	"testing/synctest"
	"time"
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

// A JSON document is shown on terminals and in logs too; it must say the same afterwards.
func TestVisibleJSON(t *testing.T) {
	for in, want := range map[string]string{
		"plain, ünïcode, 日本語, 👍": "plain, ünïcode, 日本語, 👍",
		"c1 \u009b31m":           `c1 \u009b31m`,
		"reverse \u202etxt":      `reverse \u202etxt`,
		"tag \U000e0041":         `tag \udb40\udc41`,
		"del \x7f":               `del \u007f`,
	} {
		doc, err := json.MarshalIndent([]string{in}, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		got := VisibleJSON(doc)
		if string(got) != "[\n  \""+want+"\"\n]" {
			t.Errorf("%q: %s", in, got)
		}
		var back []string
		if err := json.Unmarshal(got, &back); err != nil || back[0] != in {
			t.Errorf("%q: read back %q, %v", in, back, err)
		}
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

func TestBytes(t *testing.T) {
	cases := map[int64]string{0: "0 B", 999: "999 B", 1000: "1.0 kB", 1234: "1.2 kB", 9950: "10 kB", 999_499: "999 kB", 999_500: "1.0 MB", 103_100_000: "103 MB", 1 << 62: "4.6 EB"}
	for n, want := range cases {
		if got := Bytes(n); got != want {
			t.Errorf("Bytes(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestProgressIsSilentWhenShortOrPiped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tty, pipe bytes.Buffer
		p, q := (&Out{Writer: &tty, TTY: true}).Progress("packing"), (&Out{Writer: &pipe}).Progress("packing")
		p.Set(1, 10)
		if tty.Len() > 0 {
			t.Errorf("shown at once: %q", tty.String())
		}
		time.Sleep(time.Second) // the bubble's clock
		p.Set(5, 10)
		q.Set(5, 10)
		p.Done()
		if got, want := tty.String(), "\r\x1b[Kpacking  50 % of 10 B\r\x1b[K"; got != want {
			t.Errorf("on a terminal: %q, want %q", got, want)
		}
		if pipe.Len() > 0 {
			t.Errorf("in a pipe: %q", pipe.String())
		}
	})
}
