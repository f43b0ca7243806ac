package testsupport

import (
	"testing"
	"time"
)

// Linear fails a test when the time for an input of 8n grows faster than the input: what is linear takes 8 times as long
// as for n, what is quadratic 64 times, and 24 times is the limit. make makes the input and gives what is measured. Only
// the two times of one round are compared, and one good round of several is enough, so that neither a slow machine nor a
// busy one fails a test.
func Linear(t testing.TB, what string, n int, make func(n int) func()) {
	t.Helper()
	const rounds, limit = 10, 24
	small, large := make(n), make(8*n)
	var a, b time.Duration
	for range rounds {
		if a, b = took(small), took(large); b <= limit*a {
			return
		}
	}
	t.Errorf("%s: %v for %d, %v for %d: that is not linear", what, a, n, b, 8*n)
}

func took(run func()) time.Duration {
	begin := time.Now()
	run()
	return time.Since(begin)
}
