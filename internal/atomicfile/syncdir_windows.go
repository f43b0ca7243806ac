package atomicfile

// SyncDir does nothing on Windows: NTFS journals renames, and a folder cannot be flushed.
func SyncDir(string) error { return nil }
