package e2e

import (
	"encoding/json"
	"path/filepath"
	"testing"
)

// A bundle goes from either program to the other without a change of names, content or permissions.
func TestRoundTripsWithTheReference(t *testing.T) {
	t.Parallel()
	ref := reference(t)
	for _, tt := range []struct{ name, packs, unpacks string }{
		{"theirs packs and ours unpacks", ref, "satchel"},
		{"ours packs and theirs unpacks", "satchel", ref},
		{"ours packs and ours unpacks", "satchel", "satchel"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h, src := newHome(t), source(t)
			h.run(t, tt.packs, "pack", src, "x.mcpb")
			h.run(t, tt.unpacks, "unpack", "x.mcpb", "out")
			same(t, tt.name, readTree(t, filepath.Join(h.work, "out")), readTree(t, src))
		})
	}
}

// Of a real node_modules both programs take the same files, down to the permissions.
func TestTheExamplePacksAsWithTheReference(t *testing.T) {
	t.Parallel()
	ref, src, py := reference(t), example(t), program(t, "python3")
	h := newHome(t)
	h.run(t, ref, "validate", src)
	h.run(t, "satchel", "validate", src)
	h.run(t, ref, "pack", src, "theirs.mcpb")
	h.run(t, "satchel", "pack", src, "ours.mcpb")
	theirs, ours := pythonReads(t, h, py, "theirs.mcpb"), pythonReads(t, h, py, "ours.mcpb")
	same(t, "our bundle of the example", ours, theirs)
}

// Readers that others use, strict ones among them, read our bundles to the last byte.
func TestForeignReadersReadOurBundles(t *testing.T) {
	t.Parallel()
	modules, node, py, unzip := npm(t, "yauzl"), program(t, "node"), program(t, "python3"), program(t, "unzip")
	h, src := newHome(t), source(t)
	h.run(t, "satchel", "pack", src, "x.mcpb")
	want := readTree(t, src)

	same(t, "python's zipfile", pythonReads(t, h, py, "x.mcpb"), want)
	script := inSource(t, "internal", "e2e", "testdata", "read.cjs")
	same(t, "yauzl", parseTree(t, h.run(t, node, script, filepath.Dir(modules), "x.mcpb")), want)
	h.run(t, unzip, "-tq", "x.mcpb")
	h.run(t, unzip, "-q", "x.mcpb", "-d", "out")
	same(t, "unzip", readTree(t, filepath.Join(h.work, "out")), want)
}

// What authors make by hand with zip, with entries for folders, is a bundle too.
func TestOursUnpacksWhatZipPacks(t *testing.T) {
	t.Parallel()
	zip := program(t, "zip")
	h, src := newHome(t), source(t)
	pack := h.command(t.Context(), zip, "-qr", filepath.Join(h.work, "x.mcpb"), ".")
	pack.Dir = src
	if out, err := pack.CombinedOutput(); err != nil {
		t.Fatalf("zip: %v\n%s", err, out)
	}
	h.run(t, "satchel", "unpack", "x.mcpb", "out")
	same(t, "zip", readTree(t, filepath.Join(h.work, "out")), readTree(t, src))
}

func pythonReads(t *testing.T, h *home, py, bundle string) tree {
	t.Helper()
	return parseTree(t, h.run(t, py, inSource(t, "internal", "e2e", "testdata", "read.py"), bundle))
}

func parseTree(t *testing.T, text string) tree {
	t.Helper()
	var got tree
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatalf("%v in %q", err, text)
	}
	return got
}
