package signature

import (
	"bytes"
	"crypto/x509"
	"errors"
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
	chains, err := path[0].Verify(opts)
	if err != nil && t.System {
		var system error
		opts.Roots = nil
		if chains, system = path[0].Verify(opts); system == nil || isUnknown(err) {
			err = system
		}
	}
	if err != nil {
		return nil, err
	}
	return chains[0], nil
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

// revoked tells which certificate of a chain a revocation list takes back, with the entry. A list counts when the
// certificate's issuer signed it.
func (t Trust) revoked(chain []*x509.Certificate) (*x509.Certificate, *x509.RevocationListEntry) {
	for i, c := range chain {
		issuers := slices.Concat(chain[i:min(i+2, len(chain))], t.Roots)
		for _, crl := range t.CRLs {
			if !bytes.Equal(crl.RawIssuer, c.RawIssuer) || !signedByOne(crl, issuers) {
				continue
			}
			for j := range crl.RevokedCertificateEntries {
				if e := &crl.RevokedCertificateEntries[j]; e.SerialNumber.Cmp(c.SerialNumber) == 0 && e.ReasonCode != removeFromCRL {
					return c, e
				}
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

func signedByOne(crl *x509.RevocationList, issuers []*x509.Certificate) bool {
	return slices.ContainsFunc(issuers, func(c *x509.Certificate) bool {
		return bytes.Equal(c.RawSubject, crl.RawIssuer) && crl.CheckSignatureFrom(c) == nil
	})
}

// stale gives the issuers of revocation lists that should have been renewed before the moment.
func (t Trust) stale(chain []*x509.Certificate, now time.Time) (issuers []string) {
	for _, crl := range t.CRLs {
		if crl.NextUpdate.IsZero() || now.Before(crl.NextUpdate) {
			continue
		}
		if slices.ContainsFunc(chain, func(c *x509.Certificate) bool { return bytes.Equal(c.RawIssuer, crl.RawIssuer) }) {
			issuers = append(issuers, name(crl.Issuer.String()))
		}
	}
	return issuers
}
