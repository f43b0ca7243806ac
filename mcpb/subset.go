package mcpb

import (
	"context"
	"crypto/sha256"
	"io"
	"slices"
	"strings"
	"time"

	"satchel/mcpb/internal/ignore"
	"satchel/mcpb/internal/zipwrite"
)

// copyBuffer is how many packed bytes are copied at once.
const copyBuffer = 1 << 20

// Subset writes a bundle of those files of b that keep lets through. Their packed bytes and permissions are copied as
// they are, unverified; signature blocks and the comment stay out. Entries are sorted by name and dated as
// [PackOptions.ModTime] says, so the same files give the same bytes. Errors are *[Problem]s, or that of ctx when it
// ends. Memory does not grow with the size of a file.
func (b *Bundle) Subset(ctx context.Context, w io.Writer, date time.Time, keep func(name string) bool) (*PackReport, error) {
	sum := sha256.New()
	zip := zipwrite.New(io.MultiWriter(w, sum), date)
	var kept []*entry
	for i := range b.entries {
		if e := &b.entries[i]; !e.dir && keep(e.name) {
			kept = append(kept, e)
		}
	}
	slices.SortFunc(kept, func(x, y *entry) int { return strings.Compare(x.name, y.name) })
	report := &PackReport{Files: len(kept), Warnings: []string{}}
	buf := make([]byte, 0, copyBuffer)
	for _, e := range kept {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := b.copyEntry(zip, e, buf); err != nil {
			return nil, err
		}
		report.BytesIn += e.size
	}
	if err := zip.Close(); err != nil {
		return nil, cannotWrite(err)
	}
	report.Size, report.Digest = zip.Offset(), digestText(sum.Sum(nil))
	return report, nil
}

func (b *Bundle) copyEntry(zip *zipwrite.Writer, e *entry, buf []byte) error {
	h := zipwrite.Header{Name: e.name, Mode: e.mode, Method: e.method, Size: e.size, Packed: e.packed, CRC: e.crc}
	if err := zip.Begin(h); err != nil {
		return cannotWrite(err)
	}
	for at := int64(0); at < e.packed; at += int64(len(buf)) {
		buf = buf[:min(copyBuffer, e.packed-at)]
		if _, err := b.r.ReadAt(buf, e.data+at); err != nil && err != io.EOF {
			return b.locate(unreadable(err).At(e.name))
		}
		if _, err := zip.Write(buf); err != nil {
			return cannotWrite(err)
		}
	}
	if err := zip.End(e.crc, e.size); err != nil {
		return cannotWrite(err)
	}
	return nil
}

// Ignore gives a function that tells by which pattern of the default list, or of own, the content of an .mcpbignore,
// [Plan] leaves a file out; "" when it does not. The function is not safe for concurrent use.
func Ignore(own string) func(name string) (pattern string) {
	list := ignore.New(own)
	folders := map[string]string{"": ""}
	var folder func(name string) string
	folder = func(name string) string {
		if pattern, known := folders[name]; known {
			return pattern
		}
		pattern := folder(name[:max(0, strings.LastIndexByte(name, '/'))])
		if origin, out := list.Match(name, true); pattern == "" && out {
			pattern = ignore.Pattern(origin)
		}
		folders[name] = pattern
		return pattern
	}
	return func(name string) string {
		if pattern := folder(name[:max(0, strings.LastIndexByte(name, '/'))]); pattern != "" {
			return pattern
		}
		if origin, out := list.Match(name, false); out {
			return ignore.Pattern(origin)
		}
		return ""
	}
}
