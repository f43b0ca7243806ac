package signature

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	_ "crypto/sha1" // older timestamping authorities name their certificate by it
	_ "crypto/sha256"
	_ "crypto/sha512"
	"crypto/x509"
	encasn1 "encoding/asn1"
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// A form says which of the two kinds of SignedData is parsed.
type form struct {
	version  int
	content  encasn1.ObjectIdentifier
	detached bool
	hashes   []hashAlg
	more     bool // other signed attributes are accepted: the signature covers them
	unsigned bool // there may be unsigned attributes
}

// bundleForm is the one form of a bundle's signature, tokenForm that of an RFC 3161 token.
func bundleForm() form {
	return form{version: 1, content: oidData(), detached: true, hashes: hashAlgs()[:1], unsigned: true}
}

func tokenForm() form {
	return form{version: 3, content: oidTSTInfo(), hashes: hashAlgs(), more: true}
}

// A cms is a SignedData with exactly one signer, of which every byte was understood.
type cms struct {
	content     []byte              // nil when detached
	path        []*x509.Certificate // the signer's certificate, then each one's issuer, as far as they are inside
	hash        hashAlg
	attrs       []byte // the signed attributes as they are signed
	digest      []byte // the signed attribute messageDigest
	signingTime *time.Time
	certIDs     [][]certID // lists of digests of certificates in the signed attributes, each with the signer's first
	algorithm   x509.SignatureAlgorithm
	signature   []byte
	token       []byte // the unsigned attribute with the RFC 3161 token
}

// The context-specific tags [0] and [1], constructed.
const tag0, tag1 = asn1.Tag(0xa0), asn1.Tag(0xa1)

// parseCMS takes a SignedData apart. The error says what is wrong without a subject.
func parseCMS(der []byte, f form) (*cms, error) {
	p, c := &parser{}, &cms{}
	info := p.only(der, asn1.SEQUENCE, "the CMS")
	if id := p.oid(&info, "the content type"); !id.Equal(oidSignedData()) {
		p.fail("it is no SignedData")
	}
	sd := p.only(p.only(info, tag0, "the SignedData"), asn1.SEQUENCE, "the SignedData")
	p.version(&sd, f.version, "the SignedData")
	c.hash = p.digests(&sd, f)
	c.readContent(p, &sd, f)
	certs := p.certificates(p.in(&sd, tag0, "the list of certificates"))
	signer := p.only(p.only(sd, asn1.SET, "the list of signers"), asn1.SEQUENCE, "the only signer")
	c.readSigner(p, signer, certs, f)
	return c, p.err
}

// digests takes the set of digest algorithms, which must be one.
func (p *parser) digests(sd *cryptobyte.String, f form) hashAlg {
	set := p.in(sd, asn1.SET, "the list of digests")
	h := p.hash(&set, f.hashes, "the digest of the SignedData")
	p.end(set, "the only digest")
	return h
}

func (c *cms) readContent(p *parser, sd *cryptobyte.String, f form) {
	encap := p.in(sd, asn1.SEQUENCE, "the content")
	if id := p.oid(&encap, "the type of the content"); !id.Equal(f.content) {
		p.fail("the content has another type")
	}
	if !f.detached {
		c.content = p.only(p.in(&encap, tag0, "the content"), asn1.OCTET_STRING, "the content")
	}
	p.end(encap, "the content")
}

// The bounds of the work: a path is short, and the cost of a key grows with more than the square of its size.
const (
	maxCerts   = 10
	maxRSABits = 16 << 10
)

func (p *parser) certificates(set cryptobyte.String) (certs []*x509.Certificate) {
	for p.err == nil && !set.Empty() {
		if len(certs) == maxCerts {
			p.fail("it holds more than %d certificates", maxCerts)
			break
		}
		der := p.element(&set, asn1.SEQUENCE, "a certificate")
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			p.fail("a certificate cannot be read: %v", err)
			break
		}
		p.nothingElse(der)
		if key, ok := cert.PublicKey.(*rsa.PublicKey); ok && key.N.BitLen() > maxRSABits {
			p.fail("a certificate has an RSA key of %d bits; at most %d are accepted", key.N.BitLen(), maxRSABits)
		}
		p.year(cert.NotBefore)
		p.year(cert.NotAfter)
		certs = append(certs, cert)
	}
	return certs
}

// nothingElse demands that a certificate is what its issuer signed, the algorithm, and the signature: x509 lets more
// follow, and takes a signature that is shifted by some bits.
func (p *parser) nothingElse(der []byte) {
	cert := p.only(der, asn1.SEQUENCE, "a certificate")
	p.element(&cert, asn1.SEQUENCE, "what a certificate says")
	p.element(&cert, asn1.SEQUENCE, "the algorithm of a certificate")
	signature := p.in(&cert, asn1.BIT_STRING, "the signature of a certificate")
	p.end(cert, "a certificate's signature")
	if p.err == nil && (len(signature) == 0 || signature[0] != 0) {
		p.fail("the signature of a certificate is not of whole bytes")
	}
}

func (c *cms) readSigner(p *parser, s cryptobyte.String, certs []*x509.Certificate, f form) {
	p.version(&s, 1, "the signer")
	sid := p.in(&s, asn1.SEQUENCE, "the signer's name")
	issuer := p.element(&sid, asn1.SEQUENCE, "the issuer's name")
	serial := p.element(&sid, asn1.INTEGER, "the serial number")
	p.end(sid, "the signer's name")
	h := p.hash(&s, f.hashes, "the signer's digest")
	if p.err == nil && h.hash != c.hash.hash {
		p.fail("the two names of the digest differ")
	}
	attrs := p.element(&s, tag0, "the list of signed attributes")
	c.attrs = bytes.Clone(attrs)
	if p.err == nil {
		c.attrs[0] = byte(asn1.SET) // RFC 5652 5.4: signed under the tag of a SET
		c.readSigned(p, p.only(c.attrs, asn1.SET, "the signed attributes"), f)
	}
	c.readPath(p, certs, issuer, serial)
	c.readAlgorithm(p, &s)
	c.signature = p.in(&s, asn1.OCTET_STRING, "the signature")
	if f.unsigned && !s.Empty() {
		c.readUnsigned(p, p.in(&s, tag1, "the list of unsigned attributes"))
	}
	p.end(s, "the signer")
}

// readAlgorithm takes the signature algorithm, for which there is one name per kind of key: whoever could exchange it for
// another name of the same would change the file without breaking the signature.
func (c *cms) readAlgorithm(p *parser, s *cryptobyte.String) {
	id, null := p.algorithm(s, "the signature algorithm")
	if p.err != nil {
		return
	}
	switch c.path[0].PublicKey.(type) {
	case *rsa.PublicKey:
		if c.algorithm = c.hash.withRSA; id.Equal(oidRSA()) && null {
			return
		}
	case *ecdsa.PublicKey:
		if c.algorithm = c.hash.withECDSA; id.Equal(c.hash.ecdsa) && !null {
			return
		}
	}
	p.fail("the signature algorithm %v is none that is accepted for this key", id)
}

// readPath orders the certificates from the signer's upwards. One that has no place on the path is refused: nothing
// would protect it.
func (c *cms) readPath(p *parser, certs []*x509.Certificate, issuer, serial []byte) {
	next := func(fits func(*x509.Certificate) bool) bool {
		for i, cert := range certs {
			if fits(cert) {
				c.path = append(c.path, cert)
				certs = append(certs[:i:i], certs[i+1:]...)
				return true
			}
		}
		return false
	}
	if p.err != nil {
		return
	}
	if !next(func(cert *x509.Certificate) bool {
		number, err := encasn1.Marshal(cert.SerialNumber)
		return err == nil && bytes.Equal(cert.RawIssuer, issuer) && bytes.Equal(number, serial)
	}) {
		p.fail("the signer's certificate is not inside")
		return
	}
	for len(certs) > 0 {
		last := c.path[len(c.path)-1]
		if selfIssued(last) || !next(func(cert *x509.Certificate) bool { return bytes.Equal(cert.RawSubject, last.RawIssuer) }) {
			p.fail("it holds a certificate that is not on the signer's path")
			return
		}
	}
}

func selfIssued(c *x509.Certificate) bool { return bytes.Equal(c.RawIssuer, c.RawSubject) }

// attribute takes an attribute with exactly one value, and gives that with what is left of its set.
func (p *parser) attribute(s *cryptobyte.String) (encasn1.ObjectIdentifier, cryptobyte.String) {
	attr := p.in(s, asn1.SEQUENCE, "an attribute")
	id := p.oid(&attr, "an attribute's type")
	return id, p.only(attr, asn1.SET, "an attribute's value")
}

// readSigned takes the signed attributes, each at most once.
func (c *cms) readSigned(p *parser, s cryptobyte.String, f form) {
	seen := map[string]bool{}
	for p.err == nil && !s.Empty() {
		id, value := p.attribute(&s)
		if seen[id.String()] {
			p.fail("the signed attribute %v is there twice", id)
		}
		seen[id.String()] = true
		switch {
		case p.err != nil:
		case id.Equal(oidContentType()):
			if is := p.oid(&value, "the signed content type"); !is.Equal(f.content) {
				p.fail("another type of content was signed")
			}
			p.end(value, "the signed content type")
		case id.Equal(oidMessageDigest()):
			c.digest = p.only(value, asn1.OCTET_STRING, "the digest")
		case id.Equal(oidSigningTime()):
			c.signingTime = p.time(value)
		case id.Equal(oidSigningCertV2()):
			c.readCertIDs(p, value, crypto.SHA256)
		case id.Equal(oidSigningCert()) && f.more:
			c.readCertIDs(p, value, crypto.SHA1)
		case !f.more:
			p.fail("the signed attribute %v is not understood", id)
		}
	}
	if p.err == nil && (!seen[oidContentType().String()] || c.digest == nil) {
		p.fail("a signed attribute is missing")
	}
}

// time takes a Time: UTCTime until 2049, then GeneralizedTime (RFC 5652 11.3).
func (p *parser) time(s cryptobyte.String) *time.Time {
	var t time.Time
	ok := p.err == nil
	if s.PeekASN1Tag(asn1.UTCTime) {
		ok = ok && s.ReadASN1UTCTime(&t)
	} else {
		ok = ok && s.ReadASN1GeneralizedTime(&t)
	}
	if !ok || !s.Empty() {
		p.fail("the signing time is no time")
	}
	t = t.UTC()
	p.year(t)
	return &t
}

// year refuses a time that an offset moves out of the years that can be written: reports could not be encoded.
func (p *parser) year(t time.Time) {
	if y := t.UTC().Year(); y < 0 || y > 9999 {
		p.fail("the year %d is none", y)
	}
}

// A certID names a certificate by its digest.
type certID struct {
	hash crypto.Hash
	sum  []byte
}

func (id certID) fits(cert *x509.Certificate) bool {
	h := id.hash.New()
	h.Write(cert.Raw)
	return bytes.Equal(h.Sum(nil), id.sum)
}

// readCertIDs takes the list of a SigningCertificate or SigningCertificateV2 (RFC 5035), whose usual digest is given.
func (c *cms) readCertIDs(p *parser, s cryptobyte.String, usual crypto.Hash) {
	list := p.only(s, asn1.SEQUENCE, "the list of certificate digests")
	certs := p.in(&list, asn1.SEQUENCE, "the certificate digests")
	var ids []certID
	for p.err == nil && !certs.Empty() {
		one := p.in(&certs, asn1.SEQUENCE, "a certificate digest")
		id := certID{hash: usual}
		if usual != crypto.SHA1 && one.PeekASN1Tag(asn1.SEQUENCE) {
			id.hash = p.hash(&one, hashAlgs(), "the digest of a certificate").hash
		}
		id.sum = p.in(&one, asn1.OCTET_STRING, "a certificate digest")
		ids = append(ids, id)
	}
	if len(ids) == 0 {
		p.fail("a list of certificate digests is empty")
	}
	c.certIDs = append(c.certIDs, ids)
}

// readUnsigned takes the unsigned attributes: our padding, of zeros, and a timestamp; each at most once, in DER's order.
func (c *cms) readUnsigned(p *parser, s cryptobyte.String) {
	var before []byte
	padded := false
	if s.Empty() {
		p.fail("the list of unsigned attributes is empty")
	}
	for p.err == nil && !s.Empty() {
		whole := s
		id, value := p.attribute(&s)
		attr := whole[:len(whole)-len(s)]
		switch {
		case p.err != nil:
		case bytes.Compare(before, attr) >= 0:
			p.fail("the unsigned attributes are not in order")
		case id.Equal(oidTimestamp()) && c.token == nil:
			c.token = value
		case id.Equal(oidPadding()) && !padded:
			padded = true
			if zeros := p.only(value, asn1.OCTET_STRING, "the padding"); len(bytes.Trim(zeros, "\x00")) > 0 {
				p.fail("the padding is not all zeros")
			}
		default:
			p.fail("the unsigned attribute %v is not accepted", id)
		}
		before = attr
	}
}
