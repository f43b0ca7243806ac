package signature

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"satchel/internal/problem"
)

// A Status is the outcome of looking at a bundle's signature.
type Status string

// The outcomes. Only Trusted is a good one; SelfSigned proves that the same key signed, and no more.
const (
	Unsigned   Status = "unsigned"
	Malformed  Status = "malformed"   // there is a block that is none
	Tampered   Status = "tampered"    // the signature does not fit the bytes
	SelfSigned Status = "self-signed" // only the signer vouches for the key, and it is not pinned
	Untrusted  Status = "untrusted"   // no trusted root vouches for the signer
	Trusted    Status = "trusted"
	Expired    Status = "expired" // a certificate was not valid at the moment that counts
	Revoked    Status = "revoked" // a configured revocation list names a certificate
)

// Code is the class of problem that a status is; "" for Trusted.
func (s Status) Code() problem.Code {
	switch s {
	case Trusted:
		return ""
	case Unsigned:
		return problem.Unsigned
	case Malformed, Tampered:
		return problem.Tampered
	}
	return problem.Untrusted
}

// Claimed tells whether the names in a report are only what the signer says of himself: anybody can make a certificate
// with any name.
func (r *Report) Claimed() bool { return r.Signer != nil && r.Status != Trusted }

// Intact tells whether the signature fits the bytes, whoever made it.
func (s Status) Intact() bool { return s != Unsigned && s.Code() != problem.Tampered }

// A Report is what was found about a bundle's signature. Names are the certificates' own text.
type Report struct {
	Status      Status        `json:"status"`
	Reasons     []string      `json:"reasons"`          // why, in sentences
	Signer      *Certificate  `json:"signer,omitempty"` // nil unless the status is Intact
	Chain       []Certificate `json:"chain"`            // from the signer up, to a trusted root when there is one
	Fingerprint string        `json:"fingerprint,omitempty"`
	SigningTime *time.Time    `json:"signingTime,omitempty"` // what the signer says
	Timestamp   *Timestamp    `json:"timestamp,omitempty"`   // what a timestamping authority says
	CheckedAt   *time.Time    `json:"checkedAt,omitempty"`   // the moment at which certificates had to be valid
	Variant     Variant       `json:"variant,omitempty"`
	Blocks      int           `json:"blocks"` // signature blocks; all but the outermost one are content

	Leaf *x509.Certificate `json:"-"` // the signer's certificate; nil as Signer
}

// A Variant says what exactly was signed.
type Variant string

// The variants of package comment.
const (
	Stored  Variant = "stored"  // A: the bytes before the block as they are
	Reduced Variant = "reduced" // B: with the comment's length as it was before the block became the comment
)

// A Timestamp is an RFC 3161 timestamp, whose own signature fits.
type Timestamp struct {
	Time        time.Time     `json:"time"`
	TSA         string        `json:"tsa"` // the authority's name
	Trusted     bool          `json:"trusted"`
	Fingerprint string        `json:"fingerprint"`
	Chain       []Certificate `json:"chain"`
}

// A Certificate is what is shown of one.
type Certificate struct {
	Subject     string    `json:"subject"`
	Issuer      string    `json:"issuer"`
	Serial      string    `json:"serial"` // hex
	Key         string    `json:"keyAlgorithm"`
	Fingerprint string    `json:"fingerprint"` // sha256: of its DER
	NotBefore   time.Time `json:"notBefore"`
	NotAfter    time.Time `json:"notAfter"`
	SubjectCN   string    `json:"-"` // the common names alone, "" when there is none
	IssuerCN    string    `json:"-"`
}

// Describe gives what is shown of a certificate.
func Describe(c *x509.Certificate) Certificate {
	return Certificate{
		Subject: name(c.Subject.String()), Issuer: name(c.Issuer.String()), Serial: hex.EncodeToString(c.SerialNumber.Bytes()),
		Key: keyName(c.PublicKey), Fingerprint: Fingerprint(c), NotBefore: c.NotBefore.UTC(), NotAfter: c.NotAfter.UTC(),
		SubjectCN: c.Subject.CommonName, IssuerCN: c.Issuer.CommonName,
	}
}

func name(s string) string {
	if s == "" {
		return "(no name)"
	}
	return s
}

func describe(certs []*x509.Certificate) []Certificate {
	list := make([]Certificate, len(certs))
	for i, c := range certs {
		list[i] = Describe(c)
	}
	return list
}

func keyName(key any) string {
	switch k := key.(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA %d", k.N.BitLen())
	case *ecdsa.PublicKey:
		return "ECDSA " + k.Curve.Params().Name
	case ed25519.PublicKey:
		return "Ed25519"
	case nil:
		return "unknown"
	}
	return strings.TrimPrefix(fmt.Sprintf("%T", key), "*")
}

// Fingerprint is "sha256:" and the lower-case hex digest of a certificate's DER.
func Fingerprint(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// Err gives nil for a trusted signature, else a *problem.Problem of the class that the exit codes tell apart.
func (r *Report) Err() error {
	if r.Status == Trusted {
		return nil
	}
	why := strings.Join(r.Reasons, "; ")
	if r.Status == Unsigned {
		why = "there is no signature"
	}
	return problem.New(r.Status.Code(), "signature/status", "%s: %s", r.Status, why)
}

// Line is the report in one line: the status, and who signed, or who claims so when nobody trusted vouches for the name.
func (r *Report) Line() string {
	if r.Signer == nil {
		return string(r.Status)
	}
	line := string(r.Status) + ": "
	if r.Claimed() {
		line += "claims to be "
	}
	line += r.Signer.Subject
	if r.Signer.Issuer != r.Signer.Subject {
		line += ", issued by " + r.Signer.Issuer
	}
	if r.Blocks > 1 {
		line += fmt.Sprintf(" (%d signatures, one around the other)", r.Blocks)
	}
	return line
}

func (r *Report) because(format string, args ...any) {
	r.Reasons = append(r.Reasons, fmt.Sprintf(format, args...))
}

func (r *Report) end(s Status, format string, args ...any) *Report {
	r.Status = s
	r.because(format, args...)
	return r
}
