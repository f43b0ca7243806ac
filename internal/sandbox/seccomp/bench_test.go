package seccomp

import "testing"

func BenchmarkFilter(b *testing.B) {
	for b.Loop() {
		if _, err := Filter("amd64", Rules{Internet: true}); err != nil {
			b.Fatal(err)
		}
	}
}
