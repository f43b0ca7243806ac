package signature

import (
	"bytes"
	"crypto"
	"crypto/x509"
	encasn1 "encoding/asn1"
	"errors"
	"math/big"
	"time"

	"golang.org/x/crypto/cryptobyte/asn1"
)

// clockSkew is how far ahead of this machine's clock a timestamp may be.
const clockSkew = 5 * time.Minute

// readToken takes an RFC 3161 token over what a digest is of. The error says why it does not hold.
func readToken(token, digest []byte) (*cms, tstInfo, error) {
	c, err := parseCMS(token, tokenForm())
	if err != nil {
		return nil, tstInfo{}, err
	}
	if err := c.checkToken(); err != nil {
		return nil, tstInfo{}, err
	}
	info, err := parseTSTInfo(c.content)
	if err == nil && !bytes.Equal(digest, info.imprint) {
		err = errors.New("it is for another signature")
	}
	return c, info, err
}

// verifyToken checks a token over a signature. The error says why it does not hold; a token that holds but is not by a
// trusted authority has why.
func verifyToken(token, signature []byte, t Trust, now time.Time) (ts *Timestamp, why string, err error) {
	c, info, err := readToken(token, sum(crypto.SHA256, signature))
	if err != nil {
		return nil, "", err
	}
	tsa := c.path[0]
	ts = &Timestamp{Time: info.time, TSA: name(tsa.Subject.String()), Fingerprint: Fingerprint(tsa), Chain: describe(c.path)}
	chain, err := t.chain(c.path, info.time, x509.ExtKeyUsageTimeStamping)
	switch {
	case err != nil:
		why = "no trusted authority vouches for " + ts.TSA
	case info.time.After(now.Add(clockSkew)):
		why = "it is from the future"
	default:
		ts.Chain = describe(chain)
		if cert, _ := t.revoked(chain, func(e *x509.RevocationListEntry) bool { return revokes(e, info.time) }); cert != nil {
			why = "the certificate of " + name(cert.Subject.String()) + " was revoked"
		}
	}
	ts.Trusted = why == ""
	return ts, why, nil
}

func sum(h crypto.Hash, data []byte) []byte {
	w := h.New()
	w.Write(data)
	return w.Sum(nil)
}

// checkToken holds a token to what RFC 3161 2.3 and RFC 5816 demand: the authority's signature over the content, its
// certificate named in what is signed, and that for timestamps only.
func (c *cms) checkToken() error {
	if !bytes.Equal(sum(c.hash.hash, c.content), c.digest) {
		return errors.New("its content is not what was signed")
	}
	if err := c.check(); err != nil {
		return err
	}
	if len(c.certIDs) == 0 {
		return errors.New("it does not name its authority's certificate")
	}
	for _, ids := range c.certIDs {
		if !ids[0].fits(c.path[0]) {
			return errors.New("it names another certificate of its authority")
		}
	}
	if !onlyTimestamps(c.path[0]) {
		return errors.New("its authority's certificate is not for timestamps only (critical extended key usage)")
	}
	return nil
}

func onlyTimestamps(c *x509.Certificate) bool {
	if len(c.ExtKeyUsage) != 1 || c.ExtKeyUsage[0] != x509.ExtKeyUsageTimeStamping || len(c.UnknownExtKeyUsage) > 0 {
		return false
	}
	for _, e := range c.Extensions {
		if e.Id.Equal(encasn1.ObjectIdentifier{2, 5, 29, 37}) {
			return e.Critical
		}
	}
	return false
}

// A tstInfo is what of a token's content counts here: SHA-256 of what was stamped, the time, and the number that the
// request gave, nil when there is none.
type tstInfo struct {
	imprint []byte
	time    time.Time
	nonce   *big.Int
}

func parseTSTInfo(der []byte) (tstInfo, error) {
	p, info := &parser{}, tstInfo{}
	s := p.only(der, asn1.SEQUENCE, "the TSTInfo")
	p.version(&s, 1, "the TSTInfo")
	p.oid(&s, "the policy")
	imprint := p.in(&s, asn1.SEQUENCE, "the imprint")
	p.hash(&imprint, hashAlgs()[:1], "the digest of the imprint")
	info.imprint = p.only(imprint, asn1.OCTET_STRING, "the imprint")
	p.in(&s, asn1.INTEGER, "the serial number")
	stamp := p.in(&s, asn1.GeneralizedTime, "the time")
	if p.err != nil {
		return info, p.err
	}
	t, err := time.Parse("20060102150405Z", string(stamp)) // takes a fraction of a second too
	if err != nil {
		return info, errors.New("the time of the TSTInfo is none")
	}
	info.time = t.UTC()
	// What else follows is signed, and does not matter here.
	nonce := new(big.Int)
	if s.SkipOptionalASN1(asn1.SEQUENCE) && s.SkipOptionalASN1(asn1.BOOLEAN) && s.ReadASN1Integer(nonce) {
		info.nonce = nonce
	}
	return info, nil
}
