package paths

import "io/fs"

// Nothing is checked on Windows, see [Own].

func mine(fs.FileInfo) bool { return true }

func notOurs(fs.FileInfo, fs.FileMode) string { return "" }

func exchangeable(fs.FileInfo) string { return "" }
