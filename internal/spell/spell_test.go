package spell

import (
	"strings"
	"testing"
)

func TestNearest(t *testing.T) {
	t.Parallel()
	words := []string{"entry_point", "mcp_config", "type", "name", "args", "env"}
	for word, want := range map[string]string{
		"entrypoint": "entry_point", "Entry_Point": "entry_point", "mpc_config": "mcp_config", "tpye": "type", "nam": "name",
		"enx": "env", "xyz": "", "": "", "argsargs": "", "ty": "", strings.Repeat("n", 100): "",
	} {
		if got := Nearest(word, words); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", word, got, want)
		}
	}
}

func TestDistance(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"a", "", 1}, {"", "ab", 2}, {"ab", "ba", 1}, {"kitten", "sitting", 3}, {"same", "same", 0}, {"abcd", "acbd", 1}} {
		if got := Distance(c.a, c.b); got != c.want {
			t.Errorf("Distance(%q, %q) = %d, want %d", c.a, c.b, got, c.want)
		}
	}
}

func TestOnly(t *testing.T) {
	for word, want := range map[string]string{"descripton": "description", "mix": "", "max": "max", "MAX": "max", "nothing": "", "": ""} {
		if got := Only(word, []string{"description", "min", "max", "note"}); got != want {
			t.Errorf("Only(%q) = %q, want %q", word, got, want)
		}
	}
}
