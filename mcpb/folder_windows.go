package mcpb

import (
	"errors"
	"io/fs"
	"os"
)

// An outFolder is an open folder in which files are made. Names have no separator.
type outFolder struct{ root *os.Root }

// openTop opens the folder of root.
func openTop(root *os.Root) (*outFolder, error) {
	top, err := root.OpenRoot(".")
	return &outFolder{top}, err
}

// mkdir makes a folder and opens it.
func (d *outFolder) mkdir(base string) (*outFolder, error) {
	if err := d.root.Mkdir(base, 0o755); err != nil {
		return nil, err
	}
	return d.enter(base)
}

// enter opens a folder that is there; a link is none.
func (d *outFolder) enter(base string) (*outFolder, error) {
	if info, err := d.root.Lstat(base); err != nil || !info.IsDir() {
		return nil, errors.Join(&fs.PathError{Op: "open", Path: base, Err: errors.New("is not a folder")}, err)
	}
	sub, err := d.root.OpenRoot(base)
	return &outFolder{sub}, err
}

// open opens a file that is there for reading; a link is none.
func (d *outFolder) open(base string) (*os.File, error) {
	if info, err := d.root.Lstat(base); err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(&fs.PathError{Op: "open", Path: base, Err: errors.New("is not a regular file")}, err)
	}
	return d.root.Open(base)
}

// create creates a file anew.
func (d *outFolder) create(base string, mode fs.FileMode) (outFile, error) {
	f, err := d.root.OpenFile(base, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	return outFile{f}, err
}

func (d *outFolder) close() error {
	if d.root == nil {
		return errors.ErrUnsupported
	}
	return d.root.Close()
}

// An outFile is a file that is being written.
type outFile struct{ *os.File }

func (f outFile) mode() (fs.FileMode, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Mode().Perm(), nil
}

func (f outFile) chmod(mode fs.FileMode) error { return f.Chmod(mode) }
func (f outFile) sync() error                  { return f.Sync() }
func (f outFile) close() error                 { return f.Close() }
