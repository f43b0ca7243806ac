package signature_test

import (
	"bytes"
	"crypto/x509"
	"encoding/binary"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"satchel/internal/testsupport"
	"satchel/mcpb"
	"satchel/mcpb/signature"
)

// masks are the ways in which a byte is changed: a bit at either end, and that in which identifiers differ that mean the
// same (rsaEncryption and sha256WithRSAEncryption).
var masks = []byte{0x01, 0x0a, 0x80}

// allFlipsAreFound changes every byte in several ways. What comes out must be refused as a bundle, or be malformed or
// tampered with; benign tells of the changes that need not be.
func allFlipsAreFound(t *testing.T, data []byte, trust signature.Trust, benign func(at int, mask byte, rep *signature.Report) bool) {
	t.Helper()
	if rep := verify(t, data, trust); !rep.Status.Intact() {
		t.Fatalf("before any flip: %+v", rep)
	}
	var group sync.WaitGroup
	for w := range runtime.GOMAXPROCS(0) {
		group.Go(func() {
			changed := bytes.Clone(data)
			for at := w; at < len(data); at += runtime.GOMAXPROCS(0) {
				for _, mask := range masks {
					changed[at] ^= mask
					rep, err := look(changed, trust)
					changed[at] ^= mask
					if err == nil && rep.Status.Intact() && !benign(at, mask, rep) {
						t.Errorf("byte %d of %d (%d behind the block's start) xor %#x: %s, %v", at, len(data), at-bytes.LastIndex(data, []byte(signature.Magic)), mask, rep.Status, rep.Reasons)
					}
				}
			}
		})
	}
	group.Wait()
}

func look(data []byte, trust signature.Trust) (*signature.Report, error) {
	b, err := mcpb.NewBundle(bytes.NewReader(data), int64(len(data)), "test.mcpb", mcpb.Limits{})
	if err != nil {
		return nil, err
	}
	return b.Verify(trust, time.Now())
}

func never(int, byte, *signature.Report) bool { return false }

func TestOneFlippedByteInOursIsFound(t *testing.T) {
	t.Parallel()
	pki := testsupport.NewPKI(t)
	root := pki.SelfSigned("root", "rsa", "root")
	pki.Issue("root", "middle", "P-256", "ca")
	pki.Issue("root", "tsa", "rsa", "stamp")
	pki.Issue("middle", "signer", "P-256", "code")
	pki.Issue("root", "rsasigner", "rsa", "code")
	pki.SelfSigned("self", "P-256", "code")
	trust := signature.Trust{Roots: []*x509.Certificate{root}}
	t.Run("chain and timestamp", func(t *testing.T) {
		t.Parallel()
		signed := sign(t, plain("c"), identity(t, pki, "signer", "middle"), stamper(t, pki.TSA("tsa")))
		allFlipsAreFound(t, signed, trust, never)
	})
	t.Run("RSA with its root inside", func(t *testing.T) {
		t.Parallel()
		allFlipsAreFound(t, sign(t, plain(""), identity(t, pki, "rsasigner", "root"), nil), signature.Trust{}, never)
	})
	t.Run("RSA whose root nobody knows", func(t *testing.T) {
		t.Parallel()
		allFlipsAreFound(t, sign(t, plain(""), identity(t, pki, "rsasigner"), nil), signature.Trust{}, never)
	})
	t.Run("self-signed", func(t *testing.T) {
		t.Parallel()
		allFlipsAreFound(t, sign(t, plain(""), identity(t, pki, "self"), nil), signature.Trust{}, never)
	})
}

// reference gives the reference's program, or skips.
func reference(t testing.TB) string {
	t.Helper()
	name, err := filepath.Abs("../../testdata/npm/node_modules/.bin/mcpb")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("node is not installed: make deps")
	}
	if _, err := exec.LookPath(name); err != nil {
		t.Skip("the reference is not installed: make deps")
	}
	return name
}

// referenceSigns has the reference sign data with a certificate and key.
func referenceSigns(t testing.TB, pki *testsupport.PKI, data []byte, name string, more ...string) []byte {
	t.Helper()
	file := filepath.Join(t.TempDir(), "theirs.mcpb")
	write(t, file, data)
	args := append([]string{reference(t), "sign", file, "-c", pki.Path(name + ".crt"), "-k", pki.Path(name + ".key")}, more...)
	if out, err := exec.Command("node", args...).CombinedOutput(); err != nil {
		t.Fatalf("the reference does not sign: %v\n%s", err, out)
	}
	return read(t, file)
}

// The reference leaves the comment's length at 0. A later version counts the block in after signing, which is one change
// of the length that anybody can make: the file is then that version's, byte for byte, and what was signed is the same.
// When the block's length is a multiple of 256, that is a change of one byte. And the reference does not sign which
// certificates it puts in: what is changed in one whose issuer is not inside makes it another signer's, untrusted.
func TestOneFlippedByteInTheReferencesIsFound(t *testing.T) {
	t.Parallel()
	pki := testsupport.NewPKI(t)
	root := pki.SelfSigned("root", "rsa", "root") // of a certificate signed with ECDSA the reference changes the bytes
	pki.Issue("root", "middle", "rsa", "ca")
	pki.Issue("middle", "signer", "rsa", "code")
	signed := referenceSigns(t, pki, plain(""), "signer", "-i", pki.Path("middle.crt"))
	block := len(signed) - bytes.LastIndex(signed, []byte(signature.Magic))
	lengthAt := len(signed) - block - 2
	benign := func(at int, mask byte, rep *signature.Report) bool {
		if rep.Status != signature.Trusted {
			return true
		}
		changed := bytes.Clone(signed)
		changed[at] ^= mask
		return at >= lengthAt && at < lengthAt+2 && int(binary.LittleEndian.Uint16(changed[lengthAt:])) == block
	}
	allFlipsAreFound(t, signed, signature.Trust{Roots: []*x509.Certificate{root}}, benign)

	patched := bytes.Clone(signed)
	binary.LittleEndian.PutUint16(patched[lengthAt:], uint16(block))
	rep := verify(t, patched, signature.Trust{Roots: []*x509.Certificate{root}})
	if rep.Status != signature.Trusted || rep.Variant != signature.Reduced {
		t.Errorf("variant B: %+v", rep)
	}
	out := filepath.Join(t.TempDir(), "unsigned")
	if err := open(t, patched).Unsign(t.Context(), out, false); err != nil || !bytes.Equal(read(t, out), plain("")) {
		t.Errorf("unsigning variant B: %v, or other bytes", err)
	}
}
