package store

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// A record keeps the author's manifest byte for byte: also what JSON does not allow, or would write in another way.
func TestTheManifestIsKeptAsItIs(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"\xef\xbb\xbf{}", "{ \"a\" :\t1,\r\n\"a\":2 }\n\n", "{\"\xff\": \"\xc3\"}", `{"a": "<&>\u2028", "n": 1.0e5}`, "no JSON",
	} {
		s := open(t, t.TempDir())
		g, in, err := stage(s, "local/notes", "one")
		if err != nil {
			t.Fatal(err)
		}
		in.Manifest = []byte(text)
		if err := g.Commit(in); err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if err := setAnswers(s, in.ID, map[string]any{"a": "b"}, nil); err != nil {
			t.Errorf("%q: %v", text, err)
		}
		if got, err := s.Get(in.ID); err != nil || string(got.Manifest) != text {
			t.Errorf("%q became %q, %v", text, got.Manifest, err)
		}
	}
}

// A record that cannot be read is kept as it was when another takes its place, with the secrets that it may name, until
// the extension is removed; whatever stands in its place, nobody waits for it.
func TestADamagedRecordIsKept(t *testing.T) {
	t.Parallel()
	for what, damage := range map[string]func(path string) error{
		"text": func(path string) error { return os.WriteFile(path, []byte("{"), 0o600) },
		"format": func(path string) error {
			return os.WriteFile(path, []byte(`{"format": 99, "id": "local/notes"}`), 0o600)
		},
		"folder": func(path string) error { return errors.Join(os.Remove(path), os.Mkdir(path, 0o700)) },
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			s := open(t, t.TempDir())
			in := mustInstall(t, s, "local/notes", "one")
			dir, err := s.dir(in.ID)
			if err != nil {
				t.Fatal(err)
			}
			if err := damage(filepath.Join(dir, recordName)); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Get(in.ID); !IsDamaged(err) {
				t.Errorf("%v is not taken for a damaged record", err)
			}
			for range 2 { // a second installation leaves what the first kept
				mustInstall(t, s, "local/notes", "two")
			}
			if _, err := s.Get(in.ID); err != nil {
				t.Error(err)
			}
			for _, name := range []string{recordName, secretsGlob} {
				if kept, err := filepath.Glob(filepath.Join(dir, keptGlob, name)); err != nil || len(kept) != 1 {
					t.Errorf("%s is kept as %q, %v", name, kept, err)
				}
			}
			if err := s.Remove(in, false); err != nil {
				t.Fatal(err)
			}
			if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("the folder is there after the removal: %v", err)
			}
		})
	}
}
