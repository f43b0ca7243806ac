package mcpb

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"satchel/mcpb/internal/ziptest"
)

// fuzzLimits keep a round of fuzzing short; what is beyond them is refused.
func fuzzLimits() Limits {
	return Limits{Entries: 200, TotalBytes: 1 << 20, FileBytes: 1 << 19, RatioFloor: 1 << 16}
}

// seeds are archives of every form, right and wrong, that are small.
func seeds(f *testing.F) {
	for _, a := range attacks() {
		if len(a.bundle) < 4<<10 {
			f.Add(a.bundle)
		}
	}
	e := file("a/b", strings.Repeat("content ", 10))
	later, wide := e, e
	later.Descriptor, wide.Zip64 = 16, true
	for _, a := range []ziptest.Archive{
		{Entries: []ziptest.Entry{file("manifest.json", "{}"), e}}, {Entries: []ziptest.Entry{later}}, {Entries: []ziptest.Entry{wide}, Zip64: true},
		{Entries: []ziptest.Entry{{Name: "d/"}, e}, Comment: []byte("comment")},
	} {
		f.Add(a.Bytes())
		f.Add(ziptest.Sign(a.Bytes(), []byte("der")))
	}
}

// FuzzExtract holds what a bundle that is accepted can do: each of its files is written once below the folder with the
// bytes that its directory declares, the same that another reader sees, and nothing else is; of one that is refused
// nothing stays. Neither panics.
func FuzzExtract(f *testing.F) {
	seeds(f)
	f.Fuzz(extractOne)
}

func extractOne(t *testing.T, data []byte) {
	b, err := NewBundle(bytes.NewReader(data), int64(len(data)), "fuzz.mcpb", fuzzLimits())
	if err != nil {
		isProblem(t, err)
		return
	}
	parent := t.TempDir()
	dir := filepath.Join(parent, "out")
	tree, err := b.Extract(t.Context(), dir, ExtractOptions{Digest: true})
	if err != nil {
		isProblem(t, err)
		if left := listing(t, parent); len(left) != 1 {
			t.Fatalf("refused with %v, and left %q", err, left)
		}
		return
	}
	if names, err := os.ReadDir(parent); err != nil || len(names) != 1 {
		t.Fatalf("written beside the folder: %v, %v", names, err)
	}
	onlyWhatIsDeclared(t, b, dir, tree)
	sameForAnotherReader(t, data, contents(t, b))
}

// FuzzEntries builds archives that are right but for what the fuzzer chose, which random bytes hardly ever are.
func FuzzEntries(f *testing.F) {
	f.Add("a/b", "a/c", uint32(0o100644), uint16(0), uint16(8), []byte("content"), []byte{}, byte(0))
	f.Add("../evil", "d/", uint32(0o120777), uint16(1), uint16(0), []byte("x"), ziptest.Field(1, ziptest.Words(1, 1)), byte(16))
	f.Add("A", "a", uint32(0o104755), uint16(flagUTF8), uint16(9), []byte{}, unicodePath("A", "B"), byte(24))
	f.Fuzz(func(t *testing.T, a, b string, mode uint32, flags, method uint16, body, extra []byte, descriptor byte) {
		if len(a)+len(b)+len(extra) > 60_000 {
			return // more than the fields' lengths can say
		}
		method %= 16
		first := ziptest.Entry{
			Name: a, Body: body, Mode: mode, Flags: flags, Extra: extra, LocalExtra: extra, Stored: method == 0, Descriptor: int(descriptor) % 28 &^ 3,
		}
		if method != 0 && method != 8 {
			first.Local, first.Central = ziptest.Put16(8, method), ziptest.Put16(10, method)
		}
		if first.Descriptor < 12 {
			first.Descriptor = 0
		}
		archive := ziptest.Archive{Entries: []ziptest.Entry{first, {Name: b, Body: []byte("b")}}}
		extractOne(t, archive.Bytes())
	})
}

func isProblem(t *testing.T, err error) {
	t.Helper()
	if p, ok := errors.AsType[*Problem](err); !ok || p.Rule == "" || p.Source == "" {
		t.Fatalf("%v is no problem with a rule and its source", err)
	}
}

func onlyWhatIsDeclared(t *testing.T, b *Bundle, dir string, tree *Tree) {
	t.Helper()
	total := int64(0)
	for _, file := range b.Files() {
		if !fs.ValidPath(file.Name) || strings.ContainsAny(file.Name, "\\\x00") {
			t.Fatalf("name %q", file.Name)
		}
		total += file.Size
	}
	if total > fuzzLimits().TotalBytes || tree.Bytes != total || tree.Files != len(b.Files()) {
		t.Fatalf("%+v unpacked, %d bytes declared in %d files", tree, total, len(b.Files()))
	}
	if got, want := onDisk(t, dir), contents(t, b); !maps.Equal(got, want) {
		t.Fatalf("on disk %q, read %q", got, want)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	if again, err := TreeDigest(root); err != nil || again != *tree {
		t.Fatalf("the tree is %+v, extracted was %+v: %v", again, tree, err)
	}
}

// sameForAnotherReader: an archive that two readers see differently could show a reviewer one file and run another.
func sameForAnotherReader(t *testing.T, data []byte, want map[string]string) {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatalf("archive/zip refuses it: %v", err)
	}
	got := map[string]string{}
	for _, f := range r.File {
		if strings.HasSuffix(f.Name, "/") {
			continue
		}
		rc, err := f.Open()
		if err != nil {
			t.Fatalf("archive/zip refuses %q: %v", f.Name, err)
		}
		body, err := io.ReadAll(rc)
		if err := errors.Join(err, rc.Close()); err != nil {
			t.Fatalf("archive/zip refuses %q: %v", f.Name, err)
		}
		got[f.Name] = string(body)
	}
	if !maps.Equal(got, want) {
		t.Fatalf("archive/zip reads %q, we read %q", got, want)
	}
}

// FuzzPack holds that what is packed comes out again, byte and mode equal, with the same bytes for any number of workers.
// The input is cut into files: a byte for the mode, one for the length of the name, the name, two for the length of the
// content, the content.
func FuzzPack(f *testing.F) {
	f.Add([]byte("\x01\x03a/b\x05\x00hello\x00\x01c\x00\x00"))
	f.Add([]byte("\x01\x0bmanifest.js\x02\x00{}\x01\x06\xc3\xa4/\xc3\xb6x\x01\x00y"))
	f.Add(append([]byte("\x00\x01z\xff\x4f"), bytes.Repeat([]byte("zz top "), 3000)...))
	f.Fuzz(func(t *testing.T, data []byte) {
		dir, want := cutIntoFiles(t, data)
		if len(want) == 0 {
			return
		}
		plan, err := Plan(dir, PackOptions{})
		if err != nil {
			isProblemOfPacking(t, err)
			return
		}
		packed := packBytes(t, dir, PackOptions{Workers: 1})
		if !bytes.Equal(packed, packBytes(t, dir, PackOptions{Workers: 3})) {
			t.Fatal("other bytes with other workers")
		}
		b := openBytes(t, packed)
		got := contents(t, b)
		for _, p := range plan.Files {
			if got[p.Name] != want[p.Name] {
				t.Fatalf("%q: packed %q, want %q", p.Name, got[p.Name], want[p.Name])
			}
			if f, _ := b.Lookup(p.Name); f.Mode != p.Mode && p.Mode != 0 && hasModes {
				t.Fatalf("%q: mode %v, want %v", p.Name, f.Mode, p.Mode)
			}
		}
		if len(got) != len(plan.Files) || len(plan.Files)+len(plan.Excluded) > len(want)*4 {
			t.Fatalf("%d files packed, %d planned, %d left out", len(got), len(plan.Files), len(plan.Excluded))
		}
		sameForAnotherReader(t, packed, got)
	})
}

func isProblemOfPacking(t *testing.T, err error) {
	t.Helper()
	if p, ok := errors.AsType[*Problem](err); !ok || p.Rule == "" || p.Subject == "" {
		t.Fatalf("%v is no problem that names its file", err)
	}
}

// cutIntoFiles writes a folder; names that this system cannot hold, or that are taken, are left out.
func cutIntoFiles(t *testing.T, data []byte) (dir string, want map[string]string) {
	t.Helper()
	dir, want = t.TempDir(), map[string]string{"manifest.json": "{}"}
	writeFile(t, filepath.Join(dir, "manifest.json"), "{}")
	next := func(n int) []byte {
		n = min(n, len(data))
		part := data[:n]
		data = data[n:]
		return part
	}
	for len(data) > 3 && len(want) < 20 {
		head := next(2)
		name := string(next(int(head[1] % 40)))
		var size int
		for _, c := range next(2) {
			size = size<<8 | int(c)
		}
		body := string(next(size))
		if !fs.ValidPath(name) || strings.EqualFold(name, "manifest.json") || strings.EqualFold(name, ".mcpbignore") {
			continue
		}
		path := filepath.Join(dir, filepath.FromSlash(name))
		if _, err := os.Lstat(path); err == nil || os.MkdirAll(filepath.Dir(path), 0o755) != nil {
			continue
		}
		mode := fs.FileMode(0o644 | 0o111*uint32(head[0]&1))
		if os.WriteFile(path, []byte(body), mode) == nil && os.Chmod(path, mode) == nil {
			want[name] = body
		}
	}
	return dir, want
}

// TestMemoryIsBounded opens the most entries that the limits allow and streams a large file.
func TestMemoryIsBounded(t *testing.T) {
	a := ziptest.Archive{}
	for i := range 100_000 {
		a.Entries = append(a.Entries, ziptest.Entry{Name: fmt.Sprintf("d%d/f%d", i/100, i), Stored: true})
	}
	a.Zip64 = true
	a.Entries = append(a.Entries, ziptest.Entry{Name: "large", Body: make([]byte, 60<<20)})
	data := a.Bytes()
	grown := heapGrowth(t, func() {
		b := openBytes(t, data)
		if _, err := b.ReadFile("large", 1); err == nil {
			t.Error("read beyond the limit")
		}
		r, err := b.OpenFile("large")
		if err != nil {
			t.Fatal(err)
		}
		if n, err := io.Copy(io.Discard, r); err != nil || n != 60<<20 {
			t.Errorf("%d bytes, %v", n, err)
		}
	})
	if perEntry := grown / 100_000; perEntry > 1000 {
		t.Errorf("the heap grew by %d bytes: %d for each entry", grown, perEntry)
	}
}
