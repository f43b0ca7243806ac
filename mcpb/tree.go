package mcpb

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
)

// A Tree is a folder of files, summed up.
type Tree struct {
	Files  int    `json:"files"`
	Bytes  int64  `json:"bytes"`
	Digest string `json:"digest"` // the tree digest: "sha256:" and lower-case hex
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
func summarize(leaves []leaf) *Tree {
	slices.SortFunc(leaves, func(a, b leaf) int { return strings.Compare(a.path, b.path) })
	h := sha256.New()
	t := &Tree{Files: len(leaves)}
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

func modeText(m fs.FileMode) string {
	if !hasModes {
		return ""
	}
	return fmt.Sprintf("%04o", m.Perm())
}

// TreeDigest sums up the folder root as [Bundle.Extract] did when it wrote it. A link or another special file in it is
// an error: Extract writes none.
func TreeDigest(root *os.Root) (*Tree, error) {
	var leaves []leaf
	err := fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		l, err := readLeaf(root, name, d)
		leaves = append(leaves, l)
		return err
	})
	if err != nil {
		return nil, err
	}
	return summarize(leaves), nil
}

func readLeaf(root *os.Root, name string, d fs.DirEntry) (leaf, error) {
	if !d.Type().IsRegular() {
		return leaf{}, &fs.PathError{Op: "digest", Path: name, Err: fmt.Errorf("is not a regular file (%v)", d.Type())}
	}
	f, err := root.Open(name)
	if err != nil {
		return leaf{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return leaf{}, err
	}
	h := sha256.New()
	n, err := io.Copy(h, f)
	return leaf{path.Clean(name), info.Mode(), n, [sha256.Size]byte(h.Sum(nil))}, err
}
