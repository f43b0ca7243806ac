package mcpb

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"satchel/mcpb/internal/ziptest"
)

// contents reads every file of a bundle.
func contents(tb testing.TB, b *Bundle) map[string]string {
	tb.Helper()
	got := map[string]string{}
	for _, f := range b.Files() {
		data, err := b.ReadFile(f.Name, f.Size)
		if err != nil {
			tb.Fatal(err)
		}
		got[f.Name] = string(data)
	}
	return got
}

// onDisk reads every file below a folder.
func onDisk(tb testing.TB, dir string) map[string]string {
	tb.Helper()
	got := map[string]string{}
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if !d.Type().IsRegular() {
			return fmt.Errorf("%s is %v", name, d.Type())
		}
		data, err := os.ReadFile(name)
		rel, _ := filepath.Rel(dir, name)
		got[filepath.ToSlash(rel)] = string(data)
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	return got
}

// accept opens and unpacks a bundle and demands the files wanted.
func accept(tb testing.TB, data []byte, want map[string]string) *Bundle {
	tb.Helper()
	b := openBytes(tb, data)
	if err := b.Check(tb.Context()); err != nil {
		tb.Errorf("checked without unpacking: %v", err)
	}
	if got := contents(tb, b); !maps.Equal(got, want) {
		tb.Errorf("read %q, want %q", got, want)
	}
	dir := filepath.Join(tb.TempDir(), "out")
	if _, err := b.Extract(tb.Context(), dir, ExtractOptions{}); err != nil {
		tb.Fatal(err)
	}
	if got := onDisk(tb, dir); !maps.Equal(got, want) {
		tb.Errorf("unpacked %q, want %q", got, want)
	}
	return b
}

func TestAccepted(t *testing.T) {
	t.Parallel()
	body := strings.Repeat("content ", 100)
	entry := func(change func(e *ziptest.Entry)) []byte {
		e := file("a", body)
		change(&e)
		return zipOf(e)
	}
	archive := func(change func(a *ziptest.Archive)) []byte {
		a := ziptest.Archive{Entries: []ziptest.Entry{file("manifest.json", "{}"), file("a", body)}}
		change(&a)
		return a.Bytes()
	}
	rows := map[string][]byte{
		"plain":                          archive(func(*ziptest.Archive) {}),
		"stored":                         entry(func(e *ziptest.Entry) { e.Stored = true }),
		"descriptor of 12 bytes":         entry(func(e *ziptest.Entry) { e.Descriptor = 12 }),
		"descriptor of 16 bytes":         entry(func(e *ziptest.Entry) { e.Descriptor = 16 }),
		"descriptor of 20 bytes, ZIP64":  entry(func(e *ziptest.Entry) { e.Descriptor, e.Zip64 = 20, true }),
		"descriptor of 24 bytes, ZIP64":  entry(func(e *ziptest.Entry) { e.Descriptor, e.Zip64 = 24, true }),
		"descriptor of 24 bytes, plain":  entry(func(e *ziptest.Entry) { e.Descriptor = 24 }),
		"stored with a descriptor":       entry(func(e *ziptest.Entry) { e.Descriptor, e.Stored = 16, true }),
		"ZIP64 sizes of a small file":    entry(func(e *ziptest.Entry) { e.Zip64 = true }),
		"ZIP64 sizes beside plain ones":  entry(func(e *ziptest.Entry) { e.Extra = ziptest.Field(1, ziptest.Words(uint64(len(body)))) }),
		"an empty ZIP64 field":           entry(func(e *ziptest.Entry) { e.Extra = ziptest.Field(1, nil) }),
		"other extra fields":             entry(func(e *ziptest.Entry) { e.Extra = ziptest.Field(0x5455, []byte("time")); e.LocalExtra = e.Extra }),
		"the same name in a field":       entry(func(e *ziptest.Entry) { e.Extra = unicodePath("a", "a") }),
		"compression level flags":        entry(func(e *ziptest.Entry) { e.Flags = 1 << 1 }),
		"from a DOS tool":                entry(func(e *ziptest.Entry) { e.Mode = 0 }),
		"without a file type":            entry(func(e *ziptest.Entry) { e.Mode = 0o644 }),
		"ZIP64 end records":              archive(func(a *ziptest.Archive) { a.Zip64 = true }),
		"a comment":                      archive(func(a *ziptest.Archive) { a.Comment = []byte("hello") }),
		"the longest comment":            archive(func(a *ziptest.Archive) { a.Comment = make([]byte, 1<<16-1) }),
		"marker strings in the comment":  archive(func(a *ziptest.Archive) { a.Comment = []byte("MCPB_SIG_V1 MCPB_SIG_END.") }),
		"ZIP64 end records and comment":  archive(func(a *ziptest.Archive) { a.Zip64, a.Comment = true, []byte("hello") }),
		"a signature block behind it":    ziptest.Sign(archive(func(*ziptest.Archive) {}), []byte("der")),
		"a signature block as a comment": ziptest.SignComment(archive(func(*ziptest.Archive) {}), []byte("der")),
	}
	for name, data := range rows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			accept(t, data, map[string]string{"manifest.json": "{}", "a": body})
		})
	}
}

// TestAcceptedNamesAndContent has what looks like an attack and is none.
func TestAcceptedNamesAndContent(t *testing.T) {
	t.Parallel()
	markers := "MCPB_SIG_V1\x05\x00\x00\x00abcdeMCPB_SIG_END"
	nested := string(ziptest.Sign(zipOf(file("x", "inner")), []byte("der")))
	want := map[string]string{
		"manifest.json": "{}", "__proto__": "kept", "caf\u00e9/\u65e5\u672c\u8a9e.txt": "names", "...": "dots", "a.b/..c": "dots",
		"-rf": "option", "~": "home", "$(reboot)": "shell", "family \U0001f468\u200d\U0001f469": "emoji",
		"markers": markers, "nested.zip": nested, "footer": "MCPB_SIG_END", "empty": "",
	}
	a := ziptest.Archive{Entries: []ziptest.Entry{{Name: "caf\u00e9/", Mode: 0o040755, Flags: flagUTF8}, {Name: "void/"}}}
	for name, body := range want {
		e := ziptest.Entry{Name: name, Body: []byte(body), Stored: len(body)%2 == 0, Mode: 0o100644}
		if name != "~" {
			e.Flags = flagUTF8
		}
		a.Entries = append(a.Entries, e)
	}
	a.Entries = append(a.Entries, ziptest.Entry{Name: "last", Body: []byte(nested), Stored: true}) // right before the directory
	want["last"] = nested
	if b := accept(t, a.Bytes(), want); b.Signature() != nil || b.ContentSize() != b.Size() {
		t.Error("marker strings inside content were taken for a signature")
	}
}

// TestRealTools unpacks what other programs pack, in the ways that authors use them.
func TestRealTools(t *testing.T) {
	t.Parallel()
	const python = `
import sys, zipfile, io
class Pipe(io.RawIOBase):  # an output that cannot seek makes zipfile write data descriptors
    def __init__(self, f): self.f = f
    def writable(self): return True
    def write(self, b): return self.f.write(b)
out, how = open(sys.argv[1], "wb"), sys.argv[2]
with zipfile.ZipFile(Pipe(out) if "pipe" in how else out, "w", zipfile.ZIP_STORED if "stored" in how else zipfile.ZIP_DEFLATED) as z:
    if "comment" in how: z.comment = b"made by python"
    if "tree" in how:
        import os
        for at, _, files in os.walk("."):
            if at != ".": z.write(at)
            for f in sorted(files): z.write(os.path.join(at, f))
    else:
        for f in ("manifest.json", "server/index.js", "server/caf\u00e9.txt"):
            with z.open(f, "w", force_zip64="zip64" in how) as w: w.write(open(f, "rb").read())
`
	rows := []struct{ tool, args string }{
		{"python3", "plain"}, {"python3", "stored"}, {"python3", "pipe"}, {"python3", "pipe zip64"}, {"python3", "stored pipe zip64"},
		{"python3", "zip64 comment"}, {"python3", "tree"}, {"python3", "tree pipe"},
		{"zip", "-qr OUT ."}, {"zip", "-qr0 OUT manifest.json server"}, {"zip", "-qrX OUT ."}, {"zip", "-qrD9 OUT ."}, {"zip", "-qr - . >OUT"},
		{"zip", "-qr -fz OUT ."}, {"zip", "-qr -fz - . >OUT"}, {"bsdtar", "-a -cf OUT --format zip manifest.json server"}, {"7z", "a -tzip OUT ."},
	}
	for _, row := range rows {
		t.Run(row.tool+" "+row.args, func(t *testing.T) {
			t.Parallel()
			if _, err := exec.LookPath(row.tool); err != nil {
				t.Skipf("skipped: %s is not installed", row.tool)
			}
			dir, out := t.TempDir(), filepath.Join(t.TempDir(), "out.zip")
			want := map[string]string{"manifest.json": "{}", "server/index.js": strings.Repeat("code\n", 1000), "server/caf\u00e9.txt": "names"}
			for name, body := range want {
				writeFile(t, filepath.Join(dir, name), body)
			}
			cmd := exec.Command("sh", "-c", row.tool+" "+strings.ReplaceAll(row.args, "OUT", out))
			if row.tool == "python3" {
				cmd = exec.Command("python3", "-c", python, out, row.args)
			}
			cmd.Dir, cmd.Env = dir, append(os.Environ(), "LC_ALL=C.UTF-8")
			if msg, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, msg)
			}
			data, err := os.ReadFile(out)
			if err != nil {
				t.Fatal(err)
			}
			accept(t, data, want)
		})
	}
}

func writeFile(tb testing.TB, name, body string) {
	tb.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		tb.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(body), 0o644); err != nil {
		tb.Fatal(err)
	}
}

// goZip packs with the standard library, in the way given.
func goZip(tb testing.TB, pack func(z *zip.Writer) error) []byte {
	tb.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	if err := pack(z); err != nil {
		tb.Fatal(err)
	}
	if err := z.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

func TestStandardLibrary(t *testing.T) {
	t.Parallel()
	want := map[string]string{"manifest.json": "{}", "dir/stored": "stored", "raw": "raw", "caf\u00e9": ""}
	data := goZip(t, func(z *zip.Writer) error {
		for _, h := range []*zip.FileHeader{{Name: "manifest.json", Method: zip.Deflate}, {Name: "dir/"}, {Name: "dir/stored"}, {Name: "caf\u00e9", Method: zip.Deflate}} {
			w, err := z.CreateHeader(h)
			if err != nil {
				return err
			}
			io.WriteString(w, want[h.Name])
		}
		w, err := z.CreateRaw(&zip.FileHeader{Name: "raw", CRC32: crc32.ChecksumIEEE([]byte("raw")), CompressedSize64: 3, UncompressedSize64: 3})
		if err != nil {
			return err
		}
		_, err = io.WriteString(w, "raw")
		return err
	})
	accept(t, data, want)
}

// TestMoreFilesThan16Bits: the reference writes 66,001 files with 16-bit counts and then unpacks 465 of them. Its
// archive is refused; one with ZIP64 records is read whole.
func TestMoreFilesThan16Bits(t *testing.T) {
	t.Parallel()
	const n = 66_000
	data := goZip(t, func(z *zip.Writer) error {
		for i := range n {
			if _, err := z.CreateRaw(&zip.FileHeader{Name: fmt.Sprintf("d%d/f%d", i/1000, i)}); err != nil {
				return err
			}
		}
		return nil
	})
	if got := len(openBytes(t, data).Files()); got != n {
		t.Errorf("%d files, want %d", got, n)
	}
	a := ziptest.Archive{}
	for i := range n {
		a.Entries = append(a.Entries, ziptest.Entry{Name: fmt.Sprintf("f%d", i), Stored: true})
	}
	err := unpack(t, a.Bytes(), filepath.Join(t.TempDir(), "out"), Limits{})
	wantRule(t, err, "bundle/count")
}

func wantRule(tb testing.TB, err error, rule string) *Problem {
	tb.Helper()
	p, ok := errors.AsType[*Problem](err)
	if !ok || p.Rule != rule {
		tb.Fatalf("got %v, want a problem of rule %s", err, rule)
	}
	return p
}

// TestBehind4GiB opens an archive whose second entry and directory stand behind 4 GiB, which a sparse file holds.
func TestBehind4GiB(t *testing.T) {
	t.Parallel()
	const hole = 5 << 30
	f, err := os.Create(filepath.Join(t.TempDir(), "sparse.zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z := zip.NewWriter(&sparse{f: f})
	w, err := z.CreateRaw(&zip.FileHeader{Name: "zeros", Flags: flagDescriptor, CompressedSize64: hole, UncompressedSize64: hole})
	if err != nil {
		t.Fatal(err)
	}
	for range hole / len(zeroBlock) {
		if _, err := w.Write(zeroBlock[:]); err != nil {
			t.Fatal(err)
		}
	}
	if w, err = z.Create("manifest.json"); err != nil {
		t.Fatal(err)
	}
	io.WriteString(w, "{}")
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = Open(f.Name(), Limits{})
	wantRule(t, err, "bundle/limit-size")
	b, err := Open(f.Name(), Limits{FileBytes: hole})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if m, err := b.Manifest(); err != nil || string(m) != "{}" {
		t.Errorf("manifest %q, %v", m, err)
	}
}

var zeroBlock [1 << 20]byte

// sparse leaves holes for blocks of zeros.
type sparse struct {
	f  *os.File
	at int64
}

func (s *sparse) Write(b []byte) (n int, err error) {
	if n = len(b); n != len(zeroBlock) {
		n, err = s.f.WriteAt(b, s.at)
	}
	s.at += int64(n)
	return n, err
}
