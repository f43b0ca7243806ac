//go:build !linux

package procgroup

// IsWatcher tells whether the program's arguments ask it to be the watcher; never on this system.
func IsWatcher([]string) bool { return false }

// WatchMain is the watcher of Linux; it is not called on this system.
func WatchMain([]string) int { return 1 }
