package main

import (
	"archive/zip"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	cryptorand "crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

const beginSigning, endSigning = "<!-- signing: written by make bench -->\n", "<!-- end of signing -->\n"

// largeSize is the size of the large bundle in bytes; the limits are those of the issue.
const (
	largeSize    = 1 << 30
	signingLimit = 1.2
	memoryLimit  = 64 // MiB
)

// signingCases makes a large bundle, a key and a signed copy, and the cases on them, each beside a program that computes
// the file's SHA-256 and does nothing else.
func signingCases(ctx context.Context, satchel, work string) ([]benchCase, int64, error) {
	bundle, signed := filepath.Join(work, "large.mcpb"), filepath.Join(work, "signed.mcpb")
	cert, key := filepath.Join(work, "cert.pem"), filepath.Join(work, "key.pem")
	if err := errors.Join(largeBundle(bundle), newKey(cert, key)); err != nil {
		return nil, 0, err
	}
	sign := func(out string) []string {
		return []string{satchel, "sign", bundle, "--cert", cert, "--key", key, "--out", out}
	}
	if _, err := measure(ctx, sign(signed)); err != nil {
		return nil, 0, err
	}
	info, err := os.Stat(signed)
	if err != nil {
		return nil, 0, err
	}
	var cases []benchCase
	for _, digest := range [][]string{{"openssl", "dgst", "-sha256"}, {"sha256sum"}} {
		theirs := func(file string) func(int) []string {
			return func(int) []string { return append(digest[:len(digest):len(digest)], file) }
		}
		cases = append(cases,
			benchCase{"sign, " + digest[0], 1, true, true, func(n int) []string { return sign(filepath.Join(work, fmt.Sprintf("out-%d.mcpb", n))) }, theirs(bundle)},
			benchCase{"verify, " + digest[0], 1, false, true, func(int) []string { return []string{satchel, "verify", "--roots", cert, signed} }, theirs(signed)},
		)
	}
	return cases, info.Size(), nil
}

// largeBundle writes a bundle of stored noise: what is in it does not matter to a digest.
func largeBundle(name string) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	z := zip.NewWriter(f)
	manifest, err := z.Create("manifest.json")
	if err == nil {
		_, err = io.WriteString(manifest, "{}")
	}
	if err != nil {
		return errors.Join(err, f.Close())
	}
	noise := rand.NewChaCha8([32]byte{1})
	for i := range 16 {
		w, err := z.CreateHeader(&zip.FileHeader{Name: fmt.Sprintf("noise-%d", i), Method: zip.Store})
		if err == nil {
			_, err = io.CopyN(w, noise, largeSize/16)
		}
		if err != nil {
			return errors.Join(err, f.Close())
		}
	}
	return errors.Join(z.Close(), f.Close())
}

func newKey(certFile, keyFile string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), cryptorand.Reader)
	if err != nil {
		return err
	}
	form := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(1, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning},
	}
	cert, err := x509.CreateCertificate(cryptorand.Reader, form, form, key.Public(), key)
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile(certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}), 0o600),
		os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600),
	)
}

// judgeSigning holds the time to that of the faster program, and shows the other one.
func judgeSigning(results []result) (lines []line) {
	fastest := map[string]float64{}
	for _, r := range results {
		work, _, _ := strings.Cut(r.name, ",")
		if t := median(r.theirs, wallOf); fastest[work] == 0 || t < fastest[work] {
			fastest[work] = t
		}
	}
	for _, r := range results {
		work, program, _ := strings.Cut(r.name, ", ")
		ours, theirs := median(r.ours, wallOf), median(r.theirs, wallOf)
		lines = append(lines, line{work, "wall time, beside " + program, seconds(ours), seconds(theirs), r.ratio(wallOf), signingLimit, ""})
		if theirs == fastest[work] {
			rss := largest(r.ours)
			lines = append(lines, line{work, "peak memory", mib(rss), mib(largest(r.theirs)), rss / (1 << 20), memoryLimit, " MiB"})
		}
	}
	return lines
}

func renderSigning(lines []line, size int64, rounds int) string {
	var b strings.Builder
	version, err := exec.Command("openssl", "version").Output()
	if err != nil {
		version = []byte("openssl of an unknown version")
	}
	fmt.Fprintf(&b, "Measured on %s by `make bench`: %s/%s, %d processors, %s, %s; %d rounds in turns.\n", time.Now().UTC().Format(time.DateOnly),
		runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version(), strings.TrimSpace(string(version)), rounds)
	fmt.Fprintf(&b, "The bundle has %s.\n\n", mib(float64(size)))
	table(&b, "SHA-256 alone", lines)
	return b.String()
}
