//go:build !linux

package sandbox

import "runtime"

// BoundsMemory tells whether this machine lets us bound the memory of a server: Windows does, by a job.
func BoundsMemory() bool { return runtime.GOOS == "windows" }
