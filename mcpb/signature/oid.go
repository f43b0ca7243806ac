package signature

import (
	"crypto"
	"crypto/x509"
	"encoding/asn1"
)

// The object identifiers that are understood, as functions: package state could be changed.
func oidData() asn1.ObjectIdentifier { return asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1} }
func oidSignedData() asn1.ObjectIdentifier {
	return asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
}
func oidContentType() asn1.ObjectIdentifier {
	return asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 3}
}
func oidMessageDigest() asn1.ObjectIdentifier {
	return asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 4}
}
func oidSigningTime() asn1.ObjectIdentifier {
	return asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 5}
}

// oidSigningCert and oidSigningCertV2 name the signer's certificate by its digest (RFC 5035).
func oidSigningCert() asn1.ObjectIdentifier {
	return asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 12}
}
func oidSigningCertV2() asn1.ObjectIdentifier {
	return asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 47}
}

// oidTimestamp is the unsigned attribute with an RFC 3161 token, oidTSTInfo the content of one.
func oidTimestamp() asn1.ObjectIdentifier {
	return asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 14}
}
func oidTSTInfo() asn1.ObjectIdentifier {
	return asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 4}
}

// oidPadding is ours: zeros that fill the size reserved for a block. The arc 2.25 needs no registration.
func oidPadding() asn1.ObjectIdentifier { return asn1.ObjectIdentifier{2, 25, 1935766627} }

func oidSHA256() asn1.ObjectIdentifier {
	return asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
}
func oidRSA() asn1.ObjectIdentifier { return asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1} }
func oidECDSASHA256() asn1.ObjectIdentifier {
	return asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}
}

// A hashAlg is a digest with the signature algorithms that use it.
type hashAlg struct {
	hash       crypto.Hash
	oid, ecdsa asn1.ObjectIdentifier
	withRSA    x509.SignatureAlgorithm
	withECDSA  x509.SignatureAlgorithm
}

// hashAlgs lists the digests that are accepted: SHA-256 in a bundle's signature, all of them in a timestamp.
func hashAlgs() []hashAlg {
	sha2 := func(n int) asn1.ObjectIdentifier { return append(oidSHA256()[:8:8], n) }
	ecdsa := func(n int) asn1.ObjectIdentifier { return append(oidECDSASHA256()[:6:6], n) }
	return []hashAlg{
		{crypto.SHA256, sha2(1), ecdsa(2), x509.SHA256WithRSA, x509.ECDSAWithSHA256},
		{crypto.SHA384, sha2(2), ecdsa(3), x509.SHA384WithRSA, x509.ECDSAWithSHA384},
		{crypto.SHA512, sha2(3), ecdsa(4), x509.SHA512WithRSA, x509.ECDSAWithSHA512},
	}
}

// oidBytes gives an identifier in DER.
func oidBytes(id asn1.ObjectIdentifier) []byte {
	der, err := asn1.Marshal(id)
	if err != nil {
		panic(err) // the identifiers of this file can be encoded
	}
	return der
}
