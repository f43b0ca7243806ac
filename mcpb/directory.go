package mcpb

import (
	"encoding/binary"
	"hash/crc32"
	"io"
	"io/fs"
	"strings"
	"unicode/utf8"

	"satchel/internal/problem"
)

const (
	centralMagic = "PK\x01\x02"
	centralSize  = 46

	flagDescriptor = 1 << 3
	flagUTF8       = 1 << 11
	// flagsRefused are encryption (0, 6, 13), enhanced deflating (4), patches (5), and bits that have no meaning yet.
	flagsRefused = 1<<0 | 1<<4 | 1<<5 | 1<<6 | 1<<12 | 1<<13 | 1<<14 | 1<<15

	methodStore   = 0
	methodDeflate = 8

	extraZip64       = 0x0001
	extraUnicodePath = 0x7075
)

// An entry is one line of the central directory.
type entry struct {
	name    string // without the slash of a folder
	rawName string // as stored, to be compared with the local header
	dir     bool
	mode    fs.FileMode // permission bits only
	flags   uint16
	method  uint16
	crc     uint32
	packed  int64
	size    int64
	header  int64 // offset of the local header
	data    int64 // offset of the packed bytes; known after the local header was read
}

// readDirectory reads and checks the whole central directory.
func readDirectory(r io.ReaderAt, l *layout, lim Limits) ([]entry, error) {
	if l.entries > uint64(lim.Entries) {
		return nil, refuse("bundle/limit-entries", "", "has %d entries, the limit is %d", l.entries, lim.Entries)
	}
	if l.dirSize > maxDirectory {
		return nil, refuse("bundle/limit-entries", "", "has a central directory of %d bytes, the limit is %d", l.dirSize, maxDirectory)
	}
	if int64(l.entries) > l.dirSize/centralSize {
		return nil, refuse("bundle/count", "", "the end record counts %d entries, more than the central directory can hold", l.entries)
	}
	data := make([]byte, l.dirSize)
	if err := readAt(r, data, l.dirOffset); err != nil {
		return nil, err
	}
	entries := make([]entry, 0, l.entries)
	for len(data) > 0 {
		if len(data) < centralSize || string(data[:4]) != centralMagic {
			return nil, refuse("bundle/directory", "", "the central directory is damaged after %d entries", len(entries))
		}
		e, n, p := parseEntry(data, lim)
		if p != nil {
			return nil, p
		}
		entries, data = append(entries, e), data[n:]
	}
	if uint64(len(entries)) != l.entries {
		return nil, refuse("bundle/count", "", "the end record counts %d entries, there are %d", l.entries, len(entries))
	}
	return entries, nil
}

// parseEntry reads the entry at the start of data and gives the bytes that it takes.
func parseEntry(data []byte, lim Limits) (entry, int, *problem.Problem) {
	le := binary.LittleEndian
	nameLen, extraLen, commentLen := int(le.Uint16(data[28:])), int(le.Uint16(data[30:])), int(le.Uint16(data[32:]))
	n := centralSize + nameLen + extraLen + commentLen
	if n > len(data) {
		return entry{}, 0, refuse("bundle/directory", "", "the central directory is cut off")
	}
	raw := string(data[centralSize : centralSize+nameLen])
	e := entry{
		rawName: raw, name: strings.TrimSuffix(raw, "/"), dir: strings.HasSuffix(raw, "/"),
		flags: le.Uint16(data[8:]), method: le.Uint16(data[10:]), crc: le.Uint32(data[16:]),
		packed: int64(le.Uint32(data[20:])), size: int64(le.Uint32(data[24:])), header: int64(le.Uint32(data[42:])),
	}
	if p := e.checkFlags(); p != nil {
		return e, n, p
	}
	if p := lim.checkName(e.rawName); p != nil {
		return e, n, p
	}
	if p := e.readExtra(data[centralSize+nameLen:centralSize+nameLen+extraLen], le.Uint16(data[34:]), false); p != nil {
		return e, n, p
	}
	return e, n, e.readMode(le.Uint32(data[38:]))
}

func (e *entry) checkFlags() *problem.Problem {
	switch {
	case e.flags&(1<<0|1<<6|1<<13) != 0:
		return refuse("bundle/encrypted", e.rawName, "is encrypted")
	case e.flags&flagsRefused != 0:
		return refuse("bundle/flags", e.rawName, "has flags %#04x that are not supported", e.flags&flagsRefused)
	case e.method != methodStore && e.method != methodDeflate:
		return refuse("bundle/method", e.rawName, "is compressed by method %d; only stored (0) and deflated (8) are read", e.method)
	case !utf8.ValidString(e.rawName):
		return refuse("bundle/name-encoding", e.rawName, "has a name that is not UTF-8").Try("pack it again with a tool that writes UTF-8 names")
	}
	return nil
}

// readExtra takes the ZIP64 sizes (APPNOTE 4.5.3) and refuses fields that give the entry another name. With later, sizes
// may be 0, because they follow the content.
func (e *entry) readExtra(extra []byte, disk uint16, later bool) *problem.Problem {
	le := binary.LittleEndian
	need64 := e.packed == 0xffffffff || e.size == 0xffffffff || e.header == 0xffffffff || disk == 0xffff
	seen64 := false
	for len(extra) > 0 {
		if len(extra) < 4 || len(extra)-4 < int(le.Uint16(extra[2:])) {
			return refuse("bundle/extra-field", e.rawName, "has a malformed extra field")
		}
		id, body := le.Uint16(extra), extra[4:4+int(le.Uint16(extra[2:]))]
		extra = extra[4+len(body):]
		switch id {
		case extraZip64:
			if seen64 || !e.read64(body, &disk, later) {
				return refuse("bundle/extra-field", e.rawName, "has ZIP64 sizes that do not fit")
			}
			seen64 = true
		case extraUnicodePath:
			if len(body) < 5 || le.Uint32(body[1:]) != crc32.ChecksumIEEE([]byte(e.rawName)) || string(body[5:]) != e.rawName {
				return refuse("bundle/extra-field", e.rawName, "has a second name in an extra field")
			}
		}
	}
	if need64 && !seen64 {
		return refuse("bundle/zip64", e.rawName, "has saturated sizes without ZIP64 sizes")
	}
	if disk != 0 {
		return refuse("bundle/split", e.rawName, "is on another disk")
	}
	return nil
}

// read64 takes from a ZIP64 field the values that are saturated, in their fixed order. Some tools write the others
// behind them; a reader that takes those must find what the plain fields say.
func (e *entry) read64(body []byte, disk *uint16, later bool) bool {
	le := binary.LittleEndian
	var plain []int64
	for _, v := range []*int64{&e.size, &e.packed, &e.header} {
		if *v != 0xffffffff {
			plain = append(plain, *v)
			continue
		}
		if len(body) < 8 || body[7]&0x80 != 0 {
			return false
		}
		*v, body = int64(le.Uint64(body)), body[8:]
	}
	for len(body) >= 8 && len(plain) > 0 {
		if v := le.Uint64(body); v != uint64(plain[0]) && !(later && v == 0) {
			return false
		}
		plain, body = plain[1:], body[8:]
	}
	if len(body) == 4 && le.Uint32(body) == 0 {
		*disk = 0
		body = nil
	}
	return len(body) == 0
}

// readMode takes the permission bits, as the reference does whatever system the archive says to come from; without
// them a file has 0644. Set-user-id and its like are dropped. Only files and folders pass.
func (e *entry) readMode(external uint32) *problem.Problem {
	const typeMask, typeRegular, typeDir = 0o170000, 0o100000, 0o040000
	switch typ := external >> 16 & typeMask; {
	case typ == typeDir && e.dir, typ == typeRegular && !e.dir, typ == 0:
	case typ == 0o120000:
		return refuse("bundle/entry-type", e.rawName, "is a symbolic link").Try("pack the file that it points to")
	default:
		return refuse("bundle/entry-type", e.rawName, "is neither a file nor a folder, or its name says otherwise (type %#o)", typ)
	}
	if external&0x10 != 0 && !e.dir {
		return refuse("bundle/entry-type", e.rawName, "is marked as a folder, but its name does not end with a slash")
	}
	if e.dir && (e.size != 0 || e.packed > 2) { // an empty deflate stream has two bytes
		return refuse("bundle/entry-type", e.rawName, "is a folder with content")
	}
	if e.method == methodStore && e.size != e.packed {
		return refuse("bundle/size", e.rawName, "is stored, but its sizes differ")
	}
	if e.mode = fs.FileMode(external >> 16 & 0o777); e.mode == 0 {
		e.mode = 0o644
	}
	return nil
}
