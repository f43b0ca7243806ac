package dropin_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// keys makes the keys and certificates of the scenarios once, as files: an authority, a signer's certificate by it, and
// what is wrong with others.
var keys = sync.OnceValue(func() map[string]string {
	files := map[string]string{}
	ca, key, other := newKey(), newKey(), newKey()
	root := certificate("Test Authority", ca, nil, nil, func(c *x509.Certificate) {
		c.IsCA, c.KeyUsage, c.ExtKeyUsage = true, x509.KeyUsageCertSign, nil
	})
	files["ca.pem"] = certPEM(root)
	files["cert.pem"] = certPEM(certificate("Test Signer", key, root, ca, nil))
	files["key.pem"], files["other-key.pem"] = keyPEM(key), keyPEM(other)
	files["other-ca.pem"] = certPEM(certificate("Another Authority", other, nil, nil, func(c *x509.Certificate) { c.IsCA = true }))
	files["web.pem"] = certPEM(certificate("Web Server", key, root, ca, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }))
	files["old.pem"] = certPEM(certificate("Old", key, root, ca, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Hour) }))
	files["plain.pem"] = certPEM(certificate("Plain", key, nil, nil, func(c *x509.Certificate) { c.ExtKeyUsage, c.KeyUsage = nil, 0 }))
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	files["ec.pem"], files["ec-key.pem"] = certPEM(certificate("Curve", curve, root, ca, nil)), keyPEM(curve)
	return files
})

func newKey() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
}

// certificate makes one for signing code, signed by its issuer, or by itself when parent is nil.
func certificate(name string, key crypto.Signer, parent *x509.Certificate, parentKey crypto.Signer, change func(*x509.Certificate)) *x509.Certificate {
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		panic(err)
	}
	c := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-24 * time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning}, BasicConstraintsValid: true,
	}
	if change != nil {
		change(c)
	}
	if parent == nil {
		parent, parentKey = c, key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, key.Public(), parentKey)
	if err != nil {
		panic(err)
	}
	if c, err = x509.ParseCertificate(der); err != nil {
		panic(err)
	}
	return c
}

func certPEM(c *x509.Certificate) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
}

func keyPEM(key crypto.Signer) string {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		panic(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// signing is a scenario in a folder with a bundle x.mcpb and the keys.
func signing(name string, diffs map[string]string, args ...string) scenario {
	s := scenario{name: name, args: args, diffs: diffs, files: map[string]string{"text.mcpb": "text"}, setup: func(dir string) error {
		return writeZip(filepath.Join(dir, "x.mcpb"), "manifest.json="+aManifest, "server/index.js")
	}}
	for file, text := range keys() {
		if strings.Contains(file, "key") {
			file += "@600"
		}
		s.files[file] = text
	}
	return s
}

func signCases() []scenario {
	who := map[string]string{stdout: "sign-who"}
	refused := func(row string) map[string]string {
		return map[string]string{code: row, stdout: row, disk: row, signer: row}
	}
	words := map[string]string{stdout: "sign-words"}
	loose := signing("sign with a key that others can read", map[string]string{stdout: "sign-who", stderr: "sign-words"}, "sign", "x.mcpb", "-k", "loose.pem")
	loose.files["loose.pem@644"] = keys()["key.pem"]
	own := signing("sign by oneself again", map[string]string{stdout: "sign-who", disk: "sign-twice", signer: "sign-self"}, "sign", "x.mcpb", "--self-signed")
	own.first = [][]string{{"sign", "x.mcpb", "--self-signed"}}
	return []scenario{
		signing("sign", who, "sign", "x.mcpb"),
		signing("sign with a chain", who, "sign", "-i", "ca.pem", "-c", "cert.pem", "--key=key.pem", "x.mcpb"),
		signing("sign with a plain certificate", who, "sign", "x.mcpb", "-c", "plain.pem"),
		own, loose,
		signing("sign without certificate", nil, "sign", "x.mcpb", "-c", "nope.pem"),
		signing("sign without key", nil, "sign", "x.mcpb", "-knope.pem"),
		signing("sign nothing there", nil, "sign", "nope.mcpb"),
		signing("sign with ECDSA", refused("sign-ec"), "sign", "x.mcpb", "-c", "ec.pem", "-k", "ec-key.pem"),
		signing("sign with another key", map[string]string{code: "sign-match", stdout: "sign-match", stderr: "sign-match", disk: "sign-match", signer: "sign-match"}, "sign", "x.mcpb", "-k", "other-key.pem"),
		signing("sign with a strange chain", refused("sign-match"), "sign", "x.mcpb", "-i", "other-ca.pem"),
		signing("sign with a web certificate", refused("sign-usage"), "sign", "x.mcpb", "-c", "web.pem"),
		signing("sign with an old certificate", refused("sign-usage"), "sign", "x.mcpb", "-c", "old.pem"),
		signing("sign with no certificate in the file", words, "sign", "x.mcpb", "-c", "text.mcpb"),
		signing("sign with no key in the file", map[string]string{stdout: "sign-words", stderr: "sign-words"}, "sign", "x.mcpb", "-k", "text.mcpb"),
		signing("sign without intermediate", words, "sign", "x.mcpb", "-i", "nope.pem"),
		signing("sign what is no bundle", map[string]string{code: "no-bundle", stdout: "no-bundle", stderr: "no-bundle", disk: "no-bundle"}, "sign", "text.mcpb"),
	}
}

// signedCases are about signed bundles, each signed by the program that looks at it.
func signedCases() []scenario {
	after := func(s scenario, before ...[]string) scenario { s.first = before; return s }
	sign := []string{"sign", "x.mcpb"}
	own := []string{"sign", "x.mcpb", "--self-signed"}
	valid := map[string]string{code: "verify", stdout: "verify", stderr: "verify", signer: "sign-self"}
	tampered := after(signing("verify what was changed", map[string]string{stdout: "verify", stderr: "verify"}, "verify", "x.mcpb"), own)
	tampered.alone, tampered.then = true, func(dir string) error { return flip(filepath.Join(dir, "x.mcpb"), 40) }
	return []scenario{
		signing("verify unsigned", nil, "verify", "x.mcpb"),
		signing("verify nothing there", nil, "verify", "nope.mcpb"),
		signing("verify what is no bundle", map[string]string{stdout: "no-bundle", stderr: "no-bundle"}, "verify", "text.mcpb"),
		after(signing("verify self-signed", valid, "verify", "x.mcpb"), own),
		after(signing("verify untrusted", map[string]string{stdout: "verify", stderr: "verify"}, "verify", "x.mcpb"), sign),
		tampered,
		signing("info unsigned", nil, "info", "x.mcpb"),
		signing("info nothing there", nil, "info", "nope.mcpb"),
		signing("info of what is no bundle", map[string]string{code: "no-bundle", stdout: "no-bundle", stderr: "no-bundle"}, "info", "text.mcpb"),
		after(signing("info self-signed", map[string]string{stdout: "verify", signer: "sign-self"}, "info", "x.mcpb"), own),
		after(signing("unsign", nil, "unsign", "x.mcpb"), sign),
		signing("unsign unsigned", nil, "unsign", "x.mcpb"),
		signing("unsign nothing there", nil, "unsign", "nope.mcpb"),
		signing("unsign what is no bundle", map[string]string{code: "no-bundle", stdout: "no-bundle", stderr: "no-bundle"}, "unsign", "text.mcpb"),
		after(signing("unpack signed", map[string]string{signer: "sign-self"}, "unpack", "x.mcpb", "out"), own),
	}
}

// flip changes a byte of a file.
func flip(path string, at int) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	data[at] ^= 1
	return os.WriteFile(path, data, 0o644)
}
