package hashio

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"testing/iotest"
)

func TestHashAndCopy(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, 1, partSize - 1, partSize, partSize + 1, 7*partSize + 3, copyStep, 2*copyStep + 5} {
		data := bytes.Repeat([]byte("0123456789abcdef"), size/16+1)[:size]
		want := sha256.Sum256(data)
		h := sha256.New()
		if err := Hash(h, bytes.NewReader(data)); err != nil || !bytes.Equal(h.Sum(nil), want[:]) {
			t.Errorf("%d bytes: %v, or another digest", size, err)
		}
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "src"), append(data, "and more"...), 0o600); err != nil {
			t.Fatal(err)
		}
		src, err := os.Open(filepath.Join(dir, "src"))
		if err != nil {
			t.Fatal(err)
		}
		dst, err := os.Create(filepath.Join(dir, "dst"))
		if err != nil {
			t.Fatal(err)
		}
		h.Reset()
		if err := Copy(h, dst, src, int64(size)); err != nil || !bytes.Equal(h.Sum(nil), want[:]) {
			t.Errorf("copy of %d bytes: %v, or another digest", size, err)
		}
		got, err := os.ReadFile(dst.Name())
		if err != nil || len(got) < size || !bytes.Equal(got[:size], data) {
			t.Errorf("copy of %d bytes: %v, or other bytes", size, err)
		}
		if err := errors.Join(src.Close(), dst.Close()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	if err := Hash(sha256.New(), io.MultiReader(bytes.NewReader(make([]byte, 2*partSize)), iotest.ErrReader(broken))); !errors.Is(err, broken) {
		t.Errorf("reading fails: %v", err)
	}
	dst, err := os.Create(filepath.Join(t.TempDir(), "dst"))
	if err != nil {
		t.Fatal(err)
	}
	if err := Copy(sha256.New(), dst, bytes.NewReader([]byte("short")), 6); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a short source: %v", err)
	}
	if err := dst.Close(); err != nil {
		t.Fatal(err)
	}
	if err := Copy(sha256.New(), dst, bytes.NewReader([]byte("x")), 1); !errors.Is(err, os.ErrClosed) {
		t.Errorf("writing fails: %v", err)
	}
	if dst, err = os.Create(filepath.Join(t.TempDir(), "dst")); err != nil {
		t.Fatal(err)
	}
	defer dst.Close()
	src, err := os.Create(filepath.Join(t.TempDir(), "src"))
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	if err := src.Truncate(copyStep + 1); err != nil {
		t.Fatal(err)
	}
	if err := Copy(sha256.New(), dst, src, 2*copyStep); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a short file: %v", err)
	}
}
