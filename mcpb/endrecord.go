package mcpb

import (
	"bytes"
	"encoding/binary"
	"io"

	"satchel/internal/problem"
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
	dirEnd    int64 // where the central directory must end: at the ZIP64 end record or the end record
	endOffset int64 // of the end record
	comment   int   // bytes that the end record counts as comment
	signature signature
}

// A tail is the last part of a file, as much as can matter for finding the end record and the signature blocks.
type tail struct {
	data  []byte
	start int64 // offset of data in the file
}

func readTail(r io.ReaderAt, size int64) (tail, error) {
	start := max(0, size-(endSize+end64Size+locatorSize+maxComment+maxSignature))
	data := make([]byte, size-start)
	if _, err := r.ReadAt(data, start); err != nil && err != io.EOF {
		return tail{}, err
	}
	return tail{data, start}, nil
}

// readLayout finds the one end record. The rules are stricter than APPNOTE 4.3.16 has them, so that no second reader
// can find another record: it is the last one in the file, and it accounts for every byte behind it.
func readLayout(r io.ReaderAt, size int64) (*layout, error) {
	t, err := readTail(r, size)
	if err != nil {
		return nil, err
	}
	sig, p := findSignature(t, size)
	if p != nil {
		return nil, p
	}
	at := bytes.LastIndex(t.data, []byte(endMagic))
	if at < 0 || len(t.data)-at < endSize {
		return nil, refuse("bundle/not-zip", "", "is no ZIP archive, or was cut off")
	}
	rec := t.data[at:]
	l := &layout{endOffset: t.start + int64(at), comment: int(binary.LittleEndian.Uint16(rec[20:])), signature: sig}
	l.dirEnd = l.endOffset
	if p := l.checkEnd(size); p != nil {
		return nil, p
	}
	if p := noOtherEnd(t, at, size); p != nil {
		return nil, p
	}
	if p := l.parseEnd(rec); p != nil {
		return nil, p
	}
	if p := l.parseEnd64(r, rec); p != nil {
		return nil, p
	}
	if l.dirOffset < 0 || l.dirSize < 0 || l.dirSize > l.dirEnd || l.dirOffset != l.dirEnd-l.dirSize {
		return nil, refuse("bundle/directory", "", "the central directory does not end where the end record begins")
	}
	return l, nil
}

// checkEnd demands that comment and signature account for every byte behind the end record.
func (l *layout) checkEnd(size int64) *problem.Problem {
	end := l.endOffset + endSize + int64(l.comment)
	if end == size {
		return nil
	}
	for _, start := range l.signature.starts {
		if end == start {
			return nil
		}
	}
	if end > size {
		return refuse("bundle/not-zip", "", "was cut off: the comment of the end record is missing %d bytes", end-size)
	}
	if l.signature.der != nil {
		return refuse("bundle/ambiguous-end", "", "there is an end record inside the signature block").Coded(problem.Tampered)
	}
	return refuse("bundle/trailing-data", "", "%d bytes follow the archive and are no signature block", size-end)
}

// noOtherEnd refuses an earlier end record that reaches the end of the file too: the later one is in its comment.
func noOtherEnd(t tail, last int, size int64) *problem.Problem {
	for data := t.data[:last]; ; {
		at := bytes.LastIndex(data, []byte(endMagic))
		if at < 0 {
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
}

func (l *layout) parseEnd(rec []byte) *problem.Problem {
	le := binary.LittleEndian
	here, total := le.Uint16(rec[8:]), le.Uint16(rec[10:])
	if disk, dirDisk := le.Uint16(rec[4:]), le.Uint16(rec[6:]); disk|dirDisk != 0 && (disk != 0xffff || dirDisk != 0xffff) || here != total {
		return refuse("bundle/split", "", "is part of an archive over several disks")
	}
	l.entries = uint64(total)
	l.dirSize, l.dirOffset = int64(le.Uint32(rec[12:])), int64(le.Uint32(rec[16:]))
	return nil
}

// parseEnd64 reads the ZIP64 end record when its locator stands before the end record (APPNOTE 4.3.14, 4.3.15). A value
// that the plain record can hold must be the same in both.
func (l *layout) parseEnd64(r io.ReaderAt, rec []byte) *problem.Problem {
	le := binary.LittleEndian
	loc := make([]byte, locatorSize)
	if l.endOffset < locatorSize+end64Size {
		return nil
	}
	if _, err := r.ReadAt(loc, l.endOffset-locatorSize); err != nil || string(loc[:4]) != locatorMagic {
		return nil // no ZIP64: a saturated value is then just a large one, and the directory check judges it
	}
	const bad = "the ZIP64 end record contradicts the end record"
	end64 := make([]byte, end64Size)
	at := le.Uint64(loc[8:])
	if le.Uint32(loc[4:]) != 0 || le.Uint32(loc[16:]) != 1 || at != uint64(l.endOffset-locatorSize-end64Size) {
		return refuse("bundle/zip64", "", bad)
	}
	if _, err := r.ReadAt(end64, int64(at)); err != nil || string(end64[:4]) != end64Magic || le.Uint64(end64[4:]) != end64Size-12 {
		return refuse("bundle/zip64", "", bad)
	}
	here, total, size, offset := le.Uint64(end64[24:]), le.Uint64(end64[32:]), le.Uint64(end64[40:]), le.Uint64(end64[48:])
	if le.Uint32(end64[16:])|le.Uint32(end64[20:]) != 0 || here != total ||
		!fits(uint64(le.Uint16(rec[10:])), total, 0xffff) || !fits(uint64(le.Uint32(rec[12:])), size, 0xffffffff) ||
		!fits(uint64(le.Uint32(rec[16:])), offset, 0xffffffff) || size > uint64(at) || offset > uint64(at) {
		return refuse("bundle/zip64", "", bad)
	}
	l.entries, l.dirSize, l.dirOffset, l.dirEnd = total, int64(size), int64(offset), int64(at)
	return nil
}

// fits tells whether a plain value agrees with its ZIP64 value: saturated, or the same.
func fits(plain, wide, saturated uint64) bool { return plain == saturated || plain == wide }
