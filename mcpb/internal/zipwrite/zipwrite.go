// Package zipwrite writes ZIP archives front to back, in the plainest form that every reader agrees on. Use it to write
// bundles; archive/zip writes a local header without sizes for stored files beyond 4 GiB, and extra fields of its own.
//
// An archive has no entries for folders, no comment and no extra field but ZIP64's, which appears only where a number
// needs it. A data descriptor stands only behind content whose packed size was not known beforehand. The same calls
// give the same bytes. Section numbers in comments are those of PKWARE's APPNOTE.TXT 6.3.
package zipwrite

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"time"
	"unicode/utf8"
)

// The methods of compression that an entry may have (4.4.5).
const (
	Store   = 0
	Deflate = 8
)

const (
	localSize   = 30 // bytes of a local header before the name
	centralSize = 46
	end64Size   = 56

	flagDescriptor = 1 << 3
	flagUTF8       = 1 << 11

	needsDeflate, needsZip64 = 20, 45 // versions needed to extract (4.4.3)

	madeByUnix  = 3 << 8 // (4.4.2)
	typeRegular = 0o100000

	zip64 = 0x0001 // id of the extra field (4.5.3)
	max16 = 1<<16 - 1
	max32 = 1<<32 - 1

	// packingGain is more than what deflate adds to content that it cannot shrink, so that a size below max32 minus it
	// is known to pack into less than max32.
	packingGain = 8 << 20
)

// A Header describes one entry.
type Header struct {
	Name   string      // slash-separated and relative; UTF-8
	Mode   fs.FileMode // only the permission bits count
	Method uint16      // Store or Deflate
	Size   int64       // bytes, unpacked

	// Packed and CRC are the packed size in bytes and the CRC-32 of the unpacked content. When Later is set they are
	// not known yet and stand in a data descriptor behind the content.
	Packed int64
	CRC    uint32
	Later  bool
}

// A Writer writes one archive. Errors of the underlying writer end it: every later call gives an error as well. It is
// not safe for concurrent use.
type Writer struct {
	out     *bufio.Writer
	offset  int64
	date    uint32 // MS-DOS date and time
	dir     []byte // the central directory so far
	entries int

	// The entry under way, between Begin and End.
	open   bool
	header Header
	at     int64 // offset of its local header
	wide   bool  // has ZIP64 sizes
	body   int64 // offset of its content
}

// New begins an archive in w whose entries all bear one date, in UTC. MS-DOS dates begin with 1980 and end with 2107; a
// date outside gives the first or the last.
func New(w io.Writer, date time.Time) *Writer {
	return &Writer{out: bufio.NewWriterSize(w, 256<<10), date: dosDate(date)}
}

// dosDate packs a date into 7 bits for the year since 1980, 4, 5, 5, 6, and 5 for the seconds halved (4.4.6).
func dosDate(t time.Time) uint32 {
	first, last := time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2107, 12, 31, 23, 59, 58, 0, time.UTC)
	switch t = t.UTC(); {
	case t.Before(first):
		t = first
	case t.After(last):
		t = last
	}
	date := uint32(t.Year()-1980)<<9 | uint32(t.Month())<<5 | uint32(t.Day())
	clock := uint32(t.Hour())<<11 | uint32(t.Minute())<<5 | uint32(t.Second()/2)
	return date<<16 | clock
}

// Offset is the number of bytes written so far; after Close, the size of the archive.
func (w *Writer) Offset() int64 { return w.offset }

// Add writes a whole entry whose packed content is at hand.
func (w *Writer) Add(h Header, packed []byte) error {
	if err := w.Begin(h); err != nil {
		return err
	}
	if _, err := w.Write(packed); err != nil {
		return err
	}
	return w.End(h.CRC, h.Size)
}

// Begin writes the local header of an entry. Its packed content follows by Write, and End ends it.
func (w *Writer) Begin(h Header) error {
	switch {
	case w.open:
		return fmt.Errorf("zipwrite: entry %q begins inside %q", h.Name, w.header.Name)
	case h.Name == "" || len(h.Name) > max16 || !utf8.ValidString(h.Name) || strings.HasSuffix(h.Name, "/"):
		return fmt.Errorf("zipwrite: %q is no name for an entry", h.Name)
	}
	w.open, w.header, w.at = true, h, w.offset
	w.wide = max(h.Size, h.Packed) >= max32 || h.Later && h.Size >= max32-packingGain
	err := w.write(w.localHeader())
	w.body = w.offset
	return err
}

// Write writes packed content of the entry under way.
func (w *Writer) Write(p []byte) (int, error) {
	if !w.open {
		return 0, fmt.Errorf("zipwrite: content outside an entry")
	}
	return len(p), w.write(p)
}

// End ends the entry under way, whose unpacked content had this CRC-32 and size in bytes. What does not fit the header
// is an error, and the archive is useless then.
func (w *Writer) End(crc uint32, size int64) error {
	h := &w.header
	packed := w.offset - w.body
	if !w.open || size != h.Size || !h.Later && (packed != h.Packed || crc != h.CRC) {
		return fmt.Errorf("zipwrite: the content of %q is not as its header says", h.Name)
	}
	if h.Packed, h.CRC = packed, crc; h.Later {
		if packed >= max32 && !w.wide {
			return fmt.Errorf("zipwrite: the content of %q grew beyond 4 GiB", h.Name)
		}
		if err := w.write(w.descriptor()); err != nil {
			return err
		}
	}
	w.open = false
	w.addCentral()
	return nil
}

// Close writes the central directory and ends the archive. It does not close the underlying writer.
func (w *Writer) Close() error {
	if w.open {
		return fmt.Errorf("zipwrite: entry %q has no end", w.header.Name)
	}
	at, size := w.offset, int64(len(w.dir))
	if err := w.write(w.dir); err != nil {
		return err
	}
	if err := w.write(endRecords(int64(w.entries), at, size)); err != nil {
		return err
	}
	return w.out.Flush()
}

func (w *Writer) write(p []byte) error {
	n, err := w.out.Write(p)
	w.offset += int64(n)
	return err
}

// localHeader is the header before the content (4.3.7). Where a descriptor follows, sizes and checksum are 0 here; a
// ZIP64 field then says that the descriptor's sizes have 64 bits (4.3.9.2).
func (w *Writer) localHeader() []byte {
	h, le := &w.header, binary.LittleEndian
	b := make([]byte, 0, localSize+len(h.Name)+20)
	b = append(b, "PK\x03\x04"...)
	b = le.AppendUint16(b, needs(w.wide))
	b = le.AppendUint16(b, h.flags())
	b = le.AppendUint16(b, h.Method)
	b = le.AppendUint32(b, w.date)
	crc, packed, size := h.CRC, h.Packed, h.Size
	if h.Later {
		crc, packed, size = 0, 0, 0
	}
	b = le.AppendUint32(b, crc)
	b = le.AppendUint32(b, saturate(packed, w.wide))
	b = le.AppendUint32(b, saturate(size, w.wide))
	b = le.AppendUint16(b, uint16(len(h.Name)))
	if !w.wide {
		return append(le.AppendUint16(b, 0), h.Name...)
	}
	b = append(le.AppendUint16(b, 20), h.Name...)
	return appendZip64(b, size, packed)
}

// descriptor holds what the local header could not know (4.3.9).
func (w *Writer) descriptor() []byte {
	h, le := &w.header, binary.LittleEndian
	b := le.AppendUint32([]byte("PK\x07\x08"), h.CRC)
	if w.wide {
		return le.AppendUint64(le.AppendUint64(b, uint64(h.Packed)), uint64(h.Size))
	}
	return le.AppendUint32(le.AppendUint32(b, uint32(h.Packed)), uint32(h.Size))
}

// addCentral adds the entry's line to the central directory (4.3.12).
func (w *Writer) addCentral() {
	h, le := &w.header, binary.LittleEndian
	var extra []byte
	switch far := w.at >= max32; {
	case w.wide && far:
		extra = appendZip64(nil, h.Size, h.Packed, w.at)
	case w.wide:
		extra = appendZip64(nil, h.Size, h.Packed)
	case far:
		extra = appendZip64(nil, w.at)
	}
	b := append(w.dir, "PK\x01\x02"...)
	b = le.AppendUint16(b, madeByUnix|needs(extra != nil))
	b = le.AppendUint16(b, needs(extra != nil))
	b = le.AppendUint16(b, h.flags())
	b = le.AppendUint16(b, h.Method)
	b = le.AppendUint32(b, w.date)
	b = le.AppendUint32(b, h.CRC)
	b = le.AppendUint32(b, saturate(h.Packed, w.wide))
	b = le.AppendUint32(b, saturate(h.Size, w.wide))
	b = le.AppendUint16(b, uint16(len(h.Name)))
	b = le.AppendUint16(b, uint16(len(extra)))
	b = append(b, 0, 0, 0, 0, 0, 0) // no comment, first disk, no internal attributes
	b = le.AppendUint32(b, (typeRegular|uint32(h.Mode.Perm()))<<16)
	b = le.AppendUint32(b, saturate(w.at, w.at >= max32))
	w.dir = append(append(b, h.Name...), extra...)
	w.entries++
}

// endRecords are the end of an archive whose central directory of so many entries and bytes is at an offset (4.3.14 to
// 4.3.16). The ZIP64 records are there when one of the numbers needs them.
func endRecords(entries, at, size int64) []byte {
	le := binary.LittleEndian
	var b []byte
	if entries >= max16 || at >= max32 || size >= max32 {
		b = append(b, "PK\x06\x06"...)
		b = le.AppendUint64(b, end64Size-12) // of the rest of the record
		b = le.AppendUint16(b, madeByUnix|needsZip64)
		b = le.AppendUint16(b, needsZip64)
		b = le.AppendUint64(b, 0) // both disk numbers
		b = le.AppendUint64(b, uint64(entries))
		b = le.AppendUint64(b, uint64(entries))
		b = le.AppendUint64(b, uint64(size))
		b = le.AppendUint64(b, uint64(at))
		b = append(b, "PK\x06\x07"...)
		b = le.AppendUint32(b, 0) // the record's disk
		b = le.AppendUint64(b, uint64(at+size))
		b = le.AppendUint32(b, 1) // disks in all
	}
	b = append(b, "PK\x05\x06\x00\x00\x00\x00"...)
	b = le.AppendUint16(b, uint16(min(entries, max16)))
	b = le.AppendUint16(b, uint16(min(entries, max16)))
	b = le.AppendUint32(b, uint32(min(size, max32)))
	b = le.AppendUint32(b, uint32(min(at, max32)))
	return le.AppendUint16(b, 0) // no comment
}

func appendZip64(b []byte, values ...int64) []byte {
	le := binary.LittleEndian
	b = le.AppendUint16(le.AppendUint16(b, zip64), uint16(8*len(values)))
	for _, v := range values {
		b = le.AppendUint64(b, uint64(v))
	}
	return b
}

func needs(wide bool) uint16 {
	if wide {
		return needsZip64
	}
	return needsDeflate
}

func saturate(n int64, wide bool) uint32 {
	if wide {
		return max32
	}
	return uint32(n)
}

// flags says where a name is UTF-8 and not plain ASCII (bit 11), and that a descriptor follows (bit 3).
func (h *Header) flags() uint16 {
	var f uint16
	if h.Later {
		f |= flagDescriptor
	}
	if strings.IndexFunc(h.Name, func(r rune) bool { return r >= utf8.RuneSelf }) >= 0 {
		f |= flagUTF8
	}
	return f
}
