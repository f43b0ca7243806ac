package signature

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"testing"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// An element is one of DER, with its parts when it is made of some. Its path says where it is: the numbers of the
// elements from the outermost down.
type element struct {
	tag   asn1.Tag
	parts []*element
	value []byte
	path  string
}

func elements(t *testing.T, der cryptobyte.String, path string) (list []*element) {
	t.Helper()
	for !der.Empty() {
		e := &element{path: fmt.Sprintf("%s/%d", path, len(list))}
		var value cryptobyte.String
		if !der.ReadAnyASN1(&value, &e.tag) {
			t.Fatalf("%s is no DER", e.path)
		}
		if e.value = value; e.tag&0x20 != 0 {
			e.parts = elements(t, value, e.path)
		}
		list = append(list, e)
	}
	return list
}

func (e *element) encode(b *cryptobyte.Builder) {
	b.AddASN1(e.tag, func(b *cryptobyte.Builder) {
		if e.tag&0x20 == 0 {
			b.AddBytes(e.value)
		}
		for _, p := range e.parts {
			p.encode(b)
		}
	})
}

func (e *element) each(f func(*element)) {
	f(e)
	for _, p := range e.parts {
		p.each(f)
	}
}

// withDER gives a golden bundle with another CMS, whose padding, when there is some, keeps the block's size.
func withDER(t *testing.T, data []byte, root *element) []byte {
	t.Helper()
	l, _ := layoutOf(data)
	old := l.Blocks[0].DER
	encoded := func() []byte {
		var b cryptobyte.Builder
		root.encode(&b)
		return b.BytesOrPanic()
	}
	der := encoded()
	root.each(func(e *element) {
		if n := len(e.value) + len(old) - len(der); e.tag == asn1.OCTET_STRING && len(e.value) >= minPadding && len(bytes.Trim(e.value, "\x00")) == 0 && n >= 0 {
			before := e.value
			e.value = make([]byte, n)
			der = encoded()
			e.value = before
		}
	})
	out := append(bytes.Clone(data[:l.Blocks[0].Start]), Magic...)
	out = binary.LittleEndian.AppendUint32(out, uint32(len(der)))
	return append(append(out, der...), EndMagic...)
}

// TestEveryElement adds an element, takes one out, repeats one and exchanges two, everywhere in the golden bundles. What
// may be done without the signer's key is this list and nothing else; docs/security.md says it in words. (A block of ours
// without its padding has another size, which package mcpb finds.)
func TestEveryElement(t *testing.T) {
	t.Parallel()
	const digest, ofSigner, token = "/0/1/0/1/0", "/0/1/0/4/0/2", "/0/1/0/4/0/6/0/1/0"
	null := []string{"without " + digest + "/1", "without " + ofSigner + "/1"} // absent parameters
	free := map[string][]string{
		"reference.mcpb":   append([]string{"exchanged /0/1/0/3/0 and 1"}, null...), // certificates
		"rsa.mcpb":         append([]string{"exchanged /0/1/0/3/0 and 1", "exchanged /0/1/0/3/1 and 2"}, null...),
		"self-signed.mcpb": append([]string{"without /0/1/0/4/0/6"}, null...),
		"chain-timestamp.mcpb": append([]string{"exchanged /0/1/0/3/0 and 1", "without /0/1/0/4/0/6", "without /0/1/0/4/0/6/0", "without /0/1/0/4/0/6/1",
			"without " + token + "/1/0/1/0/1", "without " + token + "/1/0/4/0/2/1"}, null...),
	}
	files, trust, at := golden(t)
	for name, data := range files {
		var got []string
		l, _ := layoutOf(data)
		root := elements(t, l.Blocks[0].DER, "")[0]
		try := func(what string) {
			changed := withDER(t, data, root)
			l, ok := layoutOf(changed)
			if bytes.Equal(changed, data) || !ok {
				return
			}
			rep, err := Verify(bytes.NewReader(changed), l, trust, at)
			if err != nil {
				t.Fatal(err)
			}
			if rep.Status == Trusted {
				got = append(got, what)
			}
		}
		root.each(func(e *element) {
			if e.tag&0x20 == 0 {
				return
			}
			parts := e.parts
			defer func() { e.parts = parts }()
			e.parts = append(slices.Clip(parts), &element{tag: asn1.NULL})
			try("more behind " + e.path)
			for i, p := range parts {
				e.parts = slices.Delete(slices.Clone(parts), i, i+1)
				try("without " + p.path)
				e.parts = slices.Insert(slices.Clone(parts), i, p)
				try("twice " + p.path)
				if i+1 < len(parts) {
					e.parts = slices.Clone(parts)
					e.parts[i], e.parts[i+1] = parts[i+1], parts[i]
					try(fmt.Sprintf("exchanged %s and %d", p.path, i+1))
				}
			}
		})
		slices.Sort(got)
		want := slices.Sorted(slices.Values(free[name]))
		if !slices.Equal(got, want) {
			t.Errorf("%s: still trusted\n%q, want\n%q", name, got, want)
		}
	}
}
