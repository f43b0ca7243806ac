package cli

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

// A reader that goes away, as head does, ends the command quietly. The pipe is not descriptor 1, so that no signal ends
// the test.
func TestTheReaderOfTheOutputWentAway(t *testing.T) {
	t.Parallel()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	if code := Main([]string{"version"}, strings.NewReader(""), w, &said); code != 1 || said.Len() > 0 {
		t.Errorf("exit code %d, %q", code, said.String())
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
}
