package inflate

import (
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
)

func deflate(tb testing.TB, body []byte, level int) []byte {
	tb.Helper()
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, level)
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := w.Write(body); err != nil {
		tb.Fatal(err)
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// bodies have every kind of block, code and match.
func bodies() map[string][]byte {
	rnd := rand.New(rand.NewPCG(3, 4))
	random := make([]byte, 100_000)
	for i := range random {
		random[i] = byte(rnd.Uint32())
	}
	var words strings.Builder
	for words.Len() < 200_000 {
		fmt.Fprintf(&words, "word%d ", rnd.IntN(1+rnd.IntN(5000)))
	}
	skewed := make([]byte, 300_000) // makes codes of 15 bits
	for i := range skewed {
		for skewed[i] = 0; skewed[i] < 250 && rnd.IntN(100) < 48; skewed[i]++ {
		}
	}
	all := map[string][]byte{
		"empty": {}, "one": {7}, "random": random, "words": []byte(words.String()), "skewed": skewed,
		"zeros": make([]byte, 100_000), "edge": []byte(strings.Repeat("x", 300)),
	}
	for period := range 20 {
		all[fmt.Sprint("period ", period+1)] = bytes.Repeat(random[:period+1], 3000)
	}
	return all
}

func TestRead(t *testing.T) {
	t.Parallel()
	r := NewReader()
	for name, body := range bodies() {
		for _, level := range []int{flate.HuffmanOnly, 0, 1, 6, 9} {
			packed := deflate(t, body, level)
			agree(t, packed)
			agree(t, append(packed, 0))
			r.Reset(bytes.NewReader(packed))
			var got bytes.Buffer
			if n, err := r.WriteTo(&got); err != nil || n != int64(len(body)) || !bytes.Equal(got.Bytes(), body) {
				t.Errorf("%s, level %d: written %d bytes, %v", name, level, n, err)
			}
			for _, n := range []int{0, 1, len(packed) / 2, len(packed) - 1} {
				r.Reset(bytes.NewReader(packed[:n]))
				if _, err := io.Copy(io.Discard, r); !errors.Is(err, ErrShort) {
					t.Errorf("%s, level %d, cut to %d of %d bytes: %v", name, level, n, len(packed), err)
				}
			}
		}
	}
}

// TestDamaged flips every bit of a stream: what comes out must be what compress/flate makes of it.
func TestDamaged(t *testing.T) {
	t.Parallel()
	body := []byte(strings.Repeat("some words, and some more words. ", 20))
	for _, level := range []int{flate.HuffmanOnly, 0, 1, 9} {
		packed := deflate(t, body, level)
		for bit := range 8 * len(packed) {
			packed[bit/8] ^= 1 << (bit % 8)
			agree(t, packed)
			packed[bit/8] ^= 1 << (bit % 8)
		}
	}
}

// agree demands of a stream what compress/flate makes of it, in whatever pieces it comes.
func agree(t *testing.T, packed []byte) {
	t.Helper()
	const most = 1 << 20
	in := bytes.NewReader(packed)
	want, err := io.ReadAll(io.LimitReader(flate.NewReader(in), most+1))
	if len(want) > most {
		return
	}
	trailing := err == nil && in.Len() > 0
	r := NewReader()
	for _, from := range []io.Reader{bytes.NewReader(packed), iotest.OneByteReader(bytes.NewReader(packed)), iotest.DataErrReader(bytes.NewReader(packed))} {
		r.Reset(from)
		got, mine := io.ReadAll(r)
		check(t, packed, mine, got, want, err, trailing)
	}
}

func check(t *testing.T, packed []byte, mine error, got, want []byte, err error, trailing bool) {
	t.Helper()
	switch {
	case err != nil && mine == nil:
		t.Fatalf("%x: accepted, compress/flate says %v", packed, err)
	case trailing && !errors.Is(mine, ErrTrailing):
		t.Fatalf("%x: %v, but bytes are behind it", packed, mine)
	case err == nil && !trailing && (mine != nil || !bytes.Equal(got, want)):
		t.Fatalf("%x: %v; compress/flate unpacks %d bytes", packed, mine, len(want))
	}
}

// FuzzDecode holds the decoder to compress/flate, byte by byte and verdict by verdict.
func FuzzDecode(f *testing.F) {
	for _, body := range bodies() {
		body = body[:min(len(body), 2000)]
		for _, level := range []int{flate.HuffmanOnly, 0, 1, 9} {
			f.Add(deflate(f, body, level))
		}
	}
	f.Fuzz(func(t *testing.T, packed []byte) { agree(t, packed) })
}

func benchmarkBody(b *testing.B) []byte {
	b.Helper()
	var body []byte
	names, err := filepath.Glob("../../*.go")
	if err != nil {
		b.Fatal(err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			b.Fatal(err)
		}
		body = append(body, text...)
	}
	return body
}

// BenchmarkDecode compares with compress/flate, on source code, in one piece and in pieces as bundles have them.
func BenchmarkDecode(b *testing.B) {
	body := benchmarkBody(b)
	for _, size := range []int{2 << 10, 8 << 10, len(body)} {
		packed, out, in := deflate(b, body[:size], 6), make([]byte, size), bytes.NewReader(nil)
		r, std := NewReader(), flate.NewReader(in)
		for name, decode := range map[string]func() error{
			"ours": func() error {
				r.Reset(in)
				_, err := io.ReadFull(r, out)
				return err
			},
			"compress-flate": func() error {
				_, err := io.ReadFull(std, out)
				return errors.Join(err, std.(flate.Resetter).Reset(in, nil))
			},
		} {
			b.Run(fmt.Sprintf("size=%d/%s", size, name), func(b *testing.B) {
				b.SetBytes(int64(size))
				for b.Loop() {
					in.Reset(packed)
					if err := decode(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// A stream that cannot be read gives that error, not one about its content; one that ends early is cut.
func TestReaderErrors(t *testing.T) {
	t.Parallel()
	body := bodies()["words"]
	packed := deflate(t, body, 6)
	broken := errors.New("the disk is broken")
	r := NewReader()
	if _, err := r.Read(make([]byte, 1)); err == nil {
		t.Error("reads without a stream")
	}
	r.Reset(io.MultiReader(bytes.NewReader(packed[:1000]), iotest.ErrReader(broken)))
	if _, err := io.ReadAll(r); !errors.Is(err, broken) {
		t.Errorf("%v, want the reason", err)
	}
	r.Reset(io.MultiReader(bytes.NewReader(packed), iotest.ErrReader(broken)))
	if got, err := io.ReadAll(r); !errors.Is(err, broken) || !bytes.Equal(got, body) {
		t.Errorf("broken at the very end: %v", err)
	}
	r.Reset(bytes.NewReader(packed[:1000]))
	if _, err := io.ReadAll(r); !errors.Is(err, ErrShort) {
		t.Errorf("%v, want %v", err, ErrShort)
	}
	r.Reset(bytes.NewReader(packed))
	if got, err := io.ReadAll(iotest.OneByteReader(r)); err != nil || !bytes.Equal(got, body) {
		t.Errorf("used again: %v", err)
	}
}
