package mcpb

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"satchel/mcpb/internal/ziptest"
)

// What is copied is the same file with the same permissions; signature and comment stay behind; twice gives the same.
func TestSubset(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	large := bytes.Repeat([]byte("0123456789abcdef"), 1<<18) // compresses in several chunks, with a descriptor
	noise := make([]byte, 3<<20)
	for i := range noise {
		noise[i] = byte(i * i >> 7 * i)
	}
	for name, data := range map[string][]byte{"manifest.json": []byte("{}"), "a/large": large, "a/noise": noise, "drop": nil, "run": []byte("#!"), "empty": nil} {
		if err := errors.Join(os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755), os.WriteFile(filepath.Join(dir, name), data, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(filepath.Join(dir, "run"), 0o751); err != nil {
		t.Fatal(err)
	}
	var packed bytes.Buffer
	plan, err := Plan(dir, PackOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Pack(t.Context(), &packed, plan, PackOptions{}); err != nil {
		t.Fatal(err)
	}
	from := bundleOf(t, ziptest.Sign(packed.Bytes(), []byte("der")))
	keep := func(name string) bool { return name != "drop" }
	var out, again bytes.Buffer
	report, err := from.Subset(t.Context(), &out, time.Time{}, keep)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := from.Subset(t.Context(), &again, time.Time{}, keep); err != nil || !bytes.Equal(out.Bytes(), again.Bytes()) {
		t.Errorf("the second time it is not the same: %v", err)
	}
	to := bundleOf(t, out.Bytes())
	digest, _, err := to.Digests()
	if err != nil || report.Digest != digest || report.Files != 5 || report.Size != int64(out.Len()) || to.Signature() != nil {
		t.Errorf("%+v, digest %s, signature %q, %v", report, digest, to.Signature(), err)
	}
	for _, f := range from.Files() {
		got, there := to.Lookup(f.Name)
		if there != keep(f.Name) || there && got != f {
			t.Errorf("%+v became %+v, %v", f, got, there)
		}
		if !there {
			continue
		}
		want, err1 := from.ReadFile(f.Name, 1<<30)
		data, err2 := to.ReadFile(f.Name, 1<<30)
		if err1 != nil || err2 != nil || !bytes.Equal(want, data) {
			t.Errorf("%s is another file: %v, %v", f.Name, err1, err2)
		}
	}
	stopped, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := from.Subset(stopped, &out, time.Time{}, keep); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func bundleOf(t *testing.T, data []byte) *Bundle {
	t.Helper()
	b, err := NewBundle(bytes.NewReader(data), int64(len(data)), "test.mcpb", Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Ignore says of each file what Plan says.
func TestIgnoreIsWhatPlanLeavesOut(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	names := []string{
		"manifest.json", "x.log", "X.MAP", "a/b.d.ts", "x.map/real.js", ".git/config", "node_modules/.bin/x", "a/node_modules/.bin/x",
		"node_modules/.cache/deep/er/x", "tsconfig.json", "a/tsconfig.json", ".npmrc", "yarn.lock/x", "plain.js",
	}
	for _, name := range names {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, nil, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	plan, err := Plan(dir, PackOptions{})
	if err != nil {
		t.Fatal(err)
	}
	pattern := Ignore("")
	for _, name := range names {
		in := slices.ContainsFunc(plan.Files, func(f PackedFile) bool { return f.Name == name })
		out := slices.IndexFunc(plan.Excluded, func(x Excluded) bool {
			return name == x.Name || strings.HasPrefix(name, x.Name) && strings.HasSuffix(x.Name, "/")
		})
		got := pattern(name)
		if in != (got == "") || got != "" && plan.Excluded[out].Reason != "default list: "+got && !plan.Excluded[out].Secret {
			t.Errorf("%s: %q, Plan takes it: %v", name, got, in)
		}
	}
}
