package mcpb

import (
	"cmp"
	"encoding/binary"
	"io"
	"slices"
	"strings"

	"satchel/internal/problem"
)

const (
	localMagic      = "PK\x03\x04"
	descriptorMagic = "PK\x07\x08"
	localSize       = 30
)

// readLocals reads every local header, demands that it says what the central directory says, and that headers and
// content follow each other without gap or overlap from the first byte to the central directory. It sets entry.data.
func readLocals(r io.ReaderAt, entries []entry, dirOffset int64) error {
	order := make([]*entry, len(entries))
	for i := range entries {
		order[i] = &entries[i]
	}
	slices.SortFunc(order, func(a, b *entry) int { return cmp.Compare(a.header, b.header) })
	ahead := newReadAhead(r, 16<<10)
	at := int64(0)
	for i, e := range order {
		if p := checkPlace(e, at, dirOffset); p != nil {
			return p
		}
		next := dirOffset
		if i+1 < len(order) {
			next = min(order[i+1].header, dirOffset)
		}
		end, err := readLocal(ahead, e, next)
		if err != nil {
			return err
		}
		at = end
	}
	if at != dirOffset {
		return refuse("bundle/gap", "", "%d bytes before the central directory belong to nothing", dirOffset-at)
	}
	return nil
}

// checkPlace demands that an entry begins at offset at, where the one before it ended.
func checkPlace(e *entry, at, dirOffset int64) *problem.Problem {
	switch {
	case e.header > dirOffset-localSize:
		return refuse("bundle/overlap", e.rawName, "begins inside the central directory or behind it")
	case e.header < at:
		return refuse("bundle/overlap", e.rawName, "overlaps the entry before it")
	case e.header > at && at == 0:
		return refuse("bundle/prepended-data", e.rawName, "%d bytes stand before the first entry", e.header)
	case e.header > at:
		return refuse("bundle/gap", e.rawName, "%d bytes before it belong to nothing", e.header-at)
	}
	return nil
}

// readLocal checks one local header and gives the offset behind the entry's content and data descriptor.
func readLocal(r *readAhead, e *entry, next int64) (int64, error) {
	le := binary.LittleEndian
	head, err := r.bytes(e.header, localSize)
	if err != nil {
		return 0, err
	}
	if string(head[:4]) != localMagic {
		return 0, refuse("bundle/local-header", e.rawName, "has no local header where the central directory says")
	}
	nameLen, extraLen := int(le.Uint16(head[26:])), int(le.Uint16(head[28:]))
	if head, err = r.bytes(e.header, localSize+nameLen+extraLen); err != nil {
		return 0, err
	}
	e.data = e.header + int64(len(head))
	if string(head[localSize:localSize+nameLen]) != e.rawName {
		return 0, refuse("bundle/local-header", e.rawName, "is called %q in its local header", head[localSize:localSize+nameLen])
	}
	if p := e.checkLocal(head, head[localSize+nameLen:]); p != nil {
		return 0, p
	}
	end := e.data + e.packed
	if e.packed < 0 || end < e.data || end > next {
		return 0, refuse("bundle/overlap", e.rawName, "overlaps the entry behind it")
	}
	if e.flags&flagDescriptor == 0 {
		return end, nil
	}
	size, err := descriptorLen(r, e, end, next-end)
	return end + size, err
}

// A readAhead reads small pieces at rising offsets with few system calls.
type readAhead struct {
	r   io.ReaderAt
	at  int64
	buf []byte
}

// newReadAhead makes one that reads so many bytes at once.
func newReadAhead(r io.ReaderAt, size int) *readAhead {
	return &readAhead{r: r, buf: make([]byte, 0, size)}
}

// ReadAt implements [io.ReaderAt]. Large pieces are read as they are.
func (a *readAhead) ReadAt(p []byte, at int64) (int, error) {
	if len(p) > cap(a.buf)/2 {
		return a.r.ReadAt(p, at)
	}
	b, err := a.bytes(at, len(p))
	return copy(p, b), err
}

// bytes gives n bytes at offset at. They are valid until the next call.
func (a *readAhead) bytes(at int64, n int) ([]byte, error) {
	if at < a.at || at+int64(n) > a.at+int64(len(a.buf)) {
		a.buf = slices.Grow(a.buf[:0], n) // the longest header has 30 bytes and two fields of 65,535
		a.buf = a.buf[:cap(a.buf)]
		got, err := a.r.ReadAt(a.buf, at)
		if err != nil && err != io.EOF {
			return nil, unreadable(err)
		}
		a.at, a.buf = at, a.buf[:got]
		if got < n {
			return nil, refuse("bundle/not-zip", "", "was cut off")
		}
	}
	return a.buf[at-a.at:][:n], nil
}

// checkLocal compares a local header with the central directory. With a data descriptor, sizes and checksum may be 0.
func (e *entry) checkLocal(head, extra []byte) *problem.Problem {
	le := binary.LittleEndian
	local := entry{
		rawName: e.rawName, flags: le.Uint16(head[6:]), method: le.Uint16(head[8:]), crc: le.Uint32(head[14:]),
		packed: int64(le.Uint32(head[18:])), size: int64(le.Uint32(head[22:])),
	}
	compared := uint16(flagsRefused | flagDescriptor)
	if strings.ContainsFunc(e.rawName, func(r rune) bool { return r >= 0x80 }) {
		compared |= flagUTF8 // without it, some readers take the name for another encoding
	}
	if local.flags&compared != e.flags&compared || local.method != e.method {
		return refuse("bundle/local-header", e.rawName, "has other flags or another method in its local header")
	}
	later := e.flags&flagDescriptor != 0
	if p := local.readExtra(extra, 0, later); p != nil {
		return p
	}
	same := func(a, b int64) bool { return a == b || later && a == 0 }
	if !same(int64(local.crc), int64(e.crc)) || !same(local.packed, e.packed) || !same(local.size, e.size) {
		return refuse("bundle/local-header", e.rawName, "has other sizes or another checksum in its local header")
	}
	return nil
}

// descriptorLen finds the data descriptor (APPNOTE 4.3.9): with or without magic, 32 or 64 bits wide. It must fill the
// room up to the next entry exactly, and say what the central directory says.
func descriptorLen(r *readAhead, e *entry, at, room int64) (int64, error) {
	le := binary.LittleEndian
	if room != 12 && room != 16 && room != 20 && room != 24 {
		return 0, refuse("bundle/gap", e.rawName, "is followed by %d bytes that are no data descriptor", room)
	}
	d, err := r.bytes(at, int(room))
	if err != nil {
		return 0, err
	}
	if room == 16 || room == 24 {
		if string(d[:4]) != descriptorMagic {
			return 0, refuse("bundle/gap", e.rawName, "is followed by %d bytes that are no data descriptor", room)
		}
		d = d[4:]
	}
	packed, size := uint64(le.Uint32(d[4:])), uint64(le.Uint32(d[8:]))
	if len(d) == 20 {
		packed, size = le.Uint64(d[4:]), le.Uint64(d[12:])
	}
	if le.Uint32(d) != e.crc || packed != uint64(e.packed) || size != uint64(e.size) {
		return 0, refuse("bundle/local-header", e.rawName, "has other sizes or another checksum in its data descriptor")
	}
	return room, nil
}
