package signature_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/asn1"
	"encoding/binary"
	"encoding/json"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"satchel/internal/testsupport"
	"satchel/mcpb"
	"satchel/mcpb/internal/ziptest"
	"satchel/mcpb/signature"
)

// Markers in stored content are content; blocks one around the other are taken out one by one, each giving the bytes that
// were there before.
func TestMarkersAndNestedBlocks(t *testing.T) {
	t.Parallel()
	pki := testsupport.NewPKI(t)
	pki.SelfSigned("self", "rsa", "code")
	trust := signature.Trust{Roots: []*x509.Certificate{pki.Cert("self")}}
	stored := ziptest.File("a", "MCPB_SIG_V1\x03\x00\x00\x00derMCPB_SIG_END")
	stored.Stored = true
	before := ziptest.Archive{Entries: []ziptest.Entry{stored}, Comment: []byte("MCPB_SIG_V1 is a word")}.Bytes()
	once := sign(t, before, identity(t, pki, "self"), nil)
	if rep := verify(t, once, trust); rep.Status != signature.Trusted || rep.Blocks != 1 {
		t.Fatalf("%+v", rep)
	}
	twice := referenceSigns(t, pki, once, "self")
	rep := verify(t, twice, trust)
	if rep.Status != signature.Trusted || rep.Blocks != 2 {
		t.Fatalf("signed again by the reference: %+v", rep)
	}
	out := filepath.Join(t.TempDir(), "out")
	for _, step := range []struct {
		data, want []byte
		all        bool
	}{{twice, once, false}, {once, before, false}, {twice, before, true}} {
		if err := open(t, step.data).Unsign(t.Context(), out, step.all); err != nil || !bytes.Equal(read(t, out), step.want) {
			t.Errorf("unsign, all %v: %v, or other bytes", step.all, err)
		}
	}
	damaged := bytes.Clone(twice)
	damaged[len(once)-40] ^= 1 // in the inner block
	if rep := verify(t, damaged, trust); rep.Status != signature.Tampered {
		t.Errorf("a damaged inner block: %+v", rep)
	}
}

// What signs of one bundle does not sign of another, however it is put there.
func TestBlocksOfOthers(t *testing.T) {
	t.Parallel()
	pki := testsupport.NewPKI(t)
	pki.SelfSigned("self", "P-256", "code")
	pki.SelfSigned("mine", "P-256", "code")
	trust := signature.Trust{Roots: []*x509.Certificate{pki.Cert("self")}}
	good := sign(t, plain(""), identity(t, pki, "self"), nil)
	b := open(t, good)
	block := good[b.SignedSize():]
	other := ziptest.Archive{Entries: []ziptest.Entry{ziptest.File("manifest.json", "{}"), ziptest.File("a", "evil")}}.Bytes()

	asComment := append(bytes.Clone(other), block...)
	binary.LittleEndian.PutUint16(asComment[len(other)-2:], uint16(len(block)))
	padded := bytes.Replace(good, make([]byte, 22), ziptest.Archive{}.Bytes(), 1) // an end record in the padding
	rows := map[string][]byte{
		"a block of another bundle, as its comment": asComment,
		"a block of another bundle, behind it":      append(bytes.Clone(other), block...),
		"an end record in the padding":              padded,
		"something in the padding":                  bytes.Replace(good, make([]byte, 30), append(make([]byte, 15), "hidden in here!"...), 1),
		"the comment's length as before signing":    withLength(good, int(b.SignedSize()), 0),
		"the comment ends in the block":             withLength(good, int(b.SignedSize()), 40),
		"bytes between the archive and the block":   append(append(bytes.Clone(plain("")), 'x'), block...),
		"the block twice":                           append(bytes.Clone(good), block...),
		"truncated":                                 good[:len(good)-30],
	}
	for name, data := range rows {
		if bytes.Equal(data, good) {
			t.Errorf("%s: nothing was changed", name)
		}
		if rep, err := look(data, trust); err == nil && rep.Status.Intact() {
			t.Errorf("%s: %s", name, rep.Status)
		}
	}
}

func withLength(data []byte, at, length int) []byte {
	data = bytes.Clone(data)
	binary.LittleEndian.PutUint16(data[at-2:], uint16(length))
	return data
}

// The two steps, with the request kept as JSON: every kind of signature that hardware modules give is taken, and what was
// made for another bundle, or changed in between, is refused.
func TestTwoSteps(t *testing.T) {
	t.Parallel()
	pki := testsupport.NewPKI(t)
	for name, kind := range map[string]string{"rsa": "rsa", "p256": "P-256", "p521": "P-521"} {
		pki.SelfSigned(name, kind, "code")
		who, err := signature.NewIdentity(pki.Cert(name), nil, nil, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		r, err := open(t, plain("c")).SigningRequest(who, time.Now(), false)
		if err != nil {
			t.Fatal(err)
		}
		kept, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		digest := filepath.Join(pki.Dir, name+".digest")
		write(t, digest, r.Digest())
		args := []string{"pkeyutl", "-sign", "-inkey", name + ".key", "-in", digest, "-out", name + ".sig"}
		if kind == "rsa" {
			args = append(args, "-pkeyopt", "digest:sha256")
		}
		pki.OpenSSL(args...)
		sig := read(t, pki.Path(name+".sig"))
		forms := [][]byte{sig}
		if kind != "rsa" {
			forms = append(forms, rawForm(t, sig, len(kind) > 0 && kind == "P-521"))
		}
		for _, form := range forms {
			finish(t, pki, name, kept, form)
		}
	}
}

func rawForm(t *testing.T, der []byte, wide bool) []byte {
	t.Helper()
	size := 32
	if wide {
		size = 66
	}
	var v struct{ R, S *big.Int }
	unmarshal(t, der, &v)
	return append(v.R.FillBytes(make([]byte, size)), v.S.FillBytes(make([]byte, size))...)
}

func finish(t *testing.T, pki *testsupport.PKI, name string, kept, sig []byte) {
	t.Helper()
	var r signature.Request
	if err := json.Unmarshal(kept, &r); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "out")
	attempt := func(data []byte, r signature.Request, sig []byte) error {
		_, err := open(t, data).SignWith(context.Background(), out, &r, sig, nil)
		return err
	}
	wrong := bytes.Clone(sig)
	wrong[len(wrong)-1] ^= 1
	for why, err := range map[string]error{
		"another bundle":     attempt(plain("d"), r, sig),
		"another signature":  attempt(plain("c"), r, wrong),
		"no signature":       attempt(plain("c"), r, nil),
		"an empty request":   attempt(plain("c"), signature.Request{}, sig),
		"no attributes":      attempt(plain("c"), signature.Request{Certificates: r.Certificates, Content: r.Content, Block: r.Block}, sig),
		"other attributes":   attempt(plain("c"), signature.Request{Certificates: r.Certificates, Attributes: r.Attributes[1:], Content: r.Content, Block: r.Block}, sig),
		"another block size": attempt(plain("c"), signature.Request{Certificates: r.Certificates, Attributes: r.Attributes, Content: r.Content, Block: r.Block + 1}, sig),
	} {
		if err == nil {
			t.Errorf("%s: %s was signed", name, why)
		}
	}
	if _, err := os.Stat(out); err == nil {
		t.Errorf("%s: something was written", name)
	}
	if err := attempt(plain("c"), r, sig); err != nil {
		t.Fatal(err)
	}
	if rep := verify(t, read(t, out), signature.Trust{Roots: []*x509.Certificate{pki.Cert(name)}}); rep.Status != signature.Trusted {
		t.Errorf("%s: %+v", name, rep)
	}
}

// A certificate can hold what looks like an archive's end to other readers; a bundle is not signed with it. Nor is one
// when its signing was interrupted.
func TestNotSigned(t *testing.T) {
	t.Parallel()
	pki := testsupport.NewPKI(t)
	evil := "PK\x05\x06" + strings.Repeat("x", 30)
	pki.SelfSigned(evil, "P-256", "code")
	pki.SelfSigned("self", "P-256", "code")
	stopped, stop := context.WithCancel(context.Background())
	stop()
	out := filepath.Join(t.TempDir(), "out")
	if _, err := open(t, plain("")).Sign(context.Background(), out, identity(t, pki, evil), time.Now(), nil); err == nil {
		t.Error("signed with an end record in the certificate")
	}
	if _, err := open(t, plain("")).Sign(stopped, out, identity(t, pki, "self"), time.Now(), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(out), "*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// A comment leaves less room for the block; both fit together or nothing is written.
func TestRoom(t *testing.T) {
	t.Parallel()
	pki := testsupport.NewPKI(t)
	pki.SelfSigned("self", "rsa", "code")
	who := identity(t, pki, "self")
	block := len(sign(t, plain(""), who, nil)) - len(plain(""))
	most := strings.Repeat("c", 1<<16-1-block)
	if rep := verify(t, sign(t, plain(most), who, nil), signature.Trust{}); rep.Status != signature.SelfSigned {
		t.Errorf("the longest comment: %+v", rep)
	}
	out := filepath.Join(t.TempDir(), "out")
	if _, err := open(t, plain(most+"c")).Sign(context.Background(), out, who, time.Now(), nil); err == nil {
		t.Error("a longer comment: signed")
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("something was written")
	}
}

// Signing over the bundle keeps its permissions and a link to it; elsewhere the bundle stays as it is.
func TestWhereItIsWritten(t *testing.T) {
	t.Parallel()
	pki := testsupport.NewPKI(t)
	pki.SelfSigned("self", "P-256", "code")
	dir := t.TempDir()
	file, link := filepath.Join(dir, "a.mcpb"), filepath.Join(dir, "link.mcpb")
	write(t, file, plain(""))
	if err := os.Symlink(file, link); err != nil {
		t.Skip(err)
	}
	if err := os.Chmod(file, 0o640); err != nil {
		t.Fatal(err)
	}
	b, err := mcpb.Open(link, mcpb.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	res, err := b.Sign(context.Background(), link, identity(t, pki, "self"), time.Now(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link: %v, %v", info.Mode(), err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("permissions %v, %v", info.Mode(), err)
	}
	signed := open(t, read(t, file))
	if bundle, content, err := signed.Digests(); err != nil || bundle != res.Digest || content != res.ContentDigest {
		t.Errorf("digests %s and %s, said %+v, %v", bundle, content, res, err)
	}
	if _, content, _ := open(t, plain("")).Digests(); content != res.ContentDigest {
		t.Errorf("content digest %s, before %s", res.ContentDigest, content)
	}
}

func unmarshal(t testing.TB, der []byte, v any) {
	t.Helper()
	if rest, err := asn1.Unmarshal(der, v); err != nil || len(rest) > 0 {
		t.Fatalf("%v, %d bytes left", err, len(rest))
	}
}
