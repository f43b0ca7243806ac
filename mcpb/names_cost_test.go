package mcpb

import (
	"bytes"
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// Deep names must not be folded again for each of their folders: a small bundle of them took a quarter of a minute. What
// is allocated tells that on every machine. Not parallel, as it counts what all goroutines allocate.
func TestDeepNamesCostTheirLength(t *testing.T) {
	names, total := []string{}, 0
	for i := range 100 {
		names = append(names, fmt.Sprintf("%03d/", i)+strings.Repeat("É/", 330)+"x")
		total += len(names[i])
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
	if got, most := after.TotalAlloc-before.TotalAlloc, uint64(400*total); got > most {
		t.Errorf("%d bytes of names took %d bytes of memory on the way, want at most %d", total, got, most)
	}
	if len(set.folders) != 100*331 {
		t.Errorf("%d folders", len(set.folders))
	}
}

// Folders are told apart by where they are: the same part in another folder is no collision.
func TestCollisionsAreWithinOneFolder(t *testing.T) {
	t.Parallel()
	data := zipOf(file("a/b/c", ""), file("b/B/c", ""), file("c/a/B", ""), file("É/e", ""), file("x/é", ""))
	if _, err := NewBundle(bytes.NewReader(data), int64(len(data)), "x.mcpb", Limits{}); err != nil {
		t.Error(err)
	}
}
