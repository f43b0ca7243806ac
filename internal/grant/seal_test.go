package grant

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"reflect"
	"strings"
	"testing"
	"time"

	"satchel/internal/problem"
)

func record(t testing.TB) Record {
	return Record{Extension: "local/notes", Digest: "sha256:aa", Grant: of(t, "write:/home/ada/<a>&b", "net:any"), By: "ada", At: time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)}
}

func TestSeal(t *testing.T) {
	t.Parallel()
	key := bytes.Repeat([]byte{7}, 32)
	want := record(t)
	data, err := Seal(key, want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Check(key, data, want.Extension, want.Digest)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
	refused := func(what string, key, data []byte, ext, digest string) {
		t.Helper()
		got, err := Check(key, data, ext, digest)
		if problem.CodeOf(err) != problem.Refused || !reflect.DeepEqual(got, Record{}) {
			t.Errorf("%s: %+v, %v", what, got, err)
		}
	}
	refused("another extension's", key, data, "local/other", want.Digest)
	refused("another version's", key, data, want.Extension, "sha256:bb")
	refused("another key's", bytes.Repeat([]byte{8}, 32), data, want.Extension, want.Digest)
	refused("no key", nil, data, want.Extension, want.Digest)
	for _, junk := range []string{"", "{}", "null", "[]", `{"record":{},"mac":""}`, `{"record":null,"mac":"00"}`, `{"mac":"zz"}`} {
		refused(junk, key, []byte(junk), want.Extension, want.Digest)
	}
	for n := range data {
		for _, bit := range []byte{1, 0x20, 0x80} {
			bad := bytes.Clone(data)
			bad[n] ^= bit
			// A letter of the envelope in the other case means the same to a JSON reader; the record is whole then.
			if got, err := Check(key, bad, want.Extension, want.Digest); err == nil && !reflect.DeepEqual(got, want) {
				t.Fatalf("byte %d changed: %s", n, bad)
			}
		}
	}
	if _, err := Seal(key[:31], want); err == nil {
		t.Error("a short key was taken")
	}
}

// A MAC by the same key over the same bytes, made for something else, is not one of ours.
func TestSealHasADomainOfItsOwn(t *testing.T) {
	t.Parallel()
	key := bytes.Repeat([]byte{7}, 32)
	data, err := Seal(key, record(t))
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	body := text[strings.Index(text, ":")+1 : strings.LastIndex(text, `,"mac"`)]
	h := hmac.New(sha256.New, key)
	h.Write([]byte(body))
	forged := `{"record":` + body + `,"mac":"` + hex.EncodeToString(h.Sum(nil)) + `"}`
	if _, err := Check(key, []byte(forged), "local/notes", "sha256:aa"); problem.CodeOf(err) != problem.Refused {
		t.Errorf("a plain MAC was taken: %v", err)
	}
}
