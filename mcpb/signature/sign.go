package signature

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"satchel/internal/problem"
)

// An Identity is who signs. Make it with [NewIdentity].
type Identity struct {
	Path []*x509.Certificate // the signer's certificate, then its issuers as far as they go into the bundle
	Key  crypto.Signer       // nil: another machine signs; see [Prepare]
}

// NewIdentity puts together a signer's certificate, the certificates of its issuers in any order, and its key (nil when
// another machine has it). Errors are *problem.Problems: a key that does not belong to the certificate, a key of a kind
// that bundles are not signed with, a certificate that is not for signing code or not valid now, a certificate that is
// not one of the signer's issuers.
func NewIdentity(signer *x509.Certificate, issuers []*x509.Certificate, key crypto.Signer, now time.Time) (*Identity, error) {
	who := name(signer.Subject.String())
	switch signer.PublicKey.(type) {
	case *rsa.PublicKey, *ecdsa.PublicKey:
	default:
		return nil, problem.New(problem.Invalid, "sign/key", "%s keys cannot sign bundles: the format has RSA and ECDSA", keyName(signer.PublicKey)).At(who)
	}
	if why := weakness(signer); why != "" {
		return nil, problem.New(problem.Invalid, "sign/key", "%s", why).At(who)
	}
	if key != nil && !samePublic(key.Public(), signer.PublicKey) {
		return nil, problem.New(problem.Invalid, "sign/key-match", "the key does not belong to the certificate").At(who).
			Try("see which key it is: openssl x509 -in CERT -noout -pubkey; openssl pkey -in KEY -pubout")
	}
	if why := usageOf(signer); why != "" {
		return nil, problem.New(problem.Invalid, "sign/usage", "%s", why).At(who)
	}
	if why := invalidAt([]*x509.Certificate{signer}, nil, now); why != "" {
		return nil, problem.New(problem.Invalid, "sign/validity", "%s", why).At(who)
	}
	path := []*x509.Certificate{signer}
	for rest := slices.Clone(issuers); len(rest) > 0; {
		last := path[len(path)-1]
		i := slices.IndexFunc(rest, func(c *x509.Certificate) bool { return !selfIssued(last) && last.CheckSignatureFrom(c) == nil })
		if i < 0 {
			return nil, problem.New(problem.Invalid, "sign/chain", "is not an issuer of the signer's certificate").At(name(rest[0].Subject.String()))
		}
		path, rest = append(path, rest[i]), slices.Delete(rest, i, i+1)
	}
	if len(path) > maxCerts {
		return nil, problem.New(problem.Invalid, "sign/chain", "the chain has %d certificates; at most %d go into a bundle", len(path), maxCerts)
	}
	return &Identity{path, key}, nil
}

func samePublic(a, b crypto.PublicKey) bool {
	key, ok := a.(interface{ Equal(crypto.PublicKey) bool })
	return ok && key.Equal(b)
}

// A Stamper gives an RFC 3161 token over what a digest (SHA-256) is of.
type Stamper func(ctx context.Context, digest []byte) (token []byte, err error)

// A Content is a bundle that is to be signed.
type Content struct {
	Room   int                    // the largest block that fits: a ZIP comment, less the comment that is there
	Digest func(block int) []byte // SHA-256 of all that stands before a block of so many bytes: the comment's length counts it in
}

// The bytes that are kept free for a timestamp whose size is not known yet, and the least padding: above it every
// length of DER that encloses it has three bytes, so that one zero more makes the whole one byte longer.
const (
	tokenRoom  = 10 << 10
	minPadding = 256
)

// A Request is a signature that is wanted: Digest is what the signer's key has to sign. It can be kept as JSON between
// the two steps of signing with a key that another machine has.
type Request struct {
	Certificates [][]byte `json:"certificates"` // DER, the signer's first
	Attributes   []byte   `json:"attributes"`   // the signed attributes
	Content      []byte   `json:"content"`      // SHA-256 of what stands before the block
	Block        int      `json:"block"`        // its size in bytes
}

// Digest is the SHA-256 that is to be signed: PKCS #1 v1.5 for RSA keys.
func (r *Request) Digest() []byte { return sum(crypto.SHA256, r.Attributes) }

// Signer describes the certificate of who is to sign.
func (r *Request) Signer() (*Certificate, error) {
	path, err := r.path()
	if err != nil {
		return nil, err
	}
	c := Describe(path[0])
	return &c, nil
}

func (r *Request) path() (path []*x509.Certificate, err error) {
	for _, der := range r.Certificates {
		c, bad := x509.ParseCertificate(der)
		path, err = append(path, c), errors.Join(err, bad)
	}
	if err != nil || len(path) == 0 || len(r.Attributes) == 0 {
		return nil, problem.New(problem.Invalid, "sign/request", "the request is damaged").Because(err)
	}
	return path, nil
}

// Prepare makes the request for a signature by who at a time; with room for a timestamp when it will be stamped. The key
// is not used.
func Prepare(content Content, who *Identity, at time.Time, stamped bool) (*Request, error) {
	if stamped {
		return prepare(content, who, at, tokenRoom)
	}
	return prepare(content, who, at, 0)
}

// prepare keeps room for a timestamp of token bytes; 0: none.
func prepare(content Content, who *Identity, at time.Time, token int) (*Request, error) {
	at = at.UTC().Truncate(time.Second)
	d := signedData{path: who.Path, signature: make([]byte, maxSignatureSize(who.Path[0])), padding: -1}
	if _, fixed := who.Path[0].PublicKey.(*rsa.PublicKey); !fixed || token > 0 {
		d.padding = minPadding
	}
	if token > 0 {
		d.token = make([]byte, token)
	}
	attrs, err := signedAttributes(make([]byte, sha256.Size), at, who.Path)
	if err != nil {
		return nil, err
	}
	d.attrs = attrs
	der, err := d.encode()
	if err != nil {
		return nil, err
	}
	size := len(der) + overhead
	if size > content.Room {
		return nil, problem.New(problem.Invalid, "sign/size", "the signature block would have %d bytes; %d fit beside the comment", size, content.Room).
			Try("give fewer certificates")
	}
	r := &Request{Content: content.Digest(size), Block: size}
	for _, c := range who.Path {
		r.Certificates = append(r.Certificates, c.Raw)
	}
	r.Attributes, err = signedAttributes(r.Content, at, who.Path)
	return r, err
}

// Complete makes the block of a request and the key's signature (of ECDSA keys in DER or as r||s), with a timestamp
// unless stamp is nil. It refuses another content than that of the request, a signature that does not fit, and a
// timestamp that is larger than the room kept for it.
func Complete(ctx context.Context, content Content, r *Request, signature []byte, stamp Stamper) ([]byte, error) {
	if r.Block > content.Room || !bytes.Equal(content.Digest(r.Block), r.Content) {
		return nil, problem.New(problem.Invalid, "sign/changed", "this is not the bundle that the request was made for").Try("begin again with --digest-out")
	}
	path, err := r.path()
	if err != nil {
		return nil, err
	}
	d := signedData{path: path, attrs: r.Attributes, padding: -1}
	d.signature = asDER(d.path[0], signature)
	if err := madeBy(d.path[0], d.attrs, d.signature); err != nil {
		return nil, err
	}
	if stamp != nil {
		token, err := stamp(ctx, sum(crypto.SHA256, d.signature))
		if err != nil {
			return nil, err
		}
		d.token = token
	}
	der, err := d.fill(r.Block - overhead)
	if err != nil {
		return nil, err
	}
	return wrap(der), selfCheck(der, r.Content)
}

// madeBy refuses a signature that the key did not make over the request, before it costs a timestamp.
func madeBy(signer *x509.Certificate, attrs, signature []byte) error {
	algorithm := x509.ECDSAWithSHA256
	if _, ok := signer.PublicKey.(*rsa.PublicKey); ok {
		algorithm = x509.SHA256WithRSA
	}
	if signer.CheckSignature(algorithm, attrs, signature) == nil {
		return nil
	}
	return problem.New(problem.Invalid, "sign/check", "the key of this certificate did not make the signature, %d bytes, of the digest that was to be signed", len(signature)).
		At(name(signer.Subject.String())).
		Try("sign the digest as it is (openssl pkeyutl -sign; dgst -sign would hash it again) and give the bytes, not base64")
}

// fill encodes to a size by padding.
func (d signedData) fill(size int) ([]byte, error) {
	der, err := d.encode()
	if err != nil || len(der) == size {
		return der, err
	}
	d.padding = minPadding
	if der, err = d.encode(); err != nil {
		return nil, err
	}
	if d.padding += size - len(der); d.padding < minPadding {
		large := tooLarge{minPadding - d.padding}
		return nil, problem.New(problem.Invalid, "sign/size", "the signature block does not fit the room kept for it").Because(large).
			Try("sign without a timestamp, or with the key at hand")
	}
	return d.encode()
}

// tooLarge says by how many bytes a block does not fit the size reserved for it.
type tooLarge struct{ by int }

func (e tooLarge) Error() string { return fmt.Sprintf("it is %d bytes too large", e.by) }

// selfCheck holds what was made to the rules of Verify, so that nothing is written that would be refused later.
func selfCheck(der, content []byte) error {
	c, err := parseCMS(der, bundleForm())
	if err == nil {
		err = c.check()
	}
	if err == nil && c.token != nil {
		_, _, err = verifyToken(c.token, c.signature, Trust{}, time.Now())
	}
	if err == nil && (!bytes.Equal(c.digest, content) || !c.namesPath()) {
		err = problem.New(problem.Failed, "sign/check", "the block is for another content")
	}
	if err != nil {
		return problem.New(problem.Invalid, "sign/check", "the signature does not hold").Because(err)
	}
	return nil
}

// asDER gives an ECDSA signature as DER when it is r||s, as many hardware modules give it; others as they are.
func asDER(c *x509.Certificate, sig []byte) []byte {
	key, ok := c.PublicKey.(*ecdsa.PublicKey)
	if !ok || len(sig) != 2*((key.Curve.Params().BitSize+7)/8) {
		return sig
	}
	p := &parser{}
	ints := p.only(sig, asn1.SEQUENCE, "the signature")
	p.in(&ints, asn1.INTEGER, "r")
	if p.only(ints, asn1.INTEGER, "s"); p.err == nil {
		return sig // a short one may have the length of r||s
	}
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1BigInt(new(big.Int).SetBytes(sig[:len(sig)/2]))
		b.AddASN1BigInt(new(big.Int).SetBytes(sig[len(sig)/2:]))
	})
	return b.BytesOrPanic()
}

// Sign makes the block for a content, with a timestamp unless stamp is nil.
func Sign(ctx context.Context, content Content, who *Identity, at time.Time, stamp Stamper) ([]byte, error) {
	if who.Key == nil {
		return nil, problem.New(problem.Usage, "sign/key", "there is no key to sign with").At(name(who.Path[0].Subject.String()))
	}
	room := 0
	if stamp != nil {
		room = tokenRoom
	}
	for {
		r, err := prepare(content, who, at, room)
		if err != nil {
			return nil, err
		}
		sig, err := who.Key.Sign(rand.Reader, r.Digest(), crypto.SHA256)
		if err != nil {
			return nil, problem.New(problem.Failed, "sign/key", "the key did not sign").Because(err)
		}
		block, err := Complete(ctx, content, r, sig, stamp)
		if large, ok := errors.AsType[tooLarge](err); ok && room > 0 { // the size of the next one will be the same, or nearly
			room += large.by + minPadding
			continue
		}
		return block, err
	}
}
