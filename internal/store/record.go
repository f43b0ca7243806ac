package store

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
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
	Manifest      []byte         `json:"manifest"`         // the author's bytes: base64, as JSON would change or refuse some
	Signer        string         `json:"signer,omitempty"` // the fingerprint of the trusted key that vouched for it
	Grant         []byte         `json:"grant,omitempty"`  // what was agreed to, sealed: its bytes count
	Answers       map[string]any `json:"answers"`          // without secrets
	Secrets       map[string]any `json:"-"`                // kept apart
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
	keptGlob     = "damaged-*" // folders with a damaged record that was replaced
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
		rec, err := readRecord(dir)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		if err != nil {
			return nil, damaged(id, filepath.Join(dir, recordName), err)
		}
		if rec.ID != id || rec.Format != recordFormat {
			return nil, damaged(id, id, errors.New("it is another extension's, or of another version of satchel"))
		}
		if rec.SecretsFile == "" {
			return rec, nil
		}
		if ok, err := filepath.Match(secretsGlob, rec.SecretsFile); !ok || err != nil || rec.SecretsFile != filepath.Base(rec.SecretsFile) {
			return nil, damaged(id, id, errors.New("it names no file of secrets"))
		}
		err = readJSON(filepath.Join(dir, rec.SecretsFile), &rec.Secrets)
		if err == nil {
			return rec, nil
		}
		// Somebody may have written a new record since we read this one, and removed the secrets of this one.
		if again, err2 := readRecord(dir); err2 == nil && again.SecretsFile == rec.SecretsFile {
			return nil, damaged(id, id, err)
		}
	}
}

// readRecord reads the record in the folder of an extension. The error is fs.ErrNotExist when there is none.
func readRecord(dir string) (*record, error) {
	var rec record
	if err := readJSON(filepath.Join(dir, recordName), &rec); err != nil {
		return nil, err
	}
	return &rec, nil
}

// damaged hides the kind of err: a part of a record that does not exist is not an extension that does not exist.
func damaged(id, subject string, err error) error {
	return problem.New(problem.Failed, "store/record", "the record is damaged: %v", err).At(subject).
		Try("install the extension again, or remove it: satchel uninstall %s", id)
}

// IsDamaged tells whether an error of [Store.Get] is about an extension whose record cannot be read.
func IsDamaged(err error) bool {
	p, ok := errors.AsType[*problem.Problem](err)
	return ok && p.Rule == "store/record"
}

func readJSON(path string, v any) error {
	data, err := readRegular(path)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, v)
}

// readRegular reads a file of ours, wherever a link leads to. To open a pipe in its place would wait for ever.
func readRegular(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("it is no regular file")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxRecord))
}

// keepDamaged copies a damaged record that is about to be replaced, with the secrets beside it: somebody may read in it
// what was answered.
func (s *Store) keepDamaged(id, dir string) error {
	if _, err := s.read(id); !IsDamaged(err) {
		return nil
	}
	names, err := filepath.Glob(filepath.Join(dir, secretsGlob))
	if err != nil {
		return err
	}
	s.step("keep what is damaged")
	to := filepath.Join(dir, strings.Replace(keptGlob, "*", rand.Text(), 1))
	if err := os.Mkdir(to, 0o700); err != nil {
		return failed(to, "cannot be made", err)
	}
	for _, name := range append(names, filepath.Join(dir, recordName)) {
		copied := filepath.Join(to, filepath.Base(name))
		data, err := readRegular(name)
		if err == nil {
			err = atomicfile.Write(copied, data, 0o600)
		} else { // a pipe, a folder: nothing that was ever a record
			err = os.Rename(name, copied)
		}
		if err != nil {
			return failed(name, "is damaged, and cannot be kept", err)
		}
	}
	return nil
}

// write makes in the record of its extension. The rename of the record is the moment of the change.
func (s *Store) write(dir string, in *Installation) error {
	rec := record{Format: recordFormat, Installation: *in}
	if err := s.keepDamaged(in.ID, dir); err != nil {
		return err
	}
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

// Update changes the answers and the grant of an installed extension: edit gets the record as it is and sets Answers,
// Secrets and Grant, while no other process can. When it gives an error nothing changes.
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
		rec.Answers, rec.Secrets, rec.Grant = in.Answers, in.Secrets, in.Grant
		return s.write(dir, &rec.Installation)
	})
}
