package signature_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	encasn1 "encoding/asn1"
	"encoding/binary"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"satchel/internal/testsupport"
	"satchel/mcpb/internal/ziptest"
	"satchel/mcpb/signature"
)

// A stampingParty is a timestamping authority that says whatever an attacker wants.
type stampingParty struct {
	cert *x509.Certificate
	key  *rsa.PrivateKey
}

func newStampingParty(t testing.TB, critical bool) stampingParty {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	usage, err := encasn1.Marshal([]encasn1.ObjectIdentifier{{1, 3, 6, 1, 5, 5, 7, 3, 8}})
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: "anybody"}, NotBefore: time.Now().Add(-24 * time.Hour), NotAfter: time.Now().AddDate(1, 0, 0),
		ExtraExtensions: []pkix.Extension{{Id: encasn1.ObjectIdentifier{2, 5, 29, 37}, Critical: critical, Value: usage}},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return stampingParty{cert, key}
}

// A statement is what a token says; its zero fields are as they should be.
type statement struct {
	of      []byte // what is stamped
	at      time.Time
	more    []byte // bytes in its extensions
	digest  []byte // in the signed attributes
	named   []byte // the digest of the authority's certificate there; empty: it is not named
	content encasn1.ObjectIdentifier
}

func arc9(more ...int) encasn1.ObjectIdentifier {
	return append(encasn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9}, more...)
}

func seq(parts ...[]byte) []byte { return tagged(asn1.SEQUENCE, parts...) }

func tagged(tag asn1.Tag, parts ...[]byte) []byte {
	var b cryptobyte.Builder
	b.AddASN1(tag, func(b *cryptobyte.Builder) { b.AddBytes(bytes.Join(parts, nil)) })
	return b.BytesOrPanic()
}

func value(t testing.TB, v any) []byte {
	t.Helper()
	der, err := encasn1.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func attr(t testing.TB, id encasn1.ObjectIdentifier, v []byte) []byte {
	t.Helper()
	return seq(value(t, id), tagged(asn1.SET, v))
}

// stamp makes the token of a statement.
func (p stampingParty) stamp(t testing.TB, s statement) []byte {
	t.Helper()
	sum := func(b []byte) []byte { d := sha256.Sum256(b); return d[:] }
	hash := seq(value(t, encasn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}))
	if s.at.IsZero() {
		s.at = time.Now()
	}
	var at cryptobyte.Builder
	at.AddASN1GeneralizedTime(s.at.UTC())
	info := seq(value(t, 1), value(t, encasn1.ObjectIdentifier{1, 2, 3}), seq(hash, value(t, sum(s.of))), value(t, 1), at.BytesOrPanic(), tagged(0xa1, value(t, s.more)))
	if s.digest == nil {
		s.digest = sum(info)
	}
	if s.named == nil {
		s.named = sum(p.cert.Raw)
	}
	if s.content == nil {
		s.content = arc9(16, 1, 4)
	}
	attrs := append(attr(t, arc9(3), value(t, s.content)), attr(t, arc9(4), value(t, s.digest))...)
	if len(s.named) > 0 {
		attrs = append(attrs, attr(t, arc9(16, 2, 47), seq(seq(seq(value(t, s.named)))))...)
	}
	sig, err := p.key.Sign(rand.Reader, sum(tagged(asn1.SET, attrs)), crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	signer := seq(value(t, 1), seq(p.cert.RawIssuer, value(t, p.cert.SerialNumber)), hash, tagged(0xa0, attrs),
		seq(value(t, encasn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}), []byte{5, 0}), value(t, sig))
	return seq(value(t, encasn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}), tagged(0xa0, seq(value(t, 3), tagged(asn1.SET, hash),
		seq(value(t, arc9(16, 1, 4)), tagged(0xa0, value(t, info))), tagged(0xa0, p.cert.Raw), tagged(asn1.SET, signer))))
}

// A block is a bundle's CMS, taken apart as far as the unsigned attributes of its signer.
type block struct {
	Type encasn1.ObjectIdentifier
	Data struct {
		Version                 int
		Digests, Content, Certs encasn1.RawValue
		Signers                 []struct {
			Version                 int
			ID, Digest, Attrs, Algo encasn1.RawValue
			Value                   []byte
			Unsigned                encasn1.RawValue `asn1:"optional"`
		} `asn1:"set"`
	} `asn1:"explicit,tag:0"`
}

func blockOf(t testing.TB, signed []byte) (b block, start int) {
	t.Helper()
	start = bytes.LastIndex(signed, []byte(signature.Magic))
	unmarshal(t, signed[start+len(signature.Magic)+4:len(signed)-len(signature.EndMagic)], &b)
	return b, start
}

// rewritten gives the bundle with its block changed.
func rewritten(t testing.TB, signed []byte, change func(b *block)) []byte {
	t.Helper()
	b, start := blockOf(t, signed)
	change(&b)
	der := value(t, b)
	out := binary.LittleEndian.AppendUint32(append(bytes.Clone(signed[:start]), signature.Magic...), uint32(len(der)))
	return append(append(out, der...), signature.EndMagic...)
}

func zeros(t testing.TB, n int) []byte {
	t.Helper()
	return attr(t, encasn1.ObjectIdentifier{2, 25, 1935766627}, value(t, make([]byte, n)))
}

// withUnsigned gives the bundle with other unsigned attributes, and zeros so that the block keeps its size when it has to.
func withUnsigned(t testing.TB, signed []byte, sameSize bool, attrs ...[]byte) []byte {
	t.Helper()
	build := func(attrs ...[]byte) []byte {
		return rewritten(t, signed, func(b *block) {
			b.Data.Signers[0].Unsigned = encasn1.RawValue{FullBytes: tagged(0xa1, attrs...)}
		})
	}
	if !sameSize {
		return build(attrs...)
	}
	filled := func(n int) []byte {
		all := append([][]byte{zeros(t, n)}, attrs...)
		slices.SortFunc(all, bytes.Compare)
		return build(all...)
	}
	const some = 300
	return filled(some + len(signed) - len(filled(some)))
}

// An archive that a timestamp holds, which anybody can make, is not seen by some reader in the place of the signed one:
// adm-zip looks for ZIP64 end records from the end of the file on.
func TestAnArchiveInATimestamp(t *testing.T) {
	t.Parallel()
	pki := testsupport.NewPKI(t)
	pki.SelfSigned("root", "rsa", "root")
	pki.Issue("root", "signer", "rsa", "code")
	pki.Issue("root", "tsa", "rsa", "stamp")
	trust := signature.Trust{Roots: []*x509.Certificate{pki.Cert("root")}}
	anybody := newStampingParty(t, true)
	for name, signed := range map[string][]byte{
		"theirs": referenceSigns(t, pki, plain(""), "signer"),
		"ours":   sign(t, plain(""), identity(t, pki, "signer"), stamper(t, pki.TSA("tsa"))),
	} {
		b, _ := blockOf(t, signed)
		put := func(more []byte) []byte {
			token := anybody.stamp(t, statement{of: b.Data.Signers[0].Value, more: more})
			return withUnsigned(t, signed, name == "ours", attr(t, arc9(16, 2, 14), token))
		}
		if rep, err := look(put([]byte("nothing")), trust); err != nil || rep.Status != signature.Trusted || rep.Timestamp == nil || rep.Timestamp.Trusted {
			t.Fatalf("%s: with anybody's timestamp: %+v, %v", name, rep, err)
		}
		evil := ziptest.Archive{Entries: []ziptest.Entry{ziptest.File("manifest.json", "evil")}, Zip64: true}.Bytes()
		whole := evil[:len(evil)-22] // all but the plain end record
		for what, more := range map[string][]byte{"an archive": whole, "an end record": evil[len(whole):], "a locator": whole[len(whole)-20:], "a ZIP64 record": whole[len(whole)-76 : len(whole)-20]} {
			if rep, err := look(put(more), trust); err == nil {
				t.Errorf("%s: %s in the timestamp: %s", name, what, rep.Status)
			}
		}
	}
}

// What docs/security.md lists as outside of what is signed: it changes neither what is signed nor by whom. What is not
// listed is no freedom.
func TestWhatAnybodyCanChange(t *testing.T) {
	t.Parallel()
	pki := testsupport.NewPKI(t)
	pki.SelfSigned("root", "rsa", "root")
	pki.Issue("root", "middle", "rsa", "ca")
	pki.Issue("middle", "signer", "rsa", "code")
	signed := referenceSigns(t, pki, plain(""), "signer", "-i", pki.Path("middle.crt"))
	anybody := newStampingParty(t, true)
	bare := seq(value(t, encasn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}))
	leaf, middle, root := pki.Cert("signer").Raw, pki.Cert("middle").Raw, pki.Cert("root").Raw
	certs := func(list ...[]byte) func(b *block) {
		return func(b *block) { b.Data.Certs = encasn1.RawValue{FullBytes: tagged(0xa0, list...)} }
	}
	unsigned := func(attrs ...[]byte) func(b *block) {
		return func(b *block) { b.Data.Signers[0].Unsigned = encasn1.RawValue{FullBytes: tagged(0xa1, attrs...)} }
	}
	for name, r := range map[string]struct {
		change func(b *block)
		want   signature.Status
	}{
		"the order of certificates": {certs(middle, leaf), signature.Trusted},
		"one more on the path":      {certs(leaf, middle, root), signature.Trusted},
		"no NULL":                   {func(b *block) { b.Data.Digests = encasn1.RawValue{FullBytes: tagged(asn1.SET, bare)} }, signature.Trusted},
		"no NULL at the signer":     {func(b *block) { b.Data.Signers[0].Digest = encasn1.RawValue{FullBytes: bare} }, signature.Trusted},
		"padding":                   {unsigned(zeros(t, 99)), signature.Trusted},
		"anybody's timestamp": {func(b *block) {
			unsigned(attr(t, arc9(16, 2, 14), anybody.stamp(t, statement{of: b.Data.Signers[0].Value})))(b)
		}, signature.Trusted},
		"a certificate taken out":     {certs(leaf), signature.Untrusted},
		"a certificate twice":         {certs(leaf, leaf, middle), signature.Malformed},
		"a certificate beside":        {certs(leaf, middle, anybody.cert.Raw), signature.Malformed},
		"padding that says something": {unsigned(attr(t, encasn1.ObjectIdentifier{2, 25, 1935766627}, value(t, []byte("x")))), signature.Malformed},
		"padding twice":               {unsigned(zeros(t, 9), zeros(t, 10)), signature.Malformed},
		"no unsigned attribute":       {unsigned(), signature.Malformed},
		"another unsigned attribute":  {unsigned(attr(t, arc9(6), value(t, []byte("x")))), signature.Malformed},
		"two signers":                 {func(b *block) { b.Data.Signers = append(b.Data.Signers, b.Data.Signers[0]) }, signature.Malformed},
		"no signer":                   {func(b *block) { b.Data.Signers = b.Data.Signers[:0] }, signature.Malformed},
		"content": {func(b *block) {
			b.Data.Content = encasn1.RawValue{FullBytes: seq(value(t, encasn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}), tagged(0xa0, value(t, []byte("x"))))}
		}, signature.Malformed},
		"two digests":                   {func(b *block) { b.Data.Digests = encasn1.RawValue{FullBytes: tagged(asn1.SET, bare, bare)} }, signature.Malformed},
		"another version":               {func(b *block) { b.Data.Version = 3 }, signature.Malformed},
		"another version of the signer": {func(b *block) { b.Data.Signers[0].Version = 3 }, signature.Malformed},
		"no signed attributes":          {func(b *block) { b.Data.Signers[0].Attrs = encasn1.RawValue{FullBytes: []byte{0xa0, 0}} }, signature.Malformed},
	} {
		rep := verify(t, rewritten(t, signed, r.change), signature.Trust{Roots: []*x509.Certificate{pki.Cert("root")}})
		if rep.Status != r.want || r.want == signature.Trusted && rep.Fingerprint != signature.Fingerprint(pki.Cert("signer")) {
			t.Errorf("%s: %+v, want %s", name, rep, r.want)
		}
	}
}

// A token that does not hold makes a bundle one that was tampered with; one that holds and says something odd does not
// count. Neither helps an expired signer.
func TestTokens(t *testing.T) {
	t.Parallel()
	pki := testsupport.NewPKI(t)
	pki.SelfSigned("root", "rsa", "root")
	pki.Issue("root", "signer", "rsa", "code")
	pki.Issue("root", "old", "rsa", "code", "200101", "210101")
	known, lax, stranger := newStampingParty(t, true), newStampingParty(t, false), newStampingParty(t, true)
	trust := signature.Trust{Roots: []*x509.Certificate{pki.Cert("root"), known.cert, lax.cert}}
	signed, tooLate := referenceSigns(t, pki, plain(""), "signer"), referenceSigns(t, pki, plain(""), "old")
	valueOf := func(signed []byte) []byte {
		b, _ := blockOf(t, signed)
		return b.Data.Signers[0].Value
	}
	sig, cert := valueOf(signed), pki.Cert("signer")
	other := make([]byte, 32)
	for name, r := range map[string]struct {
		party   stampingParty
		says    statement
		want    signature.Status
		because string
	}{
		"right":                           {known, statement{of: sig}, signature.Trusted, ""},
		"a stranger":                      {stranger, statement{of: sig}, signature.Trusted, "does not count: no trusted authority"},
		"of another signature":            {known, statement{of: sig[1:]}, signature.Tampered, "another signature"},
		"changed afterwards":              {known, statement{of: sig, digest: other}, signature.Tampered, "not what was signed"},
		"names another certificate":       {known, statement{of: sig, named: other}, signature.Tampered, "another certificate"},
		"names no certificate":            {known, statement{of: sig, named: []byte{}}, signature.Tampered, "does not name"},
		"signed as something else":        {known, statement{of: sig, content: arc9(16, 1, 2)}, signature.Tampered, "another type"},
		"not for timestamps only":         {lax, statement{of: sig}, signature.Tampered, "not for timestamps only"},
		"from the future":                 {known, statement{of: sig, at: time.Now().Add(time.Hour)}, signature.Trusted, "from the future"},
		"before its authority's time":     {known, statement{of: sig, at: known.cert.NotBefore.AddDate(0, 0, -9)}, signature.Trusted, "no trusted authority"},
		"before the signer's certificate": {known, statement{of: sig, at: cert.NotBefore.Add(-time.Hour)}, signature.Expired, "valid only from"},
	} {
		token := r.party.stamp(t, r.says)
		rep := verify(t, withUnsigned(t, signed, false, attr(t, arc9(16, 2, 14), token)), trust)
		if why := strings.Join(rep.Reasons, "; "); rep.Status != r.want || !strings.Contains(why, r.because) {
			t.Errorf("%s: %s (%s), want %s (%s)", name, rep.Status, why, r.want, r.because)
		}
	}
	for name, says := range map[string]statement{"now": {}, "in time, as a stranger says": {at: pki.Cert("old").NotBefore.Add(time.Hour)}} {
		party := known
		if !says.at.IsZero() {
			party = stranger
		}
		says.of = valueOf(tooLate)
		if rep := verify(t, withUnsigned(t, tooLate, false, attr(t, arc9(16, 2, 14), party.stamp(t, says))), trust); rep.Status != signature.Expired {
			t.Errorf("an expired signer with a timestamp of %s: %+v", name, rep)
		}
	}
	token := attr(t, arc9(16, 2, 14), known.stamp(t, statement{of: sig}))
	later := attr(t, arc9(16, 2, 14), known.stamp(t, statement{of: sig, at: time.Now().Add(-time.Minute)}))
	for name, attrs := range map[string][][]byte{"twice": {token, token}, "two": {token, later}, "two, turned around": {later, token}, "two in one": {attr(t, arc9(16, 2, 14), append(bytes.Clone(token), token...))}, "none": {attr(t, arc9(16, 2, 14), nil)}} {
		if rep := verify(t, withUnsigned(t, signed, false, attrs...), trust); rep.Status.Intact() {
			t.Errorf("%s: %+v", name, rep)
		}
	}
}
