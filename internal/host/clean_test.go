package host

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"os"
	"slices"
	"testing"

	"satchel/internal/problem"
	"satchel/mcpb"
)

// messy is a bundle with a file that is to be dropped, signed when der is not empty.
func (w world) messy(t *testing.T, name, der string) string {
	t.Helper()
	dir := w.path("messy-" + name)
	text := `{"manifest_version": "0.3", "name": "demo", "version": "1", "description": "D.", "author": {"name": "A"}, "server": {"type": "binary", "entry_point": "run", "mcp_config": {"command": "run"}}}`
	if err := errors.Join(
		os.Mkdir(dir, 0o755), os.WriteFile(dir+"/manifest.json", []byte(text), 0o644), os.WriteFile(dir+"/run", []byte("#!"), 0o755),
		os.WriteFile(dir+"/debug.log", make([]byte, 5000), 0o644),
	); err != nil {
		t.Fatal(err)
	}
	file := w.path(name + ".mcpb")
	if _, err := mcpb.PackFile(t.Context(), dir, file, mcpb.PackOptions{Include: []string{"debug.log"}}); err != nil {
		t.Fatal(err)
	}
	if der == "" {
		return file
	}
	f, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	block := append(binary.LittleEndian.AppendUint32([]byte("MCPB_SIG_V1"), uint32(len(der))), der+"MCPB_SIG_END"...)
	if _, err := f.Write(block); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return file
}

func (w world) cleaning(t *testing.T, path string) *Cleaning {
	t.Helper()
	c, err := w.OpenCleaning(t.Context(), path, CleanOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(c.tmp); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the temporary folder is still there: %v", err)
		}
	})
	return c
}

// In place: the signature goes and that is said, permissions and a link to the bundle stay.
func TestCleanReplacesABundle(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	file, link := w.messy(t, "signed", "der"), w.path("link.mcpb")
	if err := errors.Join(os.Chmod(file, 0o640), os.Symlink(file, link)); err != nil {
		t.Fatal(err)
	}
	res, err := w.cleaning(t, link).Write(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	if !res.Unsigned || res.Unchanged || res.Verified || len(res.Dropped) != 1 || res.Out != file || res.Before.Files != 3 || res.After.Files != 2 {
		t.Errorf("%+v", res)
	}
	info, err1 := os.Stat(file)
	at, err2 := os.Lstat(link)
	if err1 != nil || err2 != nil || info.Mode() != 0o640 || at.Mode()&os.ModeSymlink == 0 || info.Size() != res.After.Packed {
		t.Errorf("%v, %v, %v, %v", info, at, err1, err2)
	}
	b, err := mcpb.Open(file, mcpb.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	digest, _, err := b.Digests()
	if run, _ := b.Lookup("run"); b.Signature() != nil || run.Mode != 0o755 || digest != res.Digest || err != nil {
		t.Errorf("signature %q, mode %v, digest %s, %v", b.Signature(), run.Mode, digest, err)
	}
}

// With nothing to drop, a signed bundle keeps its signature, in place and as a copy.
func TestCleanKeepsWhatIsClean(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	file := w.bundle(t, "fine", manifestWith(nil))
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	whole = append(whole, "MCPB_SIG_V1\x03\x00\x00\x00derMCPB_SIG_END"...)
	if err := os.WriteFile(file, whole, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, out := range []string{"", w.path("copy.mcpb")} {
		res, err := w.cleaning(t, file).Write(t.Context(), out)
		if err != nil || !res.Unchanged || res.Unsigned || res.After != res.Before {
			t.Errorf("%+v, %v", res, err)
		}
		if got, err := os.ReadFile(res.Out); err != nil || !bytes.Equal(got, whole) {
			t.Errorf("%s is another bundle: %v", res.Out, err)
		}
	}
}

// A bundle that somebody replaces meanwhile is not overwritten, a folder is never written, nor is what is no file.
func TestCleanWritesNothingOnRefusal(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	file := w.messy(t, "x", "")
	c := w.cleaning(t, file)
	if err := os.Truncate(file, 5); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Write(t.Context(), ""); err == nil {
		t.Error("a changed bundle was overwritten")
	}
	_, err := w.cleaning(t, w.path("messy-x")).Write(t.Context(), "")
	wantProblem(t, err, problem.Usage, "clean/out")
	_, err = w.cleaning(t, w.path("messy-x")).Write(t.Context(), w.path("home"))
	wantProblem(t, err, problem.Failed, "clean/write")
	_, err = w.OpenCleaning(t.Context(), w.path("home"), CleanOptions{})
	wantProblem(t, err, problem.NotFound, "pack/input")
	_, err = w.OpenCleaning(t.Context(), w.path("nothing"), CleanOptions{})
	wantProblem(t, err, problem.NotFound, "bundle/file")
}

// A server that does not start as it is proves nothing: the answers that were made up are named.
func TestCleanOfWhatDoesNotStart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.cleaning(t, w.bundle(t, "silent", manifestWith(nil))) // its node is a script that does nothing
	if err := c.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(c.StandIns, []string{"folder"}) || c.Review == nil || len(c.Review.Command) == 0 {
		t.Errorf("%+v", c)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Verify(gone, leastStart, func(string) {}); problem.CodeOf(err) != problem.Interrupted {
		t.Errorf("interrupted: %v", err)
	}
	err := c.Verify(t.Context(), leastStart, func(string) {})
	wantProblem(t, err, problem.NeedsConfig, "clean/original")
}
