package manifest

import (
	"fmt"
	"strconv"
	"strings"

	"satchel/internal/jsonedit"
	"satchel/internal/spell"
)

// A place is where a value stands in the manifest. It is a chain, so that the path is spelled out only for findings. A
// nil place is the whole manifest.
type place struct {
	up   *place
	name string // a key; or
	i    int    // the index of an item, when item is true
	item bool
}

func (p *place) key(name string) *place { return &place{up: p, name: name} }
func (p *place) index(i int) *place     { return &place{up: p, i: i, item: true} }

// String gives a path such as server.mcp_config.args[2]. A key that is no plain word stands in brackets and quotes, a
// long one is cut.
func (p *place) String() string {
	if p == nil {
		return ""
	}
	above := p.up.String()
	plain := p.name != "" && len(p.name) <= maxQuoted && !strings.ContainsFunc(p.name, func(r rune) bool {
		return notAlnum(r) && r != '_' && r != '-' && r != '$'
	})
	switch {
	case p.item:
		return above + "[" + strconv.Itoa(p.i) + "]"
	case !plain:
		return above + "[" + quote(p.name) + "]"
	case above == "":
		return p.name
	}
	return above + "." + p.name
}

// path gives the place as an edit names it.
func (p *place) path() jsonedit.Path {
	switch {
	case p == nil:
		return nil
	case p.item:
		return p.up.path().Item(p.i)
	}
	return p.up.path().Key(p.name)
}

// maxQuoted is how many characters of the author's text a message repeats.
const maxQuoted = 80

// quote gives text of the manifest for a message, cut when it is long.
func quote(s string) string {
	if r := []rune(s[:min(len(s), 8*maxQuoted)]); len(r) > maxQuoted {
		s = string(r[:maxQuoted]) + "…"
	}
	return fmt.Sprintf("%q", s)
}

// didYouMean proposes the word that was most likely meant, or lists a few words.
func didYouMean(word string, words []string) string {
	if near := spell.Nearest(word, words); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	if len(words) == 0 || len(words) > 12 {
		return ""
	}
	return "known here: " + strings.Join(words, ", ")
}
