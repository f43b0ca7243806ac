package signature

import (
	"bytes"
	"cmp"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Trust is whom a person trusts. The zero value trusts nobody.
type Trust struct {
	Roots  []*x509.Certificate    // authorities; a signer's own certificate among them counts as pinned
	System bool                   // the authorities of this system too
	Pins   []string               // fingerprints of signers' own certificates: "sha256:" and lower-case hex
	CRLs   []*x509.RevocationList // what authorities took back
}

func (t Trust) pins(c *x509.Certificate) bool {
	return slices.Contains(t.Pins, Fingerprint(c)) || slices.ContainsFunc(t.Roots, c.Equal)
}

// chain gives a chain from path's first certificate to a trusted root, every certificate of which is valid at the moment.
// System roots are mostly there for web servers, and many authors' own roots are for more than code: the signer's
// certificate must say itself that it is for this usage.
func (t Trust) chain(path []*x509.Certificate, at time.Time, usage x509.ExtKeyUsage) ([]*x509.Certificate, error) {
	if !slices.Contains(path[0].ExtKeyUsage, usage) {
		return nil, x509.CertificateInvalidError{Cert: path[0], Reason: x509.IncompatibleUsage}
	}
	opts := x509.VerifyOptions{CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{usage}, Intermediates: pool(path[1:]), Roots: pool(t.Roots)}
	chain, err := strongChain(path[0], opts)
	if err != nil && t.System {
		opts.Roots = nil
		if other, system := strongChain(path[0], opts); system == nil || isUnknown(err) {
			chain, err = other, system
		}
	}
	return chain, err
}

// strongChain gives the first chain without a weak key, or says why there is none.
func strongChain(c *x509.Certificate, opts x509.VerifyOptions) ([]*x509.Certificate, error) {
	chains, err := c.Verify(opts)
	for _, chain := range chains {
		why := ""
		for _, c := range chain {
			why = cmp.Or(why, weakness(c))
		}
		if why == "" {
			return chain, nil
		}
		err = errors.New(why)
	}
	return nil, err
}

// weakness says why a key is too small to prove anything; "" when it is not.
func weakness(c *x509.Certificate) string {
	switch k := c.PublicKey.(type) {
	case *rsa.PublicKey:
		if k.Size() < 256 {
			return fmt.Sprintf("the RSA key of %s has %d bits; at least 2048 are needed", name(c.Subject.String()), k.N.BitLen())
		}
	case *ecdsa.PublicKey:
		if k.Curve.Params().BitSize < 256 {
			return fmt.Sprintf("the curve %s of %s's key is too small; P-256, P-384 and P-521 are accepted", k.Curve.Params().Name, name(c.Subject.String()))
		}
	}
	return ""
}

func isUnknown(err error) bool {
	_, unknown := errors.AsType[x509.UnknownAuthorityError](err)
	return unknown
}

func pool(certs []*x509.Certificate) *x509.CertPool {
	p := x509.NewCertPool()
	for _, c := range certs {
		p.AddCert(c)
	}
	return p
}

// revoked tells which certificate of a chain a revocation list takes back, with the entry; counts says which entries
// matter.
func (t Trust) revoked(chain []*x509.Certificate, counts func(*x509.RevocationListEntry) bool) (*x509.Certificate, *x509.RevocationListEntry) {
	for i, c := range chain {
		for _, crl := range t.CRLs {
			if !bytes.Equal(crl.RawIssuer, c.RawIssuer) {
				continue
			}
			at := slices.IndexFunc(crl.RevokedCertificateEntries, func(e x509.RevocationListEntry) bool {
				return e.SerialNumber.Cmp(c.SerialNumber) == 0 && e.ReasonCode != removeFromCRL && counts(&e)
			})
			if at >= 0 && t.speaks(crl, chain[i:]) {
				return c, &crl.RevokedCertificateEntries[at]
			}
		}
	}
	return nil, nil
}

// Reasons of revocation (RFC 5280 5.3.1).
const (
	keyCompromise = 1
	caCompromise  = 2
	removeFromCRL = 8
)

// revokes tells whether a revocation is about what was signed at a moment that a trusted timestamp gives; zero: there is
// none. An older signature stays good unless a key was in other hands: nobody knows since when.
func revokes(e *x509.RevocationListEntry, stamped time.Time) bool {
	older := !stamped.IsZero() && stamped.Before(e.RevocationTime)
	return !older || e.ReasonCode == keyCompromise || e.ReasonCode == caCompromise
}

// speaks tells whether a revocation list in the name of the first certificate's issuer counts: when the issuer signed it,
// and also when his certificate is not at hand, since a thief of the signer's key would leave it out.
func (t Trust) speaks(crl *x509.RevocationList, chain []*x509.Certificate) bool {
	known := false
	for _, c := range slices.Concat(chain[:min(2, len(chain))], t.Roots) {
		if !bytes.Equal(c.RawSubject, crl.RawIssuer) {
			continue
		}
		if crl.CheckSignatureFrom(c) == nil {
			return true
		}
		known = known || chain[0].CheckSignatureFrom(c) == nil
	}
	return !known
}

// doubts says what is wrong with the revocation lists that are about a chain.
func (t Trust) doubts(chain []*x509.Certificate, now time.Time) (reasons []string) {
	for _, crl := range t.CRLs {
		i := slices.IndexFunc(chain, func(c *x509.Certificate) bool { return bytes.Equal(c.RawIssuer, crl.RawIssuer) })
		switch {
		case i < 0:
		case !t.speaks(crl, chain[i:]):
			reasons = append(reasons, "a revocation list in the name of "+name(crl.Issuer.String())+" does not count: it is not signed by it")
		case !crl.NextUpdate.IsZero() && !now.Before(crl.NextUpdate):
			reasons = append(reasons, "the revocation list of "+name(crl.Issuer.String())+" is out of date")
		}
	}
	return reasons
}
