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
	"satchel/internal/paths"
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
	if err := paths.Own(filepath.Dir(file)); err != nil { // others could put their key there
		return nil, err
	}
	if _, err := os.Lstat(file); errors.Is(err, fs.ErrNotExist) {
		if err := makeSelfSigned(file, now); err != nil {
			return nil, problem.New(problem.Failed, "sign/self-signed", "the self-signed key cannot be made").At(file).Because(err)
		}
	}
	info, err := os.Lstat(file)
	switch {
	case err != nil:
		return nil, unreadable(file, err)
	case !info.Mode().IsRegular():
		return nil, problem.New(problem.Refused, "sign/self-signed", "is where your self-signed key would be, and is no file").At(file).
			Try("see what it is, and move it away; then a new key is made")
	case runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0:
		return nil, problem.New(problem.Refused, "sign/self-signed", "the self-signed key is not for you alone (%v)", info.Mode()).At(file).
			Try("when nobody else had it: chmod 600 %s; else delete it, and a new one is made", problem.Words(file))
	}
	who, _, err := Files{Cert: file, Key: file}.Load(func(string) ([]byte, error) { return nil, errors.New("it is encrypted") }, now)
	if p, ok := errors.AsType[*problem.Problem](err); ok {
		return nil, p.Try("restore it, or delete it, and a new one is made, which others have to trust anew: rm %s", problem.Words(file))
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
