package e2e

import (
	"path/filepath"
	"reflect"
	"testing"
)

// A linted is what `satchel lint --json` says.
type linted struct {
	OK       bool
	Findings []struct {
		Rule, File, Path, Message string
		Line, Column              int
	}
	Files int
	Bytes int64
}

// TestLintOfAFolderIsThatOfItsBundle, with a real server of 2,500 files that is started and serves what it declares.
func TestLintOfAFolderIsThatOfItsBundle(t *testing.T) {
	t.Parallel()
	src := example(t)
	program(t, "node")
	h := newHome(t)
	h.run(t, "satchel", "pack", src, "filesystem.mcpb")
	folders := filepath.Join(h.dir, "folders")
	write(t, filepath.Join(folders, "a.txt"), "a")
	var ofFolder, ofBundle linted
	for what, into := range map[string]*linted{src: &ofFolder, "filesystem.mcpb": &ofBundle} {
		decode(t, h.run(t, "satchel", "lint", what, "--start", "--yes", "--config", "folders="+folders, "--json"), into)
	}
	if !reflect.DeepEqual(ofFolder, ofBundle) {
		t.Errorf("of the folder: %+v\nof the bundle: %+v", ofFolder, ofBundle)
	}
	if ofFolder.Files < 2000 || !ofFolder.OK {
		t.Errorf("%+v", ofFolder)
	}
	for _, f := range ofFolder.Findings {
		switch f.Rule {
		case "lint/license", "lint/unneeded-file": // what is true of it
		default:
			t.Errorf("%+v", f)
		}
	}
}
