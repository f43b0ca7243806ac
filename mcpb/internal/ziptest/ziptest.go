// Package ziptest builds ZIP archives byte by byte, so that tests can plant any lie in them. Use it only in tests: what
// it builds is right unless a field or a hook says otherwise, and nothing is checked.
package ziptest

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"hash/crc32"
)

// An Entry is one file or, when its name ends with a slash, one folder.
type Entry struct {
	Name   string
	Body   []byte
	Stored bool   // method 0; else deflated
	Packed []byte // when not nil: the packed bytes, whatever they are
	Flags  uint16
	Mode   uint32 // Unix st_mode for the external attributes; 0: none, as DOS tools write it
	Zip64  bool   // sizes stand in ZIP64 extra fields

	// Descriptor is the length of the data descriptor behind the content: 12 or 16 bytes, with ZIP64 sizes 20 or 24; 16
	// and 24 have the optional magic. 0: none.
	Descriptor int
	Extra      []byte // more extra fields for the central directory
	LocalExtra []byte // and for the local header

	Gap []byte // bytes before the local header that belong to nothing

	// The hooks change bytes that are otherwise finished: the local header, the data descriptor, and the entry of the
	// central directory, each with its name and extra fields. A hook must not change the length.
	Local, After, Central func(b []byte)
}

// An Archive is a list of entries and what stands around them.
type Archive struct {
	Entries []Entry
	Prefix  []byte // before everything; offsets count it in
	Gap     []byte // between the last entry and the central directory
	Behind  []byte // between the central directory and the end records
	Zip64   bool   // write ZIP64 end records and saturate the plain one
	Comment []byte
	Suffix  []byte // behind everything

	// Hooks as in Entry: the end record with its comment, the ZIP64 end record and its locator.
	End, End64, Locator func(b []byte)
}

// File makes a deflated entry with the mode of an ordinary file.
func File(name, body string) Entry {
	return Entry{Name: name, Body: []byte(body), Mode: 0o100644}
}

// Put32 and Put16 are hooks that write one value at an offset.
func Put32(at int, v uint32) func([]byte) {
	return func(b []byte) { binary.LittleEndian.PutUint32(b[at:], v) }
}

// Put16 writes two bytes; see [Put32].
func Put16(at int, v uint16) func([]byte) {
	return func(b []byte) { binary.LittleEndian.PutUint16(b[at:], v) }
}

// Field makes an extra field.
func Field(id uint16, body []byte) []byte {
	return append(le.AppendUint16(le.AppendUint16(nil, id), uint16(len(body))), body...)
}

// Words makes the body of a ZIP64 extra field.
func Words(values ...uint64) []byte {
	var b []byte
	for _, v := range values {
		b = le.AppendUint64(b, v)
	}
	return b
}

// Deflate compresses with the standard library, which the code under test does not use.
func Deflate(body []byte) []byte {
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestCompression)
	if err != nil {
		panic(err) // only for a level that does not exist
	}
	w.Write(body) // a bytes.Buffer takes everything
	w.Close()
	return b.Bytes()
}

// Sign appends a signature block as the reference does.
func Sign(archive, der []byte) []byte {
	b := append(bytes.Clone(archive), "MCPB_SIG_V1"...)
	b = append(le.AppendUint32(b, uint32(len(der))), der...)
	return append(b, "MCPB_SIG_END"...)
}

// SignComment appends a signature block as the comment of an end record that has none yet.
func SignComment(archive, der []byte) []byte {
	signed := Sign(archive, der)
	le.PutUint16(signed[len(archive)-2:], uint16(len(signed)-len(archive)))
	return signed
}

var le = binary.LittleEndian

// Bytes builds the archive.
func (a Archive) Bytes() []byte {
	out := bytes.Clone(a.Prefix)
	var dir []byte
	for _, e := range a.Entries {
		out = append(out, e.Gap...)
		w := e.prepare()
		at := uint64(len(out))
		out = append(out, w.local()...)
		out = append(out, w.packed...)
		out = append(out, w.descriptor()...)
		dir = append(dir, w.central(at)...)
	}
	out = append(out, a.Gap...)
	at := uint64(len(out))
	out = append(append(out, dir...), a.Behind...)
	out = append(out, a.end(at, uint64(len(dir)), uint64(len(out)))...)
	return append(out, a.Suffix...)
}

// A written is an entry with what was computed for it.
type written struct {
	Entry
	packed []byte
	sum    uint32
	method uint16
}

func (e Entry) prepare() written {
	w := written{Entry: e, packed: e.Packed, sum: crc32.ChecksumIEEE(e.Body), method: 8}
	if e.Stored || e.Name != "" && e.Name[len(e.Name)-1] == '/' {
		w.method = 0
	}
	if w.packed == nil {
		if w.packed = e.Body; w.method == 8 {
			w.packed = Deflate(e.Body)
		}
	}
	if e.Descriptor > 0 {
		w.Flags |= 1 << 3
	}
	return w
}

// sizes gives the three fields of a header and its extra fields.
func (w written) sizes(sum uint32, packed, size uint64, extra []byte) ([]byte, []byte) {
	b := le.AppendUint32(nil, sum)
	if w.Zip64 {
		extra = append(Field(1, Words(size, packed)), extra...)
		packed, size = 1<<32-1, 1<<32-1
	}
	return le.AppendUint32(le.AppendUint32(b, uint32(packed)), uint32(size)), extra
}

func (w written) local() []byte {
	sum, packed, size := w.sum, uint64(len(w.packed)), uint64(len(w.Body))
	if w.Descriptor > 0 {
		sum, packed, size = 0, 0, 0
	}
	sizes, extra := w.sizes(sum, packed, size, w.LocalExtra)
	b := le.AppendUint16([]byte("PK\x03\x04"), 20)
	b = le.AppendUint16(le.AppendUint16(b, w.Flags), w.method)
	b = append(le.AppendUint32(b, 1<<21|1<<16), sizes...)
	b = le.AppendUint16(le.AppendUint16(b, uint16(len(w.Name))), uint16(len(extra)))
	return hook(append(append(b, w.Name...), extra...), w.Local)
}

func (w written) descriptor() []byte {
	if w.Descriptor == 0 {
		return nil
	}
	var b []byte
	if w.Descriptor == 16 || w.Descriptor == 24 {
		b = []byte("PK\x07\x08")
	}
	b = le.AppendUint32(b, w.sum)
	if w.Descriptor >= 20 {
		b = le.AppendUint64(le.AppendUint64(b, uint64(len(w.packed))), uint64(len(w.Body)))
	} else {
		b = le.AppendUint32(le.AppendUint32(b, uint32(len(w.packed))), uint32(len(w.Body)))
	}
	return hook(b, w.After)
}

func (w written) central(at uint64) []byte {
	sizes, extra := w.sizes(w.sum, uint64(len(w.packed)), uint64(len(w.Body)), w.Extra)
	madeBy := uint16(20)
	if w.Mode != 0 {
		madeBy |= 3 << 8
	}
	b := le.AppendUint16(le.AppendUint16([]byte("PK\x01\x02"), madeBy), 20)
	b = le.AppendUint16(le.AppendUint16(b, w.Flags), w.method)
	b = append(le.AppendUint32(b, 1<<21|1<<16), sizes...)
	b = le.AppendUint16(le.AppendUint16(b, uint16(len(w.Name))), uint16(len(extra)))
	b = append(b, 0, 0, 0, 0, 0, 0) // comment, disk, internal attributes
	b = le.AppendUint32(le.AppendUint32(b, w.Mode<<16), uint32(at))
	return hook(append(append(b, w.Name...), extra...), w.Central)
}

// end gives the end records for a central directory at an offset, with a size, followed by them at the offset here.
func (a Archive) end(at, size, here uint64) []byte {
	n := uint64(len(a.Entries))
	var out []byte
	count, size32, at32 := uint16(n), uint32(size), uint32(at)
	if a.Zip64 {
		b := le.AppendUint64([]byte("PK\x06\x06"), 44)
		b = le.AppendUint16(le.AppendUint16(b, 45), 45)
		b = le.AppendUint64(b, 0) // disks
		out = hook(append(b, Words(n, n, size, at)...), a.End64)
		b = le.AppendUint64(le.AppendUint32([]byte("PK\x06\x07"), 0), here)
		out = append(out, hook(le.AppendUint32(b, 1), a.Locator)...)
		count, size32, at32 = 1<<16-1, 1<<32-1, 1<<32-1
	}
	b := le.AppendUint32([]byte("PK\x05\x06"), 0) // disks
	b = le.AppendUint16(le.AppendUint16(b, count), count)
	b = le.AppendUint32(le.AppendUint32(b, size32), at32)
	b = append(le.AppendUint16(b, uint16(len(a.Comment))), a.Comment...)
	return append(out, hook(b, a.End)...)
}

func hook(b []byte, change func([]byte)) []byte {
	if change != nil {
		change(b)
	}
	return b
}
