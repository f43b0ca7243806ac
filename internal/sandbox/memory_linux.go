package sandbox

import (
	"os"
	"path"

	"satchel/internal/spec"
)

// BoundsMemory tells whether this machine lets us bound the memory of a server: by a control group, which it must let us
// make. It tries.
func BoundsMemory() bool {
	g := newGroup(Namespaces, spec.Limits{Memory: 1 << 30})
	defer g.remove()
	for _, dir := range g.dirs {
		for _, name := range []string{"memory.max", "memory.limit_in_bytes"} {
			if _, err := os.Stat(path.Join(dir, name)); err == nil {
				return true
			}
		}
	}
	return false
}
