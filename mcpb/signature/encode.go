package signature

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	encasn1 "encoding/asn1"
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// attribute writes an attribute of one value.
func attribute(b *cryptobyte.Builder, id encasn1.ObjectIdentifier, value func(b *cryptobyte.Builder)) {
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(id)
		b.AddASN1(asn1.SET, value)
	})
}

// signedAttributes makes the SET that is signed, in DER's order: for these four that is the order of their lengths. The
// certificates are named in it so that not even one that nobody vouches for can be exchanged.
func signedAttributes(digest []byte, at time.Time, path []*x509.Certificate) ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(asn1.SET, func(b *cryptobyte.Builder) {
		attribute(b, oidContentType(), func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(oidData()) })
		attribute(b, oidSigningTime(), func(b *cryptobyte.Builder) {
			if at.Year() < 2050 {
				b.AddASN1UTCTime(at)
			} else {
				b.AddASN1GeneralizedTime(at)
			}
		})
		attribute(b, oidMessageDigest(), func(b *cryptobyte.Builder) { b.AddASN1OctetString(digest) })
		attribute(b, oidSigningCertV2(), func(b *cryptobyte.Builder) {
			b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
					for _, c := range path {
						sum := sha256.Sum256(c.Raw)
						b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddASN1OctetString(sum[:]) })
					}
				})
			})
		})
	})
	return b.Bytes()
}

// A signedData is what goes into a block.
type signedData struct {
	path      []*x509.Certificate
	attrs     []byte // from signedAttributes
	signature []byte
	token     []byte // nil: no timestamp
	padding   int    // bytes of zeros; negative: no padding
}

func (d signedData) encode() ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(oidSignedData())
		b.AddASN1(tag0, func(b *cryptobyte.Builder) {
			b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1Int64(1)
				b.AddASN1(asn1.SET, addSHA256)
				b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(oidData()) })
				b.AddASN1(tag0, func(b *cryptobyte.Builder) {
					for _, c := range d.path {
						b.AddBytes(c.Raw)
					}
				})
				b.AddASN1(asn1.SET, func(b *cryptobyte.Builder) { b.AddASN1(asn1.SEQUENCE, d.addSigner) })
			})
		})
	})
	return b.Bytes()
}

// addSHA256 writes the AlgorithmIdentifier as the reference does, with NULL.
func addSHA256(b *cryptobyte.Builder) {
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(oidSHA256())
		b.AddASN1NULL()
	})
}

func (d signedData) addSigner(b *cryptobyte.Builder) {
	leaf := d.path[0]
	b.AddASN1Int64(1)
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(leaf.RawIssuer)
		b.AddASN1BigInt(leaf.SerialNumber)
	})
	addSHA256(b)
	b.AddBytes(append([]byte{byte(tag0)}, d.attrs[1:]...))
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		if _, ok := leaf.PublicKey.(*rsa.PublicKey); ok {
			b.AddASN1ObjectIdentifier(oidRSA())
			b.AddASN1NULL()
		} else {
			b.AddASN1ObjectIdentifier(oidECDSASHA256())
		}
	})
	b.AddASN1OctetString(d.signature)
	if d.token == nil && d.padding < 0 {
		return
	}
	b.AddASN1(tag1, d.addUnsigned)
}

// addUnsigned writes the timestamp and the padding in DER's order.
func (d signedData) addUnsigned(b *cryptobyte.Builder) {
	var stamp, padding cryptobyte.Builder
	if d.token != nil {
		attribute(&stamp, oidTimestamp(), func(b *cryptobyte.Builder) { b.AddBytes(d.token) })
	}
	if d.padding >= 0 {
		attribute(&padding, oidPadding(), func(b *cryptobyte.Builder) { b.AddASN1OctetString(make([]byte, d.padding)) })
	}
	first, second := stamp.BytesOrPanic(), padding.BytesOrPanic()
	if string(first) > string(second) {
		first, second = second, first
	}
	b.AddBytes(first)
	b.AddBytes(second)
}

// maxSignatureSize is the largest signature of a key in bytes.
func maxSignatureSize(c *x509.Certificate) int {
	switch key := c.PublicKey.(type) {
	case *rsa.PublicKey:
		return key.Size()
	case *ecdsa.PublicKey:
		return 9 + 2*((key.Curve.Params().BitSize+7)/8) // two integers with a sign byte each, and their headers
	}
	return 0
}
