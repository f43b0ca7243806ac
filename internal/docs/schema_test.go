package docs

import (
	"os"
	"testing"

	"satchel/mcpb/manifest"
)

// TestSchemas holds docs/schema to the shapes that the validator uses.
func TestSchemas(t *testing.T) {
	want := map[string]string{"manifest.json": ""}
	for _, v := range manifest.Versions() {
		want["manifest-"+v+".json"] = v
	}
	for name, version := range want {
		text, err := manifest.JSONSchema(version, false)
		if err != nil {
			t.Fatal(err)
		}
		generated(t, root+"/docs/schema/"+name, string(text))
	}
	files, err := os.ReadDir(root + "/docs/schema")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if _, ok := want[f.Name()]; !ok {
			t.Errorf("docs/schema/%s is not generated", f.Name())
		}
	}
}
