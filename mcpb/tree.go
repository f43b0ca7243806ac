package mcpb

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"
)

// A Tree is a folder of files, summed up.
type Tree struct {
	Files  int    `json:"files"`
	Bytes  int64  `json:"bytes"`
	Digest string `json:"digest,omitempty"` // the tree digest: "sha256:" and lower-case hex
}

// A leaf is one file of a tree.
type leaf struct {
	path string
	mode fs.FileMode
	size int64
	sum  [sha256.Size]byte
}

// summarize computes the tree digest: over the files sorted by path, each as mode (four octal digits; empty on Windows,
// which has none), path, size (decimal) and SHA-256, every field preceded by its length in eight big-endian bytes.
func summarize(leaves []leaf) Tree {
	slices.SortFunc(leaves, func(a, b leaf) int { return strings.Compare(a.path, b.path) })
	h := sha256.New()
	t := Tree{Files: len(leaves)}
	for _, l := range leaves {
		field(h, modeText(l.mode))
		field(h, l.path)
		field(h, strconv.FormatInt(l.size, 10))
		field(h, string(l.sum[:]))
		t.Bytes += l.size
	}
	t.Digest = digestText(h.Sum(nil))
	return t
}

func field(h hash.Hash, s string) {
	var n [8]byte
	binary.BigEndian.PutUint64(n[:], uint64(len(s)))
	h.Write(n[:])
	io.WriteString(h, s)
}

// modeText writes a mode as chmod takes it. Extract sets no special bit: one that was added later changes the digest.
func modeText(m fs.FileMode) string {
	if !hasModes {
		return ""
	}
	bits := m.Perm()
	for i, special := range []fs.FileMode{fs.ModeSticky, fs.ModeSetgid, fs.ModeSetuid} {
		if m&special != 0 {
			bits |= 0o1000 << i
		}
	}
	return fmt.Sprintf("%04o", uint32(bits))
}

// TreeDigest sums up the folder root as [Bundle.Extract] did when it wrote it. A link or another special file in it is
// an error: Extract writes none. Files are read in parallel.
func TreeDigest(root *os.Root) (Tree, error) {
	var leaves []leaf
	err := fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil || d.IsDir():
			return err
		case !d.Type().IsRegular():
			return special(name, d.Type())
		}
		leaves = append(leaves, leaf{path: name})
		return nil
	})
	if err != nil {
		return Tree{}, err
	}
	var group errgroup.Group
	group.SetLimit(workersOr(0))
	for i := range leaves {
		group.Go(func() error { return leaves[i].read(root) })
	}
	if err := group.Wait(); err != nil {
		return Tree{}, err
	}
	return summarize(leaves), nil
}

func special(name string, mode fs.FileMode) error {
	return &fs.PathError{Op: "digest", Path: name, Err: fmt.Errorf("is not a regular file (%v)", mode)}
}

// buffers is a pool for copying; what it holds carries no meaning.
var buffers = sync.Pool{New: func() any { b := make([]byte, 64<<10); return &b }}

func (l *leaf) read(root *os.Root) error {
	f, err := root.OpenFile(filepath.FromSlash(l.path), os.O_RDONLY|nonblock, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return special(l.path, info.Mode().Type())
	}
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	h := sha256.New()
	l.mode = info.Mode()
	l.size, err = io.CopyBuffer(h, onlyReader{f}, *buf)
	h.Sum(l.sum[:0])
	return err
}
