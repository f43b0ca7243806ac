package store

import "testing"

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
