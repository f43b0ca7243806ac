package signature

import (
	encasn1 "encoding/asn1"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// A parser reads DER and keeps the first thing that is wrong; after that its methods give empty values. cryptobyte
// refuses lengths and integers that are not in their shortest form.
type parser struct{ err error }

func (p *parser) fail(format string, args ...any) {
	if p.err == nil {
		p.err = fmt.Errorf(format, args...)
	}
}

// in takes the content of the next element, which must have the tag.
func (p *parser) in(s *cryptobyte.String, tag asn1.Tag, what string) cryptobyte.String {
	var inner cryptobyte.String
	if p.err == nil && !s.ReadASN1(&inner, tag) {
		p.fail("%s is not where it must be", what)
	}
	return inner
}

// only takes the content of the one element that s holds.
func (p *parser) only(s cryptobyte.String, tag asn1.Tag, what string) cryptobyte.String {
	inner := p.in(&s, tag, what)
	p.end(s, what)
	return inner
}

// element takes the next element with its header.
func (p *parser) element(s *cryptobyte.String, tag asn1.Tag, what string) []byte {
	var whole cryptobyte.String
	if p.err == nil && !s.ReadASN1Element(&whole, tag) {
		p.fail("%s is not where it must be", what)
	}
	return whole
}

// end demands that nothing is left.
func (p *parser) end(s cryptobyte.String, what string) {
	if !s.Empty() {
		p.fail("there is more behind %s", what)
	}
}

func (p *parser) oid(s *cryptobyte.String, what string) encasn1.ObjectIdentifier {
	var id encasn1.ObjectIdentifier
	if p.err == nil && !s.ReadASN1ObjectIdentifier(&id) {
		p.fail("%s is no object identifier", what)
	}
	return id
}

// version demands a small integer.
func (p *parser) version(s *cryptobyte.String, want int, what string) {
	got := 0
	if p.err == nil && (!s.ReadASN1Integer(&got) || got != want) {
		p.fail("the version of %s is not %d", what, want)
	}
}

// algorithm takes an AlgorithmIdentifier without parameters. null tells whether they are NULL, not absent.
func (p *parser) algorithm(s *cryptobyte.String, what string) (id encasn1.ObjectIdentifier, null bool) {
	alg := p.in(s, asn1.SEQUENCE, what)
	id = p.oid(&alg, what)
	if null = alg.PeekASN1Tag(asn1.NULL); null {
		none := p.in(&alg, asn1.NULL, what)
		p.end(none, what)
	}
	p.end(alg, what)
	return id, null
}

// hash takes the AlgorithmIdentifier of one of the digests allowed.
func (p *parser) hash(s *cryptobyte.String, allowed []hashAlg, what string) hashAlg {
	id, _ := p.algorithm(s, what)
	for _, h := range allowed {
		if h.oid.Equal(id) {
			return h
		}
	}
	p.fail("%s is none that is accepted", what)
	return hashAlg{}
}
