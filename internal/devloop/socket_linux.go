package devloop

import (
	"fmt"
	"os"
	"path/filepath"
)

// maxSocketPath is the length of a path that the system takes for a socket (unix(7): 108 with the closing zero).
const maxSocketPath = 107

// shortPath gives a name of any length that the system takes: through an open descriptor of the folder.
func shortPath(path string) (short string, done func(), err error) {
	if len(path) <= maxSocketPath {
		return path, func() {}, nil
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return "", nil, err
	}
	return fmt.Sprintf("/proc/self/fd/%d/%s", dir.Fd(), filepath.Base(path)), func() { dir.Close() }, nil
}
