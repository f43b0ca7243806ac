//go:build !linux

package probe

// Main does nothing: there are no lines on this system yet.
func Main() {}
