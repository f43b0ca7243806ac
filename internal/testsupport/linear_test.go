package testsupport

import "testing"

// A witness takes the place of a test that fails.
type witness struct {
	testing.TB
	failed bool
}

func (w *witness) Helper()               {}
func (w *witness) Errorf(string, ...any) { w.failed = true }

func TestLinear(t *testing.T) {
	for _, c := range []struct {
		what   string
		steps  func(n int) int
		failed bool
	}{
		{"linear", func(n int) int { return 1000 * n }, false},
		{"quadratic", func(n int) int { return n * n }, true},
	} {
		var w witness
		sum := 0
		Linear(&w, c.what, 2000, func(n int) func() {
			return func() {
				for i := range c.steps(n) {
					sum += i & 3
				}
			}
		})
		if w.failed != c.failed {
			t.Errorf("%s work fails: %v (%d)", c.what, w.failed, sum)
		}
	}
}
