package paths

import "io/fs"

// notPrivate checks nothing on Windows, see [Home.Ensure].
func notPrivate(fs.FileInfo) string { return "" }
