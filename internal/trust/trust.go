// Package trust keeps whom a user trusts to sign bundles: authorities, pinned signers and revocation lists, one file each
// in the folder of settings. Use it wherever a signature is judged for the user; what trust means is mcpb/signature's.
package trust

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"satchel/internal/atomicfile"
	"satchel/internal/paths"
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
	Fingerprint string                 `json:"fingerprint"` // of a certificate; of a revocation list: of its issuer's name and key, and which part it is
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
	ders, whole := split(data)
	if !whole {
		return nil, problem.New(problem.Invalid, "trust/file", "holds a certificate or revocation list that is cut off or damaged").At(name)
	}
	var entries []Entry
	for _, der := range ders {
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

// split gives the DER of each certificate and revocation list. It is not whole when one that begins does not end, which
// pem passes over without a word.
func split(data []byte) (ders [][]byte, whole bool) {
	if !bytes.Contains(data[:min(len(data), 1<<16)], []byte("-----BEGIN")) {
		return [][]byte{data}, true
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")) // the mark of editors on Windows
	begun := bytes.Count(data, []byte("-----BEGIN CERTIFICATE-----")) + bytes.Count(data, []byte("-----BEGIN X509 CRL-----"))
	for {
		block, rest := pem.Decode(data)
		if block == nil {
			return ders, len(ders) == begun
		}
		if block.Type == "CERTIFICATE" || block.Type == "X509 CRL" {
			ders = append(ders, block.Bytes)
		}
		data = rest
	}
}

func parse(der []byte, pin bool) (Entry, error) {
	if crl, err := x509.ParseRevocationList(der); err == nil {
		return Entry{
			Kind: CRL, Fingerprint: series(crl), crl: crl,
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

// series tells apart the lists of which a newer one replaces an older: an issuer's name and key and, since large
// authorities cut their lists into parts, the critical extensions that say which part it is.
func series(crl *x509.RevocationList) string {
	h := sha256.New()
	h.Write(crl.RawIssuer)
	h.Write(crl.AuthorityKeyId)
	for _, e := range crl.Extensions {
		if e.Critical {
			fmt.Fprint(h, e.Id)
			h.Write(e.Value)
		}
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil))
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
	digits := digitsOf(text)
	if !regexp.MustCompile(`^[0-9a-f]{64}$`).MatchString(digits) {
		return Entry{}, problem.New(problem.Usage, "trust/fingerprint", "is no SHA-256 fingerprint").At(text).
			Try("openssl x509 -in CERT -noout -fingerprint -sha256")
	}
	return Entry{Kind: Pin, Fingerprint: "sha256:" + digits}, nil
}

// digitsOf takes away what stands around and between the hex digits of a fingerprint.
func digitsOf(text string) string {
	return strings.ReplaceAll(strings.TrimPrefix(strings.ToLower(text), "sha256:"), ":", "")
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
	if err := paths.Own(s.dir); err != nil { // others could say there whom to trust
		return nil, err
	}
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
		if problem.CodeOf(err) == problem.NotFound {
			continue // another process took it out
		}
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
	if info, err := os.Lstat(path); err == nil && !info.Mode().IsRegular() { // a pipe would be waited for
		return Entry{}, problem.New(problem.Failed, "trust/store", "is no file of whom you trust").At(path).Try("see what it is, and move it away")
	}
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
		ders, whole := split(data)
		if len(ders) != 1 || !whole {
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
	kept, err := s.List()
	if err != nil {
		return err
	}
	for _, e := range entries {
		i := slices.IndexFunc(kept, func(old Entry) bool { return s.file(old) == s.file(e) })
		if i >= 0 && e.cert == nil && e.Kind == Pin {
			continue // what is kept may say whose it is
		}
		if e.Kind == CRL {
			var old *Entry
			if i >= 0 {
				old = &kept[i]
			}
			if err := e.checkList(old, append(kept, entries...)); err != nil {
				return err
			}
		}
		if err := atomicfile.Write(s.file(e), e.data, 0o600); err != nil {
			return s.failed(err)
		}
	}
	return nil
}

// checkList refuses a revocation list that would take the place of a newer one, or of the true one: when certificates of
// its issuer's name are known and none of them signed it, and, when none is known, when it would replace another list.
func (e Entry) checkList(old *Entry, known []Entry) error {
	named, signed := false, false
	for _, k := range known {
		if k.cert != nil && bytes.Equal(k.cert.RawSubject, e.crl.RawIssuer) {
			named, signed = true, signed || e.crl.CheckSignatureFrom(k.cert) == nil
		}
	}
	switch {
	case named && !signed:
		return problem.New(problem.Invalid, "trust/list-signature", "the authority that it names did not sign the revocation list").At(e.List.Issuer).
			Try("get it again from the authority")
	case old != nil && !signed && !bytes.Equal(old.crl.Raw, e.crl.Raw):
		return problem.New(problem.Refused, "trust/list-signature", "it would replace the revocation list that is kept, and nobody can tell who signed it: its issuer's certificate is not known").At(e.List.Issuer).
			Try("add that certificate first: satchel trust add ISSUER.pem --pin")
	case old != nil && old.List.ThisUpdate.After(e.List.ThisUpdate):
		return problem.New(problem.Refused, "trust/older", "the revocation list is older than the one that is kept").At(e.List.Issuer)
	}
	return nil
}

// minPrefix is how many hex digits name an entry.
const minPrefix = 8

// Remove takes out the entries whose fingerprints begin with a text of at least eight hex digits.
func (s *Store) Remove(text string) ([]Entry, error) {
	prefix := "sha256:" + digitsOf(text)
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
		if err := os.Remove(s.file(e)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, s.failed(err)
		}
	}
	return gone, nil
}

func (s *Store) failed(err error) error {
	return problem.New(problem.Failed, "trust/store", "the folder of what is trusted cannot be used").At(s.dir).Because(err)
}
