package grant

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"time"

	"satchel/internal/problem"
)

// A Record is what was agreed to, for what, by whom and when.
type Record struct {
	Extension string    `json:"extension"` // its id
	Digest    string    `json:"digest"`    // the content digest of the version that was agreed to
	Grant     Grant     `json:"grant"`
	NoSandbox bool      `json:"noSandbox,omitempty"` // it runs with all rights of the user, whatever the grant says
	By        string    `json:"by"`                  // who agreed
	At        time.Time `json:"at"`
}

// A sealed record: the MAC is over the record's bytes as they stand.
type sealed struct {
	Record json.RawMessage `json:"record"`
	MAC    string          `json:"mac"`
}

// keyBytes is the least length of a key: that of the hash, as RFC 2104 asks.
const keyBytes = sha256.Size

// Seal gives a record as JSON, under a MAC by the key (32 random bytes or more). What it gives is for [Check].
func Seal(key []byte, r Record) ([]byte, error) {
	if len(key) < keyBytes {
		return nil, errors.New("grant: the key is shorter than 32 bytes")
	}
	r.Grant, r.At = r.Grant.Canonical(), r.At.UTC().Truncate(time.Second)
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(r); err != nil {
		return nil, err
	}
	text := bytes.TrimSpace(b.Bytes())
	b = bytes.Buffer{}
	enc = json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // the bytes of the record must stay as they are
	if err := enc.Encode(sealed{text, hex.EncodeToString(mac(key, text))}); err != nil {
		return nil, err
	}
	return bytes.TrimSpace(b.Bytes()), nil
}

// mac uses a key of its own, so that no other MAC under the same key can stand for this one.
func mac(key, text []byte) []byte {
	own := hmac.New(sha256.New, key)
	own.Write([]byte("satchel/grant record/v1"))
	h := hmac.New(sha256.New, own.Sum(nil))
	h.Write(text)
	return h.Sum(nil)
}

// Check gives the record that Seal made. It must be unchanged, and of this extension and this content: else it is
// refused with a problem. An older record of the same content is not told from the newest: who can put one back is the
// same user.
func Check(key, data []byte, extension, digest string) (Record, error) {
	bad := problem.New(problem.Refused, "grant/record", "the record of what was agreed to was changed").At(extension).From("docs/permissions.md").
		Try("look at what it asks for, and agree again: %s", problem.Words("satchel", "permissions", extension))
	var s sealed
	if len(key) < keyBytes || json.Unmarshal(data, &s) != nil {
		return Record{}, bad
	}
	given, err := hex.DecodeString(s.MAC)
	if err != nil || !hmac.Equal(given, mac(key, s.Record)) {
		return Record{}, bad
	}
	var r Record
	if json.Unmarshal(s.Record, &r) != nil || r.Extension != extension || r.Digest != digest {
		bad.Message = "the record of what was agreed to is of another extension or version"
		return Record{}, bad
	}
	return r, nil
}
