package sandbox

import "testing"

func BenchmarkPlan(b *testing.B) {
	cmd := Command{Path: "/usr/bin/true", Argv: []string{"true"}, Env: []string{}, Dir: b.TempDir()}
	for b.Loop() {
		if _, err := plan(Namespaces, cmd, entrance{}, 1000, 1000); err != nil {
			b.Fatal(err)
		}
	}
}
