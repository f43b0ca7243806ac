package bundlediff

import (
	"bytes"
	"encoding/json"
	"maps"
	"reflect"
	"slices"

	"satchel/mcpb/manifest"
)

// compareManifests compares field by field. Both texts are manifests that a host reads.
func compareManifests(a, b []byte) ([]FieldChange, error) {
	before, err := tree(a)
	if err != nil {
		return nil, err
	}
	after, err := tree(b)
	if err != nil {
		return nil, err
	}
	c := &fieldComparer{out: []FieldChange{}}
	c.objects(before, after, nil)
	return c.out, nil
}

func tree(data []byte) (map[string]any, error) {
	dec := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(data, []byte("\ufeff"))))
	dec.UseNumber()
	var v map[string]any
	return v, dec.Decode(&v)
}

type fieldComparer struct{ out []FieldChange }

// values compares two values that are there on both sides.
func (c *fieldComparer) values(a, b any, keys []any, name string) {
	if reflect.DeepEqual(a, b) {
		return
	}
	switch a := a.(type) {
	case map[string]any:
		if b, ok := b.(map[string]any); ok {
			c.objects(a, b, keys)
			return
		}
	case []any:
		if b, ok := b.([]any); ok && len(a)+len(b) > 0 && allObjects(a) && allObjects(b) {
			c.lists(a, b, keys)
			return
		}
	}
	c.add(Changed, keys, name, a, b)
}

func (c *fieldComparer) objects(a, b map[string]any, keys []any) {
	all := map[string]bool{}
	for _, m := range []map[string]any{a, b} {
		for key := range m {
			all[key] = true
		}
	}
	for _, key := range slices.Sorted(maps.Keys(all)) {
		before, was := a[key]
		after, is := b[key]
		at := below(keys, key)
		switch {
		case was && is:
			c.values(before, after, at, "")
		case was:
			c.add(Removed, at, "", before, nil)
		default:
			c.add(Added, at, "", nil, after)
		}
	}
}

func below(keys []any, key any) []any { return append(keys[:len(keys):len(keys)], key) }

func allObjects(list []any) bool {
	return !slices.ContainsFunc(list, func(v any) bool { _, ok := v.(map[string]any); return !ok })
}

// lists compares lists of objects: by name where each has one of its own, as tools have, else one after the other.
func (c *fieldComparer) lists(a, b []any, keys []any) {
	before, named := byName(a)
	after, also := byName(b)
	if !named || !also {
		c.inOrder(a, b, keys)
		return
	}
	common := 0
	for i, v := range b {
		name := nameOf(v)
		at, was := before[name]
		if !was {
			c.add(Added, below(keys, i), name, nil, v)
			continue
		}
		common++
		c.members(a[at].(map[string]any), v.(map[string]any), below(keys, i), name)
	}
	for i, v := range a {
		if _, is := after[nameOf(v)]; !is {
			c.add(Removed, below(keys, i), nameOf(v), v, nil)
		}
	}
	if order(a, after) != order(b, before) {
		c.add(Moved, keys, "", nil, nil)
	}
}

// members compares what two objects of one name hold.
func (c *fieldComparer) members(a, b map[string]any, keys []any, name string) {
	from := len(c.out)
	c.objects(a, b, keys)
	for i := range c.out[from:] {
		c.out[from+i].Name = name
	}
}

func (c *fieldComparer) inOrder(a, b []any, keys []any) {
	for i := range max(len(a), len(b)) {
		switch {
		case i >= len(b):
			c.add(Removed, below(keys, i), "", a[i], nil)
		case i >= len(a):
			c.add(Added, below(keys, i), "", nil, b[i])
		default:
			c.values(a[i], b[i], below(keys, i), "")
		}
	}
}

func nameOf(v any) string {
	name, _ := v.(map[string]any)["name"].(string)
	return name
}

// byName gives the index of each object by its name; false when two share one or one has none.
func byName(list []any) (map[string]int, bool) {
	index := make(map[string]int, len(list))
	for i, v := range list {
		index[nameOf(v)] = i
	}
	_, without := index[""]
	return index, len(index) == len(list) && !without
}

// order writes the names of a list that are on the other side too.
func order(list []any, other map[string]int) string {
	var names []string
	for _, v := range list {
		if _, common := other[nameOf(v)]; common {
			names = append(names, nameOf(v))
		}
	}
	text, _ := json.Marshal(names) // strings always have a JSON form
	return string(text)
}

func (c *fieldComparer) add(kind Kind, keys []any, name string, before, after any) {
	f := FieldChange{Path: manifest.PathOf(keys...), Topic: topicOf(keys), Kind: kind, Name: name, keys: keys}
	if kind == Removed || kind == Changed {
		f.Before = raw(before)
	}
	if kind == Added || kind == Changed {
		f.After = raw(after)
	}
	c.out = append(c.out, f)
}

func raw(v any) json.RawMessage {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v) // it was decoded from JSON
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// topicOf says what a place of the manifest is about.
func topicOf(keys []any) Topic {
	is := func(path ...any) bool { return len(keys) >= len(path) && reflect.DeepEqual(keys[:len(path)], path) }
	switch {
	case is("server"), is("user_config"), is("compatibility"), is("_meta", "dev.satchel"):
		return Permissions
	case is("tools"), is("tools_generated"):
		return Tools
	case is("prompts"), is("prompts_generated"):
		return Prompts
	}
	if len(keys) == 1 && keys[0] == "_meta" {
		return Permissions // it came or went as a whole
	}
	return Texts
}
