package bundlediff

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"satchel/mcpb"
)

type digest [sha256.Size]byte

// A fileComparer compares the files of two sides by name, mode, size, and where that says nothing by digest.
type fileComparer struct {
	ctx  context.Context
	a, b *Side
	buf  []byte
	out  []FileChange
}

func compareFiles(ctx context.Context, a, b *Side) ([]FileChange, error) {
	c := &fileComparer{ctx: ctx, a: a, b: b, buf: make([]byte, 64<<10), out: []FileChange{}}
	var gone, fresh []mcpb.File
	for _, name := range slices.Sorted(maps.Keys(a.files)) {
		before := a.files[name]
		after, both := b.files[name]
		if !both {
			gone = append(gone, before)
			continue
		}
		if err := c.same(before, after); err != nil {
			return nil, err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(b.files)) {
		if _, both := a.files[name]; !both {
			fresh = append(fresh, b.files[name])
		}
	}
	if err := c.moved(gone, fresh); err != nil {
		return nil, err
	}
	slices.SortFunc(c.out, func(x, y FileChange) int { return cmp.Compare(x.Name, y.Name) })
	return c.out, nil
}

// same compares two files of one name.
func (c *fileComparer) same(before, after mcpb.File) error {
	change := FileChange{Name: after.Name, SizeBefore: before.Size, SizeAfter: after.Size}
	if before.Mode.Perm() != after.Mode.Perm() {
		change.Kind, change.ModeBefore, change.ModeAfter = Mode, octal(before), octal(after)
	}
	if before.Size != after.Size {
		change.Kind = Changed
	} else {
		x, err := c.digest(c.a, before.Name)
		if err != nil {
			return err
		}
		y, err := c.digest(c.b, after.Name)
		if err != nil {
			return err
		}
		if x != y {
			change.Kind = Changed
		}
	}
	if change.Kind != "" {
		c.out = append(c.out, change)
	}
	return nil
}

func octal(f mcpb.File) string { return fmt.Sprintf("%04o", f.Mode.Perm()) }

// moved takes files of the same content that have another name on the other side for moved, the rest for removed and
// added. Empty files are all alike, and tell nothing. Both lists are in the order of their names.
func (c *fileComparer) moved(gone, fresh []mcpb.File) error {
	left, err := c.byContent(gone, fresh)
	if err != nil {
		return err
	}
	used := map[string]bool{}
	for _, f := range fresh {
		change := FileChange{Name: f.Name, Kind: Added, SizeAfter: f.Size, ModeAfter: octal(f)}
		if left.sizes[f.Size] {
			sum, err := c.digest(c.b, f.Name)
			if err != nil {
				return err
			}
			if list := left.files[sum]; len(list) > 0 {
				change.Kind, change.From, change.SizeBefore, change.ModeBefore = Moved, list[0].Name, f.Size, octal(list[0])
				used[list[0].Name], left.files[sum] = true, list[1:]
			}
		}
		c.out = append(c.out, change)
	}
	for _, f := range gone {
		if !used[f.Name] {
			c.out = append(c.out, FileChange{Name: f.Name, Kind: Removed, SizeBefore: f.Size, ModeBefore: octal(f)})
		}
	}
	return nil
}

// contents are files by their digests, and the sizes that they have.
type contents struct {
	files map[digest][]mcpb.File
	sizes map[int64]bool
}

// byContent digests those files that are gone which have the size of a fresh one.
func (c *fileComparer) byContent(gone, fresh []mcpb.File) (contents, error) {
	wanted := map[int64]bool{}
	for _, f := range fresh {
		wanted[f.Size] = f.Size > 0
	}
	left := contents{map[digest][]mcpb.File{}, map[int64]bool{}}
	for _, f := range gone {
		if !wanted[f.Size] {
			continue
		}
		sum, err := c.digest(c.a, f.Name)
		if err != nil {
			return left, err
		}
		left.files[sum], left.sizes[f.Size] = append(left.files[sum], f), true
	}
	return left, nil
}

func (c *fileComparer) digest(s *Side, name string) (sum digest, err error) {
	if err := c.ctx.Err(); err != nil {
		return sum, err
	}
	f, err := s.content.Open(name)
	if err != nil {
		return sum, err
	}
	h := sha256.New()
	_, err = io.CopyBuffer(struct{ io.Writer }{h}, struct{ io.Reader }{f}, c.buf)
	h.Sum(sum[:0])
	return sum, errors.Join(err, f.Close())
}
