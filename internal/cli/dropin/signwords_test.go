package dropin_test

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The reference never gets as far as to say that a signature is valid; these are the words of its source.
func TestWhatIsSaidOfValidSignatures(t *testing.T) {
	t.Parallel()
	s := signing("", nil)
	at := s.set(t)
	satchel, mcpb := filepath.Join(here.bin, "satchel"), filepath.Join(here.bin, "mcpb")
	says := func(want string, argv ...string) {
		t.Helper()
		r := start(t, at.home, at.work, argv...)
		if got := r.Stdout + r.Stderr; r.Code != 0 || got != want {
			t.Errorf("%q: code %d\n%s\nwant\n%s", argv, r.Code, got, want)
		}
	}
	if r := start(t, at.home, at.work, satchel, "trust", "add", "ca.pem", "--yes"); r.Code != 0 {
		t.Fatalf("%+v", r)
	}
	block, _ := pem.Decode([]byte(keys()["cert.pem"]))
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	valid := day(cert.NotBefore) + " to " + day(cert.NotAfter)
	fingerprint := fmt.Sprintf("%x", sha256.Sum256(cert.Raw))
	says("Signing x.mcpb...\nSuccessfully signed x.mcpb\nSigned by: Test Signer\nIssuer: Test Authority\n", mcpb, "sign", "x.mcpb", "-i", "ca.pem")
	says("Verifying x.mcpb...\nSignature is valid\nSigned by: Test Signer\nIssuer: Test Authority\nValid from: "+valid+"\nFingerprint: "+fingerprint+"\n", mcpb, "verify", "x.mcpb")
	info, err := os.Stat(filepath.Join(at.work, "x.mcpb"))
	if err != nil {
		t.Fatal(err)
	}
	says(fmt.Sprintf("File: x.mcpb\nSize: %.2f KB\n\nSignature Information:\n  Subject: Test Signer\n  Issuer: Test Authority\n  Valid from: %s\n  Fingerprint: %s\n  Status: Valid\n",
		float64(info.Size())/1024, valid, fingerprint), mcpb, "info", "x.mcpb")
	if err := flip(filepath.Join(at.work, "x.mcpb"), 40); err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"verify", "info"} {
		if r := start(t, at.home, at.work, mcpb, command, "x.mcpb"); r.Code != 1 || !strings.Contains(r.Stdout, "ERROR: ") || strings.Contains(r.Stdout, "is valid") || strings.Contains(r.Stdout, "Status: Valid") {
			t.Errorf("%s of what was changed: %+v", command, r)
		}
	}
}

// day writes a date as the test's time zone has it.
func day(t time.Time) string { return t.UTC().Format("1/2/2006") }

// What the reference signs we verify, and unsign to the byte; what we sign it unpacks.
func TestSignedByTheOther(t *testing.T) {
	t.Parallel()
	needReference(t)
	s := signing("", nil)
	at := s.set(t)
	mcpb, bundle := filepath.Join(here.bin, "mcpb"), filepath.Join(at.work, "x.mcpb")
	before, err := os.ReadFile(bundle)
	if err != nil {
		t.Fatal(err)
	}
	askReference(t, []call{{at.work, []string{"sign", "x.mcpb", "-c", "plain.pem"}}})
	r := start(t, at.home, at.work, mcpb, "verify", "x.mcpb")
	if !strings.HasPrefix(r.Stdout, "Verifying x.mcpb...\nSignature is valid (self-signed)\nWARNING: This extension is self-signed\nSigned by: Plain\nValid from: ") || r.Code != 0 {
		t.Errorf("%+v", r)
	}
	r = start(t, at.home, at.work, mcpb, "unsign", "x.mcpb")
	if after, err := os.ReadFile(bundle); err != nil || r.Code != 0 || string(after) != string(before) {
		t.Errorf("unsigned: %d bytes, before %d; %+v, %v", len(after), len(before), r, err)
	}
	start(t, at.home, at.work, mcpb, "sign", "x.mcpb", "--self-signed")
	theirs := askReference(t, []call{{at.work, []string{"unpack", "x.mcpb", "out"}}})[0]
	if data, err := os.ReadFile(filepath.Join(at.work, "out", "manifest.json")); err != nil || string(data) != aManifest || theirs.Code != 0 {
		t.Errorf("unpacked by the reference: %+v, %q, %v", theirs, data, err)
	}
}
