package mcpb

import (
	"bytes"
	"encoding/binary"
	"io"
	"slices"

	"satchel/internal/problem"
	"satchel/mcpb/signature"
)

const (
	endMagic     = "PK\x05\x06"
	end64Magic   = "PK\x06\x06"
	locatorMagic = "PK\x06\x07"
	endSize      = 22
	end64Size    = 56
	locatorSize  = 20
	maxComment   = 1<<16 - 1
)

// A layout is what the end of an archive says about it.
type layout struct {
	entries   uint64
	dirOffset int64
	dirSize   int64
	dirEnd    int64  // where the central directory must end: at the ZIP64 end record or the end record
	endOffset int64  // of the end record
	comment   []byte // without any signature block
	declared  int    // the comment's length as the end record says, in which a signature block may be counted
	blocks    []signature.Block
}

// A tail is the last part of a file, as much as can matter for finding the end record and the signature blocks.
type tail struct {
	data  []byte
	start int64 // offset of data in the file
}

func readTail(r io.ReaderAt, size int64) (tail, error) {
	start := max(0, size-(endSize+end64Size+locatorSize+maxComment+maxSignature))
	data := make([]byte, size-start)
	return tail{data, start}, readAt(r, data, start)
}

// readAt fills b from offset at.
func readAt(r io.ReaderAt, b []byte, at int64) error {
	n, err := r.ReadAt(b, at)
	switch {
	case n == len(b):
		return nil
	case err == io.EOF:
		return refuse("bundle/not-zip", "", "was cut off")
	}
	return unreadable(err)
}

// readLayout finds the one end record. The rules are stricter than APPNOTE 4.3.16 has them, so that no second reader
// can find another record: it is the last one in the file, it stands before every signature block, and it accounts for
// every byte behind it.
func readLayout(r io.ReaderAt, size int64) (*layout, error) {
	t, err := readTail(r, size)
	if err != nil {
		return nil, err
	}
	blocks, err := signature.Find(t.data, t.start)
	if err != nil {
		return nil, refuse("bundle/malformed-signature", "", "%v", err).Coded(problem.Tampered)
	}
	at := bytes.LastIndex(t.data, []byte(endMagic))
	if at < 0 || len(t.data)-at < endSize {
		return nil, refuse("bundle/not-zip", "", "is no ZIP archive, or was cut off")
	}
	rec := t.data[at:]
	l := &layout{endOffset: t.start + int64(at), blocks: blocks, declared: int(binary.LittleEndian.Uint16(rec[20:]))}
	l.dirEnd = l.endOffset
	if p := l.checkEnd(rec, size); p != nil {
		return nil, p
	}
	if p := noOtherEnd(t, at, size); p != nil {
		return nil, p
	}
	if err := l.parseEnd(r, rec); err != nil {
		return nil, err
	}
	if l.dirOffset < 0 || l.dirSize < 0 || l.dirSize > l.dirEnd || l.dirOffset != l.dirEnd-l.dirSize {
		return nil, refuse("bundle/directory", "", "the central directory does not end where the end record begins")
	}
	return l, nil
}

// content gives the offset at which the innermost signature block begins, or the file of size bytes ends.
func (l *layout) content(size int64) int64 {
	if n := len(l.blocks); n > 0 {
		return l.blocks[n-1].Start
	}
	return size
}

// checkEnd demands that comment and signature account for every byte behind the end record, and takes the comment. A
// signature's unsigned attributes can be changed by anyone: an end record in them would be another archive.
func (l *layout) checkEnd(rec []byte, size int64) *problem.Problem {
	start, content := l.endOffset+endSize, l.content(size)
	end := start + int64(l.declared)
	isEnd := func(b signature.Block) bool { return b.Start == end }
	switch {
	case start > content:
		return refuse("bundle/ambiguous-end", "", "there is an end record inside the signature block").Coded(problem.Tampered)
	case end > size:
		return refuse("bundle/not-zip", "", "was cut off: the comment of the end record is missing %d bytes", end-size)
	case len(l.blocks) == 0 && signature.Begins(rec[endSize:]):
		return refuse("bundle/malformed-signature", "", "has a signature block that does not end as one").Coded(problem.Tampered)
	case end < content:
		return refuse("bundle/trailing-data", "", "%d bytes follow the archive and are no signature block", content-end)
	case end != size && !slices.ContainsFunc(l.blocks, isEnd):
		return refuse("bundle/ambiguous-end", "", "the comment ends inside the signature block").Coded(problem.Tampered)
	}
	l.comment = bytes.Clone(rec[endSize : endSize+content-start])
	return noEnd64(rec, content-l.endOffset)
}

// noEnd64 refuses what begins like ZIP64 end records behind the end record: some readers look for these from the end of
// the file on, and take the archive that they lead to. The signature blocks begin at offset block of rec.
func noEnd64(rec []byte, block int64) *problem.Problem {
	for _, magic := range []string{end64Magic, locatorMagic} {
		switch at := bytes.LastIndex(rec, []byte(magic)); {
		case at >= 0 && int64(at+len(magic)) > block:
			return refuse("bundle/ambiguous-end", "", "there is a ZIP64 end record inside the signature block").Coded(problem.Tampered)
		case at >= 0:
			return refuse("bundle/ambiguous-end", "", "there is a ZIP64 end record in the comment")
		}
	}
	return nil
}

// noOtherEnd refuses an earlier end record that reaches the end of the file too: the later one is in its comment.
func noOtherEnd(t tail, last int, size int64) *problem.Problem {
	first := max(0, len(t.data)-endSize-maxComment) // an earlier one does not reach the end
	for data := t.data[:last]; len(data) > first; {
		at := first + bytes.LastIndex(data[first:], []byte(endMagic))
		if at < first {
			return nil
		}
		if rec := t.data[at:]; len(rec) >= endSize {
			end := t.start + int64(at) + endSize + int64(binary.LittleEndian.Uint16(rec[20:]))
			if end == size && end > t.start+int64(last) {
				return refuse("bundle/ambiguous-end", "", "there is a second end record in the comment of the first")
			}
		}
		data = data[:at]
	}
	return nil
}

func (l *layout) parseEnd(r io.ReaderAt, rec []byte) error {
	le := binary.LittleEndian
	here, total := le.Uint16(rec[8:]), le.Uint16(rec[10:])
	l.entries = uint64(total)
	l.dirSize, l.dirOffset = int64(le.Uint32(rec[12:])), int64(le.Uint32(rec[16:]))
	wide, err := l.parseEnd64(r, rec)
	if err != nil {
		return err
	}
	disks := le.Uint32(rec[4:]) // the number of this disk and of the one with the directory
	if here != total || disks != 0 && !(wide && disks == 0xffffffff) {
		return refuse("bundle/split", "", "is part of an archive over several disks")
	}
	return nil
}

// parseEnd64 reads the ZIP64 end record when its locator stands before the end record (APPNOTE 4.3.14, 4.3.15). A value
// that the plain record can hold must be the same in both.
func (l *layout) parseEnd64(r io.ReaderAt, rec []byte) (found bool, err error) {
	le := binary.LittleEndian
	if l.endOffset < locatorSize+end64Size {
		return false, nil
	}
	both := make([]byte, end64Size+locatorSize)
	at := l.endOffset - int64(len(both))
	if err := readAt(r, both, at); err != nil {
		return false, err
	}
	end64, loc := both[:end64Size], both[end64Size:]
	if string(loc[:4]) != locatorMagic {
		return false, nil // no ZIP64: a saturated value is then just a large one, and the directory check judges it
	}
	const lie = "the ZIP64 end record contradicts the end record"
	if le.Uint32(loc[4:]) != 0 || le.Uint32(loc[16:]) != 1 || le.Uint64(loc[8:]) != uint64(at) ||
		string(end64[:4]) != end64Magic || le.Uint64(end64[4:]) != end64Size-12 {
		return true, refuse("bundle/zip64", "", lie)
	}
	here, total, size, offset := le.Uint64(end64[24:]), le.Uint64(end64[32:]), le.Uint64(end64[40:]), le.Uint64(end64[48:])
	if le.Uint32(end64[16:])|le.Uint32(end64[20:]) != 0 || here != total ||
		!fits(uint64(le.Uint16(rec[10:])), total, 0xffff) || !fits(uint64(le.Uint32(rec[12:])), size, 0xffffffff) ||
		!fits(uint64(le.Uint32(rec[16:])), offset, 0xffffffff) || size > uint64(at) || offset > uint64(at) {
		return true, refuse("bundle/zip64", "", lie)
	}
	l.entries, l.dirSize, l.dirOffset, l.dirEnd = total, int64(size), int64(offset), at
	return true, nil
}

// fits tells whether a plain value agrees with its ZIP64 value: saturated, or the same.
func fits(plain, wide, saturated uint64) bool { return plain == saturated || plain == wide }
