// Package signer finds who signs: certificates and keys in PEM, DER and PKCS#12 files, encrypted or not, and the
// self-signed key that each user has. Use it for the command line of signing; what an identity must hold to is decided
// by mcpb/signature.
package signer

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	pkcs12 "software.sslmate.com/src/go-pkcs12"

	"satchel/internal/problem"
	"satchel/mcpb/signature"
)

// maxFile is the largest file of keys or certificates in bytes.
const maxFile = 1 << 20

// Files say where a signer's certificate, its issuers' certificates and the key are. Either PKCS12 or Cert is given; Key
// may be missing when another machine has the key.
type Files struct {
	Cert, Key string
	Chain     []string
	PKCS12    string
}

// Ask gives the password of a file.
type Ask func(file string) ([]byte, error)

// Load reads the files into an identity that may sign now. The warnings are about files that others can read and
// issuers whose certificates have expired. Errors are *problem.Problems.
func (f Files) Load(ask Ask, now time.Time) (who *signature.Identity, warnings []string, err error) {
	var certs []*x509.Certificate
	var key crypto.Signer
	switch {
	case f.PKCS12 != "":
		certs, key, err = loadPKCS12(f.PKCS12, ask)
		warnings = readable(f.PKCS12, warnings)
	default:
		if certs, err = Certificates(f.Cert); err == nil && f.Key != "" {
			key, err = loadKey(f.Key, ask)
			warnings = readable(f.Key, warnings)
		}
	}
	for _, name := range f.Chain {
		if err != nil {
			break
		}
		var more []*x509.Certificate
		more, err = Certificates(name)
		certs = append(certs, more...)
	}
	if err != nil {
		return nil, nil, err
	}
	certs = signerFirst(certs, key)
	if who, err = signature.NewIdentity(certs[0], certs[1:], key, now); err != nil {
		return nil, nil, err
	}
	for _, c := range who.Path[1:] {
		if now.Before(c.NotBefore) || now.After(c.NotAfter) {
			warnings = append(warnings, fmt.Sprintf("the certificate of the issuer %s is valid from %s to %s, not now: who has no other is told that the signature has expired",
				c.Subject, c.NotBefore.Format(time.DateOnly), c.NotAfter.Format(time.DateOnly)))
		}
	}
	return who, warnings, nil
}

// signerFirst puts the certificate that belongs to the key before the others, since some programs write it last, and
// leaves out what was given twice.
func signerFirst(certs []*x509.Certificate, key crypto.Signer) []*x509.Certificate {
	var list []*x509.Certificate
	if public, ok := publicKey(key).(interface{ Equal(crypto.PublicKey) bool }); ok {
		if i := slices.IndexFunc(certs, func(c *x509.Certificate) bool { return public.Equal(c.PublicKey) }); i >= 0 {
			list = append(list, certs[i])
		}
	}
	for _, c := range certs {
		if !slices.ContainsFunc(list, c.Equal) {
			list = append(list, c)
		}
	}
	return list
}

func publicKey(key crypto.Signer) crypto.PublicKey {
	if key == nil {
		return nil
	}
	return key.Public()
}

// readable adds a warning when others than the owner can read a file with a key.
func readable(name string, warnings []string) []string {
	info, err := os.Stat(name)
	if err != nil || runtime.GOOS == "windows" || info.Mode().Perm()&0o077 == 0 {
		return warnings
	}
	return append(warnings, fmt.Sprintf("%s can be read by others (mode %04o): chmod 600 %s", name, info.Mode().Perm(), problem.Words(name)))
}

// ReadFile reads a file of keys, certificates or signatures, of at most 1 MiB; pipes too, as shells make them of the output
// of a command. Errors are *problem.Problems.
func ReadFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, problem.New(problem.NotFound, "sign/file", "there is no such file").At(name)
	}
	if err != nil {
		return nil, unreadable(name, err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(data) > maxFile {
		err = errors.New("it is larger than a file of keys or certificates can be")
	}
	if err != nil {
		return nil, unreadable(name, err)
	}
	return data, nil
}

func unreadable(name string, err error) error {
	return problem.New(problem.Failed, "sign/file", "cannot be read").At(name).Because(err)
}

// Certificates reads all certificates of a PEM file, or the one of a DER file. There is at least one.
func Certificates(name string) ([]*x509.Certificate, error) {
	data, err := ReadFile(name)
	if err != nil {
		return nil, err
	}
	var certs []*x509.Certificate
	ders := [][]byte{data}
	if bytes.Contains(data, []byte("-----BEGIN")) {
		ders = blocks(data, "CERTIFICATE")
		if len(ders) < bytes.Count(data, []byte("-----BEGIN CERTIFICATE-----")) {
			return nil, problem.New(problem.Invalid, "sign/certificate", "holds a certificate that is cut off or damaged").At(name)
		}
	}
	for _, der := range ders {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, problem.New(problem.Invalid, "sign/certificate", "holds no certificate that can be read").At(name).Because(err)
		}
		certs = append(certs, c)
	}
	if len(certs) == 0 {
		return nil, problem.New(problem.Invalid, "sign/certificate", "holds no certificate").At(name)
	}
	return certs, nil
}

func blocks(data []byte, kind string) (ders [][]byte) {
	data = withoutMark(data)
	for {
		block, rest := pem.Decode(data)
		if block == nil {
			return ders
		}
		if block.Type == kind {
			ders = append(ders, block.Bytes)
		}
		data = rest
	}
}

// withoutMark takes away the mark that editors on Windows put before a text, and that pem does not know.
func withoutMark(data []byte) []byte { return bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")) }

func loadKey(name string, ask Ask) (crypto.Signer, error) {
	data, err := ReadFile(name)
	if err != nil {
		return nil, err
	}
	for rest := withoutMark(data); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return nil, problem.New(problem.Invalid, "sign/key-file", "holds no private key in PEM").At(name).
				Try("openssl pkey -in %s -out key.pem", problem.Words(name))
		}
		if strings.HasSuffix(block.Type, "PRIVATE KEY") {
			return parseKey(name, block, ask)
		}
	}
}

func parseKey(name string, block *pem.Block, ask Ask) (crypto.Signer, error) {
	var key any
	var err error
	switch {
	case block.Headers["DEK-Info"] != "":
		return nil, problem.New(problem.Invalid, "sign/key-file", "is encrypted in the old way of OpenSSL, which holds nobody off").At(name).
			Try("openssl pkcs8 -topk8 -in %s -out new-key.pem", problem.Words(name))
	case block.Type == "ENCRYPTED PRIVATE KEY":
		return unlock(name, block.Bytes, ask)
	case block.Type == "RSA PRIVATE KEY":
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case block.Type == "EC PRIVATE KEY":
		key, err = x509.ParseECPrivateKey(block.Bytes)
	default:
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	}
	return signerOf(name, key, err)
}

// unlock opens an encrypted key.
func unlock(name string, der []byte, ask Ask) (crypto.Signer, error) {
	locked, err := parseLocked(der)
	if err != nil {
		return nil, problem.New(problem.Invalid, "sign/key-file", "is encrypted in a way that cannot be read").At(name).Because(err).
			Try("openssl pkcs8 -topk8 -in %s -out new-key.pem", problem.Words(name))
	}
	password, err := ask(name)
	if err != nil {
		return nil, err
	}
	plain, err := locked.open(password)
	if err != nil {
		return nil, wrongPassword(name, err)
	}
	if _, err := asn1.Unmarshal(plain, new(asn1.RawValue)); err != nil {
		return nil, wrongPassword(name, errWrongPassword)
	}
	key, err := x509.ParsePKCS8PrivateKey(plain)
	return signerOf(name, key, err)
}

func signerOf(name string, key any, err error) (crypto.Signer, error) {
	if s, ok := key.(crypto.Signer); ok && err == nil {
		return s, nil
	}
	return nil, problem.New(problem.Invalid, "sign/key-file", "holds a private key that cannot be read").At(name).Because(err)
}

func wrongPassword(name string, err error) error {
	return problem.New(problem.Invalid, "sign/password", "cannot be decrypted: the password is wrong, or the file is damaged").At(name).Because(err)
}

// loadPKCS12 tries the empty password first, since many files have it.
func loadPKCS12(name string, ask Ask) ([]*x509.Certificate, crypto.Signer, error) {
	data, err := ReadFile(name)
	if err != nil {
		return nil, nil, err
	}
	key, cert, more, err := pkcs12.DecodeChain(data, "")
	if errors.Is(err, pkcs12.ErrIncorrectPassword) || errors.Is(err, pkcs12.ErrDecryption) {
		var password []byte
		if password, err = ask(name); err != nil {
			return nil, nil, err
		}
		if key, cert, more, err = pkcs12.DecodeChain(data, string(password)); errors.Is(err, pkcs12.ErrIncorrectPassword) || errors.Is(err, pkcs12.ErrDecryption) {
			return nil, nil, wrongPassword(name, err)
		}
	}
	if err != nil {
		return nil, nil, problem.New(problem.Invalid, "sign/key-store", "is no PKCS#12 file with a certificate and its key that can be read").At(name).Because(err).
			Try("openssl pkcs12 -in %s -out signer.pem; then give --cert signer.pem --key signer.pem", problem.Words(name))
	}
	signer, err := signerOf(name, key, nil)
	return append([]*x509.Certificate{cert}, more...), signer, err
}
