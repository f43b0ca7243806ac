package jsonedit

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
)

func TestApply(t *testing.T) {
	const lines = "{\n  \"a\": 1,\n  \"b\": [\"x\", \"y\"],\n  \"c\": {}\n}\n"
	cases := []struct {
		name, in string
		edits    []Edit
		want     string
	}{
		{"nothing", " { }\r\n", nil, " { }\r\n"},
		{"a value", lines, []Edit{Set(Path{"a"}, true)}, "{\n  \"a\": true,\n  \"b\": [\"x\", \"y\"],\n  \"c\": {}\n}\n"},
		{"an item", lines, []Edit{Set(Path{"b", 1}, "z")}, "{\n  \"a\": 1,\n  \"b\": [\"x\", \"z\"],\n  \"c\": {}\n}\n"},
		{"the whole", " [1] ", []Edit{Set(nil, map[string]int{"a": 1})}, ` {"a": 1} `},
		{"a new key, on its line", lines, []Edit{Set(Path{"d"}, "<&>")}, "{\n  \"a\": 1,\n  \"b\": [\"x\", \"y\"],\n  \"c\": {},\n  \"d\": \"<&>\"\n}\n"},
		{"a new key with CRLF and tabs", "{\r\n\t\"a\": 1\r\n}", []Edit{Set(Path{"b"}, 2)}, "{\r\n\t\"a\": 1,\r\n\t\"b\": 2\r\n}"},
		{"a new key in compact text", `{"a":1}`, []Edit{Set(Path{"b"}, map[string]any{"x": []int{1, 2}})}, `{"a":1,"b":{"x":[1,2]}}`},
		{"a new key in one line", `{ "a": 1 }`, []Edit{Set(Path{"b"}, []string{"x:,\"", "y"})}, `{ "a": 1, "b": ["x:,\"", "y"] }`},
		{"a new key in an empty object", lines, []Edit{Set(Path{"c", "d"}, 1), Set(Path{"c", "e"}, 2)}, "{\n  \"a\": 1,\n  \"b\": [\"x\", \"y\"],\n  \"c\": {\"d\": 1, \"e\": 2}\n}\n"},
		{"in an empty object on two lines", "{\r\n  \"a\": {\r\n  }\r\n}", []Edit{Set(Path{"a", "b"}, 1), Set(Path{"a", "c"}, 2)},
			"{\r\n  \"a\": {\r\n    \"b\": 1,\r\n    \"c\": 2\r\n  }\r\n}"},
		{"new items", `[1]`, []Edit{Set(Path{1}, 2), Set(Path{2}, 3)}, `[1, 2, 3]`},
		{"a raw value", `{"a": 1}`, []Edit{Set(Path{"a"}, json.RawMessage(`"\u00e9"`))}, `{"a": "\u00e9"}`},
		{"delete the first", lines, []Edit{Delete(Path{"a"})}, "{\n  \"b\": [\"x\", \"y\"],\n  \"c\": {}\n}\n"},
		{"delete the last", lines, []Edit{Delete(Path{"c"})}, "{\n  \"a\": 1,\n  \"b\": [\"x\", \"y\"]\n}\n"},
		{"delete two neighbours", lines, []Edit{Delete(Path{"b"}), Delete(Path{"a"})}, "{\n  \"c\": {}\n}\n"},
		{"delete the outer two", lines, []Edit{Delete(Path{"c"}), Delete(Path{"a"})}, "{\n  \"b\": [\"x\", \"y\"]\n}\n"},
		{"delete all", lines, []Edit{Delete(Path{"c"}), Delete(Path{"a"}), Delete(Path{"b"})}, "{}\n"},
		{"delete all and add", lines, []Edit{Delete(Path{"c"}), Delete(Path{"a"}), Delete(Path{"b"}), Set(Path{"d"}, 1), Set(Path{"e"}, 2)}, "{\n  \"d\": 1,\n  \"e\": 2\n}\n"},
		{"delete the last and add", lines, []Edit{Delete(Path{"c"}), Set(Path{"d"}, 1)}, "{\n  \"a\": 1,\n  \"b\": [\"x\", \"y\"],\n  \"d\": 1\n}\n"},
		{"delete items", `[1, 2, 3, 4]`, []Edit{Delete(Path{0}), Delete(Path{2})}, `[2, 4]`},
		{"rename", lines, []Edit{Rename(Path{"b"}, "bee"), Set(Path{"b", 0}, 1)}, "{\n  \"a\": 1,\n  \"bee\": [1, \"y\"],\n  \"c\": {}\n}\n"},
		{"a key given twice", `{"a": 1, "b": 2, "\u0061": 3}`, []Edit{Dedupe(Path{"a"}), Set(Path{"a"}, 4)}, `{"b": 2, "\u0061": 4}`},
		{"rename and dedupe", `{"a": 1, "a": 3}`, []Edit{Dedupe(Path{"a"}), Rename(Path{"a"}, "b")}, `{"b": 3}`},
		{"delete a key given twice", `{"a": 1, "b": 2, "a": 3}`, []Edit{Delete(Path{"a"})}, `{"b": 2}`},
		{"the last of two counts", `{"a": {"x": 1}, "a": {"x": 2}}`, []Edit{Set(Path{"a", "x"}, 3)}, `{"a": {"x": 1}, "a": {"x": 3}}`},
		{"brackets in texts", `{"a}": "]\"", "b": 1}`, []Edit{Set(Path{"b"}, "}")}, `{"a}": "]\"", "b": "}"}`},
	}
	for _, c := range cases {
		got, err := Apply([]byte(c.in), c.edits...)
		if err != nil || string(got) != c.want {
			t.Errorf("%s: %v\ngot  %q\nwant %q", c.name, err, got, c.want)
		}
	}
}

func TestRefused(t *testing.T) {
	const text = `{"a": {"b": [1, 2]}, "c": 3, "c": 4}`
	cases := []struct {
		name, in string
		want     error
		edits    []Edit
	}{
		{"no JSON", "{", ErrSyntax, nil},
		{"byte order mark", "\ufeff{}", ErrSyntax, nil},
		{"raw value that is none", text, ErrSyntax, []Edit{Set(Path{"c"}, json.RawMessage("{"))}},
		{"no such key", text, ErrPath, []Edit{Delete(Path{"x"})}},
		{"no such object", text, ErrPath, []Edit{Set(Path{"x", "y"}, 1)}},
		{"a key of a list", text, ErrPath, []Edit{Set(Path{"a", "b", "x"}, 1)}},
		{"an index of an object", text, ErrPath, []Edit{Set(Path{"a", 0}, 1)}},
		{"an index too far", text, ErrPath, []Edit{Set(Path{"a", "b", 3}, 1)}},
		{"an index below", text, ErrPath, []Edit{Delete(Path{"a", "b", -1})}},
		{"an item by name", text, ErrPath, []Edit{Rename(Path{"a", "b", 0}, "x")}},
		{"a step of another type", text, ErrPath, []Edit{Set(Path{1.5}, 1)}},
		{"delete the whole", text, ErrPath, []Edit{Delete(nil)}},
		{"rename to one that is there", text, ErrExists, []Edit{Rename(Path{"a"}, "c")}},
		{"rename to one that is added", text, ErrExists, []Edit{Set(Path{"d"}, 1), Rename(Path{"a"}, "d")}},
		{"add one that another is renamed to", text, ErrConflict, []Edit{Rename(Path{"a"}, "d"), Set(Path{"d"}, 1)}},
		{"rename twice", text, ErrExists, []Edit{Rename(Path{"a"}, "d"), Rename(Path{"a"}, "e")}},
		{"set twice", text, ErrConflict, []Edit{Set(Path{"a"}, 1), Set(Path{"a"}, 1)}},
		{"set and delete", text, ErrConflict, []Edit{Set(Path{"c"}, 1), Delete(Path{"c"})}},
		{"delete and rename", text, ErrConflict, []Edit{Delete(Path{"c"}), Rename(Path{"c"}, "d")}},
		{"below what is replaced", text, ErrConflict, []Edit{Set(Path{"a"}, 1), Set(Path{"a", "b", 0}, 1)}},
		{"below what is deleted", text, ErrConflict, []Edit{Set(Path{"a", "b", 2}, 1), Delete(Path{"a"})}},
		{"below what is emptied", `{"a": {"b": 1}}`, ErrConflict, []Edit{Set(Path{"a", "b"}, 1), Delete(Path{"a"})}},
	}
	for _, c := range cases {
		if got, err := Apply([]byte(c.in), c.edits...); !errors.Is(err, c.want) || got != nil {
			t.Errorf("%s: %q, %v, want %v", c.name, got, err, c.want)
		}
	}
}

// FuzzApply makes edits by chance, and holds them to the same edits of the decoded value. What one edit did, another
// one takes back to the byte.
func FuzzApply(f *testing.F) {
	names, err := filepath.Glob("../../mcpb/manifest/testdata/corpus/manifests/*.json")
	if err != nil || len(names) < 80 {
		f.Fatal(len(names), err)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data, uint64(len(data)))
	}
	f.Add([]byte("{\"a\" :\t1 ,\r\n\"a\":[ ],\"\":{ \"x\\\"}\" : [1 , {}]}}\n\n"), uint64(3))
	f.Add([]byte(`[[[]],{"a":{}},"\\"]`), uint64(5))
	f.Fuzz(func(t *testing.T, data []byte, seed uint64) {
		if !json.Valid(data) {
			if _, err := Apply(data); !errors.Is(err, ErrSyntax) {
				t.Fatalf("%v for what is not JSON", err)
			}
			return
		}
		random := rand.New(rand.NewPCG(seed, 1))
		for range 8 {
			root := parse(data)
			var edits []Edit
			for range random.IntN(4) {
				edits = append(edits, anyEdit(random, root))
			}
			got, err := Apply(data, edits...)
			if err != nil {
				continue
			}
			if want := onTree(decoded(t, data), edits); !reflect.DeepEqual(decoded(t, got), want) {
				t.Fatalf("%v\nof   %q\ngive %q", edits, data, got)
			}
			if len(edits) == 1 {
				takeBack(t, data, got, root, edits[0])
			}
		}
	})
}

// anyEdit makes an edit of some value that is there, or of a new one.
func anyEdit(random *rand.Rand, root *node) Edit {
	path, n := Path{}, root
	for len(n.below) > 0 && (len(path) == 0 || random.IntN(3) > 0) {
		i := random.IntN(len(n.below))
		if n.open == '[' {
			path, n = path.Item(i), n.below[i]
		} else { // of a key given twice the last one counts
			path = path.Key(n.below[i].key)
			n, _ = n.find(Path{n.below[i].key})
		}
	}
	switch random.IntN(6) {
	case 0:
		return Delete(path)
	case 1:
		return Rename(path, fmt.Sprintf("new%d", random.IntN(2)))
	case 2:
		return Dedupe(path)
	case 3:
		return Set(path.Key(fmt.Sprintf("new%d", random.IntN(2))), "<\u2028>")
	case 4:
		return Set(path.Item(len(n.below)), nil)
	}
	return Set(path, map[string]any{"k:,": []any{"v", 1.5}})
}

func decoded(t *testing.T, data []byte) any {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		t.Fatalf("%v: %q", err, data)
	}
	return v
}

// onTree makes the edits on a decoded value, each alone: Apply accepted them, so they do not touch each other. Values come
// first; then the deepest edits, since what goes away or gets another name changes the paths of what is below and behind
// it; at one depth deletions, the last item first, and then names: so paths stay true.
func onTree(v any, edits []Edit) any {
	late := func(e Edit) int {
		if e.op == set {
			return 0
		}
		return 1
	}
	turn := map[operation]int{remove: 1, rename: 2}
	index := func(e Edit) (i int) {
		if len(e.path) > 0 {
			i, _ = e.path[len(e.path)-1].(int)
		}
		return i
	}
	order := slices.Clone(edits)
	slices.SortStableFunc(order, func(a, b Edit) int {
		back := 0
		if a.op == remove {
			back = cmp.Compare(index(b), index(a))
		}
		return cmp.Or(cmp.Compare(late(a), late(b)), cmp.Compare(len(b.path), len(a.path)), cmp.Compare(turn[a.op], turn[b.op]), back)
	})
	for _, e := range order {
		if e.op != dedupe { // which the decoder has done
			v = editTree(v, e, e.path)
		}
	}
	return v
}

func editTree(v any, e Edit, path Path) any {
	if len(path) == 0 {
		if e.op == set {
			return normal(e.value)
		}
		return v
	}
	switch step := path[0].(type) {
	case string:
		object := v.(map[string]any)
		switch {
		case len(path) > 1 || e.op == set:
			object[step] = editTree(object[step], e, path[1:])
		case e.op == remove:
			delete(object, step)
		case e.op == rename:
			object[e.key] = object[step]
			delete(object, step)
		}
		return object
	case int:
		list := v.([]any)
		switch {
		case step >= len(list):
			return append(list, normal(e.value))
		case len(path) == 1 && e.op == remove:
			return slices.Delete(list, step, step+1)
		}
		list[step] = editTree(list[step], e, path[1:])
		return list
	}
	return v
}

func normal(value any) any {
	text, _ := json.Marshal(value)
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var v any
	_ = dec.Decode(&v)
	return v
}

// takeBack undoes an edit and wants every byte as it was.
func takeBack(t *testing.T, data, got []byte, root *node, e Edit) {
	t.Helper()
	var undo Edit
	n, err := root.find(e.path)
	switch {
	case e.op == set && err != nil: // it was added
		parent, err := root.find(e.path[:len(e.path)-1])
		if err != nil || len(parent.below) == 0 {
			return // the blanks between empty brackets are gone
		}
		undo = Delete(e.path)
	case e.op == set:
		undo = Set(e.path, json.RawMessage(data[n.start:n.end]))
	case e.op == rename && bytes.Equal(data[n.keyStart:n.keyEnd], encoded(t, n.key)) && len(e.path) > 0:
		undo = Rename(append(slices.Clone(e.path[:len(e.path)-1]), e.key), n.key)
		parent, _ := root.find(e.path[:len(e.path)-1])
		if len(parent.members(n.key)) > 1 {
			return // the others were perhaps written with escapes
		}
	default:
		return
	}
	back, err := Apply(got, undo)
	if err != nil || !bytes.Equal(back, data) {
		t.Fatalf("%v, and back by %v: %v\nfrom %q\nover %q\nto   %q", e, undo, err, data, got, back)
	}
}

func encoded(t *testing.T, key string) []byte {
	t.Helper()
	text, err := encode(key, false)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
