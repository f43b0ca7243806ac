//go:build !linux

package inside

// Main does nothing on this system.
func Main() {}
