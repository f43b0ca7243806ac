package e2e

import (
	"archive/zip"
	"bytes"
	"crypto/rand"
	mathrand "math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"satchel/internal/testsupport"
)

// Readers that others use take our signed bundles: a strict one, python's and Go's, unzip, and the reference, whose unsign
// takes our block out. Its own signatures are taken out by ours, byte for byte.
func TestForeignReadersReadOurSignedBundles(t *testing.T) {
	t.Parallel()
	ref, modules, node, py, unzip := reference(t), npm(t, "yauzl"), program(t, "node"), program(t, "python3"), program(t, "unzip")
	h, src := newHome(t), source(t)
	h.run(t, "satchel", "pack", src, "plain.mcpb")
	h.run(t, "satchel", "sign", "plain.mcpb", "--self-signed", "--out", "x.mcpb")
	want := readTree(t, src)

	same(t, "python's zipfile", pythonReads(t, h, py, "x.mcpb"), want)
	script := inSource(t, "internal", "e2e", "testdata", "read.cjs")
	same(t, "yauzl", parseTree(t, h.run(t, node, script, filepath.Dir(modules), "x.mcpb")), want)
	h.run(t, unzip, "-tq", "x.mcpb")
	h.run(t, ref, "unpack", "x.mcpb", "theirs")
	same(t, "the reference", readTree(t, filepath.Join(h.work, "theirs")), want)
	goReads(t, filepath.Join(h.work, "x.mcpb"), len(want))

	plain, signed := h.read(t, "plain.mcpb"), h.read(t, "x.mcpb")
	h.run(t, ref, "unsign", "x.mcpb")
	if got := h.read(t, "x.mcpb"); !bytes.HasPrefix(signed, got) || len(got) != len(plain) {
		t.Errorf("the reference leaves %d bytes, want %d", len(got), len(plain))
	}
	h.run(t, ref, "unsign", "plain.mcpb") // it says that it removed one; nothing changes
	h.write(t, "x.mcpb", signed)
	h.run(t, "satchel", "unsign", "x.mcpb")
	if !bytes.Equal(h.read(t, "x.mcpb"), plain) {
		t.Error("our unsign leaves other bytes")
	}
}

func goReads(t *testing.T, name string, files int) {
	t.Helper()
	z, err := zip.OpenReader(name)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	if len(z.File) != files || !strings.HasPrefix(z.Comment, "MCPB_SIG_V1") {
		t.Errorf("Go's archive/zip: %d files, comment %.20q", len(z.File), z.Comment)
	}
}

func (h *home) read(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(h.work, name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func (h *home) write(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(h.work, name), data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// A whole life: packed, signed by a company's key with a timestamp, verified and installed where the company is trusted.
// A bundle that was changed on the way is not installed.
func TestSignedByACompanyAndInstalled(t *testing.T) {
	t.Parallel()
	pki := testsupport.NewPKI(t)
	pki.SelfSigned("company", "rsa", "root")
	pki.Issue("company", "team", "P-256", "ca")
	pki.Issue("team", "build", "P-256", "code")
	pki.Issue("company", "clock", "P-256", "stamp")
	h, src := newHome(t), source(t)
	h.run(t, "satchel", "pack", src, "x.mcpb")
	chain := pki.Chain("build.pem", "build", "team")
	h.run(t, "satchel", "sign", "x.mcpb", "--cert", chain, "--key", pki.Path("build.key"), "--tsa", pki.TSA("clock"))
	h.run(t, "satchel", "verify", "x.mcpb", "--roots", pki.Path("company.crt"), "--no-system-roots")
	h.fails(t, 5, "satchel", "verify", "x.mcpb")
	h.run(t, "satchel", "trust", "add", pki.Path("company.crt"), "--yes")
	if out := h.run(t, "satchel", "verify", "x.mcpb"); !strings.Contains(out, "timestamp") || !strings.Contains(out, "CN=clock") {
		t.Errorf("verify says %s", out)
	}
	if review := h.try(t, "satchel", "install", "x.mcpb", "--yes"); review.code != 0 || !strings.Contains(review.stderr, "trusted: CN=build") {
		t.Errorf("the review says %s", review.stderr)
	}
	changed := h.read(t, "x.mcpb")
	changed[bytes.Index(changed, []byte("process.exit"))+1] ^= 1
	h.write(t, "changed.mcpb", changed)
	h.fails(t, 9, "satchel", "install", "changed.mcpb", "--yes")
}

// A kill at any moment of signing or unsigning leaves the old file or the new one, and nothing else that has a name.
func TestKilledWhileSigning(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	src := filepath.Join(t.TempDir(), "src")
	if err := os.CopyFS(src, os.DirFS(source(t))); err != nil {
		t.Fatal(err)
	}
	noise := make([]byte, 16<<20)
	if _, err := rand.Read(noise); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(src, "noise"), noise, 0o600); err != nil {
		t.Fatal(err)
	}
	h.run(t, "satchel", "pack", src, "plain.mcpb")
	plain := h.read(t, "plain.mcpb")
	h.write(t, "x.mcpb", plain)
	began := time.Now()
	h.run(t, "satchel", "sign", "x.mcpb", "--self-signed")
	took := time.Since(began)
	for range 25 {
		h.write(t, "x.mcpb", plain)
		cmd := h.command(t.Context(), "satchel", "sign", "x.mcpb", "--self-signed")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		<-time.After(mathrand.N(took * 5 / 4)) // the moment of the kill is what varies
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if got := h.read(t, "x.mcpb"); !bytes.Equal(got, plain) {
			h.fails(t, 5, "satchel", "verify", "x.mcpb") // self-signed: intact
		}
	}
}

// Processes that make the self-signed key at the same time sign with the same one.
func TestOneSelfSignedKey(t *testing.T) {
	t.Parallel()
	h, src := newHome(t), source(t)
	h.run(t, "satchel", "pack", src, "x.mcpb")
	done := make(chan string)
	for _, name := range []string{"a", "b", "c", "d"} {
		go func() {
			out, err := h.command(t.Context(), "satchel", "sign", "x.mcpb", "--self-signed", "--out", name+".mcpb").CombinedOutput()
			if err != nil {
				out = append(out, err.Error()...)
			}
			_, rest, _ := strings.Cut(string(out), "fingerprint")
			line, _, _ := strings.Cut(rest, "\n")
			done <- line
		}()
	}
	first := <-done
	for range 3 {
		if next := <-done; next != first || !strings.Contains(first, "sha256:") {
			t.Errorf("fingerprints %q and %q", first, next)
		}
	}
}
