package signature

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	encasn1 "encoding/asn1"
	"encoding/json"
	"math/big"
	"strings"
	"testing"
	"time"
)

// newCertificate makes one for a public key, which vouches for nothing.
func newCertificate(t *testing.T, public any) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if public == nil {
		public = key.Public()
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now(), NotAfter: time.Now().AddDate(1, 0, 0)}
	template.Subject.CommonName = "x"
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// longer gives a certificate with one more element behind its signature.
func longer(t *testing.T, der []byte, element ...byte) []byte {
	t.Helper()
	var c encasn1.RawValue
	if _, err := encasn1.Unmarshal(der, &c); err != nil {
		t.Fatal(err)
	}
	out, err := encasn1.Marshal(encasn1.RawValue{Tag: encasn1.TagSequence, IsCompound: true, Bytes: append(c.Bytes, element...)})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// shifted gives a certificate whose signature is the same, written one bit further to the left: an ECDSA signature
// begins with two zero bits.
func shifted(t *testing.T) []byte {
	t.Helper()
	var c struct {
		TBS, Alg encasn1.RawValue
		Value    encasn1.BitString
	}
	if _, err := encasn1.Unmarshal(newCertificate(t, nil), &c); err != nil {
		t.Fatal(err)
	}
	n := new(big.Int).SetBytes(c.Value.Bytes)
	c.Value = encasn1.BitString{Bytes: n.Lsh(n, 1).Bytes(), BitLength: 8*len(c.Value.Bytes) - 1}
	out, err := encasn1.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// until gives a certificate another end, as it stands in ASN.1. Its signature no longer fits.
func until(t *testing.T, der []byte, end string) []byte {
	t.Helper()
	type tbs struct {
		Version     int `asn1:"explicit,tag:0"`
		Serial      *big.Int
		Alg, Issuer encasn1.RawValue
		Validity    struct{ NotBefore, NotAfter encasn1.RawValue }
		Subject     encasn1.RawValue
		Key         encasn1.RawValue
	}
	var c struct {
		TBS       tbs
		Alg       encasn1.RawValue
		Signature encasn1.BitString
	}
	if _, err := encasn1.Unmarshal(der, &c); err != nil {
		t.Fatal(err)
	}
	c.TBS.Validity.NotAfter = encasn1.RawValue{Tag: encasn1.TagGeneralizedTime, Bytes: []byte(end)}
	out, err := encasn1.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// What would take long to compute with, or cannot be reported, is refused before anything is computed.
func TestCertificatesOutOfBounds(t *testing.T) {
	t.Parallel()
	huge := func(bits int) []byte {
		n := new(big.Int).Lsh(big.NewInt(1), uint(bits-1))
		return newCertificate(t, &rsa.PublicKey{N: n.SetBit(n, 0, 1), E: 1<<31 - 1})
	}
	for name, r := range map[string]struct {
		der  []byte
		want string
	}{
		"right":                  {newCertificate(t, nil), ""},
		"the largest key":        {huge(16384), ""},
		"a larger key":           {huge(16385), "RSA key of 16385 bits"},
		"a huge key":             {huge(400_000), "RSA key of 400000 bits"},
		"more behind it":         {longer(t, newCertificate(t, nil), 5, 0), "more behind a certificate's signature"},
		"a shifted signature":    {shifted(t), "not of whole bytes"},
		"the last moment":        {until(t, newCertificate(t, nil), "99991231235959Z"), ""},
		"a moment after it":      {until(t, newCertificate(t, nil), "99991231235959-0100"), "year 10000"},
		"a moment before year 0": {until(t, newCertificate(t, nil), "00000101000000+0100"), "year -1"},
	} {
		cert, err := x509.ParseCertificate(r.der)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		attrs, err := signedAttributes(make([]byte, sha256.Size), time.Now(), []*x509.Certificate{cert})
		if err != nil {
			t.Fatal(err)
		}
		der, err := signedData{path: []*x509.Certificate{cert}, attrs: attrs, signature: []byte{1}, padding: -1}.encode()
		if err != nil {
			t.Fatal(err)
		}
		_, err = parseCMS(der, bundleForm())
		if got := errorText(err); r.want == "" && err != nil || !strings.Contains(got, r.want) {
			t.Errorf("%s: %q, want %q", name, got, r.want)
		}
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// A signing time can be written in any report, or is refused.
func TestSigningTimes(t *testing.T) {
	t.Parallel()
	for text, right := range map[string]bool{"20260101000000Z": true, "99991231235959Z": true, "99991231235959-0100": false, "00000101000000+0100": false, "20260230000000Z": false} {
		p := &parser{}
		at := p.time(append([]byte{24, byte(len(text))}, text...))
		if _, err := json.Marshal(at); (p.err == nil) != right || right && err != nil {
			t.Errorf("%s: %v, %v", text, p.err, err)
		}
	}
}
