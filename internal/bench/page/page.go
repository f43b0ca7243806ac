// Package page writes what a bench measured into a page of docs, between two marks. The benches use it.
package page

import (
	"fmt"
	"os"
	"strings"

	"satchel/internal/atomicfile"
)

// Write puts text between the marks begin and end of the page in a file, in place of what stands there. Without both
// marks it is an error, and nothing is written.
func Write(name, begin, end, text string) error {
	data, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	before, rest, found := strings.Cut(string(data), begin)
	_, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		return fmt.Errorf("%s has no place for the table: %q ... %q", name, begin, end)
	}
	return atomicfile.Write(name, []byte(before+begin+text+end+after), 0o644)
}
