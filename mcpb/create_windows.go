package mcpb

import (
	"io/fs"
	"os"
)

// An outFolder is a folder in which files are created.
type outFolder struct{ *os.Root }

func openFolder(root *os.Root, name string) (*outFolder, error) {
	sub, err := root.OpenRoot(name)
	return &outFolder{sub}, err
}

// create creates a file anew; base has no separator.
func (d *outFolder) create(base string, mode fs.FileMode) (*os.File, error) {
	return d.OpenFile(base, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
}
