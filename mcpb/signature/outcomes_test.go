package signature_test

import (
	"crypto/rand"
	"crypto/x509"
	"math/big"
	"strings"
	"testing"
	"time"

	"satchel/internal/problem"
	"satchel/internal/testsupport"
	"satchel/mcpb/signature"
)

// A parties is authorities and signers, and what each signed.
type parties struct {
	pki    *testsupport.PKI
	signed map[string][]byte
}

// newParties has every signer below the authority root sign the same bundle.
func newParties(t *testing.T) *parties {
	t.Helper()
	p := &parties{testsupport.NewPKI(t), map[string][]byte{"": plain("")}}
	p.pki.SelfSigned("root", "P-256", "root")
	p.pki.SelfSigned("other", "P-256", "root")
	p.pki.SelfSigned("self", "P-256", "code")
	for _, section := range []string{"code", "plain", "tls"} {
		p.pki.Issue("root", section, "P-256", section)
	}
	p.pki.Issue("root", "old", "P-256", "code", "200101", "210101")
	p.pki.Issue("root", "gone", "P-256", "code")
	p.pki.Revoke("root", "gone", "superseded", time.Now().Add(48*time.Hour))
	p.pki.Issue("root", "stolen", "P-256", "code")
	p.pki.Revoke("root", "stolen", "keyCompromise", time.Now().Add(48*time.Hour))
	for _, name := range []string{"code", "plain", "self", "old", "gone", "stolen"} {
		cert := p.pki.Cert(name)
		who, err := signature.NewIdentity(cert, nil, p.pki.Key(name), cert.NotBefore.Add(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		p.signed[name] = sign(t, plain(""), who, nil)
	}
	p.pki.Issue("root", "small", "rsa1024", "code")
	p.pki.SelfSigned("smallroot", "secp224r1", "root")
	p.pki.Issue("smallroot", "below", "P-256", "code")
	for _, name := range []string{"tls", "small", "below"} { // no signer of ours would use the first two; another program may
		p.signed[name] = sign(t, plain(""), &signature.Identity{Path: []*x509.Certificate{p.pki.Cert(name)}, Key: p.pki.Key(name)}, nil)
	}
	return p
}

func TestOutcomes(t *testing.T) {
	t.Parallel()
	p := newParties(t)
	roots := func(names ...string) (certs []*x509.Certificate) {
		for _, n := range names {
			certs = append(certs, p.pki.Cert(n))
		}
		return certs
	}
	pin := func(name string) []string { return []string{signature.Fingerprint(p.pki.Cert(name))} }
	crls := []*x509.RevocationList{p.pki.CRL("root")}
	later := time.Now().AddDate(20, 0, 0)
	rows := []struct {
		name, signer string
		trust        signature.Trust
		at           time.Time
		want         signature.Status
		because      string
	}{
		{"nothing is signed", "", signature.Trust{Roots: roots("root")}, time.Now(), signature.Unsigned, ""},
		{"below an authority", "code", signature.Trust{Roots: roots("other", "root"), CRLs: crls}, time.Now(), signature.Trusted, ""},
		{"pinned", "code", signature.Trust{Pins: pin("code")}, time.Now(), signature.Trusted, ""},
		{"another is pinned", "code", signature.Trust{Pins: pin("self")}, time.Now(), signature.Untrusted, "issuer is CN=root"},
		{"below nobody known", "code", signature.Trust{Roots: roots("other"), System: true}, time.Now(), signature.Untrusted, "issuer is CN=root"},
		{"nobody is trusted", "code", signature.Trust{}, time.Now(), signature.Untrusted, ""},
		{"by himself", "self", signature.Trust{Roots: roots("root"), System: true}, time.Now(), signature.SelfSigned, "nothing about whose"},
		{"by himself and pinned", "self", signature.Trust{Pins: pin("self")}, time.Now(), signature.Trusted, ""},
		{"by himself, among the roots", "self", signature.Trust{Roots: roots("self")}, time.Now(), signature.Trusted, ""},
		{"for no usage in particular", "plain", signature.Trust{Roots: roots("root")}, time.Now(), signature.Untrusted, "does not say that it is for code signing"},
		{"for no usage in particular, pinned", "plain", signature.Trust{Pins: pin("plain")}, time.Now(), signature.Trusted, ""},
		{"for a web server", "tls", signature.Trust{Roots: roots("root")}, time.Now(), signature.Untrusted, "not for code signing"},
		{"for a web server, pinned", "tls", signature.Trust{Pins: pin("tls")}, time.Now(), signature.Untrusted, "not for code signing"},
		{"with a small key", "small", signature.Trust{Roots: roots("root")}, time.Now(), signature.Untrusted, "has 1024 bits"},
		{"with a small key, pinned", "small", signature.Trust{Roots: roots("root"), Pins: pin("small")}, time.Now(), signature.Untrusted, "has 1024 bits"},
		{"below a small key", "below", signature.Trust{Roots: roots("smallroot")}, time.Now(), signature.Untrusted, "P-224 of CN=smallroot's key is too small"},
		{"below a small key, pinned", "below", signature.Trust{Pins: pin("below")}, time.Now(), signature.Trusted, ""},
		{"expired", "old", signature.Trust{Roots: roots("root")}, time.Now(), signature.Expired, "CN=old expired on 2021-01-01"},
		{"expired and pinned", "old", signature.Trust{Pins: pin("old")}, time.Now(), signature.Expired, "expired"},
		{"not valid yet", "code", signature.Trust{Roots: roots("root")}, time.Now().AddDate(-1, 0, 0), signature.Expired, "valid only from"},
		{"expired later", "code", signature.Trust{Roots: roots("root")}, later, signature.Expired, "CN=code expired"},
		{"revoked", "gone", signature.Trust{Roots: roots("root"), CRLs: crls}, time.Now(), signature.Revoked, "CN=gone was revoked"},
		{"revoked, of an unknown authority", "gone", signature.Trust{CRLs: crls}, time.Now(), signature.Revoked, "CN=gone was revoked"},
		{"revoked and pinned, without its authority", "gone", signature.Trust{Pins: pin("gone"), CRLs: crls}, time.Now(), signature.Revoked, "CN=gone was revoked"},
		{"revoked and pinned", "gone", signature.Trust{Roots: roots("root"), Pins: pin("gone"), CRLs: crls}, time.Now(), signature.Revoked, ""},
		{"a list that is out of date", "code", signature.Trust{Roots: roots("root"), CRLs: crls}, time.Now().AddDate(0, 3, 0), signature.Trusted, "list of CN=root is out of date"},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			rep, err := open(t, p.signed[r.signer]).Verify(r.trust, r.at)
			if err != nil {
				t.Fatal(err)
			}
			if why := strings.Join(rep.Reasons, "; "); rep.Status != r.want || !strings.Contains(why, r.because) {
				t.Errorf("%s (%s), want %s (%s)", rep.Status, why, r.want, r.because)
			}
			if code := problem.CodeOf(rep.Err()); rep.Err() == nil != (r.want == signature.Trusted) || rep.Err() != nil && code != r.want.Code() {
				t.Errorf("%s is the error %v", r.want, rep.Err())
			}
		})
	}
}

// Of several entries that a certificate or its chain has, each is looked at; a list that the authority did not sign is named.
func TestRevocations(t *testing.T) {
	t.Parallel()
	pki, thief := testsupport.NewPKI(t), testsupport.NewPKI(t)
	pki.SelfSigned("root", "P-256", "root")
	thief.SelfSigned("root", "P-256", "root")
	pki.Issue("root", "middle", "P-256", "ca")
	pki.Issue("middle", "signer", "P-256", "code")
	pki.Issue("root", "tsa", "P-256", "stamp")
	signed := sign(t, plain(""), identity(t, pki, "signer", "middle"), stamper(t, pki.TSA("tsa")))
	list := func(p *testsupport.PKI, issuer string, entries ...x509.RevocationListEntry) *x509.RevocationList {
		now := time.Now().Add(-time.Minute)
		der, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
			Number: big.NewInt(1), ThisUpdate: now, NextUpdate: now.AddDate(0, 1, 0), RevokedCertificateEntries: entries,
		}, p.Cert(issuer), p.Key(issuer))
		if err != nil {
			t.Fatal(err)
		}
		crl, err := x509.ParseRevocationList(der)
		if err != nil {
			t.Fatal(err)
		}
		return crl
	}
	const superseded, keyCompromise, caCompromise = 4, 1, 2
	gone := func(name string, reason int) x509.RevocationListEntry {
		return x509.RevocationListEntry{SerialNumber: pki.Cert(name).SerialNumber, RevocationTime: time.Now().Add(48 * time.Hour), ReasonCode: reason}
	}
	for name, r := range map[string]struct {
		lists   []*x509.RevocationList
		want    signature.Status
		because string
	}{
		"superseded later":                  {[]*x509.RevocationList{list(pki, "middle", gone("signer", superseded))}, signature.Trusted, ""},
		"and stolen, in one list":           {[]*x509.RevocationList{list(pki, "middle", gone("signer", superseded), gone("signer", keyCompromise))}, signature.Revoked, ""},
		"and stolen, in another list":       {[]*x509.RevocationList{list(pki, "middle", gone("signer", superseded)), list(pki, "middle", gone("signer", keyCompromise))}, signature.Revoked, ""},
		"and its authority was stolen":      {[]*x509.RevocationList{list(pki, "middle", gone("signer", superseded)), list(pki, "root", gone("middle", caCompromise))}, signature.Revoked, "CN=middle was revoked"},
		"the timestamp's authority is gone": {[]*x509.RevocationList{list(pki, "root", gone("tsa", caCompromise))}, signature.Trusted, "the timestamp does not count"},
		"in a list of a thief's":            {[]*x509.RevocationList{list(thief, "root", gone("middle", caCompromise))}, signature.Trusted, "name of CN=root does not count"},
	} {
		rep := verify(t, signed, signature.Trust{Roots: []*x509.Certificate{pki.Cert("root")}, CRLs: r.lists})
		if why := strings.Join(rep.Reasons, "; "); rep.Status != r.want || !strings.Contains(why, r.because) {
			t.Errorf("%s: %s (%s), want %s (%s)", name, rep.Status, why, r.want, r.because)
		}
	}
}

// With a timestamp by a trusted authority certificates need to have been valid then, and a later revocation does not
// matter, but of a stolen key. A timestamp by anybody else changes nothing.
func TestTimestamps(t *testing.T) {
	t.Parallel()
	p := newParties(t)
	p.pki.Issue("root", "tsamiddle", "P-256", "ca")
	p.pki.Issue("tsamiddle", "tsa", "rsa", "stamp")
	p.pki.Issue("other", "foreigntsa", "P-256", "stamp")
	ours, foreign := p.pki.TSA("tsa", "tsamiddle"), p.pki.TSA("foreigntsa")
	trust := signature.Trust{Roots: []*x509.Certificate{p.pki.Cert("root")}}
	revoking := trust
	revoking.CRLs = []*x509.RevocationList{p.pki.CRL("root")}
	later := time.Now().AddDate(20, 0, 0)
	rows := []struct {
		name, signer, tsa string
		trust             signature.Trust
		at                time.Time
		want              signature.Status
		counts            bool
	}{
		{"now", "code", ours, trust, time.Now(), signature.Trusted, true},
		{"later", "code", ours, trust, later, signature.Trusted, true},
		{"by an authority that is not trusted", "code", foreign, trust, time.Now(), signature.Trusted, false},
		{"by an authority that is not trusted, later", "code", foreign, trust, later, signature.Expired, false},
		{"revoked afterwards", "gone", ours, revoking, time.Now(), signature.Trusted, true},
		{"revoked afterwards, later", "gone", ours, revoking, later, signature.Trusted, true},
		{"revoked, with a timestamp that proves nothing", "gone", foreign, revoking, time.Now(), signature.Revoked, false},
		{"stolen", "stolen", ours, revoking, time.Now(), signature.Revoked, true},
		{"from the future", "code", ours, trust, time.Now().Add(-time.Hour), signature.Expired, false},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			signed := sign(t, plain(""), identity(t, p.pki, r.signer), stamper(t, r.tsa))
			rep, err := open(t, signed).Verify(r.trust, r.at)
			if err != nil {
				t.Fatal(err)
			}
			if rep.Status != r.want || rep.Timestamp == nil || rep.Timestamp.Trusted != r.counts {
				t.Errorf("%s %v, timestamp %+v; want %s, %v", rep.Status, rep.Reasons, rep.Timestamp, r.want, r.counts)
			}
		})
	}
}
