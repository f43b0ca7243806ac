package mcpb

import (
	"bufio"
	"encoding/binary"
	"io"
	"io/fs"
	"time"
)

const (
	needs20, needs45 = 20, 45 // versions needed to extract: deflate, ZIP64
	madeByUnix       = 3<<8 | needs45
	max32            = 1<<32 - 1
	max16            = 1<<16 - 1
)

// A zipWriter writes an archive front to back, in the plainest form: no folders, no extra fields but ZIP64's, a data
// descriptor only where the size is not known beforehand. It is not safe for concurrent use.
type zipWriter struct {
	out     *bufio.Writer
	offset  int64
	date    uint32 // DOS date and time
	dir     []byte
	entries int
}

// A zipEntry is what the writer must know of a file.
type zipEntry struct {
	name   string
	mode   fs.FileMode
	method uint16
	crc    uint32
	packed int64
	size   int64
}

func newZipWriter(w io.Writer, date time.Time) *zipWriter {
	return &zipWriter{out: bufio.NewWriterSize(w, 256<<10), date: dosDate(date)}
}

// dosDate gives the MS-DOS date and time (APPNOTE 4.4.6), which begins with 1980 and ends with 2107.
func dosDate(t time.Time) uint32 {
	t = t.UTC()
	if t.Year() < 1980 {
		return 1<<21 | 1<<16
	}
	if t.Year() > 2107 {
		t = time.Date(2107, 12, 31, 23, 59, 58, 0, time.UTC)
	}
	date := (t.Year()-1980)<<9 | int(t.Month())<<5 | t.Day()
	clock := t.Hour()<<11 | t.Minute()<<5 | t.Second()/2
	return uint32(date)<<16 | uint32(clock)
}

// whole writes an entry whose packed bytes are at hand.
func (z *zipWriter) whole(e zipEntry, packed []byte) error {
	at, err := z.begin(e, false)
	if err != nil {
		return err
	}
	if err := z.write(packed); err != nil {
		return err
	}
	z.addCentral(e, at, false)
	return nil
}

// begin writes a local header and gives its offset. With later, sizes and checksum follow the content in a descriptor;
// e.size then only says whether they may need 64 bits.
func (z *zipWriter) begin(e zipEntry, later bool) (int64, error) {
	le := binary.LittleEndian
	at, wide := z.offset, needs64(e)
	h := make([]byte, localSize, localSize+len(e.name)+20)
	copy(h, localMagic)
	le.PutUint16(h[4:], version(wide))
	le.PutUint16(h[6:], e.flags(later))
	le.PutUint16(h[8:], e.method)
	le.PutUint32(h[10:], z.date)
	if !later {
		le.PutUint32(h[14:], e.crc)
		le.PutUint32(h[18:], saturate(e.packed, wide))
		le.PutUint32(h[22:], saturate(e.size, wide))
	}
	le.PutUint16(h[26:], uint16(len(e.name)))
	h = append(h, e.name...)
	if wide {
		if later {
			le.PutUint32(h[18:], max32)
			le.PutUint32(h[22:], max32)
			e.size, e.packed = 0, 0
		}
		h = append64(h, e.size, e.packed)
		le.PutUint16(h[28:], 20)
	}
	return at, z.write(h)
}

// end writes the data descriptor of an entry begun with later.
func (z *zipWriter) end(e zipEntry, at int64, wide bool) error {
	le := binary.LittleEndian
	d := le.AppendUint32([]byte(descriptorMagic), e.crc)
	if wide {
		d = le.AppendUint64(le.AppendUint64(d, uint64(e.packed)), uint64(e.size))
	} else {
		d = le.AppendUint32(le.AppendUint32(d, uint32(e.packed)), uint32(e.size))
	}
	if err := z.write(d); err != nil {
		return err
	}
	z.addCentral(e, at, true)
	return nil
}

// needs64 tells whether an entry's sizes may not fit 32 bits; packing can add a little to the size.
func needs64(e zipEntry) bool { return max(e.size, e.packed) > max32-64<<20 }

func version(wide bool) uint16 {
	if wide {
		return needs45
	}
	return needs20
}

func saturate(n int64, wide bool) uint32 {
	if wide {
		return max32
	}
	return uint32(n)
}

func append64(b []byte, values ...int64) []byte {
	le := binary.LittleEndian
	b = le.AppendUint16(le.AppendUint16(b, extraZip64), uint16(8*len(values)))
	for _, v := range values {
		b = le.AppendUint64(b, uint64(v))
	}
	return b
}

// flags: bit 11 says that a name is UTF-8 where that matters, bit 3 that a descriptor follows.
func (e zipEntry) flags(later bool) uint16 {
	var f uint16
	if later {
		f |= flagDescriptor
	}
	for i := range len(e.name) {
		if e.name[i] >= 0x80 {
			return f | flagUTF8
		}
	}
	return f
}

func (z *zipWriter) addCentral(e zipEntry, at int64, later bool) {
	le := binary.LittleEndian
	wide := needs64(e)
	var extra []byte
	switch {
	case wide:
		extra = append64(nil, e.size, e.packed, at)
	case at >= max32:
		extra = append64(nil, at)
	}
	h := make([]byte, centralSize)
	copy(h, centralMagic)
	le.PutUint16(h[4:], madeByUnix)
	le.PutUint16(h[6:], version(len(extra) > 0))
	le.PutUint16(h[8:], e.flags(later))
	le.PutUint16(h[10:], e.method)
	le.PutUint32(h[12:], z.date)
	le.PutUint32(h[16:], e.crc)
	le.PutUint32(h[20:], saturate(e.packed, wide))
	le.PutUint32(h[24:], saturate(e.size, wide))
	le.PutUint16(h[28:], uint16(len(e.name)))
	le.PutUint16(h[30:], uint16(len(extra)))
	le.PutUint32(h[38:], (0o100000|uint32(e.mode.Perm()))<<16)
	le.PutUint32(h[42:], saturate(at, len(extra) > 0))
	z.dir = append(append(append(z.dir, h...), e.name...), extra...)
	z.entries++
}

// close writes the central directory and the end records (APPNOTE 4.3.12 to 4.3.16).
func (z *zipWriter) close() error {
	le := binary.LittleEndian
	at, size := z.offset, int64(len(z.dir))
	if err := z.write(z.dir); err != nil {
		return err
	}
	wide := z.entries >= max16 || at >= max32 || size >= max32
	var b []byte
	if wide {
		b = le.AppendUint64([]byte(end64Magic), end64Size-12)
		b = le.AppendUint16(le.AppendUint16(b, madeByUnix), needs45)
		b = le.AppendUint64(b, 0) // disk numbers
		b = le.AppendUint64(le.AppendUint64(b, uint64(z.entries)), uint64(z.entries))
		b = le.AppendUint64(le.AppendUint64(b, uint64(size)), uint64(at))
		b = le.AppendUint32(append(b, locatorMagic...), 0)
		b = le.AppendUint32(le.AppendUint64(b, uint64(at+size)), 1)
	}
	count := uint16(min(z.entries, max16))
	b = le.AppendUint32(append(b, endMagic...), 0) // disk numbers
	b = le.AppendUint16(le.AppendUint16(b, count), count)
	b = le.AppendUint32(le.AppendUint32(b, uint32(min(size, max32))), uint32(min(at, max32)))
	b = le.AppendUint16(b, 0) // no comment
	if err := z.write(b); err != nil {
		return err
	}
	return z.out.Flush()
}

func (z *zipWriter) write(b []byte) error {
	n, err := z.out.Write(b)
	z.offset += int64(n)
	return err
}
