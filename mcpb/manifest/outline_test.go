package manifest

import (
	"slices"
	"testing"
)

func TestOutline(t *testing.T) {
	data := []byte(`{"name": "a", "name": "b", "tools": [{"name": "x"}, {"name": "y", "n": 1}], "user_config": {"k e": {"title": "T"}}}`)
	o, err := ReadOutline(data)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		keys       []any
		path, text string
	}{
		{[]any{"name"}, "name", `"b"`},
		{[]any{"tools", 1, "name"}, "tools[1].name", `"y"`},
		{[]any{"user_config", "k e", "title"}, `user_config["k e"].title`, `"T"`},
		{[]any{"tools", 1, "n"}, "tools[1].n", "1"},
	} {
		v, ok := o.Find(c.keys...)
		if !ok || v.Path != c.path || string(data[v.Offset:v.EndOffset]) != c.text {
			t.Errorf("%v: %+v, %v", c.keys, v, ok)
		}
	}
	for _, keys := range [][]any{{"nothing"}, {"tools", 2}, {"tools", -1}, {"tools", "name"}, {"name", 0}, {"tools", 0, "name", "x"}} {
		if v, ok := o.Find(keys...); ok {
			t.Errorf("%v leads to %+v", keys, v)
		}
	}
	var texts []string
	for v := range o.Texts() {
		if again, ok := o.Find(v.Keys...); !ok || again.Offset != v.Offset {
			t.Errorf("%v does not lead back", v.Keys)
		}
		texts = append(texts, v.Path+"="+v.Text)
	}
	if want := []string{"name=b", "tools[0].name=x", "tools[1].name=y", `user_config["k e"].title=T`}; !slices.Equal(texts, want) {
		t.Errorf("texts %q, want %q", texts, want)
	}
	for range o.Texts("tools") {
		break // the walk ends when it is told to
	}
	if _, err := ReadOutline([]byte("{")); err == nil {
		t.Error("half a manifest has an outline")
	}
}
