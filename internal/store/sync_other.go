//go:build !linux && !windows

package store

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"satchel/internal/atomicfile"
)

// syncTree puts all of a folder on the disk.
func syncTree(dir string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return atomicfile.SyncDir(path)
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		return errors.Join(f.Sync(), f.Close())
	})
}
