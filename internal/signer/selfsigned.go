package signer

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"satchel/internal/atomicfile"
	"satchel/internal/problem"
	"satchel/mcpb/signature"
)

// selfSignedYears is how long a self-signed certificate is valid: there is nobody who would renew it.
const selfSignedYears = 10

// SelfSignedFile is where a user's self-signed key and certificate are, in one file, below the folder of settings.
func SelfSignedFile(config string) string {
	return filepath.Join(config, "signing", "self-signed.pem")
}

// SelfSigned gives the user's self-signed identity, and makes it when there is none. Processes that do so at the same
// time get the same one. A file that others can read is refused.
func SelfSigned(config string, now time.Time) (*signature.Identity, error) {
	file := SelfSignedFile(config)
	if _, err := os.Lstat(file); errors.Is(err, fs.ErrNotExist) {
		if err := makeSelfSigned(file, now); err != nil {
			return nil, problem.New(problem.Failed, "sign/self-signed", "the self-signed key cannot be made").At(file).Because(err)
		}
	}
	info, err := os.Lstat(file)
	if err != nil {
		return nil, unreadable(file, err)
	}
	if runtime.GOOS != "windows" && (!info.Mode().IsRegular() || info.Mode().Perm()&0o077 != 0) {
		return nil, problem.New(problem.Refused, "sign/self-signed", "the self-signed key is not for you alone (%v)", info.Mode()).At(file).
			Try("when nobody else had it: chmod 600 %s; else delete it, and a new one is made", file)
	}
	return Files{Cert: file, Key: file}.loadQuietly(now)
}

func (f Files) loadQuietly(now time.Time) (*signature.Identity, error) {
	who, _, err := f.Load(func(string) ([]byte, error) { return nil, errors.New("it is encrypted") }, now)
	if p, ok := errors.AsType[*problem.Problem](err); ok && p.Rule == "sign/validity" {
		return nil, p.Try("delete %s, and a new one is made", f.Key)
	}
	return who, err
}

// makeSelfSigned writes a new key with its certificate. A link, unlike a rename, fails when another process was first.
func makeSelfSigned(file string, now time.Time) error {
	data, err := newSelfSigned(now)
	if err != nil {
		return err
	}
	dir := filepath.Dir(file)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(dir, ".self-signed-*.tmp") // 0600
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(data)
	if err := errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	if err := os.Link(tmp.Name(), file); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return atomicfile.SyncDir(dir)
}

// newSelfSigned makes an ECDSA P-256 key and a certificate for signing code and nothing else, both in PEM. The name says
// what the certificate is worth.
func newSelfSigned(now time.Time) ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, err
	}
	cert := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "Self-signed by Satchel"},
		NotBefore: now.UTC().Add(-time.Minute), NotAfter: now.UTC().AddDate(selfSignedYears, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning}, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, cert, cert, key.Public(), key)
	if err != nil {
		return nil, err
	}
	private, err := x509.MarshalPKCS8PrivateKey(crypto.PrivateKey(key))
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = errors.Join(pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.Encode(&b, &pem.Block{Type: "PRIVATE KEY", Bytes: private}))
	return b.Bytes(), err
}
