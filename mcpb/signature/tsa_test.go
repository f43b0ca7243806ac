package signature_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"satchel/internal/testsupport"
	"satchel/mcpb/signature"
)

// answer serves what a function makes of each query.
func answer(t *testing.T, f func(query []byte) (status int, body []byte)) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		query, _ := io.ReadAll(r.Body)
		status, body := f(query)
		w.WriteHeader(status)
		_, _ = w.Write(body) // a client that has seen enough goes away
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func ask(t *testing.T, url string, query []byte) []byte {
	t.Helper()
	resp, err := http.Post(url, "application/timestamp-query", bytes.NewReader(query))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// What a timestamping authority answers is hostile until it was checked. Nothing is written when it does not hold.
func TestHostileTimestampingAuthorities(t *testing.T) {
	t.Parallel()
	pki := testsupport.NewPKI(t)
	pki.SelfSigned("root", "P-256", "root")
	pki.Issue("root", "signer", "P-256", "code")
	pki.Issue("root", "tsa", "P-256", "stamp")
	pki.Issue("root", "lax", "P-256", "laxstamp")
	pki.Issue("root", "extra", "P-256", "stamp")
	honest := pki.TSA("tsa")
	var first []byte
	rows := map[string]struct{ url, want string }{
		"an error":                 {answer(t, func([]byte) (int, []byte) { return 500, nil }), "500"},
		"nothing":                  {answer(t, func([]byte) (int, []byte) { return 200, nil }), "no timestamp"},
		"too much":                 {answer(t, func([]byte) (int, []byte) { return 200, make([]byte, 1<<20) }), "too large"},
		"a page":                   {answer(t, func([]byte) (int, []byte) { return 200, []byte("<html>") }), "no timestamp"},
		"a tag that does not end":  {answer(t, func([]byte) (int, []byte) { return 200, []byte{0x30, 9, 0x30, 3, 2, 1, 0, 0x30, 2, 0x1f, 0x85} }), "no timestamp"}, // a library panics
		"lengths without end":      {answer(t, func([]byte) (int, []byte) { return 200, bytes.Repeat([]byte{0x30, 0x80}, 30_000) }), "its answer"},
		"granted, and no token":    {answer(t, func([]byte) (int, []byte) { return 200, []byte{0x30, 5, 0x30, 3, 2, 1, 0} }), "no timestamp"},
		"a reason":                 {answer(t, func([]byte) (int, []byte) { return 200, []byte("\x30\x0c\x30\x0a\x02\x01\x02\x30\x05\x0c\x03why") }), "status 2): why"},
		"a rejection":              {answer(t, func([]byte) (int, []byte) { return 200, []byte{0x30, 5, 0x30, 3, 2, 1, 2} }), "rejected"},
		"more than the answer":     {answer(t, func(q []byte) (int, []byte) { return 200, append(ask(t, honest, q), 0) }), "more behind"},
		"a changed answer":         {answer(t, func(q []byte) (int, []byte) { b := ask(t, honest, q); b[len(b)-1] ^= 1; return 200, b }), "not made with the key"},
		"a certificate not for it": {pki.TSA("lax"), ""},
		"a certificate too many":   {pki.TSA("tsa", "extra"), "sign/check"},
		"the answer to another": {answer(t, func(q []byte) (int, []byte) {
			if first == nil {
				first = ask(t, honest, bytes.Replace(q, q[len(q)-8:len(q)-4], []byte{1, 2, 3, 4}, 1))
			}
			return 200, first
		}), "another request"},
	}
	for name, r := range rows {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			_, err := open(t, plain("")).Sign(context.Background(), filepath.Join(dir, "out"), identity(t, pki, "signer"), time.Now(), stamper(t, r.url))
			if err == nil || r.want != "sign/check" && !strings.Contains(err.Error(), r.want) {
				t.Errorf("%v, want %q", err, r.want)
			}
			if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
	for _, address := range []string{"", "ftp://x", "file:///etc/passwd", "example.com", "http://"} {
		if _, err := signature.AskTSA(address); err == nil {
			t.Errorf("%q is taken as an address", address)
		}
	}
}
