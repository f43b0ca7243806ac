package signature

import (
	"bytes"
	"crypto/x509"
	"encoding/binary"
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// golden are bundles that were signed once and for all (see golden_test.go), and whom to trust for them.
func golden(t testing.TB) (files map[string][]byte, trust Trust, at time.Time) {
	t.Helper()
	names, err := filepath.Glob("testdata/golden/*.mcpb")
	if err != nil || len(names) == 0 {
		t.Fatalf("no golden bundles: %v", err)
	}
	files = map[string][]byte{}
	for _, n := range names {
		if files[filepath.Base(n)], err = os.ReadFile(n); err != nil {
			t.Fatal(err)
		}
	}
	data, err := os.ReadFile("testdata/golden/trust.pem")
	if err != nil {
		t.Fatal(err)
	}
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		trust.Roots = append(trust.Roots, c)
		at = c.NotBefore.AddDate(0, 1, 0)
	}
	return files, trust, at
}

// layoutOf is where things are in a bundle that ends with one block, as package mcpb finds it in the whole archive.
func layoutOf(data []byte) (Layout, bool) {
	blocks, err := Find(data, 0)
	if err != nil || len(blocks) == 0 {
		return Layout{}, false
	}
	end := bytes.LastIndex(data[:blocks[len(blocks)-1].Start], []byte("PK\x05\x06"))
	if end < 0 || end+22 > int(blocks[len(blocks)-1].Start) {
		return Layout{}, false
	}
	return Layout{Size: int64(len(data)), LengthAt: int64(end + 20), Length: int(binary.LittleEndian.Uint16(data[end+20:])), Blocks: blocks}, true
}

// FuzzFind: recognising blocks ends, and what it gives is what stands there.
func FuzzFind(f *testing.F) {
	files, _, _ := golden(f)
	for _, data := range files {
		f.Add(data)
	}
	f.Add([]byte("MCPB_SIG_V1\x03\x00\x00\x00derMCPB_SIG_END"))
	f.Add([]byte("MCPB_SIG_V1\x1e\x00\x00\x00MCPB_SIG_V1\x03\x00\x00\x00derMCPB_SIG_ENDMCPB_SIG_END"))
	f.Fuzz(func(t *testing.T, data []byte) {
		blocks, err := Find(data, 7)
		Begins(data)
		end := int64(len(data)) + 7
		for i, b := range blocks {
			if err != nil || b.Start < 7 || b.Start >= end || (b.DER != nil) != (i == 0) {
				t.Fatalf("block %d of %d: %+v, %v", i, len(blocks), b, err)
			}
			if i == 0 && !bytes.Equal(wrap(b.DER), data[b.Start-7:]) {
				t.Fatal("the block is not what ends the file")
			}
			if i == 0 && beginnings(data) != 1 {
				t.Fatal("a block could begin elsewhere too")
			}
			end = b.Start
		}
	})
}

// beginnings counts the places where a block could begin that ends where data ends.
func beginnings(data []byte) (n int) {
	for at := range data {
		rest, found := bytes.CutPrefix(data[at:], []byte(Magic))
		if found && len(rest) > 4 && bytes.HasSuffix(rest[4:], []byte(EndMagic)) && int(binary.LittleEndian.Uint32(rest)) == len(rest)-4-len(EndMagic) {
			n++
		}
	}
	return n
}

// FuzzCMS: the parser takes any bytes, in both forms, and what it takes it can be asked about.
func FuzzCMS(f *testing.F) {
	files, trust, at := golden(f)
	for _, data := range files {
		l, ok := layoutOf(data)
		if !ok {
			f.Fatal("a golden bundle without a block")
		}
		f.Add(l.Blocks[0].DER)
		if c, err := parseCMS(l.Blocks[0].DER, bundleForm()); err == nil && c.token != nil {
			f.Add(c.token)
		}
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		if c, err := parseCMS(der, bundleForm()); err == nil {
			rep := &Report{}
			rep.judge(c, trust, at)
			if rep.Status == "" {
				t.Fatal("no outcome")
			}
		}
		_, _, _ = verifyToken(der, []byte("signature"), trust, at) // only that it ends
	})
}

// FuzzVerify: whatever is changed, only the golden bundles are trusted; and those of the reference with the length of
// their comment raised, which its later versions do.
func FuzzVerify(f *testing.F) {
	files, trust, at := golden(f)
	for _, data := range files {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		l, ok := layoutOf(data)
		if !ok {
			return
		}
		rep, err := Verify(bytes.NewReader(data), l, trust, at)
		if err != nil {
			t.Fatal(err)
		}
		if rep.Status != Trusted {
			return
		}
		if rep.Variant == Reduced {
			data = bytes.Clone(data)
			binary.LittleEndian.PutUint16(data[l.LengthAt:], uint16(l.Length-int(l.Size-l.Blocks[0].Start)))
		}
		for _, same := range files {
			if bytes.Equal(data, same) {
				return
			}
		}
		t.Fatalf("trusted: %+v", rep)
	})
}
