//go:build !linux && !darwin

package inside

// Main does nothing on this system.
func Main() {}
