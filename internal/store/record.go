package store

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"satchel/internal/atomicfile"
	"satchel/internal/problem"
)

// An Installation is the record of an installed extension.
type Installation struct {
	ID            string         `json:"id"`
	Version       string         `json:"version"`
	Source        string         `json:"source"`         // where it came from, for people
	Digest        string         `json:"digest"`         // of the bundle
	ContentDigest string         `json:"contentDigest"`  // of the bundle without signature: names the folder
	TreeDigest    string         `json:"treeDigest"`     // of the files: checked before each start
	Link          string         `json:"link,omitempty"` // the absolute path of a folder that is used where it is; then there are no digests
	Installed     time.Time      `json:"installed"`
	Manifest      []byte         `json:"manifest"` // the author's bytes: base64, as JSON would change or refuse some
	Answers       map[string]any `json:"answers"`  // without secrets
	Secrets       map[string]any `json:"-"`        // kept apart
}

// A record is what installation.json holds. Secrets are in a file of their own, which each record names anew: so both
// change in the moment when the record does.
type record struct {
	Format int `json:"format"`
	Installation
	SecretsFile string `json:"secretsFile,omitempty"`
}

const (
	recordFormat = 2
	recordName   = "installation.json"
	purgeName    = "purge.json" // a record on its way out, together with the extension's own folder
	secretsGlob  = "secrets-*.json"
	lockName     = ".lock"

	// maxRecord bounds what is read: a manifest and answers are far smaller.
	maxRecord = 32 << 20
)

// read reads the record of an extension, with its secrets. The error is fs.ErrNotExist when it is not installed.
func (s *Store) read(id string) (*record, error) {
	dir, err := s.dir(id)
	if err != nil {
		return nil, err
	}
	for {
		rec, err := readRecord(filepath.Join(dir, recordName))
		if err != nil {
			return nil, err
		}
		if rec.ID != id || rec.Format != recordFormat {
			return nil, damaged(id, errors.New("it is another extension's, or of another version of satchel"))
		}
		if rec.SecretsFile == "" {
			return rec, nil
		}
		if ok, err := filepath.Match(secretsGlob, rec.SecretsFile); !ok || err != nil || rec.SecretsFile != filepath.Base(rec.SecretsFile) {
			return nil, damaged(id, errors.New("it names no file of secrets"))
		}
		err = readJSON(filepath.Join(dir, rec.SecretsFile), &rec.Secrets)
		if err == nil {
			return rec, nil
		}
		// Somebody may have written a new record since we read this one, and removed the secrets of this one.
		if again, err2 := readRecord(filepath.Join(dir, recordName)); err2 == nil && again.SecretsFile == rec.SecretsFile {
			return nil, damaged(id, err)
		}
	}
}

func readRecord(path string) (*record, error) {
	var rec record
	if err := readJSON(path, &rec); errors.Is(err, fs.ErrNotExist) {
		return nil, err
	} else if err != nil {
		return nil, damaged(path, err)
	}
	return &rec, nil
}

// damaged hides the kind of err: a part of a record that does not exist is not an extension that does not exist.
func damaged(subject string, err error) error {
	return problem.New(problem.Failed, "store/record", "the record is damaged: %v", err).At(subject).Try("install the extension again, or remove it: satchel uninstall ID")
}

func readJSON(path string, v any) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxRecord))
	if err != nil {
		return err
	}
	return json.Unmarshal(data, v)
}

// write makes in the record of its extension. The rename of the record is the moment of the change.
func (s *Store) write(dir string, in *Installation) error {
	rec := record{Format: recordFormat, Installation: *in}
	if len(in.Secrets) > 0 {
		rec.SecretsFile = "secrets-" + rand.Text() + ".json"
		s.step("write secrets")
		if err := writeJSON(filepath.Join(dir, rec.SecretsFile), in.Secrets); err != nil {
			return err
		}
	}
	s.step("write record")
	return writeJSON(filepath.Join(dir, recordName), rec)
}

func writeJSON(path string, v any) error {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return failed(path, "cannot be written", err)
	}
	if err := atomicfile.Write(path, data, 0o600); err != nil {
		return failed(path, "cannot be written", err)
	}
	return nil
}

// Update changes the answers of an installed extension: edit gets the record as it is and sets Answers and Secrets, while
// no other process can. When it gives an error nothing changes.
func (s *Store) Update(id string, edit func(*Installation) error) error {
	return s.change(id, func(dir string) error {
		rec, err := s.read(id)
		if errors.Is(err, fs.ErrNotExist) {
			return s.notInstalled(id)
		}
		if err != nil {
			return err
		}
		in := rec.Installation
		if err := edit(&in); err != nil {
			return err
		}
		rec.Answers, rec.Secrets = in.Answers, in.Secrets
		return s.write(dir, &rec.Installation)
	})
}
