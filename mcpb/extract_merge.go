package mcpb

import (
	"bytes"
	"errors"
	"io"
	"path"
	"path/filepath"

	"satchel/internal/problem"
)

// inTheWay is about what is at the place of a file or a folder of the bundle.
func (x *extraction) inTheWay(name string) *problem.Problem {
	return problem.New(problem.Failed, "extract/exists", "is there already and is not what the bundle holds; nothing is ever overwritten").
		At(filepath.Join(x.target.dir, filepath.FromSlash(name))).Try("remove it, or name another folder")
}

// compare holds a file that is there already to that of the bundle, and leaves it as it is.
func (w *extractWorker) compare(folder *outFolder, i int) error {
	x, e := w.x, &w.x.b.entries[i]
	f, err := folder.open(path.Base(e.name))
	if err != nil { // a link, or what may not be read
		return x.inTheWay(e.name).Because(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() || info.Size() != e.size {
		return x.inTheWay(e.name)
	}
	c := x.b.open(e, w.ahead)
	err = errors.Join(c.copyTo(w.into(&comparer{f, make([]byte, 32<<10)}), w.buf), c.Close())
	if errors.Is(err, errDiffers) {
		return x.inTheWay(e.name)
	}
	if err == nil {
		w.note(i, info.Mode().Perm())
	}
	return err
}

var errDiffers = errors.New("the content differs")

// A comparer fails when what is written to it is not what r gives.
type comparer struct {
	r   io.Reader
	buf []byte
}

// Write implements io.Writer.
func (c *comparer) Write(p []byte) (n int, err error) {
	for n < len(p) {
		part := c.buf[:min(len(c.buf), len(p)-n)]
		if _, err := io.ReadFull(c.r, part); err != nil || !bytes.Equal(part, p[n:n+len(part)]) {
			return n, errDiffers
		}
		n += len(part)
	}
	return n, nil
}
