package mcpb

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// keys makes private keys and what is public of them, in every form that Go writes.
func keys(t *testing.T) (private, public map[string]string) {
	t.Helper()
	text := func(b []byte, err error) string { must(t, err); return string(b) }
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	e, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	pub, d, err := ed25519.GenerateKey(rand.Reader)
	must(t, err)
	cert := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	private = map[string]string{
		"pkcs8 rsa": text(x509.MarshalPKCS8PrivateKey(r)), "pkcs8 ec": text(x509.MarshalPKCS8PrivateKey(e)), "pkcs8 ed25519": text(x509.MarshalPKCS8PrivateKey(d)),
		"pkcs1": string(x509.MarshalPKCS1PrivateKey(r)), "sec1": text(x509.MarshalECPrivateKey(e)),
	}
	public = map[string]string{
		"spki": text(x509.MarshalPKIXPublicKey(pub)), "pkcs1 public": string(x509.MarshalPKCS1PublicKey(&r.PublicKey)),
		"certificate": text(x509.CreateCertificate(rand.Reader, cert, cert, &e.PublicKey, e)),
		"request":     text(x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, e)),
	}
	return private, public
}

func armoured(label, der string) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: label, Bytes: []byte(der)}))
}

// opensslKeys are forms that Go does not write.
func opensslKeys(t *testing.T, pkcs8 string) map[string]string {
	t.Helper()
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Log("not tried: encrypted keys, openssl is not here")
		return nil
	}
	forms := map[string]string{}
	for name, args := range map[string][]string{
		"encrypted.der": {"pkcs8", "-topk8", "-outform", "DER", "-passout", "pass:x"}, "encrypted": {"pkcs8", "-topk8", "-passout", "pass:x"},
		"traditional": {"pkcs8", "-topk8", "-outform", "DER", "-v1", "PBE-SHA1-3DES", "-passout", "pass:x"},
	} {
		cmd := exec.Command("openssl", args...)
		cmd.Stdin = strings.NewReader(pkcs8)
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("openssl %v: %v", args, err)
		}
		forms[name] = string(out)
	}
	return forms
}

// Keys are found whatever they are called; what is public, quotes a key, or only looks like one goes in.
func TestPrivateKeysAreFoundByTheirContent(t *testing.T) {
	t.Parallel()
	private, public := keys(t)
	pkcs8 := armoured("PRIVATE KEY", private["pkcs8 rsa"])
	cert := armoured("CERTIFICATE", public["certificate"])
	account := `{"type": "service_account", "project_id": "p", "private_key": "` + strings.ReplaceAll(pkcs8, "\n", `\n`) + `"}`
	secrets := files{
		"server_key": pkcs8, "deploy": armoured("OPENSSH PRIVATE KEY", private["sec1"]), "deploy.txt": "\n\n" + pkcs8, "a.asc": "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nlQOYBF\n" + strings.Repeat("A", 60),
		"commented": "# of the build machine\n# do not lose it\n" + pkcs8, "windows": "\xef\xbb\xbf" + strings.ReplaceAll(pkcs8, "\n", "\r\n"), "chain": cert + pkcs8,
		"ec": armoured("EC PARAMETERS", "\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07") + armoured("EC PRIVATE KEY", private["sec1"]), "bag": "Bag Attributes\n    localKeyID: 01\n" + pkcs8,
		"putty": "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nPrivate-Lines: 1\nAAAA\n", "ssh2": "---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\nP2/56wAAA" + strings.Repeat("A", 60),
		"priv.key": private["pkcs1"], "priv.p8": private["pkcs8 ec"], "priv.der": private["pkcs8 ed25519"], "blob": private["sec1"], "blob.bin": private["pkcs8 rsa"],
		"my-project-1234.json": account, "google": account, "node_modules/p/test/fixtures/rsa": pkcs8,
		// By their names.
		"id_rsa.bak": "x", "id_ed25519~": "x", "credentials": "x", "credentials.yml": "x", "config/Credentials.ini": "x", ".azure/accessTokens.json": "[]", ".azure/msal_token_cache.json": "x",
		"prod.env": "A=1", "config/local.env.bak": "A=1", ".netrc.old": "x",
	}
	for name, data := range opensslKeys(t, pkcs8) {
		secrets[name] = data
	}
	presentation := "PK\x03\x04" + strings.Repeat("\x00", 100)
	open := files{
		"talk.key": presentation, "ca.pem": cert, "ca.der": public["certificate"], "pub.der": public["spki"], "pub.key": public["pkcs1 public"], "request.der": public["request"],
		"pub.asc": "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n" + strings.Repeat("A", 60), "signature.asc": "-----BEGIN PGP SIGNATURE-----\n\n" + strings.Repeat("A", 60), "id_rsa.pub": "ssh-rsa AAAA",
		"README": "Write it like this:\n" + pkcs8, "guide/keys.md": pkcs8, "lib/key.js": "`" + pkcs8 + "`", "notes.txt": "The file begins with\n-----BEGIN PRIVATE KEY-----\nand so on.\n",
		"tool.json": `{"type": "service_account", "description": "what the private_key is for, as in -----BEGIN PRIVATE KEY-----"}`, "large": strings.Repeat("\n", mostKey) + pkcs8,
		"zero": "0\x82", "digits": strings.Repeat("0", 60), "credentials.ts": "x", "environment": "x", "example.env": "A=", "credentials/index.md": "x", "empty": "",
		"digest": string([]byte{0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20}) + strings.Repeat("x", 32),
	}
	plan := planned(t, writeTree(t, secrets), PackOptions{})
	checkNamesAre(t, plan.names(), "manifest.json")
	if len(plan.Warnings) != len(secrets) || !strings.Contains(strings.Join(plan.Warnings, "\n"), "node_modules/p/test/fixtures/rsa is left out: secret: a private key; satchel pack --include") {
		t.Errorf("%d warnings of %d secrets: %q", len(plan.Warnings), len(secrets), plan.Warnings)
	}
	plan = planned(t, writeTree(t, open), PackOptions{})
	if len(plan.Excluded) > 0 || len(plan.Files) != len(open)+1 {
		t.Errorf("taken for secrets: %+v", plan.Excluded)
	}
}

func TestAFolderOfSecretsOfTheDefaultListIsSaid(t *testing.T) {
	t.Parallel()
	dir := writeTree(t, files{".env.d/prod": "A=1", ".env.d/dev": "A=1"})
	plan := planned(t, dir, PackOptions{})
	checkNamesAre(t, plan.names(), "manifest.json")
	if len(plan.Warnings) != 1 || !strings.HasPrefix(plan.Warnings[0], ".env.d/ is left out: secret: ") {
		t.Errorf("warnings: %q", plan.Warnings)
	}
	plan = planned(t, dir, PackOptions{Include: []string{".env.d/dev"}})
	checkNamesAre(t, plan.names(), ".env.d/dev", "manifest.json")
	addFiles(t, dir, files{".mcpbignore": "/.env.d\n"})
	if plan = planned(t, dir, PackOptions{}); len(plan.Warnings) > 0 {
		t.Errorf("its author has left it out: %q", plan.Warnings)
	}
}

// A key under a name that most files have is opened only when it can be one.
func TestFewFilesAreOpenedForKeys(t *testing.T) {
	t.Parallel()
	for name, size := range map[string]int64{"index.js": 1000, "a.d.ts": 1000, "license": 1000, "package.json": 1000, "icon.png": 1000, "tiny": leastKey - 1, "big": mostKey + 1} {
		if keyLimit(name, size) > 0 {
			t.Errorf("%s of %d bytes is opened", name, size)
		}
	}
	for _, begin := range []string{"#!/bin/sh\n", "MIT License", "\x7fELF", "0\xff", "# A title\ntext"} {
		if beginsLikeKey([]byte(begin)) {
			t.Errorf("%q is read on", begin)
		}
	}
}

func FuzzKey(f *testing.F) {
	der, err := base64.StdEncoding.DecodeString("MC4CAQAwBQYDK2VwBCIEIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{string(der), "-----BEGIN PRIVATE KEY-----\n", `{"type":"service_account","private_key":"-----BEGIN PRIVATE KEY-----"}`, "# c\n---- BEGIN SSH2 "} {
		f.Add([]byte(seed))
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, data []byte) {
		name := filepath.Join(dir, "key")
		must(t, os.WriteFile(name, data, 0o600))
		why, err := findKey(func(string) (*os.File, error) { return os.Open(name) }, "key", mostKey, false)
		if err != nil || why != "" && !slices.ContainsFunc([]string{"PRIVATE KEY", "Private-Lines"}, func(s string) bool { return bytes.Contains(data, []byte(s)) }) && data[0] != 0x30 {
			t.Errorf("%q, %v", why, err)
		}
	})
}
