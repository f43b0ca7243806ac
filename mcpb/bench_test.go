package mcpb

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"satchel/mcpb/internal/ziptest"
)

// large is a bundle like a Node server with its dependencies: 9,655 files and about 100 MB, which shrink to a quarter.
func large(tb testing.TB) []byte {
	tb.Helper()
	rnd := rand.New(rand.NewPCG(1, 2))
	words := make([]string, 3000)
	for i := range words {
		words[i] = fmt.Sprintf("%x", rnd.Uint32()>>rnd.IntN(24))
	}
	entries := []ziptest.Entry{ziptest.File("manifest.json", "{}")}
	for i := range 9654 {
		var body bytes.Buffer
		for size := 1 << (6 + rnd.IntN(10)); body.Len() < size; {
			body.WriteString(words[rnd.IntN(1+rnd.IntN(len(words)))] + " ")
		}
		name := fmt.Sprintf("node_modules/package-%d/lib/part%d/file%d.js", i/60, i/7%5, i)
		entries = append(entries, ziptest.Entry{Name: name, Body: body.Bytes(), Mode: 0o100644})
	}
	entries = append(entries, ziptest.Entry{Name: "server/native.node", Body: bytes.Repeat([]byte("native code "), 3<<20), Mode: 0o100755})
	return ziptest.Archive{Entries: entries}.Bytes()
}

func openBytes(tb testing.TB, data []byte) *Bundle {
	tb.Helper()
	b, err := NewBundle(bytes.NewReader(data), int64(len(data)), "test.mcpb", Limits{})
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func BenchmarkOpen(b *testing.B) {
	data := large(b)
	b.ReportAllocs()
	for b.Loop() {
		openBytes(b, data)
	}
}

func BenchmarkExtract(b *testing.B) {
	data := large(b)
	for name, opts := range map[string]ExtractOptions{"plain": {}, "digest": {Digest: true}, "sync": {Sync: true}} {
		b.Run(name, func(b *testing.B) {
			bundle, dir, n := openBytes(b, data), b.TempDir(), 0
			b.ReportAllocs()
			for b.Loop() {
				tree, err := bundle.Extract(b.Context(), filepath.Join(dir, fmt.Sprint(n)), opts)
				if err != nil {
					b.Fatal(err)
				}
				b.SetBytes(tree.Bytes)
				n++
			}
		})
	}
}

func BenchmarkTreeDigest(b *testing.B) {
	dir := filepath.Join(b.TempDir(), "out")
	want, err := openBytes(b, large(b)).Extract(b.Context(), dir, ExtractOptions{Digest: true})
	if err != nil {
		b.Fatal(err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		b.Fatal(err)
	}
	defer root.Close()
	b.SetBytes(want.Bytes)
	for b.Loop() {
		if got, err := TreeDigest(root); err != nil || got != *want {
			b.Fatalf("got %v (%v), want %v", got, err, *want)
		}
	}
}
