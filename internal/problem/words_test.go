package problem

import "testing"

func TestWordsTellOneFromTwo(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		argv []string
		want string
	}{
		{[]string{"a", "b"}, "a b"},
		{[]string{"a b"}, "'a b'"},
		{[]string{"a\u00a0b"}, "'a\u00a0b'"},
		{[]string{"a", ""}, "a ''"},
		{[]string{"{a,b}", "x[1]"}, "'{a,b}' 'x[1]'"},
	} {
		if got := Words(c.argv...); got != c.want {
			t.Errorf("%q: %s, want %s", c.argv, got, c.want)
		}
	}
}
