package mcpb

import (
	"bytes"
	"context"
	"errors"
	"hash/crc32"
	"io"
	"io/fs"
	"math"
	"os"
	"path"
	"path/filepath"
	"slices"

	"github.com/klauspost/compress/flate"

	"satchel/internal/problem"
	"satchel/mcpb/internal/zipwrite"
)

// dictSize is how far back deflate looks (RFC 1951, section 2): a chunk is packed with that much of what is before it.
const dictSize = 32 << 10

// levelOf chooses the effort for a file of so many bytes. Level 6 gives bundles 3 % larger than the reference's at a
// fifth of its time; level 8 on the middle sizes of scripts, where it gains most for its cost, brings that to 2 %.
func levelOf(size int64) int {
	if 32<<10 < size && size <= 128<<10 {
		return 8
	}
	return 6
}

// writer gives the worker's compressor of a level, packing into out behind dict.
func (w *worker) writer(level int, out io.Writer, dict []byte) (*flate.Writer, error) {
	if w.writers[level] == nil {
		fw, err := flate.NewWriter(nil, level)
		if err != nil {
			return nil, err
		}
		w.writers[level] = fw
	}
	w.writers[level].ResetDict(out, dict)
	return w.writers[level], nil
}

// deflateWhole packs a file's content; what does not shrink is stored.
func (w *worker) deflateWhole(t *task, in []byte) (result, error) {
	out := &t.tray.out
	r := result{method: zipwrite.Deflate, crc: crc32.ChecksumIEEE(in), start: out.Len()}
	copy(r.head[:], in)
	if err := w.deflate(levelOf(int64(len(in))), out, nil, in, (*flate.Writer).Close); err != nil {
		return r, err
	}
	if out.Len()-r.start >= len(in) {
		out.Truncate(r.start)
		out.Write(in)
		r.method = zipwrite.Store
	}
	r.end = out.Len()
	return r, nil
}

// deflateChunk packs a piece of a file. All but the last end on a byte boundary, so that the next can follow.
func (w *worker) deflateChunk(t *task, f io.ReaderAt, file *PackedFile) (r result, err error) {
	t.past = int(min(t.offset, dictSize))
	in := t.tray.in[:t.past+t.length]
	if _, err := f.ReadAt(in, t.offset-int64(t.past)); err != nil {
		return r, changedWhilePacked(file, err)
	}
	copy(r.head[:], in[t.past:])
	t.tray.in = in
	end := (*flate.Writer).Flush
	if t.last() {
		end = (*flate.Writer).Close
	}
	return r, w.deflate(levelOf(file.Size), &t.tray.out, in[:t.past], in[t.past:], end)
}

// deflate packs in behind dict. Where a fast level gave up on a piece that would shrink, a thorough one does it again.
func (w *worker) deflate(level int, out *bytes.Buffer, dict, in []byte, end func(*flate.Writer) error) error {
	start := out.Len()
	fw, err := w.writer(level, out, dict)
	if err != nil {
		return err
	}
	var piece []byte
	missed, before := false, start
	look := func() {
		missed = missed || gaveUp(piece, out.Len()-before)
		before = out.Len()
	}
	for piece = range slices.Chunk(in, fastBlock) {
		if _, err := fw.Write(piece); err != nil {
			return err
		}
		if len(piece) == fastBlock {
			look()
		}
	}
	if err := end(fw); err != nil {
		return err
	}
	if look(); !missed || level >= thorough {
		return nil
	}
	out.Truncate(start)
	return w.deflate(thorough, out, dict, in, end)
}

// fastBlock is how much levels up to 6 pack at once: a block in which they find no repetition at all they store, although
// giving its bytes shorter codes alone would shrink text such as base64 by a quarter.
const fastBlock = 1<<16 - 1

// thorough is the first level that gives such a block shorter codes.
const thorough = 7

// gaveUp tells whether a piece was stored that has bytes worth shorter codes, the table of which takes some space too.
func gaveUp(piece []byte, packed int) bool {
	return len(piece) > 1<<10 && packed*100 >= len(piece)*99 && entropy(piece) < float64(len(piece))*0.99
}

// entropy gives the bytes that an ideal code for the single bytes of b would take (Shannon).
func entropy(b []byte) float64 {
	var count [256]int
	for _, c := range b {
		count[c]++
	}
	bits := 0.0
	for _, n := range count {
		if n > 0 {
			bits -= float64(n) * math.Log2(float64(n)/float64(len(b)))
		}
	}
	return bits / 8
}

// worthPacking compresses samples of a large file.
func worthPacking(root *os.Root, file *PackedFile) (bool, error) {
	const pieces, piece = 16, 16 << 10
	f, err := openPlanned(root, file)
	if err != nil {
		return false, err
	}
	defer f.Close()
	var packed counter
	w, err := flate.NewWriter(&packed, flate.BestSpeed)
	if err != nil {
		return false, err
	}
	buf := make([]byte, pieces*piece)
	for i := range int64(pieces) {
		if _, err := f.ReadAt(buf[i*piece:(i+1)*piece], (file.Size-piece)/(pieces-1)*i); err != nil {
			return false, changedWhilePacked(file, err)
		}
	}
	if entropy(buf) < 0.99*float64(len(buf)) {
		return true, nil
	}
	if _, err := w.Write(buf); err != nil {
		return false, err
	}
	if err := w.Close(); err != nil {
		return false, err
	}
	return packed < pieces*piece*99/100, nil
}

// A counter counts what is written to it.
type counter int

// Write implements io.Writer.
func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

// putStored copies a large file as it is. It is read twice: first for the checksum, which stands before the content.
func (p *packing) putStored(ctx context.Context, t *task) error {
	file := &t.files[0]
	f, err := openPlanned(p.root, file)
	if err != nil {
		return p.inputError(t, err)
	}
	defer f.Close()
	buf, sum, h := make([]byte, 256<<10), crc32.NewIEEE(), p.header(file, [8]byte{})
	if _, err := f.ReadAt(buf[:8], 0); err != nil {
		return p.inputError(t, changedWhilePacked(file, err))
	}
	h = p.header(file, [8]byte(buf))
	err = eachBlock(ctx, f, file, buf, func(b []byte) error { _, err := sum.Write(b); return err })
	if err != nil {
		return p.inputError(t, err)
	}
	h.Method, h.CRC, h.Packed = zipwrite.Store, sum.Sum32(), file.Size
	if err := p.zip.Begin(h); err != nil {
		return cannotWrite(err)
	}
	sum.Reset()
	err = eachBlock(ctx, f, file, buf, func(b []byte) error {
		sum.Write(b)
		p.done += int64(len(b))
		if _, err := p.zip.Write(b); err != nil {
			return cannotWrite(err)
		}
		return nil
	})
	if err == nil && sum.Sum32() != h.CRC {
		err = changedWhilePacked(file, nil)
	}
	if err != nil {
		return p.inputError(t, err)
	}
	if err := p.zip.End(h.CRC, h.Size); err != nil {
		return cannotWrite(err)
	}
	return nil
}

// eachBlock reads a whole file from its start, exactly as many bytes as planned.
func eachBlock(ctx context.Context, f io.ReaderAt, file *PackedFile, buf []byte, do func([]byte) error) error {
	for at := int64(0); at < file.Size; at += int64(len(buf)) {
		if err := ctx.Err(); err != nil {
			return err
		}
		b := buf[:min(int64(len(buf)), file.Size-at)]
		if _, err := f.ReadAt(b, at); err != nil {
			return changedWhilePacked(file, err)
		}
		if err := do(b); err != nil {
			return err
		}
	}
	return nil
}

// sourcePath gives the path of a file below the folder, as the system writes it.
func (f *PackedFile) sourcePath() string {
	if f.source == "" {
		return filepath.FromSlash(f.Name)
	}
	return filepath.FromSlash(f.source)
}

func openPlanned(root *os.Root, file *PackedFile) (*os.File, error) {
	f, err := root.OpenFile(file.sourcePath(), os.O_RDONLY|nonblock, 0)
	if err != nil {
		return nil, err
	}
	if err := checkPlanned(f, file); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// checkPlanned makes sure that an open file is still the kind, size and mode that was planned.
func checkPlanned(f *os.File, file *PackedFile) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() || info.Size() != file.Size || hasModes && info.Mode().Perm() != file.Mode&fs.ModePerm {
		return changedWhilePacked(file, nil)
	}
	return nil
}

// changedWhilePacked says so, unless reading failed for another reason than the file's end.
func changedWhilePacked(file *PackedFile, err error) error {
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return err
	}
	return problem.New(problem.Failed, "pack/changed", "changed while it was packed").At(file.Name).
		Try("pack again when nothing writes to the folder")
}

// modeByContent stands in for the permission bits that Windows does not keep: there the entry point and what begins
// like a program are executable, so that a bundle packed on Windows starts elsewhere (modelcontextprotocol/mcpb#235).
func modeByContent(name string, head [8]byte, entry string) fs.FileMode {
	if entry != "" && name == path.Clean(entry) || isProgram(head) {
		return 0o755
	}
	return 0o644
}

// isProgram knows ELF, Mach-O in both byte orders and fat, and scripts by their first bytes. A Java class begins like a
// fat Mach-O; its version, at least 45, is where that counts its architectures.
func isProgram(head [8]byte) bool {
	switch string(head[:4]) {
	case "\x7fELF", "\xfe\xed\xfa\xce", "\xfe\xed\xfa\xcf", "\xce\xfa\xed\xfe", "\xcf\xfa\xed\xfe":
		return true
	case "\xca\xfe\xba\xbe", "\xca\xfe\xba\xbf":
		return head[4] == 0 && head[5] == 0 && head[6] == 0 && head[7] < 45
	}
	return string(head[:2]) == "#!"
}
