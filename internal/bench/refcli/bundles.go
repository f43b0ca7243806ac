package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"

	"satchel/mcpb"
)

// sizes compares the two bundles of the same tree.
type sizes struct {
	files        int
	bytes        int64 // unpacked
	ours, theirs int64 // of the bundles
}

// compareBundles looks at what both programs packed: a comparison is only fair when that is the same.
func compareBundles(work string) (sizes, error) {
	ours, s, err := contents(filepath.Join(work, "ours--1.mcpb"))
	if err != nil {
		return s, err
	}
	theirs, t, err := contents(filepath.Join(work, "theirs--1.mcpb"))
	if err != nil {
		return s, err
	}
	if !maps.Equal(ours, theirs) {
		return s, fmt.Errorf("the programs pack different files: ours %d, the reference %d", len(ours), len(theirs))
	}
	s.theirs = t.ours
	return s, nil
}

func contents(name string) (map[string]int64, sizes, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, sizes{}, err
	}
	b, err := mcpb.Open(name, mcpb.Limits{})
	if err != nil {
		return nil, sizes{}, err
	}
	defer b.Close()
	files, s := map[string]int64{}, sizes{ours: info.Size()}
	for _, f := range b.Files() {
		files[f.Name] = f.Size
		s.bytes += f.Size
	}
	s.files = len(files)
	return files, s, nil
}
