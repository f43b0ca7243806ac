package mcpb

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"satchel/internal/problem"
)

// files are what a test writes into a folder: a name with @ before its content is a link to there.
type files map[string]string

// writeTree makes a folder of files, with a manifest.json unless there is one. Scripts, which begin with #!, are
// executable.
func writeTree(t testing.TB, tree files) string {
	t.Helper()
	dir := t.TempDir()
	addFiles(t, dir, tree)
	if _, ok := tree["manifest.json"]; !ok {
		addFiles(t, dir, files{"manifest.json": "{}"})
	}
	return dir
}

func addFiles(t testing.TB, dir string, tree files) {
	t.Helper()
	for name, content := range tree {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if target, ok := strings.CutPrefix(content, "@"); ok {
			if err := os.Symlink(filepath.FromSlash(target), path); err != nil {
				t.Fatal(err)
			}
			continue
		}
		mode := fs.FileMode(0o644)
		if strings.HasPrefix(content, "#!") {
			mode = 0o755
		}
		if err := os.WriteFile(path, []byte(content), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil { // whatever the umask
			t.Fatal(err)
		}
	}
}

// noise is content that does not shrink; text is content that does.
func noise(n int) string {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(b) // never fails
	return string(b)
}

func text(n int) string {
	r := rand.New(rand.NewPCG(1, 2))
	words := strings.Fields("const require module exports function return await async path server tool result if else { } ( ) ; =")
	var b strings.Builder
	for b.Len() < n {
		b.WriteString(words[r.IntN(len(words))] + " ")
	}
	return b.String()[:n]
}

// sizes has a file for every way that a file takes through the packer.
func sizes() files {
	return files{
		"empty": "", "one": "x", "noise": noise(1000), "server/index.js": text(3000), "server/mid.js": text(100_000),
		"server/edge.js": text(chunkSize), "server/edge1.js": text(chunkSize + 1), "server/large.js": text(3*chunkSize + 17),
		"lib/large.bin": noise(2*chunkSize + 5), "lib/mixed.bin": noise(chunkSize) + text(2*chunkSize), "run.sh": "#!/bin/sh\n",
		"lib/zeros": strings.Repeat("\x00", 2*chunkSize),
	}
}

func packBytes(t testing.TB, dir string, opts PackOptions) []byte {
	t.Helper()
	plan, err := Plan(dir, opts)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	report, err := Pack(t.Context(), &out, plan, opts)
	if err != nil {
		t.Fatal(err)
	}
	if want := sha256.Sum256(out.Bytes()); report.Digest != "sha256:"+hex.EncodeToString(want[:]) || report.Size != int64(out.Len()) {
		t.Errorf("the report says %d bytes, %s; they are %d bytes, %x", report.Size, report.Digest, out.Len(), want)
	}
	return out.Bytes()
}

// unzip reads an archive with the standard library.
func unzip(t testing.TB, data []byte) files {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	got := files{}
	for _, f := range r.File {
		rc, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(rc)
		if err := errors.Join(err, rc.Close()); err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
		got[f.Name] = string(content)
	}
	return got
}

func checkProblem(t testing.TB, err error, code problem.Code, rule string) *problem.Problem {
	t.Helper()
	p, ok := errors.AsType[*problem.Problem](err)
	if !ok {
		t.Fatalf("error %v, want a problem of rule %s", err, rule)
	}
	if p.Code != code || p.Rule != rule {
		t.Errorf("problem %s of rule %s (%v), want %s of %s", p.Code, p.Rule, p, code, rule)
	}
	if strings.HasPrefix(rule, "bundle/") && p.Hint == "" {
		t.Errorf("%v does not say what to do", p)
	}
	return p
}

func TestPackKeepsNamesAndContent(t *testing.T) {
	t.Parallel()
	tree := sizes()
	tree["manifest.json"] = `{"name":"x"}`
	for _, name := range []string{"10", "2", "__proto__", "constructor", "ä/ö.js", "日本", "a b.txt", "café/é"} {
		tree[name] = "content of " + name
	}
	data := packBytes(t, writeTree(t, tree), PackOptions{})
	got := unzip(t, data)
	if len(got) != len(tree) {
		t.Errorf("%d entries, want %d", len(got), len(tree))
	}
	for name, want := range tree {
		if got[name] != want {
			t.Errorf("%s: %d bytes that differ from the %d on disk", name, len(got[name]), len(want))
		}
	}
	b, err := NewBundle(bytes.NewReader(data), int64(len(data)), "x.mcpb", Limits{})
	if err != nil {
		t.Fatalf("our own reader refuses it: %v", err)
	}
	if _, err := b.Extract(t.Context(), filepath.Join(t.TempDir(), "out"), ExtractOptions{}); err != nil {
		t.Errorf("our own reader cannot extract it: %v", err)
	}
}

// The archive has the plainest form: sorted, no folders, no extra fields, sizes before the content where they are known.
func TestPackForm(t *testing.T) {
	t.Parallel()
	data := packBytes(t, writeTree(t, sizes()), PackOptions{ModTime: time.Date(2024, 2, 3, 4, 5, 6, 0, time.UTC)})
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.IsSortedFunc(r.File, func(a, b *zip.File) int { return strings.Compare(a.Name, b.Name) }) {
		t.Error("the entries are not sorted")
	}
	stored := map[string]bool{"empty": true, "one": true, "noise": true, "lib/large.bin": true, "manifest.json": true, "run.sh": true}
	later := map[string]bool{"server/edge1.js": true, "server/large.js": true, "lib/mixed.bin": true, "lib/zeros": true}
	for _, f := range r.File {
		if len(f.Extra) > 0 || f.Comment != "" || f.CreatorVersion>>8 != 3 || f.ReaderVersion != 20 {
			t.Errorf("%s: extra %x, comment %q, versions %#x %d", f.Name, f.Extra, f.Comment, f.CreatorVersion, f.ReaderVersion)
		}
		if want := time.Date(2024, 2, 3, 4, 5, 6, 0, time.UTC); !f.Modified.Equal(want) {
			t.Errorf("%s: dated %v, want %v", f.Name, f.Modified, want)
		}
		if got := f.Method == zip.Store; got != stored[f.Name] {
			t.Errorf("%s: stored: %v, want %v", f.Name, got, stored[f.Name])
		}
		if got := f.Flags&8 != 0; got != later[f.Name] {
			t.Errorf("%s: has a data descriptor: %v, want %v", f.Name, got, later[f.Name])
		}
		if f.Flags&0x800 != 0 {
			t.Errorf("%s: flagged as UTF-8 though it is ASCII", f.Name)
		}
	}
}

func TestPackIsDeterministic(t *testing.T) {
	dir := writeTree(t, sizes())
	want := sha256.Sum256(packBytes(t, dir, PackOptions{}))
	check := func(what string, data []byte) {
		t.Helper()
		if got := sha256.Sum256(data); got != want {
			t.Errorf("%s: other bytes", what)
		}
	}
	check("again", packBytes(t, dir, PackOptions{}))
	for _, n := range []int{1, 2, 3, 16} {
		check("other number of workers", packBytes(t, dir, PackOptions{Workers: n}))
	}
	before := runtime.GOMAXPROCS(1)
	check("one processor", packBytes(t, dir, PackOptions{}))
	runtime.GOMAXPROCS(before)

	copied := writeTree(t, sizes())
	err := filepath.WalkDir(copied, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Chtimes(path, time.Time{}, time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC))
	})
	if err != nil {
		t.Fatal(err)
	}
	check("a copy with other dates", packBytes(t, copied, PackOptions{}))
}

// The digest changes with the version of klauspost/compress, which decides how content is packed. Nothing else may
// change it: two versions of satchel then give two bundles of one source.
func TestGoldenBundle(t *testing.T) {
	t.Parallel()
	if !hasModes {
		t.Skip("skipped: the modes of this tree need a system that has modes")
	}
	dir := writeTree(t, files{
		"manifest.json": `{"manifest_version":"0.3","name":"golden"}`, "server/index.js": text(5000), "server/run": "#!/bin/sh\n", "ä.txt": "umlaut",
		"server/large.js": text(chunkSize + 1000),
	})
	sum := sha256.Sum256(packBytes(t, dir, PackOptions{Entry: "server/index.js"}))
	const want = "6ea6be4e9110bd068dbc95c8bf30e0007b0c40756bb6978667f9ff0f6e9bb4e1"
	if got := hex.EncodeToString(sum[:]); got != want {
		t.Errorf("the bundle is %s, want %s", got, want)
	}
}

func TestPackModes(t *testing.T) {
	t.Parallel()
	if !hasModes {
		t.Skip("skipped: this system keeps no modes")
	}
	dir := writeTree(t, nil)
	want := map[string]fs.FileMode{"manifest.json": 0o644}
	for name, mode := range map[string]fs.FileMode{
		"a": 0o755, "b": 0o644, "c": 0o600, "d": 0o444, "e": 0o700, "f": 0o666,
		"g": 0o755 | fs.ModeSetuid, "h": 0o755 | fs.ModeSticky,
	} {
		addFiles(t, dir, files{name: "x"})
		if err := os.Chmod(filepath.Join(dir, name), mode); err != nil {
			t.Fatal(err)
		}
		want[name] = mode.Perm()
	}
	data := packBytes(t, dir, PackOptions{})
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range r.File {
		if f.Mode() != want[f.Name] || f.ExternalAttrs>>16 != 0o100000|uint32(want[f.Name]) {
			t.Errorf("%s: mode %v, attributes %#o, want %v", f.Name, f.Mode(), f.ExternalAttrs>>16, want[f.Name])
		}
	}
}

func TestModesByContent(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, content string
		want          fs.FileMode
	}{
		{"server/app", "anything", 0o755}, // the entry point
		{"a.js", "console.log(1)", 0o644},
		{"a", "\x7fELF\x02\x01\x01\x00", 0o755},
		{"a", "\xcf\xfa\xed\xfe\x07\x00\x00\x01", 0o755},
		{"a", "\xfe\xed\xfa\xce\x00\x00\x00\x07", 0o755},
		{"universal", "\xca\xfe\xba\xbe\x00\x00\x00\x02", 0o755},
		{"A.class", "\xca\xfe\xba\xbe\x00\x00\x00\x34", 0o644},
		{"a.sh", "#!/bin/sh\n", 0o755},
		{"a", "#!", 0o755},
		{"a", "#", 0o644},
		{"a", "", 0o644},
		{"a.exe", "MZ\x90\x00\x03\x00\x00\x00", 0o644},
	} {
		var head [8]byte
		copy(head[:], c.content)
		if got := modeByContent(c.name, head, "./server/app"); got != c.want {
			t.Errorf("%s %q: mode %v, want %v", c.name, c.content, got, c.want)
		}
	}
}

func TestPackReport(t *testing.T) {
	t.Parallel()
	dir := writeTree(t, files{"a.js": "12345", "a.log": "x", "node_modules/.cache/x": "x", "node_modules/.cache/y": "y"})
	out := filepath.Join(t.TempDir(), "x.mcpb")
	var last, total int64
	got, err := PackFile(t.Context(), dir, out, PackOptions{Progress: func(done, of int64) { last, total = done, of }})
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(data)
	if got.Files != 2 || got.BytesIn != 7 || got.Size != int64(len(data)) || got.Ignored != 2 || got.Digest != "sha256:"+hex.EncodeToString(sum[:]) || got.Duration <= 0 {
		t.Errorf("report %+v", got)
	}
	if last != 7 || total != 7 {
		t.Errorf("the last progress was %d of %d bytes, want 7 of 7", last, total)
	}
	if info, err := os.Stat(out); err != nil || hasModes && info.Mode() != 0o644 {
		t.Errorf("the bundle has mode %v", info.Mode())
	}
}

// Memory does not grow with the size of a file.
func TestPackMemoryIsBounded(t *testing.T) {
	dir := writeTree(t, nil)
	f, err := os.Create(filepath.Join(dir, "sparse"))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.Truncate(192<<20), f.Close()); err != nil {
		t.Fatal(err)
	}
	addFiles(t, dir, files{"noise": noise(24 << 20)})
	plan, err := Plan(dir, PackOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var before, now runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	peak := uint64(0)
	watch := func(int64, int64) { runtime.ReadMemStats(&now); peak = max(peak, now.HeapInuse) }
	if _, err := Pack(context.Background(), io.Discard, plan, PackOptions{Workers: 4, Progress: watch}); err != nil {
		t.Fatal(err)
	}
	if grown := int64(peak) - int64(before.HeapInuse); grown > 40<<20 {
		t.Errorf("the heap grew by %d bytes", grown)
	}
}

func BenchmarkPack(b *testing.B) {
	tree := files{}
	for i := range 500 {
		tree["node_modules/"+string(rune('a'+i%26))+"/lib/"+strings.Repeat("x", i%20+1)+".js"+string(rune('a'+i/26))] = text(2000 + i*40)
	}
	tree["large.js"] = text(4 << 20)
	dir := writeTree(b, tree)
	plan, err := Plan(dir, PackOptions{})
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(plan.Bytes)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Pack(b.Context(), io.Discard, plan, PackOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPlan(b *testing.B) {
	tree := files{}
	for i := range 2000 {
		tree["node_modules/p"+string(rune('a'+i%26))+"/lib/"+strings.Repeat("x", i%20+1)+string(rune('a'+i/26))+".js"] = "x"
	}
	dir := writeTree(b, tree)
	for b.Loop() {
		if _, err := Plan(dir, PackOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}

// heapGrowth gives how many bytes of the heap do lets live in the end.
func heapGrowth(t *testing.T, do func()) int64 {
	t.Helper()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return int64(after.HeapAlloc) - int64(before.HeapAlloc)
}

func TestCancelledPackLeavesNothing(t *testing.T) {
	t.Parallel()
	dir := writeTree(t, sizes())
	top := t.TempDir()
	out := filepath.Join(top, "x.mcpb")
	if err := os.WriteFile(out, []byte("PK\x05\x06 the old one"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, after := range []int64{0, 1, chunkSize, 4 * chunkSize} {
		ctx, cancel := context.WithCancel(t.Context())
		if after == 0 {
			cancel()
		}
		_, err := PackFile(ctx, dir, out, PackOptions{Progress: func(done, _ int64) {
			if done >= after {
				cancel()
			}
		}})
		cancel()
		if !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled after %d bytes: %v", after, err)
		}
		if old, err := os.ReadFile(out); err != nil || string(old) != "PK\x05\x06 the old one" {
			t.Errorf("cancelled after %d bytes: the old bundle is %d bytes, %v", after, len(old), err)
		}
		if got := listing(t, top); len(got) != 2 {
			t.Errorf("cancelled after %d bytes: left %q", after, got)
		}
	}
}

// The reference counts to 65,535 and starts again: it loses all but 465 of these.
func TestPackMoreFilesThan16Bits(t *testing.T) {
	t.Parallel()
	dir := writeTree(t, nil)
	for i := range 66_000 {
		if i%1000 == 0 {
			addFiles(t, dir, files{fmt.Sprintf("d%d/first", i/1000): ""})
		}
		f, err := os.Create(filepath.Join(dir, fmt.Sprintf("d%d/%d", i/1000, i)))
		if err == nil {
			err = f.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	data := packBytes(t, dir, PackOptions{})
	if got := len(openBytes(t, data).Files()); got != 66_067 {
		t.Errorf("our reader finds %d files, want 66,067", got)
	}
	if got := len(unzip(t, data)); got != 66_067 {
		t.Errorf("archive/zip finds %d files, want 66,067", got)
	}
}

type fullDisk struct{ room int }

// Write implements io.Writer.
func (f *fullDisk) Write(p []byte) (int, error) {
	if f.room -= len(p); f.room < 0 {
		return 0, errors.New("no space left on device")
	}
	return len(p), nil
}

func TestPackToAFullDisk(t *testing.T) {
	t.Parallel()
	plan := planned(t, writeTree(t, sizes()), PackOptions{})
	for _, room := range []int{0, 1000, 600_000, 1_500_000} {
		_, err := Pack(t.Context(), &fullDisk{room}, plan, PackOptions{})
		checkProblem(t, err, problem.Failed, "pack/output")
	}
}
