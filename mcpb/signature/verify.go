package signature

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"time"

	"satchel/internal/hashio"
)

// A Layout says where the parts at the end of a bundle are. Package mcpb makes it of an archive that it has checked.
type Layout struct {
	Size     int64   // of the file in bytes
	LengthAt int64   // where the end record holds the comment's length, two bytes; the comment follows
	Length   int     // that length
	Blocks   []Block // the outermost first
}

// Verify looks at the outermost signature of a bundle. It reads the file once from front to back and keeps little of it.
// The error is that of reading; everything else is in the report. Certificates are held to the moment of a timestamp
// when there is one by a trusted authority, else to now.
func Verify(r io.ReaderAt, l Layout, t Trust, now time.Time) (*Report, error) {
	rep := &Report{Status: Unsigned, Reasons: []string{}, Chain: []Certificate{}, Blocks: len(l.Blocks)}
	if len(l.Blocks) == 0 {
		return rep, nil
	}
	c, err := parseCMS(l.Blocks[0].DER, bundleForm())
	if err != nil {
		return rep.end(Malformed, "the signature block is malformed: %v", err), nil
	}
	if l.LengthAt < 0 || l.Blocks[0].Start < l.LengthAt+2 || l.Size < l.Blocks[0].Start {
		return rep.end(Malformed, "the signature block stands inside the archive"), nil
	}
	stored, reduced, err := digests(r, l)
	if err != nil {
		return nil, err
	}
	switch {
	case bytes.Equal(c.digest, stored):
		rep.Variant = Stored
	case reduced != nil && bytes.Equal(c.digest, reduced):
		rep.Variant = Reduced
	default:
		return rep.end(Tampered, "the file is not the one that was signed: its SHA-256 is another"), nil
	}
	rep.judge(c, t, now)
	return rep, nil
}

// digests computes the digests of variants A and B in one pass. B, nil when it does not apply, is only for a comment that
// reaches over the block: with the length of one that ends before the block, nothing could have been added to it.
func digests(r io.ReaderAt, l Layout) (stored, reduced []byte, err error) {
	end := l.Blocks[0].Start
	h := sha256.New()
	if err := hashio.Hash(h, io.NewSectionReader(r, 0, l.LengthAt)); err != nil {
		return nil, nil, err
	}
	rest := make([]byte, end-l.LengthAt)
	if _, err := r.ReadAt(rest, l.LengthAt); err != nil && !errors.Is(err, io.EOF) {
		return nil, nil, err
	}
	block := int(l.Size - end)
	if l.LengthAt+2+int64(l.Length) == l.Size && l.Length >= block {
		reduced = sumWith(h, reducedLength(rest, block))
	}
	return sumWith(h, rest), reduced, nil
}

func reducedLength(rest []byte, by int) []byte {
	rest = bytes.Clone(rest)
	binary.LittleEndian.PutUint16(rest, binary.LittleEndian.Uint16(rest)-uint16(by))
	return rest
}

// sumWith gives the digest of what h has with more behind it, and leaves h as it is.
func sumWith(h hash.Hash, more []byte) []byte {
	c, err := h.(hash.Cloner).Clone()
	if err != nil {
		panic(err) // crypto/sha256 says that it never fails
	}
	c.Write(more)
	return c.Sum(nil)
}

// judge says who signed and whether that counts. The digest fits.
func (rep *Report) judge(c *cms, t Trust, now time.Time) {
	if err := c.check(); err != nil {
		rep.end(Tampered, "%v", err)
		return
	}
	if c.certIDs != nil && !c.namesPath() {
		rep.end(Tampered, "the certificates inside are not those that the signer named")
		return
	}
	at := now
	if c.token != nil {
		ts, why, err := verifyToken(c.token, c.signature, t, now)
		if err != nil {
			rep.end(Tampered, "the timestamp does not hold: %v", err)
			return
		}
		rep.Timestamp = ts
		if ts.Trusted {
			at = ts.Time
		} else {
			rep.because("the timestamp does not count: %s", why)
		}
	}
	leaf, signer := c.path[0], Describe(c.path[0])
	rep.Leaf = leaf
	rep.Signer, rep.Fingerprint, rep.SigningTime, rep.CheckedAt = &signer, Fingerprint(leaf), c.signingTime, &at
	rep.decide(c.path, t, at, now)
}

// check holds the signature to the signer's key, and each certificate inside to its issuer's key, trusted or not: no
// byte of them may be another one.
func (c *cms) check() error {
	if err := c.path[0].CheckSignature(c.algorithm, c.attrs, c.signature); err != nil {
		return errors.New("the signature was not made with the key of the certificate inside")
	}
	for i, cert := range c.path {
		issuer := cert
		switch {
		case i+1 < len(c.path):
			issuer = c.path[i+1]
		case !selfIssued(cert):
			return nil // its issuer is not inside
		}
		if err := issuer.CheckSignature(cert.SignatureAlgorithm, cert.RawTBSCertificate, cert.Signature); err != nil {
			return errors.New("the certificate of " + name(cert.Subject.String()) + " is not as its issuer signed it")
		}
	}
	return nil
}

// namesPath tells whether the signed attributes name exactly the certificates inside.
func (c *cms) namesPath() bool {
	return len(c.certIDs) == 1 && slices.EqualFunc(c.certIDs[0], c.path, certID.fits)
}

// decide gives a status to an intact signature: the most specific thing that is wrong.
func (rep *Report) decide(path []*x509.Certificate, t Trust, at, now time.Time) {
	leaf := path[0]
	chain, status := path, Untrusted
	trusted, err := t.chain(path, at, x509.ExtKeyUsageCodeSigning)
	unfit := cmp.Or(usageOf(leaf), weakness(leaf))
	switch {
	case unfit != "":
		rep.because("%s", unfit)
	case err == nil:
		chain, status = trusted, Trusted
	case t.pins(leaf):
		status = Trusted
	}
	if status != Trusted && selfIssued(leaf) {
		status = SelfSigned
		rep.because("nobody but the signer vouches for this key: it proves that the same key signed, and nothing about whose it is")
	} else if why := untrusted(leaf, err); status != Trusted && unfit == "" && why != "" {
		rep.because("%s", why)
	}
	if why := invalidAt(chain, err, at); why != "" {
		status = Expired
		rep.because("%s", why)
	}
	if cert, entry := t.revoked(chain, rep.counts); cert != nil {
		status = Revoked
		rep.because("the certificate of %s was revoked on %s", name(cert.Subject.String()), entry.RevocationTime.UTC().Format(time.DateOnly))
	}
	rep.Reasons = append(rep.Reasons, t.doubts(chain, now)...)
	rep.Status, rep.Chain = status, describe(chain)
}

// counts tells whether a revocation is about this signature.
func (rep *Report) counts(e *x509.RevocationListEntry) bool {
	if rep.Timestamp == nil || !rep.Timestamp.Trusted {
		return revokes(e, time.Time{})
	}
	return revokes(e, rep.Timestamp.Time)
}

// invalidAt says which certificate is not valid at a moment; err, of looking for a chain, may name one more.
func invalidAt(chain []*x509.Certificate, err error, at time.Time) string {
	invalid, _ := errors.AsType[x509.CertificateInvalidError](err)
	if invalid.Cert != nil && invalid.Reason == x509.Expired {
		chain = append(slices.Clip(chain), invalid.Cert)
	}
	const form = "2006-01-02 15:04 MST"
	for _, c := range chain {
		switch {
		case at.After(c.NotAfter):
			return fmt.Sprintf("the certificate of %s expired on %s", name(c.Subject.String()), c.NotAfter.UTC().Format(form))
		case at.Before(c.NotBefore):
			return fmt.Sprintf("the certificate of %s is valid only from %s on", name(c.Subject.String()), c.NotBefore.UTC().Format(form))
		}
	}
	return ""
}

// usageOf says why a certificate may not sign code; "" when it may, or does not say.
func usageOf(c *x509.Certificate) string {
	switch {
	case c.KeyUsage != 0 && c.KeyUsage&x509.KeyUsageDigitalSignature == 0:
		return "the signer's certificate is not for signatures (key usage)"
	case len(c.ExtKeyUsage)+len(c.UnknownExtKeyUsage) > 0 && !slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageCodeSigning) && !slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageAny):
		return "the signer's certificate is not for code signing (extended key usage)"
	}
	return ""
}

func untrusted(leaf *x509.Certificate, err error) string {
	invalid, _ := errors.AsType[x509.CertificateInvalidError](err)
	switch {
	case err == nil || invalid.Reason == x509.Expired && invalid.Cert != nil:
		return ""
	case isUnknown(err):
		return "no trusted authority vouches for the signer, whose issuer is " + name(leaf.Issuer.String())
	case invalid.Cert == leaf && invalid.Reason == x509.IncompatibleUsage:
		return "the signer's certificate does not say that it is for code signing (extended key usage)"
	}
	return "no chain to a trusted authority holds: " + err.Error()
}
