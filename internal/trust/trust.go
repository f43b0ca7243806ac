// Package trust keeps whom a user trusts to sign bundles: authorities, pinned signers and revocation lists, one file each
// in the folder of settings. Use it wherever a signature is judged for the user; what trust means is mcpb/signature's.
package trust

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"satchel/internal/atomicfile"
	"satchel/internal/problem"
	"satchel/mcpb/signature"
)

// A Kind is what is trusted.
type Kind string

// The kinds. A root vouches for others; a pin is one signer's own certificate; a CRL says which certificates no longer
// count.
const (
	Root Kind = "root"
	Pin  Kind = "pin"
	CRL  Kind = "crl"
)

// An Entry is one thing that is trusted.
type Entry struct {
	Kind        Kind                   `json:"kind"`
	Fingerprint string                 `json:"fingerprint"` // of a certificate; of a revocation list: of its issuer's name and key
	Certificate *signature.Certificate `json:"certificate,omitempty"`
	List        *List                  `json:"list,omitempty"`
	data        []byte                 // the file
	cert        *x509.Certificate
	crl         *x509.RevocationList
}

// A List is what is shown of a revocation list.
type List struct {
	Issuer     string    `json:"issuer"`
	Revoked    int       `json:"revoked"`
	ThisUpdate time.Time `json:"thisUpdate"`
	NextUpdate time.Time `json:"nextUpdate"`
}

// maxFile is the largest file in bytes; large authorities have long revocation lists.
const maxFile = 32 << 20

// ReadFile reads what a file holds, without trusting it: certificates, each a root when it may vouch for others and a pin
// when not, or revocation lists; in PEM or DER. pin makes every certificate a pin. Errors are *problem.Problems.
func ReadFile(name string, pin bool) ([]Entry, error) {
	data, err := readCapped(name)
	if err != nil {
		return nil, err
	}
	var entries []Entry
	for _, der := range split(data) {
		e, err := parse(der, pin)
		if err != nil {
			return nil, problem.New(problem.Invalid, "trust/file", "holds no certificate or revocation list that can be read").At(name).Because(err)
		}
		entries = append(entries, e)
	}
	if len(entries) == 0 {
		return nil, problem.New(problem.Invalid, "trust/file", "holds no certificate and no revocation list").At(name)
	}
	return entries, nil
}

func readCapped(name string) ([]byte, error) {
	f, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, problem.New(problem.NotFound, "trust/file", "there is no such file").At(name)
	}
	if err != nil {
		return nil, problem.New(problem.Failed, "trust/file", "cannot be read").At(name).Because(err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(data) > maxFile {
		err = errors.New("it is larger than 32 MiB")
	}
	if err != nil {
		return nil, problem.New(problem.Failed, "trust/file", "cannot be read").At(name).Because(err)
	}
	return data, nil
}

// split gives the DER of each certificate and revocation list.
func split(data []byte) (ders [][]byte) {
	if !strings.Contains(string(data[:min(len(data), 1<<16)]), "-----BEGIN") {
		return [][]byte{data}
	}
	for {
		block, rest := pem.Decode(data)
		if block == nil {
			return ders
		}
		if block.Type == "CERTIFICATE" || block.Type == "X509 CRL" {
			ders = append(ders, block.Bytes)
		}
		data = rest
	}
}

func parse(der []byte, pin bool) (Entry, error) {
	if crl, err := x509.ParseRevocationList(der); err == nil {
		sum := sha256.Sum256(append(slices.Clip(crl.RawIssuer), crl.AuthorityKeyId...))
		return Entry{
			Kind: CRL, Fingerprint: "sha256:" + hex.EncodeToString(sum[:]), crl: crl,
			List: &List{crl.Issuer.String(), len(crl.RevokedCertificateEntries), crl.ThisUpdate.UTC(), crl.NextUpdate.UTC()},
			data: pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: der}),
		}, nil
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return Entry{}, err
	}
	return OfCertificate(cert, pin || !cert.IsCA), nil
}

// OfCertificate makes the entry of a certificate, as a pin or as a root.
func OfCertificate(cert *x509.Certificate, pin bool) Entry {
	shown := signature.Describe(cert)
	e := Entry{
		Kind: Root, Fingerprint: shown.Fingerprint, Certificate: &shown, cert: cert,
		data: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw}),
	}
	if pin {
		e.Kind = Pin
	}
	return e
}

// OfFingerprint makes a pin of a fingerprint: sha256: and 64 hex digits, colons between them allowed.
func OfFingerprint(text string) (Entry, error) {
	digits := strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(strings.ToLower(text), "sha256:"), ":", ""))
	if !regexp.MustCompile(`^[0-9a-f]{64}$`).MatchString(digits) {
		return Entry{}, problem.New(problem.Usage, "trust/fingerprint", "is no SHA-256 fingerprint").At(text).
			Try("openssl x509 -in CERT -noout -fingerprint -sha256")
	}
	return Entry{Kind: Pin, Fingerprint: "sha256:" + digits}, nil
}

// Of puts entries together.
func Of(entries []Entry) (t signature.Trust) {
	for _, e := range entries {
		switch e.Kind {
		case Root:
			t.Roots = append(t.Roots, e.cert)
		case Pin:
			t.Pins = append(t.Pins, e.Fingerprint)
		case CRL:
			t.CRLs = append(t.CRLs, e.crl)
		}
	}
	return t
}

// A Store is the folder with a user's entries, one file each, so that two processes do not undo each other's changes. It
// may not exist.
type Store struct{ dir string }

// Open gives the store below the folder of settings.
func Open(config string) *Store { return &Store{filepath.Join(config, "trust")} }

func (s *Store) file(e Entry) string {
	return filepath.Join(s.dir, string(e.Kind)+"-"+strings.TrimPrefix(e.Fingerprint, "sha256:")+".pem")
}

// List gives the entries, sorted by kind and fingerprint. A file that cannot be read, or is not what its name says, is an
// error: whoever damaged it may have taken a revocation list away.
func (s *Store) List() ([]Entry, error) {
	files, err := os.ReadDir(s.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, s.failed(err)
	}
	var entries []Entry
	for _, f := range files {
		if strings.HasPrefix(f.Name(), ".") {
			continue // half a file of a process that was killed
		}
		e, err := s.load(f.Name())
		if err != nil {
			return nil, err
		}
		entries = append(entries, e)
	}
	return entries, nil
}

func (s *Store) load(name string) (Entry, error) {
	path := filepath.Join(s.dir, name)
	kind, digits, _ := strings.Cut(strings.TrimSuffix(name, ".pem"), "-")
	data, err := readCapped(path)
	if err != nil {
		return Entry{}, err
	}
	damaged := problem.New(problem.Failed, "trust/store", "is damaged").At(path).Try("delete it, and add what it was again")
	e, err := OfFingerprint(digits)
	if err != nil {
		return Entry{}, damaged
	}
	if len(data) > 0 { // a pin by fingerprint alone is an empty file
		ders := split(data)
		if len(ders) != 1 {
			return Entry{}, damaged
		}
		if e, err = parse(ders[0], kind == string(Pin)); err != nil {
			return Entry{}, damaged.Because(err)
		}
	}
	if filepath.Base(s.file(e)) != name || string(e.Kind) != kind {
		return Entry{}, damaged
	}
	return e, nil
}

// Add keeps entries. A revocation list replaces an older one of the same issuer, and is refused when it is the older.
func (s *Store) Add(entries []Entry) error {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return s.failed(err)
	}
	for _, e := range entries {
		if e.Kind == CRL {
			old, err := s.load(filepath.Base(s.file(e)))
			if err == nil && old.List.ThisUpdate.After(e.List.ThisUpdate) {
				return problem.New(problem.Refused, "trust/older", "the revocation list is older than the one that is kept").At(e.List.Issuer)
			}
		}
		if err := atomicfile.Write(s.file(e), e.data, 0o600); err != nil {
			return s.failed(err)
		}
	}
	return nil
}

// minPrefix is how many hex digits name an entry.
const minPrefix = 8

// Remove takes out the entries whose fingerprints begin with a text of at least eight hex digits.
func (s *Store) Remove(text string) ([]Entry, error) {
	prefix := "sha256:" + strings.TrimPrefix(strings.ToLower(text), "sha256:")
	if len(prefix) < len("sha256:")+minPrefix {
		return nil, problem.New(problem.Usage, "trust/fingerprint", "give at least %d digits of the fingerprint", minPrefix).At(text).Try("satchel trust list")
	}
	entries, err := s.List()
	if err != nil {
		return nil, err
	}
	gone := slices.DeleteFunc(entries, func(e Entry) bool { return !strings.HasPrefix(e.Fingerprint, prefix) })
	if len(gone) == 0 {
		return nil, problem.New(problem.NotFound, "trust/entry", "nothing of this fingerprint is trusted").At(text).Try("satchel trust list")
	}
	for _, e := range gone {
		if err := os.Remove(s.file(e)); err != nil {
			return nil, s.failed(err)
		}
	}
	return gone, nil
}

func (s *Store) failed(err error) error {
	return problem.New(problem.Failed, "trust/store", "the folder of what is trusted cannot be used").At(s.dir).Because(err)
}
