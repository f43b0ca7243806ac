package lint

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"

	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/rogpeppe/go-internal/txtar"

	"satchel/internal/jsonedit"
)

// A bundle is a subject of testdata: a txtar archive, laid over the clean one. A file of one line that begins with @ is
// made: "@png 512x512", "@elf x64", "@pe x64", "@macho arm64", "@zeros 1000", "@pem", "@gone" for none. Tokens are written
// with ⟨n⟩ for n random characters, so that no scanner of this repository finds them. edits.json changes the manifest.
type bundle struct {
	comment string
	files   fstest.MapFS
	served  *Served
}

func readBundle(t *testing.T, names ...string) bundle {
	t.Helper()
	b := bundle{files: fstest.MapFS{}}
	for _, name := range names {
		a, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		b.comment = string(a.Comment)
		for _, f := range a.Files {
			data := expand(t, f.Data)
			switch {
			case f.Name == "served.json":
				b.served = &Served{}
				if err := json.Unmarshal(data, b.served); err != nil {
					t.Fatal(err)
				}
			case f.Name == "edits.json":
				m := b.files["manifest.json"]
				m.Data = edited(t, m.Data, data)
			case data == nil:
				delete(b.files, f.Name)
			default:
				b.files[f.Name] = &fstest.MapFile{Data: data, Mode: 0o644}
			}
		}
	}
	return b
}

// edited sets places of the manifest: a list of [path, value], where "@gone" takes the place away.
func edited(t *testing.T, manifest, edits []byte) []byte {
	t.Helper()
	var list [][]any
	if err := json.Unmarshal(edits, &list); err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		var path jsonedit.Path
		for _, k := range e[0].([]any) {
			if n, ok := k.(float64); ok {
				k = int(n)
			}
			path = append(path, k)
		}
		change := jsonedit.Set(path, e[1])
		if e[1] == "@gone" {
			change = jsonedit.Delete(path)
		}
		var err error
		if manifest, err = jsonedit.Apply(manifest, change); err != nil {
			t.Fatal(err)
		}
	}
	return manifest
}

// expand makes what a line with @ asks for, and random characters for ⟨n⟩.
func expand(t *testing.T, data []byte) []byte {
	t.Helper()
	if bytes.HasPrefix(data, []byte("@")) {
		word, arg, _ := strings.Cut(strings.TrimSpace(string(data[1:])), " ")
		switch word {
		case "png":
			var w, h uint32
			fmt.Sscanf(arg, "%dx%d", &w, &h)
			return png(w, h)
		case "zeros":
			var n int
			fmt.Sscanf(arg, "%d", &n)
			return make([]byte, n)
		case "text":
			var n int
			fmt.Sscanf(arg, "%d", &n)
			return bytes.Repeat([]byte("text "), n/5)
		case "pem":
			return []byte("-----BEGIN PRIVATE KEY-----\n" + base64.StdEncoding.EncodeToString([]byte(random(120))) + "\n-----END PRIVATE KEY-----\n")
		case "gone":
			return nil
		}
		return nativeFile(t, word, arg)
	}
	text := string(data)
	for n := range 100 {
		text = strings.ReplaceAll(text, fmt.Sprintf("⟨%d⟩", n), random(n))
	}
	return []byte(text)
}

// random gives the same letters and digits each time.
func random(n int) string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	r := rand.New(rand.NewPCG(3, uint64(n)))
	b := make([]byte, n)
	for i := range b {
		b[i] = letters[r.IntN(len(letters))]
	}
	return string(b)
}

func png(w, h uint32) []byte {
	ihdr := binary.BigEndian.AppendUint32([]byte("IHDR"), w)
	ihdr = append(binary.BigEndian.AppendUint32(ihdr, h), 8, 6, 0, 0, 0)
	b := append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0d"), ihdr...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(ihdr))
}

// nativeFile makes the head of a native program.
func nativeFile(t *testing.T, format, arch string) []byte {
	t.Helper()
	b := make([]byte, 256)
	switch format {
	case "elf":
		copy(b, "\x7fELF\x02\x01\x01")
		binary.LittleEndian.PutUint16(b[18:], map[string]uint16{"x64": 62, "arm64": 183}[arch])
	case "pe":
		copy(b, "MZ")
		b[60] = 128
		copy(b[128:], "PE\x00\x00")
		binary.LittleEndian.PutUint16(b[132:], map[string]uint16{"x64": 0x8664, "arm64": 0xaa64}[arch])
	case "macho":
		binary.LittleEndian.PutUint32(b, 0xfeedfacf)
		binary.LittleEndian.PutUint32(b[4:], map[string]uint32{"x64": 0x01000007, "arm64": 0x0100000c}[arch])
	default:
		t.Fatalf("no such file can be made: %s", format)
	}
	return b
}

func lintBundle(t *testing.T, b bundle, o Options) *Report {
	t.Helper()
	report, err := Run(context.Background(), Subject{Manifest: b.files["manifest.json"].Data, Files: b.files, Served: b.served}, o)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func TestNothingIsSaidOfACleanBundle(t *testing.T) {
	t.Parallel()
	for _, p := range []Profile{Author, Reviewer} {
		for _, f := range lintBundle(t, readBundle(t, "testdata/clean.txtar"), Options{Profile: p}).Findings {
			t.Errorf("%s: %s", p, line(f))
		}
	}
}

// TestBadBundles plants one kind of defect in the clean bundle each time. The comment of an archive lists all that must be
// found in both profiles together, and nothing else may be; "reviewer: " begins what only a reviewer is told.
func TestBadBundles(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("testdata/bad/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	hit := map[string]bool{}
	for _, name := range names {
		rule := "lint/" + strings.TrimSuffix(strings.SplitN(filepath.Base(name), ".", 2)[0], ".txtar")
		hit[rule] = true
		t.Run(filepath.Base(name), func(t *testing.T) {
			t.Parallel()
			b := readBundle(t, "testdata/clean.txtar", name)
			author := lines(lintBundle(t, b, Options{Profile: Author}))
			var got []string
			for _, l := range lines(lintBundle(t, b, Options{Profile: Reviewer})) {
				if !slices.Contains(author, l) {
					l = "reviewer: " + l
				}
				got = append(got, l)
			}
			for _, l := range author {
				if !slices.Contains(got, l) {
					got = append(got, "author: "+l)
				}
			}
			if *update {
				rewriteComment(t, name, strings.Join(got, "\n")+"\n")
				return
			}
			if want := strings.Split(strings.TrimSpace(b.comment), "\n"); !slices.Equal(got, want) {
				t.Errorf("found:\n%s\nwant:\n%s", strings.Join(got, "\n"), b.comment)
			}
			for _, l := range got { // reviewers are told of every native file
				if !strings.Contains(l, rule+" ") && !strings.HasPrefix(l, "reviewer: ") {
					t.Errorf("another rule has something to say: %s", l)
				}
			}
		})
	}
	for _, r := range Rules() {
		if !hit[r.ID] {
			t.Errorf("no bundle in testdata/bad breaks %s", r.ID)
		}
	}
}

func rewriteComment(t *testing.T, name, comment string) {
	t.Helper()
	a, err := txtar.ParseFile(name)
	if err != nil {
		t.Fatal(err)
	}
	a.Comment = []byte(comment)
	if err := os.WriteFile(name, txtar.Format(a), 0o644); err != nil {
		t.Fatal(err)
	}
}

// lines writes findings without their severity, which the profiles set.
func lines(r *Report) (list []string) {
	for _, f := range r.Findings {
		at := f.File
		if f.Line > 0 {
			at = fmt.Sprintf("%s:%d:%d", f.File, f.Line, f.Column)
		}
		list = append(list, strings.TrimSpace(strings.TrimSpace(at+" "+f.Path)+" "+f.Rule+" "+f.Message))
	}
	return list
}

func TestReadingABundleIsTheSameEachTime(t *testing.T) {
	t.Parallel()
	b := readBundle(t, "testdata/clean.txtar", "testdata/bad/secret.txtar")
	first := lines(lintBundle(t, b, Options{}))
	for range 20 {
		if again := lines(lintBundle(t, b, Options{})); !slices.Equal(first, again) {
			t.Fatalf("found\n%q\nand then\n%q", first, again)
		}
	}
}
