package store

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"path/filepath"

	"satchel/internal/atomicfile"
	"satchel/internal/filelock"
	"satchel/internal/problem"
)

const (
	keyName  = "grants.key"
	keyBytes = 32
)

// Key gives the key that records of grants are sealed with: random bytes of this home, made when they are asked for the
// first time. It is in a file that only its user can read, until the keychain takes it: whoever reads it has the user's
// rights already. Another length than was written is an error, not a new key: that would make every grant void.
func (s *Store) Key() ([]byte, error) {
	path := filepath.Join(s.home.Data, keyName)
	key, err := readRegular(path)
	if errors.Is(err, fs.ErrNotExist) {
		key, err = s.newKey(path)
	}
	if err != nil {
		return nil, failed(path, "cannot be read", err)
	}
	if len(key) != keyBytes {
		return nil, problem.New(problem.Failed, "store/key", "the key that grants are sealed with is damaged").At(path).
			Try("remove it; then agree again to what each extension may do: satchel permissions ID")
	}
	return key, nil
}

// newKey makes the key, unless another process was faster.
func (s *Store) newKey(path string) ([]byte, error) {
	unlock, err := filelock.Lock(path+lockName, true)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if key, err := readRegular(path); !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	key := make([]byte, keyBytes)
	rand.Read(key) // it never fails
	return key, atomicfile.Write(path, key, 0o600)
}

const reportName = "sandbox-report.json"

// Report gives what [Store.KeepReport] kept; fs.ErrNotExist when there is none.
func (s *Store) Report() ([]byte, error) { return readRegular(filepath.Join(s.home.Data, reportName)) }

// KeepReport keeps what the probe found of this machine's sandbox.
func (s *Store) KeepReport(data []byte) error {
	path := filepath.Join(s.home.Data, reportName)
	if err := atomicfile.Write(path, data, 0o600); err != nil {
		return failed(path, "cannot be written", err)
	}
	return nil
}
