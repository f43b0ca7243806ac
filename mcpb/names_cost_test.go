package mcpb

import (
	"bytes"
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// Deep names must not be folded again for each of their folders: a small bundle of them took a quarter of a minute. What
// is allocated tells that on every machine: ten times as deep, about ten times as much. Not parallel, as it counts what
// all goroutines allocate.
func TestDeepNamesCostTheirLength(t *testing.T) {
	shallow, deep := allocatedByNames(t, 33), allocatedByNames(t, 330)
	if deep > 16*shallow {
		t.Errorf("names ten times as deep took %d times the memory on the way: %d and %d bytes", deep/shallow, shallow, deep)
	}
}

// allocatedByNames gives the bytes that are allocated for looking at a hundred names of so many folders.
func allocatedByNames(t *testing.T, depth int) uint64 {
	t.Helper()
	var names []string
	for i := range 100 {
		names = append(names, fmt.Sprintf("%03d/", i)+strings.Repeat("É/", depth)+"x")
	}
	set := newNameSet(len(names))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for _, name := range names {
		if p := set.add(&entry{name: name}); p != nil {
			t.Fatal(p)
		}
	}
	runtime.ReadMemStats(&after)
	if len(set.folders) != 100*(depth+1) {
		t.Errorf("%d folders", len(set.folders))
	}
	return after.TotalAlloc - before.TotalAlloc
}

// Folders are told apart by where they are: the same part in another folder is no collision.
func TestCollisionsAreWithinOneFolder(t *testing.T) {
	t.Parallel()
	data := zipOf(file("a/b/c", ""), file("b/B/c", ""), file("c/a/B", ""), file("É/e", ""), file("x/é", ""))
	if _, err := NewBundle(bytes.NewReader(data), int64(len(data)), "x.mcpb", Limits{}); err != nil {
		t.Error(err)
	}
}
