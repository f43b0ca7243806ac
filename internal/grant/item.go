package grant

import (
	"errors"
	"slices"
	"strings"

	"satchel/internal/problem"
	"satchel/internal/spell"
)

// A Kind is what an item is about: the word before its colon.
type Kind string

// The kinds of items, in canonical order.
const (
	KindRead        Kind = "read"
	KindWrite       Kind = "write"
	KindNet         Kind = "net"
	KindPort        Kind = "port"
	KindSocket      Kind = "socket"
	KindRun         Kind = "run"
	KindEnv         Kind = "env"
	KindClipboard   Kind = "clipboard"
	KindDisplay     Kind = "display"
	KindDBus        Kind = "dbus"
	KindSampling    Kind = "sampling"
	KindElicitation Kind = "elicitation"
	KindRoots       Kind = "roots"
	KindMemory      Kind = "memory"
	KindTemp        Kind = "temp"
	KindProcesses   Kind = "processes"
	KindOpenFiles   Kind = "open-files"
	KindCPU         Kind = "cpu"
	KindSecret      Kind = "secret"
)

// anything is the value that stands for all there is.
const anything = "any"

// An Item is one thing that can be granted. It is made by [Parse]; items are comparable.
type Item struct {
	kind  Kind
	value string
}

// Kind gives what the item is about.
func (i Item) Kind() Kind { return i.kind }

// Value gives what stands after the colon: a path, a host; empty where there is nothing to say.
func (i Item) Value() string { return i.value }

// String gives the item's word.
func (i Item) String() string {
	if i.value == "" {
		return string(i.kind)
	}
	return string(i.kind) + ":" + i.value
}

// MarshalText gives the item's word, as JSON has it.
func (i Item) MarshalText() ([]byte, error) { return []byte(i.String()), nil }

// A form is how the items of a kind are written.
type form struct {
	kind    Kind
	example string                                                      // a whole word
	parse   func(value string, m Machine) (canonical string, err error) // nil: there is nothing after the word
}

func forms() []form {
	list := []form{
		{KindRead, "read:~/notes", parsePath},
		{KindWrite, "write:~/notes", parsePath},
		{KindNet, "net:api.example.com", parseNet},
		{KindPort, "port:5432", parsePort},
		{KindSocket, "socket:/run/postgresql/.s.PGSQL.5432", parseSocket},
		{KindRun, "run:git", parseProgram},
		{KindEnv, "env:LANG", parseEnv},
	}
	var g Grant
	for _, f := range flags(&g) {
		list = append(list, form{kind: f.kind, example: string(f.kind)})
	}
	for _, l := range limits(&g) {
		list = append(list, form{l.kind, string(l.kind) + ":" + l.word(4*l.least), l.parse})
	}
	return append(list, form{KindSecret, "secret:api_key", parseKey})
}

func formOf(k Kind) (form, bool) {
	all := forms()
	i := slices.IndexFunc(all, func(f form) bool { return f.kind == k })
	if i < 0 {
		return form{}, false
	}
	return all[i], true
}

// Parse reads the word of an item. Paths become absolute and clean, ~ is the person's home. It looks at no file. The
// error is a problem of class Usage.
func Parse(word string, m Machine) (Item, error) {
	kind, value, colon := strings.Cut(word, ":")
	f, known := formOf(Kind(kind))
	switch {
	case !known:
		return Item{}, unknownWord(word, kind)
	case f.parse == nil && colon:
		return Item{}, badWord(word, errors.New("nothing can stand after "+kind)).Try("write: %s", kind)
	case f.parse == nil:
		return Item{f.kind, ""}, nil
	case value == "":
		return Item{}, badWord(word, errors.New("says only half")).Try("for example %s", f.example)
	}
	canonical, err := f.parse(value, m)
	if err != nil {
		return Item{}, badWord(word, err).Try("for example %s", f.example)
	}
	return Item{f.kind, canonical}, nil
}

// ParseAll reads words of items and names of sets (see [Sets]).
func ParseAll(words []string, m Machine) ([]Item, error) {
	var items []Item
	for _, w := range words {
		if set, ok := setOf(w, m); ok {
			items = append(items, set.Grant.Items()...)
			continue
		}
		i, err := Parse(w, m)
		if err != nil {
			return nil, err
		}
		items = append(items, i)
	}
	if len(items) > mostItems {
		return nil, tooMany()
	}
	return items, nil
}

func badWord(word string, err error) *problem.Problem {
	return problem.New(problem.Usage, "grant/word", "cannot be granted").At(shortened(word)).Because(err).From("docs/permissions.md")
}

func unknownWord(word, kind string) error {
	var known []string
	for _, f := range forms() {
		known = append(known, string(f.kind))
	}
	p := badWord(word, errors.New("no permission has this name"))
	if strings.HasPrefix(word, "/") || strings.HasPrefix(word, "~") {
		return p.Try("write read:%s or write:%s", shortened(word), shortened(word))
	}
	for _, s := range Sets(Machine{}) {
		known = append(known, s.Name)
	}
	if near := spell.Nearest(kind, known); near != "" {
		return p.Try("did you mean %s?", near)
	}
	return p.Try("there are %s", strings.Join(known, ", "))
}

// shortened keeps a hostile word from filling the screen.
func shortened(word string) string {
	const most = 200
	if r := []rune(word[:min(len(word), 4*most)]); len(r) > most {
		return string(r[:most]) + "..."
	}
	return word
}

// mostItems bounds what one grant can hold: each file is a mount, and a person reads them all.
const mostItems = 1000

func tooMany() error {
	return problem.New(problem.Refused, "grant/too-many", "a grant holds at most %d items", mostItems).From("docs/permissions.md").
		Try("grant a folder instead of what is in it")
}
