package sandbox

import (
	"strings"
	"testing"

	"satchel/internal/spec"
)

// TestMemoryIsBounded: where BoundsMemory says so, who takes more than was granted is ended; where it does not, nothing is
// claimed, and that is logged.
func TestMemoryIsBounded(t *testing.T) {
	// tail keeps what has no line end in memory.
	const hungry = "head -c 200000000 /dev/zero | tail | wc -c; echo done"
	out, _ := run(t, shell(spec.Sandbox{Limits: spec.Limits{Memory: 64 << 20}}, realTemp(t), hungry, nil))
	taken := strings.Contains(out, "200000000")
	if bounds := BoundsMemory(); bounds == taken {
		t.Errorf("BoundsMemory says %v; it said %q", bounds, out)
	} else if !bounds {
		t.Log("this machine lets us make no control group for memory")
	}
}
