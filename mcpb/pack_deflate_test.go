package mcpb

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"math/rand/v2"
	"strings"
	"testing"
)

// Text without repetition, such as base64, and numbers shrink by shorter codes alone, also where they stand in the middle
// of other text. Noise is stored.
func TestPackShrinksWhatHasNoRepetition(t *testing.T) {
	t.Parallel()
	noise := func(n int) []byte {
		b := make([]byte, n)
		_, _ = rand.NewChaCha8([32]byte{1}).Read(b)
		return b
	}
	floats := make([]byte, 0, 1<<20)
	for r := rand.New(rand.NewPCG(1, 2)); len(floats) < 1<<20; {
		floats = binary.LittleEndian.AppendUint32(floats, uint32(0x3f000000+r.IntN(1<<23)))
	}
	base := base64.StdEncoding.EncodeToString
	cases := []struct {
		name, content string
		most          float64 // of the content's size
	}{
		{"small", base(noise(20_000)), 0.77},
		{"middle", base(noise(90_000)), 0.77},
		{"whole", base(noise(300_000)), 0.77},
		{"chunks", base(noise(3_000_000)), 0.77},
		{"inlined", strings.Repeat("const a = 1;\n", 9000) + base(noise(150_000)) + strings.Repeat("const b = 2;\n", 9000), 0.40},
		{"inlined-large", strings.Repeat("const a = 1;\n", 20_000) + base(noise(600_000)) + strings.Repeat("const b = 2;\n", 20_000), 0.50},
		{"floats", string(floats), 0.97},
		{"noise", string(noise(400_000)), 1},
		{"noise-large", string(noise(900_000)), 1},
	}
	tree := map[string]string{"manifest.json": "{}"}
	for _, c := range cases {
		tree[c.name] = c.content
	}
	data := packBytes(t, writeTree(t, tree), PackOptions{})
	got := unzip(t, data)
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	packed := map[string]*zip.File{}
	for _, f := range r.File {
		packed[f.Name] = f
	}
	for _, c := range cases {
		f := packed[c.name]
		if ratio := float64(f.CompressedSize64) / float64(len(c.content)); ratio > c.most || got[c.name] != c.content {
			t.Errorf("%s: packed to %.3f of its size, want at most %.2f; same content: %v", c.name, ratio, c.most, got[c.name] == c.content)
		}
		if strings.HasPrefix(c.name, "noise") && f.Method != zip.Store {
			t.Errorf("%s is not stored", c.name)
		}
	}
}
