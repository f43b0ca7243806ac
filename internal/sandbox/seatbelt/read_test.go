package seatbelt

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A form is a list or an atom of the language, read by a reader that knows nothing of the writer.
type form struct {
	list   []form
	atom   string
	quoted bool
}

// read reads all forms of a text.
func read(s string) ([]form, error) {
	var stack [][]form
	top := []form{}
	for i := 0; i < len(s); {
		switch c := s[i]; {
		case c == ' ' || c == '\n':
			i++
		case c == '(':
			stack, top = append(stack, top), nil
			i++
		case c == ')':
			if len(stack) == 0 {
				return nil, errors.New("a ) too many")
			}
			list := form{list: top}
			top, stack = append(stack[len(stack)-1], list), stack[:len(stack)-1]
			i++
		case c == '"':
			text, n, err := readString(s[i:])
			if err != nil {
				return nil, err
			}
			top = append(top, form{atom: text, quoted: true})
			i += n
		default:
			n := strings.IndexAny(s[i:], " \n()\"")
			if n < 0 {
				n = len(s) - i
			}
			top = append(top, form{atom: s[i : i+n]})
			i += n
		}
	}
	if len(stack) > 0 {
		return nil, errors.New("a ) is missing")
	}
	return top, nil
}

// readString reads a string at the start of a text and tells how long it is there.
func readString(s string) (text string, n int, err error) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '"':
			return b.String(), i + 1, nil
		case '\\':
			i++
			if i == len(s) || !strings.ContainsRune(`\"`, rune(s[i])) {
				return "", 0, errors.New("an escape of another kind")
			}
		}
		b.WriteByte(s[i])
	}
	return "", 0, errors.New("a string without an end")
}

// A policy decides as macOS documents it: the last rule that matches counts.
type policy []form

func rules(t testing.TB, s Server) policy {
	t.Helper()
	text, err := Profile(s)
	if err != nil {
		t.Fatal(err)
	}
	forms, err := read(text)
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	if len(forms) < 2 || forms[0].list[0].atom != "version" || forms[1].list[0].atom != "deny" || forms[1].list[1].atom != "default" {
		t.Fatalf("it does not begin with a refusal of everything:\n%s", text)
	}
	return forms[2:]
}

// allows tells whether an operation on something is allowed: a path, or an address or a name with its kind.
func (p policy) allows(operation, on string) bool {
	allowed := false
	for _, rule := range p {
		var operations, filters []form
		for _, f := range rule.list[1:] {
			if f.list == nil {
				operations = append(operations, f)
			} else {
				filters = append(filters, f)
			}
		}
		covers := slices.ContainsFunc(operations, func(o form) bool {
			prefix, star := strings.CutSuffix(o.atom, "*")
			return o.atom == operation || star && strings.HasPrefix(operation, prefix)
		})
		if covers && (len(filters) == 0 || slices.ContainsFunc(filters, func(f form) bool { return f.matches(on) })) {
			allowed = rule.list[0].atom == "allow"
		}
	}
	return allowed
}

func (f form) matches(on string) bool {
	kind, value := f.list[0].atom, f.list[len(f.list)-1].atom
	switch kind {
	case "literal", "global-name", "sysctl-name":
		return on == value
	case "remote":
		return on == f.list[1].atom+" "+value
	case "subpath":
		return on == value || strings.HasPrefix(on, value+"/")
	case "sysctl-name-prefix":
		return strings.HasPrefix(on, value)
	case "regex":
		return regexp.MustCompile(value).MatchString(on)
	case "target":
		return on == value
	}
	panic("a filter of another kind: " + kind)
}
