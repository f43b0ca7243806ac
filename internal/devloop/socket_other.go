//go:build !linux

package devloop

// shortPath gives the path as it is; one that is too long for a socket is an error of the system.
func shortPath(path string) (short string, done func(), err error) { return path, func() {}, nil }
