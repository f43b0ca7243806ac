package zipwrite

import (
	"archive/zip"
	"bytes"
	"errors"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func add(t *testing.T, w *Writer, name, body string) {
	t.Helper()
	h := Header{Name: name, Mode: 0o644, Method: Store, Size: int64(len(body)), Packed: int64(len(body)), CRC: crc32.ChecksumIEEE([]byte(body))}
	if err := w.Add(h, []byte(body)); err != nil {
		t.Fatal(err)
	}
}

func content(t *testing.T, f *zip.File) string {
	t.Helper()
	r, err := f.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// A sparse file leaves holes for blocks of zeros.
type sparse struct {
	*os.File
	at int64
}

var zeros = make([]byte, 1<<20)

// Write implements io.Writer.
func (s *sparse) Write(p []byte) (n int, err error) {
	if n = len(p); n == 0 || !bytes.Equal(p, zeros[:min(n, len(zeros))]) {
		n, err = s.WriteAt(p, s.at)
	}
	s.at += int64(n)
	return n, err
}

// TestBeyond4GiB: entries that are larger than 4 GiB, or begin behind that, need ZIP64 in four places.
func TestBeyond4GiB(t *testing.T) {
	t.Parallel()
	const size = 4<<30 + 5<<20
	f, err := os.Create(filepath.Join(t.TempDir(), "large.zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := New(&sparse{File: f}, time.Time{})
	add(t, w, "first", "1")
	for _, h := range []Header{
		{Name: "known", Mode: 0o644, Method: Store, Size: size, Packed: size, CRC: 7},
		{Name: "later", Mode: 0o644, Method: Store, Size: size, Later: true},
	} {
		if err := w.Begin(h); err != nil {
			t.Fatal(err)
		}
		for range size / len(zeros) {
			if _, err := w.Write(zeros); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.End(7, size); err != nil {
			t.Fatal(err)
		}
	}
	add(t, w, "last", "4")
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := zip.NewReader(f, w.Offset())
	if err != nil {
		t.Fatal(err)
	}
	if len(r.File) != 4 || content(t, r.File[0]) != "1" || content(t, r.File[3]) != "4" {
		t.Fatalf("%d entries", len(r.File))
	}
	for _, f := range r.File[1:3] {
		if f.UncompressedSize64 != size || f.CompressedSize64 != size || f.CRC32 != 7 {
			t.Errorf("%s: %d and %d bytes, checksum %d", f.Name, f.UncompressedSize64, f.CompressedSize64, f.CRC32)
		}
	}
}

// A size right below 4 GiB may pack into more than that, so its descriptor must be wide before anyone knows.
func TestLaterNear4GiB(t *testing.T) {
	t.Parallel()
	for size, wide := range map[int64]bool{max32 - packingGain - 1: false, max32 - packingGain: true} {
		var out bytes.Buffer
		w := New(&out, time.Time{})
		if err := w.Begin(Header{Name: "x", Method: Deflate, Size: size, Later: true}); err != nil {
			t.Fatal(err)
		}
		if w.wide != wide {
			t.Errorf("%d bytes: wide %v", size, w.wide)
		}
	}
}

func TestDates(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ given, want time.Time }{
		{time.Time{}, time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)},
		{time.Date(2024, 2, 3, 4, 5, 7, 9, time.FixedZone("", 3600)), time.Date(2024, 2, 3, 3, 5, 6, 0, time.UTC)},
		{time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2107, 12, 31, 23, 59, 58, 0, time.UTC)},
	} {
		var out bytes.Buffer
		w := New(&out, c.given)
		add(t, w, "x", "")
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		r, err := zip.NewReader(bytes.NewReader(out.Bytes()), int64(out.Len()))
		if err != nil {
			t.Fatal(err)
		}
		if got := r.File[0].Modified; !got.Equal(c.want) {
			t.Errorf("%v became %v, want %v", c.given, got, c.want)
		}
	}
}

// Wrong use is an error, and no archive comes of it.
func TestMisuse(t *testing.T) {
	t.Parallel()
	for what, use := range map[string]func(w *Writer) error{
		"no name":                  func(w *Writer) error { return w.Begin(Header{}) },
		"a folder":                 func(w *Writer) error { return w.Begin(Header{Name: "a/"}) },
		"a name that is not UTF-8": func(w *Writer) error { return w.Begin(Header{Name: "\xff"}) },
		"an entry in another":      func(w *Writer) error { return errors.Join(w.Begin(Header{Name: "a"}), w.Begin(Header{Name: "b"})) },
		"content outside":          func(w *Writer) error { _, err := w.Write([]byte("x")); return err },
		"no end":                   func(w *Writer) error { return errors.Join(w.Begin(Header{Name: "a"}), w.Close()) },
		"another size":             func(w *Writer) error { return w.Add(Header{Name: "a", Size: 2, Packed: 2}, []byte("x")) },
		"an end without begin":     func(w *Writer) error { return w.End(0, 0) },
	} {
		if err := use(New(io.Discard, time.Time{})); err == nil {
			t.Errorf("%s: no error", what)
		}
	}
}

type full struct{}

// Write implements io.Writer.
func (full) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestErrorsOfTheWriterStay(t *testing.T) {
	t.Parallel()
	w := New(full{}, time.Time{})
	h := Header{Name: "a", Method: Store, Size: 1 << 20, Packed: 1 << 20}
	first, second := w.Add(h, make([]byte, 1<<20)), w.Close()
	if first == nil || second == nil {
		t.Errorf("%v, %v", first, second)
	}
}
