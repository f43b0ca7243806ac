// Package atomicfile writes files that are there whole or not at all: into a temporary file beside the target, fsync,
// rename, fsync of the folder. Use it for every file that must survive a crash; a kill at any moment leaves the old
// content or the new one, and at worst a temporary file whose name begins with a dot.
package atomicfile

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// A File is a file that appears under its name with Commit. It is not safe for concurrent use.
type File struct {
	*os.File
	path string
	done bool
}

// Create begins a file that will be at path with the permission bits perm, whatever the umask. The folder must exist. A
// link at path will be replaced, not followed; what is a device, a pipe or a socket, itself or by a link, is refused: it
// was named to be written into, as /dev/stdout, and must not become a file. The caller ends with Commit or Abort.
func Create(path string, perm fs.FileMode) (*File, error) {
	if isSpecial(path) {
		return nil, &fs.PathError{Op: "write", Path: path, Err: errors.New("is a device or a pipe, which no file can replace")}
	}
	tmp := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+"."+rand.Text()[:10]+".tmp")
	f, err := os.OpenFile(tmp, os.O_RDWR|os.O_CREATE|os.O_EXCL, perm)
	if err != nil {
		return nil, about(path, err)
	}
	if err := f.Chmod(perm); err != nil {
		return nil, errors.Join(err, f.Close(), os.Remove(tmp))
	}
	return &File{File: f, path: path}, nil
}

// isSpecial also knows the links to a program's own streams, which may lead to an ordinary file.
func isSpecial(path string) bool {
	if to, err := os.Readlink(path); err == nil && (strings.HasPrefix(to, "/proc/") || strings.HasPrefix(to, "/dev/")) {
		return true
	}
	info, err := os.Stat(path)
	return err == nil && !info.Mode().IsRegular() && !info.IsDir()
}

// Commit makes the file appear under its name. After an error nothing is left of it, and what was there before stays.
func (f *File) Commit() error {
	if f.done {
		return fs.ErrClosed
	}
	f.done = true
	err := errors.Join(f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), f.path)
	}
	if err != nil {
		return errors.Join(about(f.path, err), os.Remove(f.Name()))
	}
	return SyncDir(filepath.Dir(f.path))
}

// about gives an error of the system as one of the file that was wanted: nobody asked for the temporary one.
func about(path string, err error) error {
	if info, bad := os.Stat(path); bad == nil && info.IsDir() {
		return &fs.PathError{Op: "write", Path: path, Err: errors.New("is a folder")}
	}
	if link, ok := errors.AsType[*os.LinkError](err); ok {
		return &fs.PathError{Op: "write", Path: path, Err: link.Err}
	}
	if bad, ok := errors.AsType[*fs.PathError](err); ok {
		return &fs.PathError{Op: "write", Path: path, Err: bad.Err}
	}
	return err
}

// Abort throws the file away. After Commit it does nothing, so that it can be deferred.
func (f *File) Abort() {
	if !f.done {
		f.done = true
		_ = errors.Join(f.Close(), os.Remove(f.Name())) // nothing depends on what was thrown away
	}
}

// Write writes a whole file.
func Write(path string, data []byte, perm fs.FileMode) error {
	f, err := Create(path, perm)
	if err != nil {
		return err
	}
	defer f.Abort()
	if _, err := f.Write(data); err != nil {
		return about(path, err)
	}
	return f.Commit()
}
