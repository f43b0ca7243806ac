package grant

import "io/fs"

// identity is not looked at on Windows: paths are held by their name there.
func identity(fs.FileInfo) (dev, ino uint64) { return 0, 0 }

// foreign is not looked at on Windows: a folder below another user's profile is closed there by inheritance.
func foreign(fs.FileInfo) bool { return false }

func lastingInodes(string) bool { return false }
