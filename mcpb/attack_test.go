package mcpb

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"satchel/internal/problem"
	"satchel/mcpb/internal/ziptest"
)

// An attack is a bundle that must be refused under one rule, with nothing written.
type attack struct {
	name   string
	rule   string
	bundle []byte
	limits Limits
}

var file = ziptest.File

// zipOf builds a bundle of a manifest and the entries given.
func zipOf(entries ...ziptest.Entry) []byte {
	return ziptest.Archive{Entries: append([]ziptest.Entry{file("manifest.json", "{}")}, entries...)}.Bytes()
}

func named(rule, name string) attack {
	e := ziptest.Entry{Name: name}
	return attack{name: rule[len("bundle/"):] + " " + name[:min(len(name), 20)], rule: rule, bundle: zipOf(e)}
}

// nameAttacks are names that could be written anywhere but at one place below the folder.
func nameAttacks() []attack {
	rows := []attack{
		{name: "names that differ in case", rule: "bundle/name-collision", bundle: zipOf(file("Manifest.json", "{}"))},
		{name: "names that differ in Unicode form", rule: "bundle/name-collision", bundle: zipOf(file("caf\u00e9", ""), file("cafe\u0301", ""))},
		{name: "names that differ in case folding", rule: "bundle/name-collision", bundle: zipOf(file("\u212aelvin", ""), file("kelvin", ""))},
		{name: "names that differ in what HFS+ ignores", rule: "bundle/name-collision", bundle: zipOf(file("a\u200db", ""), file("ab", ""))},
		{name: "folders that differ in case", rule: "bundle/name-collision", bundle: zipOf(file("A/x", ""), file("a/y", ""))},
		{name: "deep folders that differ in case", rule: "bundle/name-collision", bundle: zipOf(file("p/q/A/x/1", ""), file("p/q/A/x/2", ""), file("p/q/a/y/3", ""))},
		{name: "a file and a folder that differ in case", rule: "bundle/name-collision", bundle: zipOf(file("A", ""), file("a/y", ""))},
		{name: "twice the same file", rule: "bundle/duplicate-name", bundle: zipOf(file("manifest.json", "[]"))},
		{name: "twice the same folder", rule: "bundle/duplicate-name", bundle: zipOf(ziptest.Entry{Name: "a/"}, ziptest.Entry{Name: "a/"})},
		{name: "a file, then below it", rule: "bundle/file-as-folder", bundle: zipOf(file("a", ""), file("a/b", ""))},
		{name: "below it, then the file", rule: "bundle/file-as-folder", bundle: zipOf(file("a/b", ""), file("a", ""))},
		{name: "a file and a folder", rule: "bundle/file-as-folder", bundle: zipOf(file("a", ""), ziptest.Entry{Name: "a/"})},
		{name: "a long name", rule: "bundle/long-name", bundle: zipOf(file(strings.Repeat("abcdefg/", 128)+"x", ""))},
		{name: "more folders than entries are allowed", rule: "bundle/limit-entries", limits: Limits{Entries: 100},
			bundle: zipOf(file(strings.Repeat("a/", 99)+"x", ""), file(strings.Repeat("b/", 99)+"x", ""))},
		{name: "a second name in an extra field", rule: "bundle/extra-field", bundle: zipOf(ziptest.Entry{Name: "a", Extra: unicodePath("a", "b")})},
		{name: "a second name in the local extra field", rule: "bundle/extra-field", bundle: zipOf(ziptest.Entry{Name: "a", LocalExtra: unicodePath("a", "b")})},
	}
	for rule, names := range map[string][]string{
		"bundle/path-traversal":    {"../evil.txt", "a/../../evil", "a/../b.txt", "../out-prefix-x/e", "..", "a/..", "../"},
		"bundle/absolute-name":     {"/etc/evil", "//server/share", "C:/evil.txt", "c:evil"},
		"bundle/backslash":         {`..\evil.txt`, `a\b`, `\\server\share`, `C:\evil`},
		"bundle/control-character": {"a\x00b", "a\nb", "a\x7fb", "a\u009bb", "\x1b[2J", "photo\u202egnp.exe", "a\u2028b"},
		"bundle/empty-name":        {"", "/", ".", "./a", "a//b", "a/./b", "a/.", "a//"},
		"bundle/name-encoding":     {"caf\x82", "\xc0\xaf", "\xed\xa0\x80"},
		"bundle/long-name":         {strings.Repeat("n", 300), strings.Repeat("\u00e9", 128), "a/" + strings.Repeat("n", 256) + "/b"},
		"bundle/reserved-name":     {"con", "a/NUL.txt", "Com1", "lpt\u00b9.log", "ab:c", "dot.", "space ", "a/what?", "CONIN$", "x|y", "prn .txt"},
	} {
		for _, name := range names {
			rows = append(rows, named(rule, name))
		}
	}
	return rows
}

func unicodePath(stored, other string) []byte {
	body := binary.LittleEndian.AppendUint32([]byte{1}, crc32.ChecksumIEEE([]byte(stored)))
	return ziptest.Field(extraUnicodePath, append(body, other...))
}

// entryAttacks are entries that lie about themselves.
func entryAttacks() []attack {
	zeros := make([]byte, 200_000_000)
	link := ziptest.Entry{Name: "link", Body: []byte("/etc/passwd"), Stored: true, Mode: 0o120777}
	typed := func(mode uint32) []byte { return zipOf(ziptest.Entry{Name: "x", Mode: mode}) }
	central := func(e ziptest.Entry, change func([]byte)) []byte { e.Central = change; return zipOf(e) }
	local := func(e ziptest.Entry, change func([]byte)) []byte { e.Local = change; return zipOf(e) }
	both := func(e ziptest.Entry, at int, v uint16) []byte {
		e.Local, e.Central = ziptest.Put16(at-2, v), ziptest.Put16(at, v)
		return zipOf(e)
	}
	a := file("a", "content of a")
	stored := ziptest.Entry{Name: "s", Body: []byte("stored content"), Stored: true}
	later := ziptest.Entry{Name: "d", Body: []byte("described later"), Descriptor: 16}
	return []attack{
		{name: "a symbolic link", rule: "bundle/entry-type", bundle: zipOf(link)},
		{name: "a link and a file below it", rule: "bundle/entry-type", bundle: zipOf(link, file("link/evil", ""))},
		{name: "a device", rule: "bundle/entry-type", bundle: typed(0o060644)},
		{name: "a pipe", rule: "bundle/entry-type", bundle: typed(0o010644)},
		{name: "a socket", rule: "bundle/entry-type", bundle: typed(0o140644)},
		{name: "a folder by its mode", rule: "bundle/entry-type", bundle: typed(0o040755)},
		{name: "a folder by its DOS attribute", rule: "bundle/entry-type", bundle: central(a, ziptest.Put32(38, 0x10))},
		{name: "a file by its mode", rule: "bundle/entry-type", bundle: zipOf(ziptest.Entry{Name: "x/", Mode: 0o100644})},
		{name: "a folder with content", rule: "bundle/entry-type", bundle: zipOf(ziptest.Entry{Name: "x/", Body: []byte("hidden")})},
		{name: "a folder with packed bytes", rule: "bundle/entry-type", bundle: zipOf(ziptest.Entry{Name: "x/", Packed: []byte("hidden"),
			Local: ziptest.Put16(8, 8), Central: ziptest.Put16(10, 8)})},
		{name: "encrypted", rule: "bundle/encrypted", bundle: both(a, 8, 1)},
		{name: "strongly encrypted", rule: "bundle/encrypted", bundle: both(a, 8, 1<<6)},
		{name: "a patch", rule: "bundle/flags", bundle: both(a, 8, 1<<5)},
		{name: "an unknown flag", rule: "bundle/flags", bundle: both(a, 8, 1<<14)},
		{name: "deflate64", rule: "bundle/method", bundle: both(a, 10, 9)},
		{name: "bzip2", rule: "bundle/method", bundle: both(a, 10, 12)},
		{name: "method 99", rule: "bundle/method", bundle: both(a, 10, 99)},
		{name: "another name in the local header", rule: "bundle/local-header", bundle: local(a, func(b []byte) { b[30] = 'b' })},
		{name: "a longer name in the local header", rule: "bundle/local-header", bundle: local(a, ziptest.Put16(26, 2))},
		{name: "another method in the local header", rule: "bundle/local-header", bundle: local(a, ziptest.Put16(8, 0))},
		{name: "encrypted in the local header only", rule: "bundle/local-header", bundle: local(a, ziptest.Put16(6, 1))},
		{name: "UTF-8 in the local header only", rule: "bundle/local-header", bundle: local(file("caf\u00e9", ""), ziptest.Put16(6, 1<<11))},
		{name: "another size in the local header", rule: "bundle/local-header", bundle: local(a, ziptest.Put32(22, 3))},
		{name: "another packed size in the local header", rule: "bundle/local-header", bundle: local(a, ziptest.Put32(18, 3))},
		{name: "another checksum in the local header", rule: "bundle/local-header", bundle: local(a, ziptest.Put32(14, 3))},
		{name: "no local header", rule: "bundle/local-header", bundle: local(a, ziptest.Put32(0, 0))},
		{name: "another size in the data descriptor", rule: "bundle/local-header", bundle: func() []byte { e := later; e.After = ziptest.Put32(12, 1); return zipOf(e) }()},
		{name: "another checksum in the data descriptor", rule: "bundle/local-header", bundle: func() []byte { e := later; e.After = ziptest.Put32(4, 1); return zipOf(e) }()},
		{name: "no magic in the data descriptor", rule: "bundle/gap", bundle: func() []byte { e := later; e.After = ziptest.Put32(0, 1); return zipOf(e) }()},
		{name: "a data descriptor without its flag", rule: "bundle/local-header", bundle: central(later, ziptest.Put16(8, 0))},
		{name: "a flag without its data descriptor", rule: "bundle/gap", bundle: both(a, 8, 8)},
		{name: "a wrong checksum", rule: "bundle/checksum", bundle: func() []byte {
			e := a
			e.Local, e.Central = ziptest.Put32(14, 1), ziptest.Put32(16, 1)
			return zipOf(e)
		}()},
		{name: "stored with a wrong checksum", rule: "bundle/checksum", bundle: func() []byte {
			e := stored
			e.Local, e.Central = ziptest.Put32(14, 1), ziptest.Put32(16, 1)
			return zipOf(e)
		}()},
		{name: "more bytes than declared", rule: "bundle/size", bundle: sized(bytes.Repeat([]byte("x"), 1000), 10)},
		{name: "less bytes than declared", rule: "bundle/size", bundle: sized(bytes.Repeat([]byte("x"), 1000), 1_000_000)},
		{name: "a bomb that declares 10 bytes", rule: "bundle/size", bundle: sized(zeros, 10)},
		{name: "stored with two sizes", rule: "bundle/size", bundle: func() []byte {
			e := stored
			e.Local, e.Central = ziptest.Put32(22, 3), ziptest.Put32(24, 3)
			return zipOf(e)
		}()},
		{name: "4 GB declared", rule: "bundle/limit-ratio", bundle: sized(bytes.Repeat([]byte("x"), 1000), 4_000_000_000)},
		{name: "200 MB of zeros", rule: "bundle/limit-ratio", bundle: zipOf(ziptest.Entry{Name: "bomb", Body: zeros})},
		{name: "many small bombs", rule: "bundle/limit-ratio", bundle: zipOf(bombs(20, zeros[:10_000_000])...)},
		{name: "a file over the limit", rule: "bundle/limit-size", limits: Limits{FileBytes: 11}, bundle: zipOf(a)},
		{name: "all files over the limit", rule: "bundle/limit-size", limits: Limits{TotalBytes: 13}, bundle: zipOf(a)},
		{name: "damaged data", rule: "bundle/compressed-data", bundle: zipOf(ziptest.Entry{Name: "a", Body: []byte("a"), Packed: []byte{7, 7, 7}})},
		{name: "data that is cut off", rule: "bundle/compressed-data", bundle: zipOf(ziptest.Entry{Name: "a", Body: []byte("abc"), Packed: ziptest.Deflate([]byte("abc"))[:3]})},
		{name: "data behind the end of the stream", rule: "bundle/compressed-data", bundle: zipOf(
			ziptest.Entry{Name: "a", Body: []byte("a"), Packed: append(ziptest.Deflate([]byte("a")), "hidden"...)})},
		{name: "a malformed extra field", rule: "bundle/extra-field", bundle: zipOf(ziptest.Entry{Name: "a", Extra: []byte{1, 2, 200, 0, 1}})},
		{name: "an extra field that is too short", rule: "bundle/extra-field", bundle: zipOf(ziptest.Entry{Name: "a", Extra: []byte{1, 2, 3}})},
		{name: "saturated without ZIP64", rule: "bundle/zip64", bundle: central(a, ziptest.Put32(24, 1<<32-1))},
		{name: "ZIP64 sizes that are too short", rule: "bundle/extra-field", bundle: central(
			func() ziptest.Entry { e := a; e.Extra = ziptest.Field(1, []byte{1, 2, 3}); return e }(), ziptest.Put32(24, 1<<32-1))},
		{name: "a negative ZIP64 size", rule: "bundle/extra-field", bundle: central(
			func() ziptest.Entry { e := a; e.Extra = ziptest.Field(1, ziptest.Words(1<<63)); return e }(), ziptest.Put32(24, 1<<32-1))},
		{name: "ZIP64 sizes twice", rule: "bundle/extra-field", bundle: zipOf(ziptest.Entry{Name: "a", Zip64: true, Extra: ziptest.Field(1, ziptest.Words(0, 2))})},
		{name: "ZIP64 sizes that nothing asks for and that differ", rule: "bundle/extra-field", bundle: zipOf(
			ziptest.Entry{Name: "a", Body: []byte("a"), Extra: ziptest.Field(1, ziptest.Words(99, 99))})},
		{name: "ZIP64 sizes in the local header that differ", rule: "bundle/extra-field", bundle: zipOf(
			ziptest.Entry{Name: "a", Body: []byte("a"), LocalExtra: ziptest.Field(1, ziptest.Words(99, 99))})},
		{name: "an entry on another disk", rule: "bundle/split", bundle: central(a, ziptest.Put16(34, 1))},
	}
}

// sized is a bundle with a file that declares another size than it has.
func sized(body []byte, size uint32) []byte {
	return zipOf(ziptest.Entry{Name: "f", Body: body, Local: ziptest.Put32(22, size), Central: ziptest.Put32(24, size)})
}

func bombs(n int, body []byte) []ziptest.Entry {
	packed := ziptest.Deflate(body)
	var entries []ziptest.Entry
	for i := range n {
		entries = append(entries, ziptest.Entry{Name: string(rune('a' + i)), Body: body, Packed: packed})
	}
	return entries
}

// archiveAttacks are archives in which two readers could see different files.
func archiveAttacks() []attack {
	files := []ziptest.Entry{file("manifest.json", "{}"), file("a", "content of a")}
	with := func(change func(a *ziptest.Archive)) []byte {
		a := ziptest.Archive{Entries: files}
		change(&a)
		return a.Bytes()
	}
	end := func(change func([]byte)) []byte { return with(func(a *ziptest.Archive) { a.End = change }) }
	wide := func(end64, locator, end func([]byte)) []byte {
		return with(func(a *ziptest.Archive) { a.Zip64, a.End64, a.Locator, a.End = true, end64, locator, end })
	}
	plain := with(func(*ziptest.Archive) {})
	empty := ziptest.Archive{}.Bytes()
	other := ziptest.Archive{Entries: []ziptest.Entry{file("manifest.json", "other")}}.Bytes()
	return []attack{
		{name: "an empty file", rule: "bundle/not-zip"},
		{name: "a text", rule: "bundle/not-zip", bundle: []byte("no archive at all")},
		{name: "half an end record", rule: "bundle/not-zip", bundle: plain[:len(plain)-10]},
		{name: "no end record", rule: "bundle/not-zip", bundle: plain[:len(plain)-22]},
		{name: "the first half", rule: "bundle/not-zip", bundle: plain[:len(plain)/2]},
		{name: "no entries", rule: "bundle/no-files", bundle: empty},
		{name: "a comment that is cut off", rule: "bundle/not-zip", bundle: end(ziptest.Put16(20, 7))},
		{name: "a stub before it, offsets adjusted", rule: "bundle/prepended-data", bundle: with(func(a *ziptest.Archive) { a.Prefix = []byte("#!/bin/sh\nevil\n") })},
		{name: "a stub before it, offsets as they were", rule: "bundle/directory", bundle: append([]byte("#!/bin/sh\nevil\n"), plain...)},
		{name: "another archive before it", rule: "bundle/prepended-data", bundle: with(func(a *ziptest.Archive) { a.Prefix = other })},
		{name: "70 bytes behind it", rule: "bundle/trailing-data", bundle: with(func(a *ziptest.Archive) { a.Suffix = make([]byte, 70) })},
		{name: "70 kB behind it", rule: "bundle/trailing-data", bundle: with(func(a *ziptest.Archive) { a.Suffix = make([]byte, 70_000) })},
		{name: "2 MB behind it", rule: "bundle/not-zip", bundle: with(func(a *ziptest.Archive) { a.Suffix = make([]byte, 2_000_000) })},
		{name: "a comment of declared length 0", rule: "bundle/trailing-data", bundle: with(func(a *ziptest.Archive) { a.Comment, a.End = []byte("hello"), ziptest.Put16(20, 0) })},
		{name: "an empty archive in the comment", rule: "bundle/ambiguous-end", bundle: with(func(a *ziptest.Archive) { a.Comment = empty })},
		{name: "another archive in the comment", rule: "bundle/ambiguous-end", bundle: with(func(a *ziptest.Archive) { a.Comment = other })},
		{name: "half an end record in the comment", rule: "bundle/not-zip", bundle: with(func(a *ziptest.Archive) { a.Comment = []byte("PK\x05\x06") })},
		{name: "an end record that ends early in the comment", rule: "bundle/trailing-data", bundle: with(func(a *ziptest.Archive) { a.Comment = append(bytes.Clone(empty), 'x') })},
		{name: "a ZIP64 end record in the comment", rule: "bundle/ambiguous-end", bundle: with(func(a *ziptest.Archive) { a.Comment = []byte("see PK\x06\x06") })},
		{name: "a ZIP64 locator that begins in the end record", rule: "bundle/ambiguous-end", bundle: with(func(a *ziptest.Archive) { a.Comment = append([]byte("\x06\x07"), make([]byte, 0x4b50-2)...) })},
		{name: "fewer entries counted", rule: "bundle/count", bundle: end(func(b []byte) { ziptest.Put16(8, 1)(b); ziptest.Put16(10, 1)(b) })},
		{name: "more entries counted", rule: "bundle/count", bundle: end(func(b []byte) { ziptest.Put16(8, 3)(b); ziptest.Put16(10, 3)(b) })},
		{name: "65,535 entries counted", rule: "bundle/count", bundle: end(ziptest.Put32(8, 1<<32-1))},
		{name: "two counts", rule: "bundle/split", bundle: end(ziptest.Put16(8, 1))},
		{name: "disk 1", rule: "bundle/split", bundle: end(ziptest.Put16(4, 1))},
		{name: "ZIP64 disks without ZIP64", rule: "bundle/split", bundle: end(ziptest.Put32(4, 1<<32-1))},
		{name: "a smaller directory", rule: "bundle/directory", bundle: end(ziptest.Put32(12, 10))},
		{name: "a larger directory", rule: "bundle/directory", bundle: end(ziptest.Put32(12, 1<<30))},
		{name: "the directory elsewhere", rule: "bundle/directory", bundle: end(ziptest.Put32(16, 4))},
		{name: "saturated without ZIP64", rule: "bundle/directory", bundle: end(ziptest.Put32(16, 1<<32-1))},
		{name: "bytes behind the directory", rule: "bundle/directory", bundle: with(func(a *ziptest.Archive) { a.Behind = []byte("hidden") })},
		{name: "bytes counted to the directory", rule: "bundle/directory", bundle: with(func(a *ziptest.Archive) {
			a.Behind, a.End = make([]byte, 50), func(b []byte) { ziptest.Put32(12, binary.LittleEndian.Uint32(b[12:])+50)(b) }
		})},
		{name: "bytes before the directory", rule: "bundle/gap", bundle: with(func(a *ziptest.Archive) { a.Gap = []byte("hidden") })},
		{name: "bytes between entries", rule: "bundle/gap", bundle: zipOf(ziptest.Entry{Name: "x", Gap: []byte("hidden")})},
		{name: "an entry that no directory knows", rule: "bundle/gap", bundle: zipOf(ziptest.Entry{Name: "x", Gap: other[:len(other)-22-46-13]})},
		{name: "two entries on one local header", rule: "bundle/overlap", bundle: func() []byte {
			x := file("x", "")
			x.Central = ziptest.Put32(42, 0)
			return zipOf(x)
		}()},
		{name: "two entries of one name on one local header", rule: "bundle/overlap", bundle: func() []byte {
			x := file("manifest.json", "{}")
			x.Central = ziptest.Put32(42, 0)
			return zipOf(x)
		}()},
		{name: "an entry inside another one", rule: "bundle/overlap", bundle: inside()},
		{name: "an entry inside the directory", rule: "bundle/overlap", bundle: func() []byte {
			x := file("x", "")
			x.Central = ziptest.Put32(42, 90)
			return zipOf(x)
		}()},
		{name: "an entry behind the end", rule: "bundle/overlap", bundle: func() []byte {
			x := file("x", "")
			x.Central = ziptest.Put32(42, 1<<31)
			return zipOf(x)
		}()},
		{name: "an entry longer than the file", rule: "bundle/overlap", bundle: zipOf(ziptest.Entry{Name: "x", Zip64: true,
			Local:   func(b []byte) { binary.LittleEndian.PutUint64(b[30+1+12:], 1<<62) },
			Central: func(b []byte) { binary.LittleEndian.PutUint64(b[46+1+12:], 1<<62) }})},
		{name: "the largest packed size", rule: "bundle/overlap", bundle: zipOf(ziptest.Entry{Name: "x", Zip64: true,
			Local:   func(b []byte) { binary.LittleEndian.PutUint64(b[30+1+12:], 1<<63-1) },
			Central: func(b []byte) { binary.LittleEndian.PutUint64(b[46+1+12:], 1<<63-1) }})},
		{name: "another count in ZIP64", rule: "bundle/zip64", bundle: wide(nil, nil, ziptest.Put32(8, 7|7<<16))},
		{name: "another offset in ZIP64", rule: "bundle/zip64", bundle: wide(nil, nil, ziptest.Put32(16, 7))},
		{name: "another directory in ZIP64", rule: "bundle/directory", bundle: wide(ziptest.Put32(40, 7), nil, nil)},
		{name: "2^64-1 entries", rule: "bundle/limit-entries", bundle: wide(func(b []byte) {
			ziptest.Put32(24, 1<<32-1)(b)
			ziptest.Put32(28, 1<<32-1)(b)
			ziptest.Put32(32, 1<<32-1)(b)
			ziptest.Put32(36, 1<<32-1)(b)
		}, nil, nil)},
		{name: "a huge directory in ZIP64", rule: "bundle/zip64", bundle: wide(ziptest.Put32(44, 1<<31), nil, nil)},
		{name: "a locator that points elsewhere", rule: "bundle/zip64", bundle: wide(nil, ziptest.Put32(8, 4), nil)},
		{name: "a locator of two disks", rule: "bundle/zip64", bundle: wide(nil, ziptest.Put32(16, 2), nil)},
		{name: "a ZIP64 record of another length", rule: "bundle/zip64", bundle: wide(ziptest.Put32(4, 1000), nil, nil)},
		{name: "a ZIP64 record without magic", rule: "bundle/zip64", bundle: wide(ziptest.Put32(0, 0), nil, nil)},
		{name: "a ZIP64 record of two counts", rule: "bundle/zip64", bundle: wide(ziptest.Put32(24, 1), nil, nil)},
		{name: "more entries than the limit", rule: "bundle/limit-entries", bundle: plain, limits: Limits{Entries: 1}},
	}
}

// inside is an archive whose second entry stands in the stored content of the first.
func inside() []byte {
	inner := ziptest.Archive{Entries: []ziptest.Entry{file("b", "inner")}}.Bytes()
	outer := ziptest.Entry{Name: "manifest.json", Body: inner, Stored: true}
	b := file("b", "inner")
	b.Central = ziptest.Put32(42, uint32(30+len("manifest.json")))
	return ziptest.Archive{Entries: []ziptest.Entry{outer, b}}.Bytes()
}

// signatureAttacks are signature blocks that do not fit.
func signatureAttacks() []attack {
	plain := zipOf(file("a", "content"))
	signed := ziptest.Sign(plain, []byte("der"))
	length := func(n uint32) []byte {
		b := bytes.Clone(signed)
		binary.LittleEndian.PutUint32(b[len(plain)+11:], n)
		return b
	}
	return []attack{
		{name: "a length beyond the file", rule: "bundle/malformed-signature", bundle: length(1 << 30)},
		{name: "a length of 4 GB", rule: "bundle/malformed-signature", bundle: length(1<<32 - 1)},
		{name: "a shorter length", rule: "bundle/malformed-signature", bundle: length(2)},
		{name: "no length", rule: "bundle/malformed-signature", bundle: length(0)},
		{name: "an end without a beginning", rule: "bundle/malformed-signature", bundle: append(bytes.Clone(plain), "MCPB_SIG_END"...)},
		{name: "nothing but an end", rule: "bundle/malformed-signature", bundle: []byte("MCPB_SIG_END")},
		{name: "a beginning without a length", rule: "bundle/malformed-signature", bundle: []byte("MCPB_SIG_V1MCPB_SIG_END")},
		{name: "two blocks that fit", rule: "bundle/malformed-signature", bundle: ziptest.Sign(plain, []byte("x"+"MCPB_SIG_V1\x03\x00\x00\x00der"))},
		{name: "another beginning in the block", rule: "bundle/malformed-signature", bundle: ziptest.SignComment(plain, []byte("x"+"MCPB_SIG_V1"))},
		{name: "bytes behind the block", rule: "bundle/malformed-signature", bundle: append(bytes.Clone(signed), 'x')},
		{name: "a block without its end", rule: "bundle/malformed-signature", bundle: signed[:len(signed)-1]},
		{name: "a block as the comment, with a damaged end", rule: "bundle/malformed-signature", bundle: func() []byte {
			b := ziptest.SignComment(plain, []byte("der"))
			b[len(b)-1] ^= 1
			return b
		}()},
		{name: "a block of 65,536 bytes", rule: "bundle/malformed-signature", bundle: ziptest.Sign(plain, make([]byte, 1<<16-27))},
		{name: "bytes before the block", rule: "bundle/trailing-data", bundle: ziptest.Sign(append(bytes.Clone(plain), 'x'), []byte("der"))},
		{name: "an end record in the block", rule: "bundle/ambiguous-end", bundle: ziptest.Sign(plain, ziptest.Archive{}.Bytes())},
		{name: "a ZIP64 end record in the block", rule: "bundle/ambiguous-end", bundle: ziptest.SignComment(plain, []byte("der PK\x06\x06"))},
		{name: "a ZIP64 locator in the block", rule: "bundle/ambiguous-end", bundle: ziptest.Sign(plain, []byte("der PK\x06\x07"))},
		{name: "an end record in the block that accounts for its end", rule: "bundle/ambiguous-end", bundle: archiveInSignature()},
		{name: "a comment that ends in the block", rule: "bundle/ambiguous-end", bundle: func() []byte {
			b := bytes.Clone(signed)
			binary.LittleEndian.PutUint16(b[len(plain)-2:], 4)
			return b
		}()},
		{name: "a block that swallows the end record", rule: "bundle/ambiguous-end", bundle: func() []byte {
			data := ziptest.Entry{Name: "a", Body: []byte("MCPB_SIG_V1\x00\x00\x00\x00"), Stored: true}
			b := ziptest.Archive{Entries: []ziptest.Entry{data}, Comment: []byte("MCPB_SIG_END")}.Bytes()
			binary.LittleEndian.PutUint32(b[31+11:], uint32(len(b)-12-31-15))
			return b
		}()},
	}
}

// archiveInSignature is a signed bundle to whose signature block, which its signer does not cover, a second directory
// and end record were added: the stored last entry is longer in that directory and ends inside the block.
func archiveInSignature() []byte {
	signed := ziptest.Archive{Entries: []ziptest.Entry{{Name: "a", Body: []byte("signed"), Stored: true, Descriptor: 12}}}.Bytes()
	block := func(der []byte) []byte { return ziptest.Sign(signed, der) }
	body := block(nil)[31 : len(signed)+15] // all from the content of "a" on, into the block
	body = append(body, "and more"...)
	evil := ziptest.Archive{Entries: []ziptest.Entry{{Name: "a", Body: body, Stored: true, Descriptor: 12}}, Comment: []byte("MCPB_SIG_END")}.Bytes()
	der := evil[len(signed)+15 : len(evil)-12]
	out := block(der)
	// The length of the block is part of the second archive's content: set its checksums after it.
	sum := crc32.ChecksumIEEE(out[31 : 31+len(body)])
	binary.LittleEndian.PutUint32(out[31+len(body):], sum)
	at := bytes.LastIndex(out, []byte(centralMagic))
	binary.LittleEndian.PutUint32(out[at+16:], sum)
	return out
}

func attacks() []attack {
	var all []attack
	for _, part := range [][]attack{nameAttacks(), entryAttacks(), archiveAttacks(), signatureAttacks()} {
		all = append(all, part...)
	}
	return all
}

func TestAttacksAreRefusedAndLeaveNothing(t *testing.T) {
	t.Parallel()
	for _, a := range attacks() {
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			parent := t.TempDir()
			err := unpack(t, a.bundle, filepath.Join(parent, "out"), a.limits)
			p, ok := errors.AsType[*Problem](err)
			if !ok || p.Rule != a.rule {
				t.Fatalf("got %v (%+v), want a problem of rule %s", err, p, a.rule)
			}
			want := problem.Invalid
			if a.rule == "bundle/malformed-signature" || a.rule == "bundle/ambiguous-end" && strings.Contains(p.Message, "signature") {
				want = problem.Tampered
			}
			if p.Code != want || p.Source == "" || !strings.HasPrefix(p.Subject, "evil.mcpb") {
				t.Errorf("code %s (want %s), source %q, subject %q", p.Code, want, p.Source, p.Subject)
			}
			if left, _ := os.ReadDir(parent); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
			if looked, ok := errors.AsType[*Problem](look(t, a.bundle, a.limits)); !ok || looked.Rule != a.rule {
				t.Errorf("without unpacking: %v", looked)
			}
		})
	}
}

// unpack opens and extracts a bundle.
func unpack(t testing.TB, bundle []byte, dir string, lim Limits) error {
	t.Helper()
	b, err := NewBundle(bytes.NewReader(bundle), int64(len(bundle)), "evil.mcpb", lim)
	if err != nil {
		return err
	}
	_, err = b.Extract(t.Context(), dir, ExtractOptions{Portable: true})
	return err
}

// look opens and checks a bundle without unpacking it.
func look(t testing.TB, bundle []byte, lim Limits) error {
	t.Helper()
	b, err := NewBundle(bytes.NewReader(bundle), int64(len(bundle)), "evil.mcpb", lim)
	if err != nil {
		return err
	}
	if err := b.Portable(); err != nil {
		return err
	}
	return b.Check(t.Context())
}

// TestEveryRuleIsAttacked holds the list of rules, of which a page of the documentation is made, to what is tested.
func TestEveryRuleIsAttacked(t *testing.T) {
	t.Parallel()
	attacked := map[string]bool{"bundle/no-manifest": true} // TestManifest
	for _, a := range attacks() {
		attacked[a.rule] = true
	}
	for _, r := range Rules() {
		if !attacked[r.ID] {
			t.Errorf("no attack on %s", r.ID)
		}
		if r.Why == "" || r.Source == "" {
			t.Errorf("%s has no reason or no source", r.ID)
		}
		delete(attacked, r.ID)
	}
	for id := range attacked {
		t.Errorf("rule %s is not in the list", id)
	}
}
